/* Databench: https://github.com/svenkreiss/databench, MIT licence. Built from databench/client/ by `npm run build`. */
"use strict";
(() => {
  // databench/client/formulae.ts
  var FORMULA = /\$\$([^]+?)\$\$|\\\(([^]+?)\\\)|\\\[([^]+?)\\\]|(\\begin\{(\w+\*?)\}[^]+?\\end\{\5\})/g;
  var SKIPPED = 'script, style, pre, code, kbd, samp, textarea, input, select, option, svg, math, [contenteditable], [data-signal], [data-formulae="off"], #log, #databench-alerts';
  function split(text) {
    const pieces = [];
    let end = 0;
    for (const found of text.matchAll(FORMULA)) {
      const tex = found[1] ?? found[2] ?? found[3] ?? found[4] ?? "";
      if (tex.trim() === "") continue;
      if (found.index > end) pieces.push(words(text.slice(end, found.index)));
      pieces.push({ text: tex, formula: true, display: found[2] === void 0 });
      end = found.index + found[0].length;
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
