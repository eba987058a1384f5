/**
 * The one object that is the global `Databench`, the module of Node and the default export.
 */

import { chosenWebSocket, SocketClass, useWebSocket } from './environment';
import * as main from './main';

/** Everything in main.ts, and `WebSocket`, which can be set: an ES module's names cannot. */
export type Api = typeof main & { WebSocket: SocketClass | undefined };

/** See `Api`. */
export const api: Api = Object.defineProperty({ ...main }, 'WebSocket', {
  get: chosenWebSocket,
  set: useWebSocket,
  enumerable: true,
}) as Api;
