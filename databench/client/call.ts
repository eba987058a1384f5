/**
 * `await connection.call(...)`: an action as a promise.
 */

import { ErrorLoad, Outcome } from './codec';
import { Process, Processes } from './processes';
import { isObject } from './signals';

/** How far a called action has come; `total` is null if it is not known. */
export interface CallProgress {
  value: number;
  total: number | null;
}

/** What `call` takes in addition to the action and its arguments. */
export interface CallOptions {
  /** Aborting it cancels the action. */
  signal?: AbortSignal;
  onProgress?: (progress: CallProgress) => void;
}

/** An action that did not end with `done`. */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  readonly action: string;
  /** Number of the request; null when it was never made. */
  readonly id: number | null;
  /** `error`, `cancelled` or `lost`. */
  readonly outcome: Outcome;
  /** Name of the exception in the kernel, where there was one. */
  readonly type: string;
  /** The kernel's traceback, in development. */
  readonly traceback: string | null;

  constructor(action: string, id: number | null, outcome: Outcome, error: ErrorLoad | null) {
    super(error?.message || `action '${action}' ended: ${outcome}`);
    this.action = action;
    this.id = id;
    this.outcome = outcome;
    this.type = error?.type ?? '';
    this.traceback = error?.traceback ?? null;
  }
}

/** What `call` needs of a connection. */
export interface Caller {
  readonly processes: Processes;
  readonly isWanted: boolean;
  newProcessId(): number;
  emit(signal: string, message?: any): unknown;
  cancel(target: number | string): number;
}

/** Sends an action and waits for its end. */
export function call(caller: Caller, action: string, args: any, options: CallOptions): Promise<any> {
  if (args !== undefined && args !== null && !isObject(args)) {
    const got = Array.isArray(args) ? 'a list' : `a ${typeof args}`;
    return Promise.reject(new TypeError(
      `call('${action}', …) takes an object of named arguments, not ${got}; nothing was sent`));
  }
  if (!caller.isWanted) {
    return Promise.reject(new ActionError(action, null, 'error', {
      message: `call('${action}', …) on a connection that is not connected; use connect() first`,
    }));
  }
  if (options.signal?.aborted) {
    return Promise.reject(new ActionError(action, null, 'cancelled', null));
  }
  return new Promise((resolve, reject) => {
    const id = caller.newProcessId();
    const abort = () => { caller.cancel(id); };
    const stop = caller.processes.watch((event, process) => {
      if (process.id !== id) return;
      if (event === 'progress') options.onProgress?.(progressOf(process));
      if (event !== 'end') return;
      stop();
      options.signal?.removeEventListener('abort', abort);
      settle(process, resolve, reject);
    });
    options.signal?.addEventListener('abort', abort);
    send(caller, action, args, id, error => { stop(); reject(error); });
  });
}

function send(
  caller: Caller, action: string, args: any, id: number, fail: (error: unknown) => void,
): void {
  let seen = false;
  const stop = caller.processes.watch((event, p) => { seen ||= event === 'open' && p.id === id; });
  try {
    caller.emit(action, { ...args, __process_id: id });
  } catch (error) { // arguments that JSON cannot hold
    fail(error);
    return;
  } finally {
    stop();
  }
  if (!seen) {
    fail(new TypeError(
      `a preEmit hook of '${action}' removed __process_id, without which call() cannot wait for `
      + 'the end; use emit() for this action or keep that key'));
  }
}

function progressOf(process: Process): CallProgress {
  return { value: process.value ?? 0, total: process.total };
}

function settle(
  process: Process, resolve: (value: any) => void, reject: (error: unknown) => void,
): void {
  if (process.outcome === 'done') resolve(process.result);
  else reject(new ActionError(process.action, process.id, process.outcome!, process.error));
}
