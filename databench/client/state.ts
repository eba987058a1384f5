/**
 * The last known values of `data` and `class_data`, put together from their changes.
 *
 * Elements that come into the page later read their first value here.
 */

import { isObject, lookUp } from './signals';

/** A page's copy of its analysis' state. */
export class State {
  /** Values of this session. */
  data: Record<string, any> = {};
  /** Values that all sessions of the analysis share. */
  class_data: Record<string, any> = {};

  /** Takes a change, if the signal is one of state. */
  receive(signal: string, load: unknown): void {
    if ((signal !== 'data' && signal !== 'class_data') || !isObject(load)) return;
    // Not Object.assign: a key named __proto__ has to stay a key.
    for (const key of Object.keys(load)) {
      Object.defineProperty(this[signal], key, {
        value: load[key], writable: true, enumerable: true, configurable: true,
      });
    }
  }

  /** The value at a key or dotted path, as a list of one, or of none. */
  find(scope: string, path: string): any[] {
    if (scope !== 'data' && scope !== 'class_data') return [];
    return lookUp(this[scope], path);
  }

  /** Forgets everything: the session is another one. */
  clear(): void {
    this.data = {};
    this.class_data = {};
  }
}
