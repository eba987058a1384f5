/**
 * The page that this script runs in: its address, its storage and tab, and when it is visible.
 *
 * Outside of a page, as in Node, all of it is empty and nothing happens.
 */

import { Environment, WakeReason } from './environment';
import { SessionKeeper } from './keep';
import { linkOf, withoutSession } from './sessionlink';
import { Tab } from './tab';

/** The websocket of the page's address: `/pi/` has `/pi/ws`. */
export function pageSocket(): string {
  if (typeof location === 'undefined') return '';
  return socketAt(`${location.pathname.slice(0, location.pathname.lastIndexOf('/'))}/ws`);
}

/** The websocket at a path of the page's server. */
export function socketAt(path: string): string {
  if (typeof location === 'undefined' || !location.host) return '';
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`;
}

/** The page's query, without the session that it names. */
export function pageQuery(): string {
  return typeof location === 'undefined' ? '' : withoutSession(location.search);
}

/** The page's address with a session in it. */
export function pageLink(session: string): string {
  return typeof location === 'undefined' ? '' : linkOf(session, location);
}

function onWake(callback: (reason: WakeReason) => void): () => void {
  if (typeof addEventListener !== 'function' || typeof document === 'undefined') return () => {};
  const online = () => callback('online');
  const visible = () => { if (document.visibilityState === 'visible') callback('visible'); };
  addEventListener('online', online);
  addEventListener('pageshow', visible); // back from the back-forward cache, its socket closed
  document.addEventListener('visibilitychange', visible);
  return () => {
    removeEventListener('online', online);
    removeEventListener('pageshow', visible);
    document.removeEventListener('visibilitychange', visible);
  };
}

/** The page's own path and query, by which it is known again after a reload; empty outside. */
export function pagePlace(): string {
  return typeof location === 'undefined' ? '' : location.pathname + location.search;
}

/** What a page adds to the world of a connection. */
export const PAGE_ENVIRONMENT: Pick<Environment, 'onWake' | 'reload'> = {
  onWake,
  reload: () => { if (typeof location !== 'undefined') location.reload(); },
};

/** Keeps the ids of the page's sessions. */
export const PAGE_KEEPER = new SessionKeeper(
  () => (typeof sessionStorage === 'undefined' ? undefined : sessionStorage),
  pagePlace,
);

/** The tab that this script runs in; a frame is a part of its page's tab. */
export const PAGE_TAB = new Tab(
  () => (typeof sessionStorage === 'undefined' ? undefined : sessionStorage),
  () => (typeof BroadcastChannel === 'undefined' || typeof window === 'undefined'
    || window.top !== window ? undefined : new BroadcastChannel('databench.tabs')),
  () => Math.random(),
);
