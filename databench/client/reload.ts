/**
 * What a page does when something that it may show was saved, in development.
 *
 * `effectOf` is pure: it decides by paths. A page that shows none of the saved files does
 * nothing; one that only uses style sheets of them loads these again, without losing anything; any
 * other page reloads, and keeps what was typed into it (`typed`).
 */

import { keepTyped } from './typed';

/** What a page consists of, as paths of its server. */
export interface PageParts {
  /** The page's own path. */
  path: string;
  /** Style sheets that it links. */
  styles: string[];
  /** Everything else that it has loaded, style sheets that others import included. */
  others: string[];
}

/** What follows: nothing, new style sheets, or a reload of the page. */
export type Effect = 'none' | 'styles' | 'page';

/** Decides what a page does about paths whose content was saved. */
export function effectOf(paths: readonly string[], page: PageParts): Effect {
  const saved = new Set(paths.map(plain));
  const touches = (path: string) => saved.has(plain(path));
  if (touches(page.path) || page.others.some(touches)) return 'page';
  return page.styles.some(touches) ? 'styles' : 'none';
}

/** The count of saves that the page was made with, or has got since; null: none is known. */
let saves: number | null = null;

/** What a page sends when it joins, so that it gets the saves of the meantime. */
export function savesSeen(): number | null {
  if (saves !== null || typeof document === 'undefined') return saves;
  const node = document.querySelector<HTMLMetaElement>('meta[name="databench-saves"]');
  return node && /^\d+$/.test(node.content) ? Number(node.content) : null;
}

/**
 * Whether the page was loaded again for this before: then it comes from a cache that does not ask
 * the server, and would do so forever.
 */
function isRepeated(load: ReloadLoad): boolean {
  if (!load.missed) return false;
  const key = `databench.missed:${location.pathname}`;
  try {
    const isSame = sessionStorage.getItem(key) === String(load.saves);
    sessionStorage.setItem(key, String(load.saves));
    return isSame;
  } catch {
    return true; // nothing can be kept
  }
}

/** Load of `__reload`. */
interface ReloadLoad {
  paths?: unknown;
  saves?: number;
  missed?: boolean;
}

/**
 * Carries out a `__reload`.
 *
 * @param load    The frame's load.
 * @param reload  Loads the page again.
 */
export function follow(load: ReloadLoad | null | undefined, reload: () => void): void {
  if (typeof document === 'undefined' || !Array.isArray(load?.paths)) return;
  saves = load.saves ?? saves;
  const paths = load.paths.map(String);
  const effect = effectOf(paths, partsOfPage());
  if (effect === 'page') {
    if (isRepeated(load)) return;
    keepTyped();
    reload();
  } else if (effect === 'styles') {
    renewStyles(new Set(paths.map(plain)));
  }
}

function plain(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path; // a stray percent sign
  }
}

/** The path of an address of this server, or null. */
function pathOf(url: string | null): string | null {
  if (!url) return null;
  try {
    const parsed = new URL(url, location.href);
    return parsed.origin === location.origin ? parsed.pathname : null;
  } catch {
    return null;
  }
}

function styleLinks(): HTMLLinkElement[] {
  return [...document.querySelectorAll<HTMLLinkElement>('link[rel~="stylesheet"][href]')];
}

function partsOfPage(): PageParts {
  const known = (paths: (string | null)[]) => paths.filter((p): p is string => p !== null);
  const styles = known(styleLinks().map(link => pathOf(link.href)));
  const nodes = [...document.querySelectorAll('script[src],img[src],iframe[src],object[data]')];
  const others = known([
    ...nodes.map(node => pathOf(node.getAttribute('src') ?? node.getAttribute('data'))),
    // Modules and what style sheets import are known here alone.
    ...performance.getEntriesByType('resource').map(entry => pathOf(entry.name)),
  ]);
  return { path: location.pathname, styles, others: others.filter(p => !styles.includes(p)) };
}

let renewals = 0;

/** Puts a fresh copy behind each link, and takes the old one out when the new style is there. */
function renewStyles(paths: ReadonlySet<string>): void {
  for (const link of styleLinks()) {
    const path = pathOf(link.href);
    if (path === null || !paths.has(plain(path))) continue;
    const url = new URL(link.href);
    renewals += 1;
    url.searchParams.set('renewed', `${Date.now()}.${renewals}`);
    const fresh = link.cloneNode() as HTMLLinkElement;
    fresh.href = url.href;
    const settle = () => link.remove();
    fresh.addEventListener('load', settle);
    fresh.addEventListener('error', () => fresh.remove()); // the old style stays
    link.after(fresh);
  }
}
