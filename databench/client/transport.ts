/**
 * The messages between a page and its analysis, over one socket after another.
 *
 * It knows no page: whatever is in a document, an address or a tab is handed in, or listens to the
 * signals (`connection.ts`). tests/client/transport.test.mjs holds that.
 *
 * Theory of operation: the deciders (session, processes, outbox, backoff) are pure; this file joins
 * them to a link, which owns the socket. Nothing is sent before the front answered `__connect`;
 * then, in this order: requests whose start was not seen, what waited in the outbox, cancels that
 * were asked for meanwhile. So the front sees a request before its cancel, and older ones first.
 */

import { call, CallOptions } from './call';
import * as codec from './codec';
import { Environment, environmentOf, SocketClass } from './environment';
import { SessionSlot } from './keep';
import { Kernel } from './kernel';
import { ConnectionStatus, Link, LinkOwner, TOO_LARGE } from './link';
import { Outbox, OUTBOX_LIMIT_MESSAGES } from './outbox';
import { loadOf, LOST_WITH_STREAM, Process, Processes } from './processes';
import { RoundedWarnings } from './rounded';
import { Session } from './session';
import { SignalCallback, SignalPattern, Signals } from './signals';
import { State } from './state';

/** What `errorCB` gets when the connection is gone for a while. */
export const LOSS_MESSAGE = 'Connection lost. Trying again…';

/** Options of a connection, in addition to its address. */
export interface ConnectionOptions extends Partial<Environment> {
  /** Class of the socket; the browser's own by default. */
  WebSocket?: SocketClass;
  /** Where the session's id is kept over a reload. */
  slot?: SessionSlot;
}

/** Joins a page or program to an analysis: `on` to listen, `emit` to act. */
export class Transport {
  wsUrl: string;
  requestArgs: string;
  databenchBackendVersion: string | undefined;
  analysesVersion: string | undefined;
  /** Called when the connection is lost for a while, and without an argument when it is back. */
  errorCB: (message?: string) => void;
  /** Reserved: gets binary frames, which carry buffers. */
  onBinary: ((buffer: ArrayBuffer) => void) | undefined;
  /** The last known state of the analysis. */
  readonly state = new State();
  /** The kernel's state, and restart and interrupt. */
  readonly kernel: Kernel;
  /** Further sessions of the same visitor that wait for a page, as of the last join. */
  others: codec.OtherSession[] = [];
  /** Whether the session that was asked for has ended, and this is another one. */
  isReplaced = false;
  /** Whether the page may end what other sessions use; how it would get that right. */
  mayAdminister = false;
  howToAdminister = '';
  /** Whether a link led the page to its session. */
  isLinked = false;
  /** Requests that are open. */
  readonly processes = new Processes();
  readonly environment: Environment;

  private readonly session: Session;
  private readonly slot: SessionSlot | undefined;
  private readonly outbox = new Outbox();
  private readonly signals: Signals;
  private readonly link: Link;
  private readonly rounded = new RoundedWarnings(message => this.errorCB(message));
  private readonly preEmitHooks = new Map<string, ((message: any) => any)[]>();
  private joinCallbacks: ((connection: this) => void)[] = [];
  private toldLoss = false;
  private toldFull = false;
  private nextProcessId: number;

  /**
   * @param wsUrl        URL of the websocket.
   * @param requestArgs  The query of the request, `?a=1`.
   * @param analysisId   Id of a session to join; a new one by default.
   * @param options      What the world consists of.
   */
  constructor(
    wsUrl: string, requestArgs: string, analysisId?: string | null, options: ConnectionOptions = {},
  ) {
    this.wsUrl = wsUrl;
    this.requestArgs = requestArgs;
    this.environment = environmentOf(options);
    this.slot = analysisId ? undefined : options.slot;
    this.session = new Session(analysisId || this.slot?.read() || null);
    this.signals = new Signals(this.environment.report);
    this.link = new Link(this.environment, this.linkOwner());
    this.kernel = new Kernel(word => this.link.send(codec.encodeKernelWord(word)));
    // Ids must differ from those of this page before its reload, which the front remembers.
    this.nextProcessId = Math.floor(this.environment.random() * 2 ** 52);
    this.errorCB = message => { if (message != null) console.log(`connection: ${message}`); };
    this.writeLogsToConsole();
  }

  /** Id of the session; undefined until the front has given one. May be set before connecting. */
  get analysisId(): string | undefined {
    return this.session.id ?? undefined;
  }

  set analysisId(id: string | undefined) {
    this.session.id = id ?? null;
  }

  /** Whether the front has answered, and what is done about it if not. */
  get status(): ConnectionStatus {
    return this.link.status;
  }

  /** Since when it is not joined, on the page's clock; null while it is or is not wanted. */
  get lostSinceMs(): number | null {
    return this.link.lostSinceMs;
  }

  /** Why the server serves the analysis no more; null while it does, as far as is known. */
  get goneReason(): string | null {
    return this.link.goneReason;
  }

  /** Whether no websocket of this page ever got through to the server. */
  get isUnreached(): boolean {
    return this.link.isUnreached;
  }

  /** Why the server takes this page only later; null while it does, as far as is known. */
  get busyReason(): string | null {
    return this.link.busyReason;
  }

  /** Whether `connect()` was called, and `disconnect()` was not. */
  get isWanted(): boolean {
    return this.status !== 'closed';
  }

  /**
   * Connects, and stays connected until `disconnect()`.
   *
   * @param callback  Called once, when the front has answered.
   */
  connect(callback?: (connection: this) => void): this {
    if (!this.wsUrl) throw new Error('no wsUrl given, and no page to guess it from');
    if (callback) {
      if (this.status === 'joined') queueMicrotask(() => callback(this));
      else this.joinCallbacks.push(callback);
    }
    if (!this.isWanted) this.link.start();
    return this;
  }

  /** Closes the connection. What runs on the server continues; `connect()` joins it again. */
  disconnect(): void {
    this.link.stop();
  }

  /** Calls back on every change of `status`; returns how to stop that. */
  onStatus(watcher: (status: ConnectionStatus) => void): () => void {
    return this.link.watch(watcher);
  }

  /** Calls the listeners of a signal, as if the analysis had emitted it. */
  trigger(signal: string, message?: any): void {
    this.signals.dispatch(signal, message);
  }

  /**
   * Listens for a signal.
   *
   * @param signal    A name; a regular expression on names; or an object such as `{data: 'pi'}`,
   *                  `{class_data: 'n'}` or `{data: /^curve/}` for a key of the message.
   * @param callback  Gets the message and the signal, or the value and its key.
   */
  on(signal: SignalPattern, callback: SignalCallback): this {
    this.signals.on(signal, callback);
    return this;
  }

  /** Listens, and returns how to stop listening. */
  listen(signal: SignalPattern, callback: SignalCallback): () => void {
    return this.signals.on(signal, callback);
  }

  /** The next message of a signal, as a promise. */
  once(signal: SignalPattern): Promise<any> {
    return new Promise(resolve => {
      const stop = this.signals.on(signal, message => { stop(); resolve(message); });
    });
  }

  /** Sets a hook that sees, and may replace, a message before it is sent. */
  preEmit(signalName: string, callback: (message: any) => any): this {
    const hooks = this.preEmitHooks.get(signalName) ?? [];
    this.preEmitHooks.set(signalName, [...hooks, callback]);
    return this;
  }

  /** Calls an action: now, or when the connection is back. Without `connect()`, only the hooks run. */
  emit(signalName: string, message?: any): this {
    for (const hook of this.preEmitHooks.get(signalName) ?? []) message = hook(message);
    if (!this.isWanted) return this;
    const text = codec.encodeAction(signalName, message);
    const processId = codec.processIdOf(message);
    if (processId !== null) {
      this.processes.open(processId, signalName, text, this.environment.now());
    }
    if (this.link.send(text)) {
      if (processId !== null) this.processes.sent(processId);
    } else if (!this.outbox.push({ text, processId })) {
      this.refuse(signalName, processId);
    }
    return this;
  }

  /** Listens for the start and the end of a request, by the `__process_id` sent with it. */
  onProcess(
    processId: number, callback: (status: 'start' | 'end', load?: codec.ProcessLoad) => void,
  ): this {
    this.processes.watch((event, process) => {
      if (process.id !== processId || (event !== 'start' && event !== 'end')) return;
      callback(event, loadOf(process, event));
    });
    return this;
  }

  /**
   * Calls an action and waits for its end.
   *
   * @param action   Name of the action.
   * @param args     Its arguments by name.
   * @param options  `signal` cancels it, `onProgress` gets `self.progress`.
   * @returns        What the handler returned. Rejects with an `ActionError` that has `outcome`.
   */
  call(action: string, args?: any, options: CallOptions = {}): Promise<any> {
    return call(this, action, args, options);
  }

  /**
   * Cancels a request by its id, or all open ones of an action.
   *
   * @param target  An id or an action's name.
   * @param force   Ends the kernel when nothing else helped; others may share it.
   * @returns       How many requests it concerns.
   */
  cancel(target: number | string, { force = false }: { force?: boolean } = {}): number {
    const targets = typeof target === 'string'
      ? this.processes.list(target)
      : [this.processes.get(target)].filter((p): p is Process => p !== undefined);
    for (const process of targets) this.cancelOne(process, force);
    return targets.length;
  }

  /** A fresh number for `__process_id`. */
  newProcessId(): number {
    this.nextProcessId += 1;
    return this.nextProcessId;
  }

  private cancelOne(process: Process, force: boolean): void {
    if (process.phase === 'waiting' && this.outbox.withdraw(process.id)) {
      this.processes.end({ id: process.id, outcome: 'cancelled' });
      return;
    }
    this.processes.cancelling(process, force, this.environment.now());
    this.link.send(codec.encodeCancel(process.id, force)); // else after the next join
  }

  private linkOwner(): LinkOwner {
    const transport = this;
    return {
      get wsUrl() { return transport.wsUrl; },
      hello: () => this.session.hello(this.requestArgs, this.environment.savesSeen()),
      receive: content => this.receive(content),
      refused: (code, reason) => { if (code === TOO_LARGE) this.dropTooLarge(reason); },
      lost: () => {
        this.toldLoss = true;
        this.errorCB(this.goneReason ?? this.busyReason ?? LOSS_MESSAGE);
      },
    };
  }

  /** A request that the server finds too large would be refused again after every reconnect. */
  private dropTooLarge(reason: string): void {
    const message = `too large for the server, and not sent again: ${reason}`;
    const [largest] = this.processes.unseen().sort((a, b) => b.text.length - a.text.length);
    if (largest) this.processes.end({ id: largest.id, outcome: 'error', error: { message } });
    else this.errorCB(message);
  }

  private receive(content: unknown): void {
    if (typeof content !== 'string') {
      this.onBinary?.(content as ArrayBuffer);
      return;
    }
    const frame = codec.decodeFrame(content);
    if (frame === null) {
      this.session.countUnreadable(content);
      this.environment.report(new Error(`unreadable frame from the server: ${content.slice(0, 80)}`));
      return;
    }
    if (this.environment.savesSeen() !== null) this.rounded.look(frame.signal, content);
    this.session.count(frame); // first: what a listener throws must not shift the count
    this.take(frame);
    this.signals.dispatch(frame.signal, frame.load);
  }

  private take({ signal, load }: codec.Frame): void {
    const now = this.environment.now();
    if (signal === '__connect') this.joined(load);
    else if (signal === '__gap') this.session.gap(load);
    else if (signal === '__kernel') this.kernel.receive(load, now);
    else if (signal === '__process') this.processes.receive(load, now);
    else if (signal === '__progress') this.processes.progress(load);
    else this.state.receive(signal, load);
  }

  private joined(load: codec.ConnectLoad): void {
    const { id, epoch } = this.session;
    // One that was kept over a reload may have ended unnoticed; one that was asked for may not.
    const isAsked = !this.slot && id !== null && epoch === null;
    if (isAsked) this.isReplaced = id !== load.analysis_id;
    // The front took a link out of the page's address, and joined what it named.
    if (load.linked) [this.isLinked, this.isReplaced] = [true, !load.resumed];
    const { streamLost } = this.session.joined(load);
    this.others = load.others ?? [];
    this.mayAdminister = load.may_administer === true;
    this.howToAdminister = load.how_to_administer ?? '';
    this.slot?.write(load.analysis_id);
    // All values follow; nothing else would report those that the server lost with its stream.
    if (streamLost) this.state.clear();
    this.databenchBackendVersion = load.databench_backend_version ?? undefined;
    this.settle(load.running ?? [], streamLost);
    this.link.joined(() => this.sendWaiting());
    if (this.toldLoss) this.errorCB();
    this.toldLoss = false;
    const callbacks = this.joinCallbacks;
    this.joinCallbacks = [];
    for (const callback of callbacks) callback(this);
    this.noteVersion(load.analyses_version ?? undefined);
  }

  /** Brings the open requests to the front's list of running ones. */
  private settle(running: codec.RunningAction[], streamLost: boolean): void {
    for (const action of running) this.processes.adopt(action, this.environment.now());
    if (!streamLost) return;
    const ids = new Set(running.map(r => r.id));
    for (const process of this.processes.list()) {
      if (process.phase !== 'started' || ids.has(process.id)) continue;
      this.processes.end({ id: process.id, outcome: 'lost', error: LOST_WITH_STREAM });
    }
  }

  private sendWaiting(): void {
    this.toldFull = false;
    for (const process of this.processes.unseen()) this.link.send(process.text);
    for (const { text, processId } of this.outbox.takeAll()) {
      this.link.send(text);
      if (processId !== null) this.processes.sent(processId);
    }
    for (const process of this.processes.list()) {
      if (process.cancelMs === null) continue;
      this.link.send(codec.encodeCancel(process.id, process.forced));
    }
  }

  private refuse(signalName: string, processId: number | null): void {
    const message = `'${signalName}' was not sent: ${OUTBOX_LIMIT_MESSAGES} messages already wait `
      + 'for the connection; try again when it is back';
    if (processId !== null) {
      this.processes.end({ id: processId, outcome: 'error', error: { type: 'Full', message } });
    }
    if (this.toldFull) return;
    this.toldFull = true;
    this.errorCB(message);
  }

  private noteVersion(version: string | undefined): void {
    const before = this.analysesVersion;
    this.analysesVersion = version;
    if (before && before !== version) this.environment.reload(); // the page is of an older release
  }

  private writeLogsToConsole(): void {
    for (const level of ['log', 'warn', 'error'] as const) {
      this.on(level, message => console[level]('backend: ', message));
      this.preEmit(level, message => {
        console[level]('frontend: ', message);
        return message;
      });
    }
  }
}
