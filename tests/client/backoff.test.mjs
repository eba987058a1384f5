import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { reconnectDelayMs, FIRST_DELAY_MS, LONGEST_DELAY_MS } = await load('backoff.ts');

test('the wait lies between half of the step and all of it', () => {
  assert.equal(reconnectDelayMs(0, 0), FIRST_DELAY_MS / 2);
  assert.equal(reconnectDelayMs(0, 1), FIRST_DELAY_MS);
  assert.equal(reconnectDelayMs(3, 0.5), 8 * FIRST_DELAY_MS * 0.75);
});

test('the wait never passes its limit, however many attempts there were', () => {
  for (const attempt of [7, 30, 1000, 1e9, Number.MAX_SAFE_INTEGER]) {
    assert.equal(reconnectDelayMs(attempt, 1), LONGEST_DELAY_MS);
    assert.ok(reconnectDelayMs(attempt, 0) >= LONGEST_DELAY_MS / 2);
  }
  assert.equal(reconnectDelayMs(-1, 1), FIRST_DELAY_MS);
});
