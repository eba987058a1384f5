/**
 * What the page knows about its kernel, from `__kernel`.
 */

import { KernelLoad, KernelWord } from './codec';

/** States that a kernel can be in; `unknown` until the front has sent one. */
export type KernelState =
  | 'unknown' | 'starting' | 'idle' | 'busy' | 'unresponsive' | 'cancelling' | 'backoff' | 'failed'
  | 'stopping' | 'culled' | 'queued';

/** The kernel of a page's analysis: its state, and what can be asked of it. */
export class Kernel {
  state: KernelState = 'unknown';
  reason = '';
  /** Number of this life of the kernel. */
  generation: number | null = null;
  /** Seconds until it starts again, as of `sinceMs`. */
  retryInS: number | null = null;
  /** After how long a cancel offers to end the kernel. */
  cancelLimitMs = 2000;
  /** Sessions that share the process. */
  sessions = 1;
  /** Whether another session uses it now: has a page, or runs an action in it. */
  isShared = false;
  /** Which sessions share it: `analysis`, `pool`, or `session` if none do. */
  isolation = 'analysis';
  /** How many sessions begin before this one, while it is queued. */
  ahead = 0;
  /** Last lines of its standard error, if the server sends them. */
  stderr: string[] = [];
  /** The file that was saved and waits for the end of what runs; empty if none does. */
  codeChange = '';
  /** What it sent that is not as the protocol says; where the server tells it. */
  mistake = '';
  /** When it entered this state, on the page's clock. */
  sinceMs = 0;

  private watchers: ((kernel: Kernel) => void)[] = [];

  /** @param send  Carries a word to the kernel's supervisor; false when not connected. */
  constructor(private send: (word: KernelWord) => boolean) {}

  /** Calls back on every change; returns how to stop that. */
  on(watcher: (kernel: Kernel) => void): () => void {
    this.watchers.push(watcher);
    return () => { this.watchers = this.watchers.filter(w => w !== watcher); };
  }

  /** Asks for a new process. False if there is no connection to ask over. */
  restart(): boolean {
    return this.send('restart');
  }

  /** Asks for an interrupt, as Ctrl-C in a terminal. False if there is no connection. */
  interrupt(): boolean {
    return this.send('interrupt');
  }

  /** Takes the front's message. */
  receive(load: KernelLoad, nowMs: number): void {
    const generation = load.generation ?? this.generation;
    if (load.state !== this.state || generation !== this.generation) this.sinceMs = nowMs;
    // A new wait begins with every attempt, though the state's name stays the same.
    if (load.state === 'backoff') this.sinceMs = nowMs;
    this.state = load.state as KernelState;
    this.reason = load.reason ?? '';
    this.generation = generation;
    this.retryInS = load.retry_in_s ?? null;
    this.sessions = load.sessions ?? 1;
    this.isShared = load.shared === true;
    this.isolation = load.isolation ?? 'analysis';
    this.ahead = load.ahead ?? 0;
    this.codeChange = load.code_change ?? '';
    this.mistake = load.mistake ?? '';
    this.cancelLimitMs = 1000 * (load.cancel_limit_s ?? this.cancelLimitMs / 1000);
    this.stderr = Array.isArray(load.stderr) ? load.stderr.map(String) : [];
    for (const watcher of [...this.watchers]) watcher(this);
  }
}
