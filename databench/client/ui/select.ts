/**
 * `<select>`: the value of the chosen option, or with `multiple` a list of them.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { Input } from './input';

/** Wired to selects with a name. */
export class Select extends Input {
  declare node: HTMLSelectElement & { databenchUI?: UIElement };

  getValue(): string | string[] {
    if (!this.node.multiple) return this.node.value;
    return [...this.node.options].filter(o => o.selected).map(o => o.value);
  }

  setValue(value: any): this {
    const chosen = (Array.isArray(value) ? value : [value]).map(String);
    for (const option of this.node.options) option.selected = chosen.includes(option.value);
    return this;
  }

  /** Wires all selects of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'select')) {
      if (UIElement.nameOf(node)) new Select(node).bind(conn);
    }
  }
}
