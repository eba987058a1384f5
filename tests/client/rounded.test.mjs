import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { findRounded, isRounded, RoundedWarnings } = await load('rounded.ts');

test('a number is rounded when its digits do not come back', () => {
  const exact = ['0', '-0.0', '1', '9007199254740992', '9007199254740994', '0.1', '1e21', '1E+22',
    '1e+16', '5e-324', '1.7976931348623157e+308', '0.30000000000000004', '1.10', '100.0', '1e-7',
    '12345678901234567000', '1234567890123456', '0.000001', '10000000000000000000000.0'];
  const rounded = ['9007199254740993', '-9007199254740993', '1e400', '0.12345678901234567890',
    '1180591620717411303425', '3.141592653589793238', '1e-400', '9'.repeat(400)];
  for (const text of exact) assert.equal(isRounded(text), false, text);
  for (const text of rounded) assert.equal(isRounded(text), true, text);
});

test('any float of Python is none of them', () => {
  const bytes = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < 5000; i++) {
    bytes.setUint32(0, Math.floor(Math.random() * 2 ** 32));
    bytes.setUint32(4, Math.floor(Math.random() * 2 ** 32));
    const number = bytes.getFloat64(0);
    if (Number.isFinite(number)) assert.equal(isRounded(String(number)), false, String(number));
  }
});

test('each place is named, and text is no number', () => {
  const text = JSON.stringify({
    signal: 'data', load: { 'a.b': ['9007199254740993', 'x"9007199254740993"', { c: '@' }], d: '@' },
  }).replaceAll('"@"', '9007199254740993');
  assert.deepEqual(findRounded(text).map(found => found.path), ['load.a.b[2].c', 'load.d']);
  assert.deepEqual(findRounded('[1, [2, 9007199254740993], {"k": {}, "l": [[]], "m": 1e400}]'), [
    { path: '[1][1]', text: '9007199254740993', read: '9007199254740992' },
    { path: '[2].m', text: '1e400', read: 'Infinity' },
  ]);
  assert.deepEqual(findRounded('{"a": "' + '1'.repeat(30) + '"}'), []);
  assert.equal(findRounded('["' + '\\"a'.repeat(300_000) + '", 9007199254740993]').length, 1);
});

test('each place is warned of once, and not without end', () => {
  const said = [];
  const warnings = new RoundedWarnings(message => said.push(message), 3);
  for (let i = 0; i < 3; i++) warnings.look('ids', '{"load":[1,9007199254740993,9007199254740995]}');
  assert.equal(said.length, 1);
  assert.match(said[0], /^The number 9007199254740993 in the signal 'ids' \(load\[1\]\) reads as /);
  assert.match(said[0], /9007199254740992 in this browser\. Send it as text/);
  for (const key of 'abcdef') warnings.look('ids', `{"load":{"${key}":${'9'.repeat(99)}}}`);
  assert.equal(said.length, 3);
  assert.ok(said[2].length < 300);
});
