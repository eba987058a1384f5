import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Outbox, OUTBOX_LIMIT_CHARS, OUTBOX_LIMIT_MESSAGES } = await load('outbox.ts');

test('it keeps the order and empties at once', () => {
  const outbox = new Outbox();
  outbox.push({ text: 'a', processId: null });
  outbox.push({ text: 'b', processId: 1 });
  assert.deepEqual(outbox.takeAll().map(w => w.text), ['a', 'b']);
  assert.equal(outbox.length, 0);
});

test('it refuses beyond its number and its size, and takes again when emptied', () => {
  const outbox = new Outbox();
  for (let i = 0; i < OUTBOX_LIMIT_MESSAGES; i += 1) {
    assert.ok(outbox.push({ text: '', processId: null }));
  }
  assert.ok(!outbox.push({ text: '', processId: null }));
  outbox.takeAll();
  assert.ok(outbox.push({ text: 'x'.repeat(OUTBOX_LIMIT_CHARS), processId: 5 }));
  assert.ok(!outbox.push({ text: 'x', processId: 6 }));
  assert.ok(outbox.withdraw(5));
  assert.ok(!outbox.withdraw(5));
  assert.ok(outbox.push({ text: 'x', processId: 6 }));
});
