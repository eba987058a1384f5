/**
 * Short notices of the analysis: the texts of `self.toast(text)`, gone again after a moment.
 */

import type { ConnectLoad } from '../codec';
import type { Connection } from '../connection';
import { UIElement } from './element';
import { asText } from './format';

/** How long a toast stands, in milliseconds. */
export const TOAST_MS = 4000;

/** Toasts that stand at once, at most; the newest. */
export const TOASTS_LIMIT = 5;

/**
 * A reloaded page gets its session's past again: for this long, in milliseconds, it shows no
 * toasts, since each of them was shown by the page before.
 */
export const TOASTS_PAST_MS = 1000;

/** The toasts of one page. */
export class Toasts {
  private hasJoined = false;
  private quietUntilMs = -Infinity;

  constructor(private node: HTMLElement, private conn: Connection) {
    conn.on('__connect', (load: ConnectLoad) => this.joined(load));
    conn.on('toast', message => {
      if (conn.environment.now() < this.quietUntilMs) return;
      // An element of the page's own shows it already.
      if (document.querySelector('[data-signal=toast]') === null) this.add(message);
    });
  }

  /** Puts the toasts of a connection into the page's alerts. */
  static wire(conn: Connection, id = 'databench-alerts'): void {
    const node = document.getElementById(id);
    if (!node || UIElement.skipWire(node) || node.querySelector(':scope > .d-toasts')) return;
    const box = document.createElement('div');
    box.className = 'd-toasts';
    box.setAttribute('role', 'status'); // there before the first toast: else it is not read out
    node.append(box);
    new Toasts(box, conn);
  }

  /** Shows a message, as text; nothing for null and for an empty text. */
  add(message: any): this {
    const text = asText(message);
    if (!text) return this;
    const toast = document.createElement('div');
    toast.className = 'd-toast';
    toast.textContent = text;
    this.node.append(toast);
    while (this.node.children.length > TOASTS_LIMIT) this.node.firstElementChild!.remove();
    this.conn.environment.setTimeout(() => toast.remove(), TOAST_MS);
    return this;
  }

  private joined({ resumed }: ConnectLoad): void {
    if (!this.hasJoined && resumed) this.quietUntilMs = this.conn.environment.now() + TOASTS_PAST_MS;
    this.hasJoined = true; // after a lost connection only what was missed comes
  }
}
