import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { asText, duration, formatted } = await load('ui/format.ts');

test('0 is shown as 0, and nothing as nothing', () => {
  assert.deepEqual([0, false, '', null, undefined, [1], { a: 0 }].map(asText),
    ['0', 'false', '', '', '', '[\n  1\n]', '{\n  "a": 0\n}']);
});

test('numbers follow their format, other values and formats are plain', () => {
  assert.equal(formatted(3.14159, 'fixed:3'), '3.142');
  assert.equal(formatted(0.25, 'percent'), '25 %');
  assert.equal(formatted(12345.6, 'exponential:1'), '1.2e+4');
  assert.equal(formatted(12345.6, 'precision:2'), '1.2e+4');
  assert.equal(formatted(1234567, 'grouped'), '1,234,567');
  assert.equal(formatted(0, undefined), '0');
  assert.equal(formatted('x', 'fixed:3'), 'x');
  assert.equal(formatted(1, 'odd'), '1');
  assert.equal(formatted(1, 'fixed:999'), '1.00000000000000000000');
});

test('durations are read by people', () => {
  assert.deepEqual([-1, 0.9, 59, 60, 125, 3600, 7799].map(duration),
    ['0 s', '0 s', '59 s', '1 min 00 s', '2 min 05 s', '1 h 00 min', '2 h 09 min']);
});
