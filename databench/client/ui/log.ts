/**
 * The log of a page: what the analysis and the page itself send as `log`, `warn` and `error`.
 */

import type { Connection } from '../connection';
import { UIElement } from './element';
import { oncePerFrame } from './frame';

/** Usually wired to `<pre id="log">`. */
export class Log extends UIElement {
  limitNumber: number;
  limitLength: number;
  _messages: string[][] = [];
  private readonly renderSoon = oncePerFrame(() => this.render());

  /**
   * @param node         Where the messages go.
   * @param limitNumber  Messages shown at most; the newest.
   * @param limitLength  Characters shown at most of each.
   */
  constructor(node: HTMLElement, limitNumber = 20, limitLength = 250) {
    super(node);
    this.limitNumber = limitNumber;
    this.limitLength = limitLength;
    node.setAttribute('role', 'log');
  }

  /** Shows the messages. */
  render(): this {
    this.node.textContent = this._messages
      .map(parts => this.shortened(parts.join('')))
      .join('\n');
    this.node.scrollTop = this.node.scrollHeight;
    return this;
  }

  /** Adds a message. */
  add(message: any, source = 'unknown'): this {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this._messages.push([`${source.padStart(7)}: ${text}`]);
    while (this._messages.length > this.limitNumber) this._messages.shift();
    this.renderSoon();
    return this;
  }

  /** Wires the log of a page. */
  static wire(
    conn: Connection, id = 'log', wireSignals = ['log', 'warn', 'error'],
    limitNumber = 20, limitLength = 250,
  ): void {
    const node = document.getElementById(id) as UIElement['node'] | null;
    if (!node || node.databenchUI || UIElement.skipWire(node)) return;
    new Log(node, limitNumber, limitLength).showSignals(conn, wireSignals);
  }

  /** Shows what the analysis and the page send as these signals from now on. */
  showSignals(conn: Connection, signals = ['log', 'warn', 'error']): void {
    for (const signal of signals) {
      conn.on(signal, message => { this.add(message, `backend (${signal})`); });
      conn.preEmit(signal, message => {
        this.add(message, `frontend (${signal})`);
        return message;
      });
    }
  }

  private shortened(text: string): string {
    return text.length > this.limitLength ? `${text.slice(0, this.limitLength)} ...` : text;
  }
}
