/**
 * When to try a lost connection again: a pure function of the attempt and of one random number.
 *
 * It never gives up: a laptop that was closed for a night finds its run again in the morning.
 */

/** Longest wait before the first retry, in milliseconds. */
export const FIRST_DELAY_MS = 200;

/** Longest wait between two retries, in milliseconds. */
export const LONGEST_DELAY_MS = 15_000;

/**
 * The wait before the next attempt.
 *
 * Half of the wait is jitter, so that a thousand pages do not come back to a restarted server in
 * the same millisecond.
 *
 * @param attempt  Attempts that failed since the connection last stood, from 0.
 * @param random   A number from 0 (included) to 1 (excluded).
 * @returns        Milliseconds, from half of the step's wait up to all of it.
 */
export function reconnectDelayMs(attempt: number, random: number): number {
  // 2 ** 30 is far beyond the cap already; without this limit the product becomes Infinity.
  const step = Math.min(Math.max(attempt, 0), 30);
  const longestMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** step);
  return longestMs * (0.5 + 0.5 * random);
}
