/**
 * The requests of a page that asked for a start and an end. Pure: times are given.
 *
 * Theory of operation: a request is `waiting` (not sent yet), `sent` (its start was not seen: it is
 * sent again after a reconnect, the front drops what it already knows), `started`, or gone. An end
 * for an id that is not open is ignored, because a gap may deliver one twice; a start for an id
 * that has ended is ignored for the same reason. Requests of an earlier life of this page, or of
 * another page of the session, appear by their start or in the `running` list of a join.
 */

import { ErrorLoad, Outcome, ProcessLoad, ProgressLoad, RunningAction } from './codec';

/** How far a request has come. */
export type Phase = 'waiting' | 'sent' | 'started' | 'ended';

/** One request. */
export interface Process {
  id: number;
  /** Name of its action; empty when only its id is known. */
  action: string;
  phase: Phase;
  /** The frame to send again while the start was not seen; empty for requests of others. */
  text: string;
  /** On the page's clock, when it began as far as this page knows. */
  sinceMs: number;
  /** When a cancel was asked for; null if it was not. */
  cancelMs: number | null;
  forced: boolean;
  /** Its kernel was lost, and the next one runs it once more. */
  isAgain: boolean;
  value: number | null;
  total: number | null;
  outcome: Outcome | null;
  result: any;
  error: ErrorLoad | null;
}

/**
 * What happened to a request. `open`: this page made it or found it running. `again`: its second
 * start; a caller that waits for its start and its end has got the start before.
 */
export type ProcessEvent = 'open' | 'start' | 'again' | 'progress' | 'cancel' | 'end';

/** Called with each event, after the request's fields were changed. */
export type ProcessWatcher = (event: ProcessEvent, process: Process) => void;

/** Ended requests whose ids are remembered, as many as the front remembers. */
const REMEMBERED_ENDS = 1000;

/** All requests that one page knows of. */
export class Processes {
  private open_ = new Map<number, Process>();
  private ended = new Set<number>();
  private watchers: ProcessWatcher[] = [];

  /** Calls back on every event; returns how to stop that. */
  watch(watcher: ProcessWatcher): () => void {
    this.watchers.push(watcher);
    return () => { this.watchers = this.watchers.filter(w => w !== watcher); };
  }

  /** The open request with this id, if there is one. */
  get(id: number): Process | undefined {
    return this.open_.get(id);
  }

  /** Open requests, oldest first; with a name, those of that action. */
  list(action?: string): Process[] {
    const all = [...this.open_.values()];
    return action === undefined ? all : all.filter(p => p.action === action);
  }

  /** A request of this page; `text` is its frame. */
  open(id: number, action: string, text: string, nowMs: number): Process {
    this.ended.delete(id); // an id that the page uses again means a new request
    const process = blank(id, action, 'waiting', text, nowMs);
    this.open_.set(id, process);
    this.tell('open', process);
    return process;
  }

  /** The request's frame left the page. */
  sent(id: number): void {
    const process = this.open_.get(id);
    if (process?.phase === 'waiting') process.phase = 'sent';
  }

  /** Requests to send again after a join, in the order in which they were made. */
  unseen(): Process[] {
    return this.list().filter(p => p.phase === 'sent');
  }

  /** A request that the front reports as running when the page joins. */
  adopt(running: RunningAction, nowMs: number): void {
    const known = this.open_.get(running.id);
    const process = known ?? blank(running.id, running.action, 'started', '', nowMs);
    if (!known) this.open_.set(running.id, process);
    process.action = running.action || process.action;
    process.sinceMs = nowMs - 1000 * running.elapsed_s;
    const hadStarted = known?.phase === 'started';
    process.phase = 'started';
    process.text = '';
    process.isAgain = running.again === true;
    if (!known) this.tell('open', process);
    if (!hadStarted) this.tell('start', process);
  }

  /** `__process`; returns the request that it changed, or null when it is to be ignored. */
  receive(load: ProcessLoad, nowMs: number): Process | null {
    if (load.status === 'start') return this.start(load, nowMs);
    if (load.status === 'end') return this.end(load);
    return null;
  }

  /** `__progress`. */
  progress(load: ProgressLoad): void {
    const process = this.open_.get(load.id);
    if (!process) return;
    process.value = load.value;
    process.total = load.total ?? null;
    this.tell('progress', process);
  }

  /** A cancel was asked for. */
  cancelling(process: Process, force: boolean, nowMs: number): void {
    process.cancelMs = process.cancelMs ?? nowMs;
    process.forced = process.forced || force;
    this.tell('cancel', process);
  }

  /** Ends a request; null when it is not open. */
  end(load: Omit<ProcessLoad, 'status'>): Process | null {
    const process = this.open_.get(load.id);
    if (!process) return null;
    this.open_.delete(load.id);
    this.remember(load.id);
    process.phase = 'ended';
    process.outcome = load.outcome ?? 'done';
    process.result = load.result;
    process.error = load.error ?? null;
    this.tell('end', process);
    return process;
  }

  private start(load: ProcessLoad, nowMs: number): Process | null {
    if (this.ended.has(load.id)) return null;
    let process = this.open_.get(load.id);
    if (process?.phase === 'started') return load.again ? this.startAgain(process) : null;
    if (!process) {
      process = blank(load.id, load.action ?? '', 'waiting', '', nowMs);
      this.open_.set(load.id, process);
      this.tell('open', process);
    }
    process.phase = 'started';
    process.text = '';
    process.isAgain = load.again === true; // its first start may be among frames that are gone
    this.tell('start', process);
    return process;
  }

  /** The progress of the first run does not apply to the second. */
  private startAgain(process: Process): Process {
    process.isAgain = true;
    process.value = null;
    process.total = null;
    this.tell('again', process);
    return process;
  }

  private remember(id: number): void {
    this.ended.add(id);
    if (this.ended.size <= REMEMBERED_ENDS) return;
    for (const oldest of this.ended) { // a Set iterates in the order of insertion
      this.ended.delete(oldest);
      break;
    }
  }

  private tell(event: ProcessEvent, process: Process): void {
    for (const watcher of [...this.watchers]) watcher(event, process);
  }
}

function blank(id: number, action: string, phase: Phase, text: string, sinceMs: number): Process {
  return {
    id, action, phase, text, sinceMs, cancelMs: null, forced: false, isAgain: false, value: null,
    total: null, outcome: null, result: undefined, error: null,
  };
}

/** Why a request has ended that went with the stream of an earlier server. */
export const LOST_WITH_STREAM: ErrorLoad = {
  type: 'Lost',
  message: 'the server was restarted while this ran; its result is lost',
};

/** What a request's listener gets. */
export function loadOf(process: Process, status: 'start' | 'end'): ProcessLoad {
  if (status === 'start') return { id: process.id, status };
  return {
    id: process.id, status, outcome: process.outcome!, result: process.result, error: process.error,
  };
}
