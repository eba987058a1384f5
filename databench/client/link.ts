/**
 * One socket after another, for as long as the connection is wanted.
 *
 * It knows when to open, give up and try again; it does not know what the frames mean. A socket's
 * events count only while it is the current one: the close of a replaced socket changes nothing.
 */

import { reconnectDelayMs } from './backoff';
import { Environment, SocketLike, WakeReason } from './environment';

/** The page reports a connection that is gone for longer than this, in milliseconds. */
export const TELL_LOSS_AFTER_MS = 1500;

/** A socket that got no answer to `__connect` for this long is given up, in milliseconds. */
export const JOIN_LIMIT_MS = 10_000;

/** Close code of a server that serves the analysis no more (docs/protocol.md, 8.1). */
export const GONE = 4004;

/** After so many failed sockets, a page that never joined reports that none gets through. */
export const UNREACHED_AFTER = 2;

/** Close code of a server or session that has as much as it may have (docs/protocol.md, 8.1). */
export const TRY_LATER = 1013;

/** Close code of a server that got too large a message (docs/protocol.md, 8.1). */
export const TOO_LARGE = 1009;

/** `closed`: not wanted. `waiting`: for the next attempt. `joined`: the front has answered. */
export type ConnectionStatus = 'closed' | 'connecting' | 'joined' | 'waiting';

/** What the link asks of its connection. */
export interface LinkOwner {
  wsUrl: string;
  /** The first frame of a socket. */
  hello(): string;
  /** A frame: text, or the buffer of a binary one. */
  receive(content: unknown): void;
  /** The server closed a socket with a reason (RFC 6455 section 7.4). */
  refused(code: number, reason: string): void;
  /** The connection is gone for `TELL_LOSS_AFTER_MS`. */
  lost(): void;
}

/** The socket of a connection. */
export class Link {
  status: ConnectionStatus = 'closed';
  /** Since when it is not joined, on the page's clock; null while it is or is not wanted. */
  lostSinceMs: number | null = null;
  /** Why the server serves the analysis no more; null while it does, as far as is known. */
  goneReason: string | null = null;
  /** Why the server takes this page only later; null while it does, as far as is known. */
  busyReason: string | null = null;

  private hasJoined = false;
  private socket: SocketLike | null = null;
  private attempt = 0;
  private retryTimer: unknown = null;
  private joinTimer: unknown = null;
  private lossTimer: unknown = null;
  private stopWake: (() => void) | null = null;
  private watchers: ((status: ConnectionStatus) => void)[] = [];

  constructor(private environment: Environment, private owner: LinkOwner) {}

  /**
   * Whether no socket of this page ever got through, though the page itself did: something between
   * them and the server, mostly a proxy, passes on HTTP and no websockets.
   */
  get isUnreached(): boolean {
    // A socket that was refused with a reason got through.
    return !this.hasJoined && this.busyReason === null && this.attempt >= UNREACHED_AFTER;
  }

  /** Calls back on every change of `status`; returns how to stop that. */
  watch(watcher: (status: ConnectionStatus) => void): () => void {
    this.watchers.push(watcher);
    return () => { this.watchers = this.watchers.filter(w => w !== watcher); };
  }

  /** Opens the first socket. */
  start(): void {
    this.attempt = 0;
    this.open();
    this.stopWake = this.environment.onWake(reason => this.wake(reason));
  }

  /** Closes the socket and tries no more. */
  stop(): void {
    const socket = this.socket;
    this.socket = null;
    this.stopWake?.();
    this.stopWake = null;
    this.clearTimers();
    this.lostSinceMs = null;
    this.goneReason = this.busyReason = null;
    this.setStatus('closed');
    socket?.close();
  }

  /**
   * The front has answered.
   *
   * @param sendWaiting  Sends what waited, before any watcher gets the new status and adds to it.
   */
  joined(sendWaiting: () => void): void {
    this.clearTimers();
    this.attempt = 0;
    this.hasJoined = true;
    this.lostSinceMs = null;
    this.goneReason = this.busyReason = null;
    this.status = 'joined';
    sendWaiting();
    this.setStatus('joined');
  }

  /** Sends a frame; false if there is no joined socket, and it was not sent. */
  send(text: string): boolean {
    if (this.status !== 'joined' || this.socket?.readyState !== 1) return false;
    this.socket.send(text);
    return true;
  }

  private open(): void {
    this.retryTimer = null;
    const socket = this.environment.openSocket(this.owner.wsUrl);
    socket.binaryType = 'arraybuffer';
    const isCurrent = () => socket === this.socket;
    socket.onopen = () => { if (isCurrent()) socket.send(this.owner.hello()); };
    socket.onmessage = event => { if (isCurrent()) this.owner.receive(event.data); };
    socket.onclose = event => {
      if (!isCurrent()) return;
      const reason = event?.reason ?? '';
      this.owner.refused(event?.code ?? 1006, reason);
      this.busyReason = event?.code === TRY_LATER && reason ? reason : null;
      if (event?.code === GONE) this.goneReason = reason || 'the analysis is no longer served';
      this.closed();
    };
    socket.onerror = () => {}; // a close follows; without a listener the package `ws` would throw
    this.socket = socket;
    this.joinTimer = this.environment.setTimeout(() => this.drop(), JOIN_LIMIT_MS);
    this.beginLoss();
    this.setStatus('connecting');
  }

  private beginLoss(): void {
    if (this.lostSinceMs !== null) return;
    this.lostSinceMs = this.environment.now();
    this.lossTimer = this.environment.setTimeout(() => this.owner.lost(), TELL_LOSS_AFTER_MS);
  }

  /** Gives up a socket without waiting for its close, which can take minutes on a dead network. */
  private drop(): void {
    const socket = this.socket;
    this.closed();
    socket?.close();
  }

  private closed(): void {
    this.socket = null;
    this.environment.clearTimeout(this.joinTimer);
    this.environment.clearTimeout(this.retryTimer);
    this.beginLoss();
    // The next save may bring an analysis back, but nothing announces it: slowly, without an end.
    const attempt = this.goneReason === null ? this.attempt : Infinity;
    const delayMs = reconnectDelayMs(attempt, this.environment.random());
    this.attempt += 1;
    this.retryTimer = this.environment.setTimeout(() => this.open(), delayMs);
    this.setStatus('waiting');
  }

  private wake(reason: WakeReason): void {
    // The sockets of a network that went away look open until they time out, so the return of
    // the network replaces them; joining again loses nothing.
    if (reason === 'online' && this.socket !== null) this.drop();
    if (this.status !== 'waiting') return;
    this.environment.clearTimeout(this.retryTimer);
    this.attempt = 0;
    this.open();
  }

  private setStatus(status: ConnectionStatus): void {
    this.status = status;
    for (const watcher of [...this.watchers]) watcher(status);
  }

  private clearTimers(): void {
    for (const timer of [this.retryTimer, this.joinTimer, this.lossTimer]) {
      this.environment.clearTimeout(timer);
    }
    this.retryTimer = this.joinTimer = this.lossTimer = null;
  }
}
