/**
 * The word `session` in a page's address: the link of a session. Pure.
 *
 * It names the session that the page joins, and is not an argument of the analysis.
 */

const WORD = 'session';

/** The session that a query such as `?a=1&session=x` names; null where it names none. */
export function sessionIn(query: string): string | null {
  return new URLSearchParams(query).get(WORD) || null;
}

/** The query without that word, as it was written otherwise; empty if nothing is left. */
export function withoutSession(query: string): string {
  const parts = query.replace(/^\?/, '').split('&').filter(part => part && !isWord(part));
  return parts.length ? `?${parts.join('&')}` : '';
}

/** The address of a page in a session. */
export function linkOf(
  id: string, address: { origin: string; pathname: string; search: string },
): string {
  const rest = withoutSession(address.search);
  const word = `${WORD}=${encodeURIComponent(id)}`;
  return `${address.origin}${address.pathname}${rest ? `${rest}&${word}` : `?${word}`}`;
}

function isWord(part: string): boolean {
  return part === WORD || part.startsWith(`${WORD}=`);
}
