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
  /** Parts of a page that need no code. */
  readonly genericElements: {
    /**
     * Shows what the analysis sends as `signalName`, or as `log`, `warn` and `error` without a
     * name, and what the page writes with `console[consoleFnName]`: the newest `limit` lines.
     */
    log(where: ElementLike, signalName?: string, limit?: number, consoleFnName?: string): void;
    /** Draws the figure of mpld3 that comes with `signalName`, instead of the previous one. */
    mpld3canvas(where: ElementLike, signalName?: string): void;
  };

  constructor(readonly name: string, readonly connection: Connection) {
    this.signals = {
      on: (signal, callback) => { connection.on(signal, message => callback(message)); },
      emit: (signal, message) => { connection.emit(signal, message); },
    };
    this.genericElements = {
      log: (where, signalName, limit = 20, consoleFnName = 'log') => {
        const log = new Log(elementOf(where, 'genericElements.log'), limit);
        log.showSignals(connection, signalName ? [signalName] : undefined);
        showConsole(log, consoleFnName);
      },
      mpld3canvas: (where, signalName = 'mpld3canvas') => {
        const node = elementOf(where, 'genericElements.mpld3canvas');
        connection.on(signalName, figure => drawFigure(node, figure));
      },
    };
    if (typeof document !== 'undefined') wireNotices(connection);
  }
}

const CONNECTION_WORDS = ['backend: ', 'frontend: '];

/** Shows what the page writes to its console, which gets it as well. */
function showConsole(log: Log, name: string): void {
  const page = console as unknown as Record<string, ((...words: unknown[]) => void) | undefined>;
  const write = page[name];
  if (write === undefined) throw new Error(`genericElements.log: there is no console.${name}`);
  page[name] = (...words) => {
    write.apply(console, words);
    // What the connection writes there is shown by its signal.
    if (!CONNECTION_WORDS.includes(words[0] as string)) log.add(words[0], 'frontend');
  };
}

/** mpld3 adds to what is there, and leaves the labels of figures that have gone. */
function drawFigure(node: HTMLElement, figure: unknown): void {
  const { mpld3 } = globalThis as { mpld3?: { draw_figure(id: string, figure: unknown): void } };
  if (mpld3 === undefined) {
    node.textContent = 'This figure needs mpld3. Install it where the server runs, for example '
      + "with pip install 'databench[mpld3]', and start the server again.";
    return;
  }
  node.replaceChildren();
  for (const old of document.querySelectorAll('.mpld3-tooltip')) old.remove();
  node.id ||= 'mpld3canvas';
  mpld3.draw_figure(node.id, figure);
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
