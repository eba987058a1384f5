/**
 * What a connection needs from the world: a clock, timers, randomness, sockets, the page.
 *
 * Handed in, so that a test moves time by hand and joins both ends itself. The standard one fits
 * Node, given a WebSocket class; in a browser the page adds its own part (`page.ts`).
 */

/** The part of a WebSocket that is used. */
export interface SocketLike {
  readonly readyState: number;
  binaryType?: any;
  onopen: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  send(text: string): void;
  close(): void;
}

/** A class of WebSockets, such as the browser's own or that of the package `ws`. */
export type SocketClass = new (url: string) => SocketLike;

/** Why a page should look after its connection at once. */
export type WakeReason = 'online' | 'visible';

/** A connection's view of the world. */
export interface Environment {
  /** Milliseconds; monotonic. */
  now(): number;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
  openSocket(url: string): SocketLike;
  /** Calls back when the network returns or the page becomes visible; returns how to stop that. */
  onWake(callback: (reason: WakeReason) => void): () => void;
  /** Reports an exception in the page's own code without ending what runs. */
  report(error: unknown): void;
  /** Loads the page again, where there is one. */
  reload(): void;
  /** The count of saves that the page knows of, in development; null: none is known. */
  savesSeen(): number | null;
}

/** The class given to `useWebSocket`; it comes before the browser's. */
let chosenSocketClass: SocketClass | undefined;

/** Sets the WebSocket class for every connection without its own (Node before 22 has none). */
export function useWebSocket(socketClass: SocketClass | undefined): void {
  chosenSocketClass = socketClass;
}

/** The class given to `useWebSocket`, if any. */
export function chosenWebSocket(): SocketClass | undefined {
  return chosenSocketClass;
}

function openSocket(url: string): SocketLike {
  const found = chosenSocketClass
    ?? (globalThis as { WebSocket?: unknown }).WebSocket as SocketClass | undefined;
  if (!found) {
    throw new Error(
      'no WebSocket class in this runtime; set one before connecting, '
      + "such as Databench.WebSocket = require('ws')");
  }
  return new found(url);
}

function report(error: unknown): void {
  // Thrown outside of the running frame: the browser's console and window.onerror see it.
  queueMicrotask(() => { throw error; });
}

/** The world as it is without a page. */
export const STANDARD_ENVIRONMENT: Environment = {
  now: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: timer => clearTimeout(timer as ReturnType<typeof setTimeout>),
  openSocket,
  onWake: () => () => {},
  report,
  reload: () => {},
  savesSeen: () => null,
};

/** That world, but for what is given. */
export function environmentOf(
  options: Partial<Environment> & { WebSocket?: SocketClass; slot?: unknown },
): Environment {
  const { WebSocket: socketClass, slot: _slot, ...given } = options;
  const environment = { ...STANDARD_ENVIRONMENT, ...given };
  if (socketClass) environment.openSocket = url => new socketClass(url);
  return environment;
}
