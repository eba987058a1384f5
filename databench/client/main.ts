/**
 * Everything that `databench.js` offers.
 */

import { Connection } from './connection';
import { SessionSlot } from './keep';
import { PAGE_KEEPER, PAGE_TAB, socketAt } from './page';
import { sessionIn, withoutSession } from './sessionlink';
import { ConnectionOptions } from './transport';
import * as ui from './ui/index';

export { ActionError } from './call';
export type { CallOptions, CallProgress } from './call';
export type { Outcome, ProcessLoad, KernelLoad } from './codec';
export { Connection } from './connection';
export type { ConnectionOptions } from './transport';
export type { ConnectionStatus } from './link';
export { useWebSocket } from './environment';
export type { Environment, SocketClass, SocketLike } from './environment';
export { Kernel } from './kernel';
export { ui };

/**
 * Makes a connection and connects it.
 *
 * In a page the session's id is kept over a reload, so that the page finds its run again. A page
 * whose address names a session (`?session=…`) joins that one.
 *
 * @param wsUrl        URL of the websocket; guessed from the page's address by default.
 * @param requestArgs  The query of the request; that of the page by default.
 * @param analysisId   Id of a session to join; it comes before a kept one.
 * @param callback     Called once, when the front has answered.
 * @param options      What the world consists of, for Node and for tests.
 */
export function connect(
  wsUrl?: string | null, requestArgs?: string | null, analysisId?: string | null,
  callback?: (connection: Connection) => void, options: ConnectionOptions = {},
): Connection {
  const named = takeNamed();
  const slot = PAGE_KEEPER.slot(wsUrl || Connection.guessWSUrl());
  const id = analysisId || named;
  const conn = new Connection(wsUrl, requestArgs, id, { slot, ...options });
  const kept = id ? null : slot.read();
  conn.onStatus(status => {
    if (status !== 'joined') return;
    PAGE_TAB.hold(conn.analysisId!, kept === conn.analysisId && !conn.isLinked);
  });
  conn.connect(callback);
  if (named && !analysisId) keepNamed(conn, slot);
  return conn;
}

/**
 * The session that the page's address names, taken out of it: it is a key, and addresses are
 * logged and passed on. Pages of the front come without: it has exchanged the word for a cookie.
 */
function takeNamed(): string | null {
  if (typeof location === 'undefined') return null;
  const { pathname, search, hash } = location;
  const named = sessionIn(search);
  if (named !== null && typeof history !== 'undefined') {
    history.replaceState(history.state, '', `${pathname}${withoutSession(search)}${hash}`);
  }
  return named;
}

/** A reload keeps the session that was named, or the one that came in its place. */
function keepNamed(conn: Connection, slot: SessionSlot): void {
  const stop = conn.onStatus(status => {
    if (status !== 'joined') return;
    stop();
    slot.write(conn.analysisId!);
  });
}

/** Like `connect`, as a promise of the connection, kept when the front has answered. */
export function attach(
  wsUrl?: string | null, requestArgs?: string | null, analysisId?: string | null,
  options: ConnectionOptions = {},
): Promise<Connection> {
  return new Promise(resolve => {
    connect(wsUrl, requestArgs, analysisId, resolve, options);
  });
}

/**
 * Follows what is saved, in a page without an analysis such as the gallery; in development only.
 *
 * It loads again too when the server was started again.
 */
export function follow(): Connection {
  const conn = new Connection(socketAt('/_reload'));
  let joins = 0;
  conn.onStatus(status => {
    if (status !== 'joined') return;
    joins += 1;
    if (joins > 1) conn.environment.reload();
  });
  (globalThis as { databench?: Connection }).databench = conn;
  return conn.connect();
}

/** The connection that `start` made, so that a second call finds it. */
let started: Connection | undefined;

/**
 * Wires and connects the page: what the base template does for a page without a script.
 *
 * A page whose own script has made a connection is left alone, and so is one that starts twice.
 * The connection is also the global `databench`, for a page's script and for the console.
 */
export function start(): Connection | undefined {
  if (started || Connection.made > 0) return started;
  started = connect();
  ui.wire(started);
  (globalThis as { databench?: Connection }).databench = started;
  return started;
}
