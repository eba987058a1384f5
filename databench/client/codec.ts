/**
 * The websocket's words: text frames to typed frames and back. Pure.
 *
 * The values of a `load` are passed on as JSON gave them; only the words that begin with two
 * underscores have a known shape. A frame that is not an object with a `signal` decodes to null:
 * the caller reports it and continues, because one bad frame must not end a connection.
 */

/** How a request ended. `lost`: its kernel died, or the server did. */
export type Outcome = 'done' | 'error' | 'cancelled' | 'lost';

/** What went wrong, in the words of the kernel or the front. */
export interface ErrorLoad {
  type?: string;
  message?: string;
  traceback?: string | null;
}

/** Load of `__process`. */
export interface ProcessLoad {
  id: number;
  status: 'start' | 'end';
  /** A second start: the kernel was lost, and the next one runs it once more. */
  again?: boolean;
  action?: string;
  outcome?: Outcome;
  result?: any;
  error?: ErrorLoad | null;
}

/** An action that was running when the page joined. */
export interface RunningAction {
  id: number;
  action: string;
  elapsed_s: number;
  /** It runs a second time. */
  again?: boolean;
}

/** Another session of the same visitor that waits for a page. */
export interface OtherSession {
  id: string;
  running: RunningAction[];
  has_result: boolean;
}

/** Load of `__connect`: the front's first answer. */
export interface ConnectLoad {
  analysis_id: string;
  databench_backend_version?: string | null;
  analyses_version?: string | null;
  resumed?: boolean;
  at?: number;
  epoch?: string | null;
  running?: RunningAction[];
  others?: OtherSession[];
  /** A link led the page to its session: the one that it named, or a new one in its place. */
  linked?: boolean;
  may_administer?: boolean;
  how_to_administer?: string;
}

/** Load of `__progress`; `total` is null if it is not known. */
export interface ProgressLoad {
  id: number;
  value: number;
  total?: number | null;
}

/** Load of `__gap`: that many frames are gone for good. */
export interface GapLoad {
  missed: number;
  at: number;
}

/** Load of `__kernel`; fields that are not listed are ignored. */
export interface KernelLoad {
  state: string;
  reason?: string | null;
  generation?: number | null;
  retry_in_s?: number | null;
  sessions?: number | null;
  shared?: boolean;
  stderr?: string[] | null;
  cancel_limit_s?: number | null;
  code_change?: string | null;
  mistake?: string | null;
  isolation?: string | null;
  ahead?: number | null;
}

/** One frame of the front. */
export interface Frame {
  signal: string;
  load: any;
  snapshot: boolean;
}

/** What a page asks of its kernel. */
export type KernelWord = 'restart' | 'interrupt';

/** Frames that a page does not count, in addition to those of a snapshot. */
const UNCOUNTED = new Set(['__connect', '__kernel', '__gap', '__reload']);

/** Reads a text frame; null when it is not one of the front's. */
export function decodeFrame(text: string): Frame | null {
  let value: any;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || typeof value.signal !== 'string') return null;
  return { signal: value.signal, load: value.load, snapshot: value.snapshot === true };
}

/** Whether a frame counts in the page's stream. */
export function isCounted(frame: Frame): boolean {
  return !frame.snapshot && !UNCOUNTED.has(frame.signal);
}

/** The first frame of a connection: who the page is and what it already has. */
export function encodeConnect(
  id: string | null, requestArgs: string, received: number, epoch: string | null,
  saves: number | null = null,
): string {
  const words: Record<string, unknown> = { __connect: id, __request_args: requestArgs };
  words['__received'] = received;
  if (epoch !== null) words['__epoch'] = epoch;
  if (saves !== null) words['__saves'] = saves;
  return JSON.stringify(words);
}

/** An action; a missing message is left out, so that the handler gets no argument. */
export function encodeAction(signal: string, message: unknown): string {
  const frame = { signal, load: message };
  try {
    return JSON.stringify(frame);
  } catch (error) { // a BigInt, a circle, or a `toJSON` of the page's own that throws
    const text = encodeWithBigInts(frame);
    if (text === null) throw error;
    return text;
  }
}

/** JSON whose BigInts are numbers with all of their digits; null if there is none. */
function encodeWithBigInts(frame: unknown): string | null {
  const encode = (mark: string | null): string => JSON.stringify(frame, (_key, value) => {
    if (typeof value !== 'bigint') return value;
    count += 1;
    return mark === null ? 0 : mark + value;
  });
  let count = 0;
  const without = encode(null);
  if (count === 0) return null;
  let mark = '#';
  while (without.includes(mark)) mark += '#'; // one that stands nowhere else in it
  return encode(mark).replace(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
}

/** A cancel; `force` ends the kernel when nothing else helped. */
export function encodeCancel(id: number, force: boolean): string {
  return JSON.stringify(force ? { __cancel: id, force: true } : { __cancel: id });
}

/** A word to the kernel's supervisor. */
export function encodeKernelWord(word: KernelWord): string {
  return JSON.stringify({ __kernel: word });
}

/** The `__process_id` of an action's message, or null when it has none. */
export function processIdOf(message: unknown): number | null {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return null;
  const id = (message as Record<string, unknown>)['__process_id'];
  return typeof id === 'number' ? id : null;
}
