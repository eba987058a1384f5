/**
 * Messages about the page as a whole, such as a connection that failed.
 */

import type { Connection } from '../connection';
import { LOSS_MESSAGE } from '../transport';
import { UIElement } from './element';

/** Characters that mean something in HTML. */
const ESCAPES: Record<string, string> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;',
};

/** Text as HTML that shows that text. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, c => ESCAPES[c]!);
}

/** Usually wired to `<div id="databench-alerts">`: counts equal messages. */
export class StatusLog extends UIElement {
  formatter: (message: string, count: number) => string;
  _messages: { [message: string]: number } = Object.create(null);
  private readonly box: HTMLElement;

  /**
   * @param node       Where the messages go; its content stays.
   * @param formatter  Makes HTML of a message, which comes to it escaped, and of its count.
   */
  constructor(
    node: HTMLElement,
    formatter: (message: string, count: number) => string = StatusLog.defaultAlert,
  ) {
    super(node);
    this.formatter = formatter;
    this.box = document.createElement('div');
    this.box.setAttribute('role', 'status');
    node.append(this.box);
  }

  /** HTML of an alert. */
  static defaultAlert(message: string, count: number): string {
    const times = count <= 1 ? '' : `<b>(${count})</b> `;
    return `<div class="alert alert-danger">${times}${message}</div>`;
  }

  /** Shows the messages. */
  render(): this {
    // A formatter returns HTML of the page's author; what it is given is escaped.
    this.box.innerHTML = Object.keys(this._messages)
      .map(message => this.formatter(escapeHtml(message), this._messages[message]!))
      .join('\n');
    return this;
  }

  /** Adds a message; without one, clears them all. */
  add(message?: any): this {
    if (message === undefined || message === null) {
      this._messages = Object.create(null);
      return this.render();
    }
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this._messages[text] = (this._messages[text] ?? 0) + 1;
    return this.render();
  }

  /** Wires the alerts of a page. */
  static wire(
    conn: Connection, id = 'databench-alerts',
    formatter: (message: string, count: number) => string = StatusLog.defaultAlert,
  ): void {
    const node = document.getElementById(id) as UIElement['node'] | null;
    if (!node || node.databenchUI || UIElement.skipWire(node)) return;
    const log = new StatusLog(node, formatter);
    conn.errorCB = message => {
      // The notices in the same place show it too, and more.
      const loss = conn.goneReason ?? conn.busyReason ?? LOSS_MESSAGE;
      if (message === loss && node.querySelector('.d-notices')) return;
      log.add(message);
    };
  }
}
