/**
 * Inputs of text: `<input>` of type text, search, email, date and the like, and `<textarea>`.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { asText } from './format';
import { Input } from './input';

const OTHER_TYPES = [
  'button', 'checkbox', 'file', 'hidden', 'image', 'number', 'radio', 'range', 'reset', 'submit',
];

/** Wired to text inputs and text areas with a name. */
export class TextInput extends Input {
  _triggerOnKeyUp = false;
  private readonly keyUp = () => this.change();

  /** May be replaced: a value of the analysis as text. */
  formatFn(value: any): string {
    return asText(value);
  }

  /**
   * Sends on every key, instead of on enter and on leaving the element.
   *
   * @param v  False to send on enter again.
   */
  triggerOnKeyUp(v = true): this {
    this.node.removeEventListener('keyup', this.keyUp);
    if (v) this.node.addEventListener('keyup', this.keyUp);
    this._triggerOnKeyUp = v;
    return this;
  }

  getValue(): any {
    return this.node.value;
  }

  setValue(value: any): this {
    const text = this.formatFn(value) ?? '';
    // Setting the same text again would move the cursor.
    if (this.node.value !== String(text)) this.node.value = String(text);
    return this;
  }

  /** Wires all text inputs of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'input,textarea')) {
      if (!UIElement.nameOf(node) || OTHER_TYPES.includes((node as HTMLInputElement).type)) continue;
      new TextInput(node).bind(conn);
    }
  }
}
