/**
 * The one object that is the global `Databench`, the module of Node and the default export.
 */

import { chosenWebSocket, SocketClass, useWebSocket } from './environment';
import { FirstRelease } from './firstrelease';
import * as main from './main';

/** Everything in main.ts, and `WebSocket`, which can be set: an ES module's names cannot. */
export type Api = typeof main & { WebSocket: SocketClass | undefined; (name: string): FirstRelease };

/** Connects the page, in the way of the first release. */
function open(name: string): FirstRelease {
  return new FirstRelease(name, main.connect());
}

/** See `Api`. */
export const api: Api = Object.defineProperty(Object.assign(open, main), 'WebSocket', {
  get: chosenWebSocket,
  set: useWebSocket,
  enumerable: true,
}) as Api;
