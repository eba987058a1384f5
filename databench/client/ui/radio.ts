/**
 * `<input type="radio">`: the value of the one that is chosen of its name.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { Input } from './input';

/** Wired to each radio button with a name; those of one name make one value. */
export class Radio extends Input {
  declare node: HTMLInputElement & { databenchUI?: UIElement };

  getValue(): string {
    return this.node.value;
  }

  setValue(value: any): this {
    this.node.checked = String(value) === this.node.value;
    return this;
  }

  /** Wires all radio buttons of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'input[type=radio]')) {
      if (UIElement.nameOf(node)) new Radio(node).bind(conn);
    }
  }
}
