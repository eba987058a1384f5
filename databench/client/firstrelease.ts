/**
 * The interface of the first release: `var databench = Databench('simplepi')`.
 */

import type { Connection } from './connection';
import { Log } from './ui/log';
import { wireNotices } from './ui/wire';

/** An element as pages of the first release name one: a jQuery object, a node, or an id. */
export type ElementLike = HTMLElement | string | { readonly [index: number]: HTMLElement };

/** What a page of the first release uses; `connection` is what pages of today use. */
export class FirstRelease {
  /** Listens with `on(signal, callback)` and calls a function with `emit(signal, message)`. */
  readonly signals: {
    on(signal: string, callback: (message: any) => void): void;
    emit(signal: string, message?: any): void;
  };
  /** Parts of a page that need no code of its own. */
  readonly genericElements: { log(where: ElementLike): void };

  constructor(readonly name: string, readonly connection: Connection) {
    this.signals = {
      on: (signal, callback) => { connection.on(signal, message => callback(message)); },
      emit: (signal, message) => { connection.emit(signal, message); },
    };
    this.genericElements = {
      log: where => new Log(elementOf(where, 'genericElements.log')).showSignals(connection),
    };
    if (typeof document !== 'undefined') wireNotices(connection);
  }
}

/** Finds the element; an error names what was looked for. */
function elementOf(where: ElementLike, asker: string): HTMLElement {
  if (typeof where === 'string') {
    const node = document.getElementById(where.replace(/^#/, ''));
    if (node) return node;
    throw new Error(`${asker}: there is no element with the id '${where}'; nothing is shown`);
  }
  const node = 'nodeType' in where ? where as HTMLElement : where?.[0];
  if (node) return node;
  throw new Error(`${asker}: the selection is empty; nothing is shown`);
}
