/**
 * Text that follows a value: `<span data-signal="data:pi.estimate">`.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { formatted } from './format';
import { oncePerFrame } from './frame';

const BY_ACTION = ['span', 'p', 'div', 'i', 'b', 'pre'].map(tag => `${tag}[data-action]`);

/** Selects what may be text. */
export const TEXT_SELECTOR = ['[data-signal]', ...BY_ACTION].join(',');

const NO_TEXT = 'button,input,select,textarea,img,progress,[data-plot],[data-cancel],[data-progress]';

/** Wired to elements with `data-signal`, and to some with `data-action`. */
export class Text extends UIElement {
  private pending: any;
  private readonly showSoon = oncePerFrame(() => this.setValue(this.pending));

  /** May be replaced: a value as text, or as a node. Text is never read as HTML. */
  formatFn(value: any): string | Node {
    return formatted(value, this.node.dataset['format']);
  }

  /** The text that is shown. */
  getValue(): string {
    return this.node.textContent ?? '';
  }

  /** Shows a value. */
  setValue(value?: any): this {
    const shown = this.formatFn(value);
    if (shown !== null && typeof shown === 'object') this.node.replaceChildren(shown);
    else this.node.textContent = shown === undefined || shown === null ? '' : String(shown);
    return this;
  }

  /** Wires all text of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, TEXT_SELECTOR)) {
      if (!node.matches(NO_TEXT)) new Text(node).bind(conn);
    }
  }

  protected override listen(conn: Connection): (() => void)[] {
    // Thousands of changes a second show as one per frame of the screen: the last.
    return [this.hear(conn, value => {
      this.pending = value;
      this.showSoon();
    })];
  }
}
