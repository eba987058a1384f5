/**
 * `<input type="number">`: a number, or null while it is empty.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { TextInput } from './textinput';

/** Wired to number inputs with a name. */
export class NumberInput extends TextInput {
  override getValue(): number | null {
    const value = Number.parseFloat(this.node.value);
    return Number.isFinite(value) ? value : null;
  }

  /** Wires all number inputs of a part of the page. */
  static override wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'input[type=number]')) {
      if (UIElement.nameOf(node)) new NumberInput(node).bind(conn);
    }
  }
}
