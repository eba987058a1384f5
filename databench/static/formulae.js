/* Databench: https://github.com/svenkreiss/databench, MIT licence. Built from databench/client/ by `npm run build`. */
"use strict";
(() => {
  // databench/client/formulae.ts
  var BEGIN = /\$\$|\\\(|\\\[|\\begin\{(\w+\*?)\}/g;
  var ENVIRONMENT_END = /\\end\{(\w+\*?)\}/g;
  var CLOSINGS = { "$$": "$$", "\\(": "\\)", "\\[": "\\]" };
  var SKIPPED = 'script, style, pre, code, kbd, samp, textarea, input, select, option, svg, math, [contenteditable], [data-signal], [data-formulae="off"], #log, #databench-alerts';
  var Places = class {
    // of each end, the last place
    constructor(text) {
      this.text = text;
      this.last = /* @__PURE__ */ new Map();
      for (const end of Object.values(CLOSINGS)) this.last.set(end, text.lastIndexOf(end));
      for (const found of text.matchAll(ENVIRONMENT_END)) this.last.set(found[0], found.index);
    }
    /** The first formula from a place on. */
    next(from) {
      BEGIN.lastIndex = from;
      for (let found = BEGIN.exec(this.text); found !== null; found = BEGIN.exec(this.text)) {
        const name = found[1];
        const inner = found.index + found[0].length;
        const closing = name === void 0 ? CLOSINGS[found[0]] : `\\end{${name}}`;
        if ((this.last.get(closing) ?? -1) > inner) {
          const innerEnd = this.text.indexOf(closing, inner + 1);
          const end = innerEnd + closing.length;
          if (name === void 0) return { begin: found.index, inner, innerEnd, end, display: found[0] !== "\\(" };
          return { begin: found.index, inner: found.index, innerEnd: end, end, display: true };
        }
        BEGIN.lastIndex = found.index + 1;
      }
      return null;
    }
  };
  function split(text) {
    const places = new Places(text);
    const pieces = [];
    let end = 0;
    for (let place = places.next(0); place !== null; place = places.next(place.end)) {
      const tex = text.slice(place.inner, place.innerEnd);
      if (tex.trim() === "") continue;
      if (place.begin > end) pieces.push(words(text.slice(end, place.begin)));
      pieces.push({ text: tex, formula: true, display: place.display });
      end = place.end;
    }
    if (pieces.length === 0) return null;
    if (end < text.length) pieces.push(words(text.slice(end)));
    return pieces;
  }
  function words(text) {
    return { text, formula: false, display: false };
  }
  function find(root) {
    const found = [];
    root.normalize();
    collect(root, found);
    return found;
  }
  function collect(node, found) {
    if (node.matches(SKIPPED)) return;
    for (const child of Array.from(node.childNodes)) {
      if (child.nodeType === Node.ELEMENT_NODE) collect(child, found);
      else if (child.nodeType === Node.TEXT_NODE && split(child.data)) found.push(child);
    }
  }
  function show(text, renderer) {
    const pieces = split(text.data);
    if (pieces === null) return;
    text.replaceWith(...pieces.map((piece) => piece.formula ? shown(piece, renderer) : piece.text));
  }
  function shown(piece, renderer) {
    const node = document.createElement("span");
    node.className = "d-formula";
    if (piece.display) node.setAttribute("style", "display:block;overflow-x:auto;overflow-y:hidden");
    try {
      renderer.render(piece.text, node, { displayMode: piece.display, throwOnError: true });
    } catch (error) {
      node.textContent = piece.text;
      node.classList.add("d-formula-error");
      node.setAttribute("title", String(error.message));
      console.info(`databench: this formula cannot be read: ${piece.text}
${String(error)}`);
    }
    return node;
  }
  function load(base2) {
    const sheets = ["temml/Temml-Local.css", "formulae.css"].map((name) => {
      const sheet = document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = new URL(name, base2).href;
      return sheet;
    });
    const script = document.createElement("script");
    script.src = new URL("temml/temml.min.js", base2).href;
    return new Promise((resolve, reject) => {
      script.onload = () => resolve(globalThis.temml);
      script.onerror = () => reject(new Error(`${script.src} could not be loaded`));
      document.head.append(...sheets, script);
    });
  }
  async function run(base2) {
    const texts = find(document.body);
    if (texts.length === 0) return;
    const renderer = await load(base2);
    for (const text of texts) show(text, renderer);
  }

  // databench/client/formulaepage.ts
  var base = document.currentScript.src;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => run(base));
  else void run(base);
})();
