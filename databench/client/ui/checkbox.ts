/**
 * `<input type="checkbox">`: true or false.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { Input } from './input';

/** Wired to checkboxes with a name. */
export class Checkbox extends Input {
  declare node: HTMLInputElement & { databenchUI?: UIElement };

  getValue(): boolean {
    return this.node.checked;
  }

  setValue(value: any): this {
    this.node.checked = Boolean(value);
    return this;
  }

  /** Wires all checkboxes of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'input[type=checkbox]')) {
      if (UIElement.nameOf(node)) new Checkbox(node).bind(conn);
    }
  }
}
