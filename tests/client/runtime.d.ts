/**
 * What the client's transport may use beside the language itself: what Node and browsers share.
 */

declare const console: Record<'log' | 'warn' | 'error', (...words: any[]) => void>;
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delayMs: number): number;
declare function clearTimeout(timer: number | undefined): void;
declare function queueMicrotask(callback: () => void): void;
interface AbortSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
