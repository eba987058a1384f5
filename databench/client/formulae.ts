/**
 * Formulae of a page, `\( … \)`, `$$ … $$`, `\[ … \]` and `\begin{…} … \end{…}`, as MathML.
 *
 * A separate script, formulae.js: the server adds it to pages that hold a formula. It takes the
 * text that the page was served with, once, and loads the renderer (Temml, in static/temml/) only
 * when there is a formula in it. It leaves alone code, text that the visitor enters, and what
 * signals write. TeX goes in as text and comes out as MathML; nothing in it becomes HTML.
 */

/** A piece of a text: words, or a formula without its delimiters. */
export interface Piece {
  text: string;
  formula: boolean;
  /** Whether the formula stands on a separate line. */
  display: boolean;
}

export interface Renderer {
  render(tex: string, node: Element, options: object): void;
}

const BEGIN = /\$\$|\\\(|\\\[|\\begin\{(\w+\*?)\}/g;
const ENVIRONMENT_END = /\\end\{(\w+\*?)\}/g;
const CLOSINGS: Record<string, string> = { '$$': '$$', '\\(': '\\)', '\\[': '\\]' };
const SKIPPED = 'script, style, pre, code, kbd, samp, textarea, input, select, option, svg, math, '
  + '[contenteditable], [data-signal], [data-formulae="off"], #log, #databench-alerts';

/** A formula in a text: where it begins, where its own words do, and where these and it end. */
interface Place { begin: number; inner: number; innerEnd: number; end: number; display: boolean }

/**
 * Finds the formulae of a text, each looked for once: a pattern with `[^]+?` would read the rest of
 * the text for every begin without an end.
 */
class Places {
  private readonly last = new Map<string, number>(); // of each end, the last place

  constructor(private readonly text: string) {
    for (const end of Object.values(CLOSINGS)) this.last.set(end, text.lastIndexOf(end));
    for (const found of text.matchAll(ENVIRONMENT_END)) this.last.set(found[0], found.index);
  }

  /** The first formula from a place on. */
  next(from: number): Place | null {
    BEGIN.lastIndex = from;
    for (let found = BEGIN.exec(this.text); found !== null; found = BEGIN.exec(this.text)) {
      const name = found[1];
      const inner = found.index + found[0].length;
      const closing = name === undefined ? CLOSINGS[found[0]]! : `\\end{${name}}`;
      if ((this.last.get(closing) ?? -1) > inner) {
        const innerEnd = this.text.indexOf(closing, inner + 1);
        const end = innerEnd + closing.length;
        if (name === undefined) return { begin: found.index, inner, innerEnd, end, display: found[0] !== '\\(' };
        return { begin: found.index, inner: found.index, innerEnd: end, end, display: true };
      }
      BEGIN.lastIndex = found.index + 1;
    }
    return null;
  }
}

/** Takes a text apart; null where no formula is in it. */
export function split(text: string): Piece[] | null {
  const places = new Places(text);
  const pieces: Piece[] = [];
  let end = 0;
  for (let place = places.next(0); place !== null; place = places.next(place.end)) {
    const tex = text.slice(place.inner, place.innerEnd);
    if (tex.trim() === '') continue;
    if (place.begin > end) pieces.push(words(text.slice(end, place.begin)));
    pieces.push({ text: tex, formula: true, display: place.display });
    end = place.end;
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

/** Replaces sources by their formulae. What is not TeX stays as it was written, marked. */
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
