/**
 * Formulae of a page, `\( … \)`, `$$ … $$`, `\[ … \]` and `\begin{…} … \end{…}`, as MathML.
 *
 * A script of its own, formulae.js: the server adds it to pages that hold a formula. It takes the
 * text that the page was served with, once, and loads the renderer (Temml, in static/temml/) only
 * when there is a formula in it. It leaves alone what is code, what a person types into, and what
 * signals write. TeX goes in as text and comes out as MathML; nothing in it becomes HTML.
 */

/** A piece of a text: words, or a formula without its delimiters. */
export interface Piece {
  text: string;
  formula: boolean;
  /** Whether the formula has a line of its own. */
  display: boolean;
}

export interface Renderer {
  render(tex: string, node: Element, options: object): void;
}

const FORMULA = /\$\$([^]+?)\$\$|\\\(([^]+?)\\\)|\\\[([^]+?)\\\]|(\\begin\{(\w+\*?)\}[^]+?\\end\{\5\})/g;
const SKIPPED = 'script, style, pre, code, kbd, samp, textarea, input, select, option, svg, math, '
  + '[contenteditable], [data-signal], [data-formulae="off"], #log, #databench-alerts';

/** Takes a text apart; null where no formula is in it. */
export function split(text: string): Piece[] | null {
  const pieces: Piece[] = [];
  let end = 0;
  for (const found of text.matchAll(FORMULA)) {
    const tex = found[1] ?? found[2] ?? found[3] ?? found[4] ?? '';
    if (tex.trim() === '') continue;
    if (found.index > end) pieces.push(words(text.slice(end, found.index)));
    pieces.push({ text: tex, formula: true, display: found[2] === undefined });
    end = found.index + found[0].length;
  }
  if (pieces.length === 0) return null;
  if (end < text.length) pieces.push(words(text.slice(end)));
  return pieces;
}

function words(text: string): Piece {
  return { text, formula: false, display: false };
}

/** The texts below a node that hold a formula. */
export function find(root: Element): Text[] {
  const found: Text[] = [];
  root.normalize(); // a formula is looked for in one text
  collect(root, found);
  return found;
}

function collect(node: Element, found: Text[]): void {
  if (node.matches(SKIPPED)) return;
  for (const child of Array.from(node.childNodes)) {
    if (child.nodeType === Node.ELEMENT_NODE) collect(child as Element, found);
    else if (child.nodeType === Node.TEXT_NODE && split((child as Text).data)) found.push(child as Text);
  }
}

/** Puts formulae in the place of their source. What is no TeX stays as it was written, marked. */
export function show(text: Text, renderer: Renderer): void {
  const pieces = split(text.data);
  if (pieces === null) return;
  text.replaceWith(...pieces.map(piece => (piece.formula ? shown(piece, renderer) : piece.text)));
}

function shown(piece: Piece, renderer: Renderer): Element {
  const node = document.createElement('span');
  node.className = 'd-formula';
  if (piece.display) node.setAttribute('style', 'display:block;overflow-x:auto;overflow-y:hidden');
  try {
    renderer.render(piece.text, node, { displayMode: piece.display, throwOnError: true });
  } catch (error) {
    node.textContent = piece.text;
    node.classList.add('d-formula-error');
    node.setAttribute('title', String((error as Error).message));
    console.info(`databench: this formula cannot be read: ${piece.text}\n${String(error)}`);
  }
  return node;
}

function load(base: string): Promise<Renderer> {
  // The second one names the fonts: Temml's own leaves systems without one for mathematics alone.
  const sheets = ['temml/Temml-Local.css', 'formulae.css'].map(name => {
    const sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = new URL(name, base).href;
    return sheet;
  });
  const script = document.createElement('script');
  script.src = new URL('temml/temml.min.js', base).href;
  return new Promise((resolve, reject) => {
    script.onload = () => resolve((globalThis as unknown as { temml: Renderer }).temml);
    script.onerror = () => reject(new Error(`${script.src} could not be loaded`));
    document.head.append(...sheets, script);
  });
}

/** Shows the formulae of the page. */
export async function run(base: string): Promise<void> {
  const texts = find(document.body);
  if (texts.length === 0) return;
  const renderer = await load(base);
  for (const text of texts) show(text, renderer);
}
