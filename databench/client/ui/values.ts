/**
 * All values of `data`, for a page that names none: `<dl data-values>`.
 */

import type { Connection } from '../connection';
import { isObject } from '../signals';
import { Root, UIElement, unwired } from './element';

/** Keys that are shown; a page with more has a template. */
const MOST = 100;

/** Wired to elements with `data-values`. Each value is an element, wired like any. */
export class Values extends UIElement {
  private shown = new Map<string, HTMLElement>();

  /** Wires all lists of values of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, '[data-values]')) new Values(node).bind(conn);
  }

  protected override listen(conn: Connection): (() => void)[] {
    const show = (load: any) => {
      for (const [key, value] of isObject(load) ? Object.entries(load) : []) this.show(key, value);
    };
    show(conn.state.data);
    return [conn.listen('data', show)];
  }

  private show(key: string, value: unknown): void {
    const tag = tagOf(value);
    const before = this.shown.get(key);
    if (before?.localName === tag || (!before && this.shown.size >= MOST)) return;
    const node = document.createElement(tag);
    node.dataset['signal'] = `data:${key}`;
    if (tag === 'figure') node.dataset['plot'] = 'line';
    this.shown.set(key, node);
    this.node.hidden = false;
    if (before) {
      before.replaceWith(node);
      return;
    }
    const [name, place] = [document.createElement('dt'), document.createElement('dd')];
    name.textContent = key;
    place.append(node);
    this.node.append(name, place);
  }
}

/** What shows a value: a line for numbers, its text as it is laid out for the rest. */
function tagOf(value: unknown): string {
  if (Array.isArray(value) && value.every(item => typeof item === 'number')) return 'figure';
  return value !== null && typeof value === 'object' ? 'pre' : 'output';
}
