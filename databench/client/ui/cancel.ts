/**
 * `data-cancel="run"`: cancels what runs of an action; disabled while nothing does.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';

/** Wired to every element with `data-cancel`. */
export class Cancel extends UIElement {
  constructor(node: HTMLElement) {
    super(node);
    this.actionName = node.dataset['cancel'] ?? '';
  }

  /** Wires all cancel elements of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, '[data-cancel]')) {
      if (node.dataset['cancel']) new Cancel(node).bind(conn);
    }
  }

  protected override listen(conn: Connection): (() => void)[] {
    const click = (event: Event) => {
      event.preventDefault();
      conn.cancel(this.actionName);
    };
    this.node.addEventListener('click', click);
    const show = () => this.show(conn);
    show();
    return [
      conn.processes.watch(show),
      () => this.node.removeEventListener('click', click),
    ];
  }

  private show(conn: Connection): void {
    const open = conn.processes.list(this.actionName);
    const isCancelling = open.length > 0 && open.every(p => p.cancelMs !== null);
    const button = this.node as HTMLButtonElement;
    button.disabled = open.length === 0;
    button.classList.toggle('disabled', open.length === 0);
    if (isCancelling) button.setAttribute('aria-busy', 'true');
    else button.removeAttribute('aria-busy');
  }
}
