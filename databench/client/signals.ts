/**
 * The listeners of each signal. Pure.
 *
 * A pattern is a signal's name; a regular expression on names; or an object such as
 * `{data: 'pi'}`, which looks into the signal's message for a key. Keys may be regular expressions
 * too, and may go into objects with dots: `{data: 'pi.estimate'}`.
 */

/** Called with the message and the signal's name, or with the value and its key. */
export type SignalCallback = (message: any, key?: string) => void;

/** What to listen for. */
export type SignalPattern = string | RegExp | { [signal: string]: string | RegExp | null };

interface Listener {
  matches: (signal: string) => boolean;
  hear: (load: any, signal: string) => void;
}

/** Whether a value is a JSON object (a list is not). */
export function isObject(value: unknown): value is Record<string, any> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value of a key, or of a path of keys.
 *
 * A key that itself contains dots is found before the path is tried.
 *
 * @returns The value wrapped in a list, or an empty list when there is none: `undefined` and
 *          `null` are values too.
 */
export function lookUp(data: unknown, path: string): any[] {
  if (!isObject(data)) return [];
  if (Object.prototype.hasOwnProperty.call(data, path)) return [data[path]];
  const dot = path.indexOf('.');
  if (dot < 1) return [];
  const head = path.slice(0, dot);
  if (!Object.prototype.hasOwnProperty.call(data, head)) return [];
  return lookUp(data[head], path.slice(dot + 1));
}

/** The listeners of one connection. */
export class Signals {
  private byName = new Map<string, Listener[]>();
  private byPattern: Listener[] = [];

  /**
   * @param report  Gets what a listener throws: one broken listener must not silence the others.
   */
  constructor(private report: (error: unknown) => void) {}

  /** Adds a listener; returns how to remove it. */
  on(pattern: SignalPattern, callback: SignalCallback): () => void {
    if (typeof pattern === 'string') {
      return this.addNamed(pattern, callback);
    }
    if (pattern instanceof RegExp) {
      // The words of the protocol are not what a page means by /.*/.
      const matches = (s: string) => !s.startsWith('__') && s.search(pattern) >= 0;
      return this.addPattern({ matches, hear: callback });
    }
    const removers = Object.keys(pattern).map(signal =>
      this.addNamed(signal, keyed(pattern[signal] ?? null, callback)));
    return () => removers.forEach(remove => remove());
  }

  /** Calls every listener of a signal; true when there was one. */
  dispatch(signal: string, load: any): boolean {
    const named = this.byName.get(signal) ?? [];
    const patterned = this.byPattern.filter(l => l.matches(signal));
    for (const listener of [...named, ...patterned]) {
      try {
        listener.hear(load, signal);
      } catch (error) {
        this.report(error);
      }
    }
    return named.length + patterned.length > 0;
  }

  private addNamed(name: string, hear: SignalCallback): () => void {
    const listener: Listener = { matches: s => s === name, hear };
    this.byName.set(name, [...(this.byName.get(name) ?? []), listener]);
    return () => {
      const left = (this.byName.get(name) ?? []).filter(l => l !== listener);
      if (left.length) this.byName.set(name, left);
      else this.byName.delete(name);
    };
  }

  private addPattern(listener: Listener): () => void {
    this.byPattern = [...this.byPattern, listener];
    return () => { this.byPattern = this.byPattern.filter(l => l !== listener); };
  }
}

function keyed(key: string | RegExp | null, callback: SignalCallback): SignalCallback {
  if (key === null) return callback;
  if (typeof key === 'string') {
    return load => { for (const value of lookUp(load, key)) callback(value, key); };
  }
  return load => {
    if (!isObject(load)) return;
    for (const name of Object.keys(load)) {
      if (name.search(key) >= 0) callback(load[name], name);
    }
  };
}
