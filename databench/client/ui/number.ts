/**
 * `<input type="number">`: a number, or null while it is empty.
 *
 * What was typed stays as it was typed (`007`, `1e3`, `0.10`) while the analysis has the same
 * number, and an integer that JavaScript would round is sent with all of its digits.
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

  override setValue(value: any): this {
    const typed = this.node.value;
    if (typed !== '' && typeof value === 'number' && Number(typed) === value) return this;
    return super.setValue(value);
  }

  override change(): void {
    if (this.node.value === '' && this.node.validity?.badInput) {
      this.node.reportValidity(); // half a number, or a comma where the browser wants a point
      return;
    }
    super.change();
  }

  protected override entered(): any {
    const value = super.entered();
    const typed = this.node.value;
    const isLong = /^-?\d+$/.test(typed) && !Number.isSafeInteger(Number(typed));
    // What the page's own `actionFormat` made is sent as it is.
    return isLong && value === this.getValue() ? BigInt(typed) : value;
  }

  /** Wires all number inputs of a part of the page. */
  static override wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'input[type=number]')) {
      if (UIElement.nameOf(node)) new NumberInput(node).bind(conn);
    }
  }
}
