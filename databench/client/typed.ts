/**
 * Keeps what a visitor typed and did not send over a reload of the page, in sessionStorage.
 *
 * A value that the analysis knows comes back with its state; so of wired inputs only edits that
 * were not sent are put back, and of all inputs those that still show the value of the page's HTML.
 * Passwords and files are left out.
 */

import { pagePlace } from './page';

const PREFIX = 'databench.typed:';
const LEFT_OUT = ['password', 'file', 'hidden', 'button', 'submit', 'reset', 'image'];
const CHOICES = ['checkbox', 'radio'];

/** The part of a wired input that is used. */
interface TypedInto {
  readonly isUnsent?: boolean;
  /** Continues an edit that was not sent. */
  resume?(): void;
  /** Shows the value in further places, as a slider's label does. */
  render?(): void;
}

type Node = (HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement) & { databenchUI?: TypedInto };

/** One input, as it was. */
interface Kept {
  key: string;
  value: string | boolean | string[];
  isUnsent: boolean;
  isFocused: boolean;
  selection: [number, number] | null;
}

/** Notes all inputs of the page, for the page that follows. */
export function keepTyped(): void {
  const kept = inputs().map(([key, node]): Kept => ({
    key,
    value: valueOf(node),
    isUnsent: node.databenchUI?.isUnsent ?? false,
    isFocused: document.activeElement === node,
    selection: selectionOf(node),
  }));
  try {
    sessionStorage.setItem(place(), JSON.stringify(kept));
  } catch {
    // full or forbidden: only what was typed is lost
  }
}

/** Puts back what the page before the reload noted, once. */
export function restoreTyped(): void {
  let kept: Kept[];
  try {
    const text = sessionStorage.getItem(place());
    if (text === null) return;
    sessionStorage.removeItem(place());
    kept = JSON.parse(text);
  } catch {
    return; // no page, no storage, or not ours
  }
  const nodes = new Map(inputs());
  for (const one of kept) {
    const node = nodes.get(one.key);
    if (node) restore(node, one);
  }
}

function place(): string {
  return PREFIX + pagePlace();
}

/** The page's inputs, each with a key that the next page's same input has. */
function inputs(): [string, Node][] {
  const counts = new Map<string, number>();
  const found: [string, Node][] = [];
  for (const node of document.querySelectorAll<Node>('input,select,textarea')) {
    if (LEFT_OUT.includes(node.type)) continue;
    const own = CHOICES.includes(node.type) ? node.value : '';
    const base = `${node.type} ${node.name} ${node.id} ${own}`;
    const nth = counts.get(base) ?? 0;
    counts.set(base, nth + 1);
    found.push([`${base} ${nth}`, node]);
  }
  return found;
}

function valueOf(node: Node): Kept['value'] {
  if (CHOICES.includes(node.type)) return (node as HTMLInputElement).checked;
  if (isSelect(node)) return [...node.selectedOptions].map(o => o.value);
  return node.value;
}

function defaultOf(node: Node): Kept['value'] {
  if (CHOICES.includes(node.type)) return (node as HTMLInputElement).defaultChecked;
  if (isSelect(node)) {
    const chosen = [...node.options].filter(o => o.defaultSelected).map(o => o.value);
    const first = node.multiple || !node.options[0] ? [] : [node.options[0].value];
    return chosen.length ? chosen : first;
  }
  const { defaultValue, type } = node as HTMLInputElement;
  // A slider stands in its middle, and a colour is black, if the HTML sets nothing.
  return defaultValue || (type === 'range' || type === 'color' ? node.value : '');
}

function selectionOf(node: Node): [number, number] | null {
  const { selectionStart, selectionEnd } = node as HTMLInputElement;
  return typeof selectionStart === 'number' ? [selectionStart, selectionEnd ?? selectionStart] : null;
}

function restore(node: Node, { value, isUnsent, isFocused, selection }: Kept): void {
  const isUntouched = same(valueOf(node), defaultOf(node));
  if (isFocused) node.focus({ preventScroll: true });
  if ((isUnsent || isUntouched) && !same(valueOf(node), value)) {
    put(node, value);
    if (isUnsent) node.databenchUI?.resume?.();
  }
  if (isFocused && selection) {
    (node as HTMLInputElement).setSelectionRange(...selection);
  }
}

function put(node: Node, value: Kept['value']): void {
  if (typeof value === 'boolean') {
    (node as HTMLInputElement).checked = value;
  } else if (isSelect(node)) {
    for (const option of node.options) option.selected = (value as string[]).includes(option.value);
  } else {
    node.value = String(value);
    node.databenchUI?.render?.();
  }
}

function isSelect(node: Node): node is HTMLSelectElement {
  return node.type.startsWith('select-');
}

function same(a: Kept['value'], b: Kept['value']): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
