import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const codec = await load('codec.ts');

test('frames are read, and junk is null', () => {
  assert.deepEqual(codec.decodeFrame('{"signal": "a", "load": [1], "more": 2}'),
    { signal: 'a', load: [1], snapshot: false });
  assert.deepEqual(codec.decodeFrame('{"signal": "a", "snapshot": true}'),
    { signal: 'a', load: undefined, snapshot: true });
  for (const junk of ['', '{', '[]', '"a"', 'null', '{"signal": null}']) {
    assert.equal(codec.decodeFrame(junk), null, junk);
  }
});

test('exactly the frames of the stream count', () => {
  const counts = (signal, snapshot = false) => codec.isCounted({ signal, load: null, snapshot });
  assert.ok(counts('data') && counts('__process') && counts('__progress') && counts('error'));
  assert.ok(!counts('__connect') && !counts('__kernel') && !counts('__gap') && !counts('__reload')
    && !counts('data', true));
});

test('the words of a page', () => {
  const words = text => JSON.parse(text);
  assert.deepEqual(words(codec.encodeConnect(null, '', 0, null)),
    { __connect: null, __request_args: '', __received: 0 });
  assert.deepEqual(words(codec.encodeConnect('i', '?a=1', 5, 'e')),
    { __connect: 'i', __request_args: '?a=1', __received: 5, __epoch: 'e' });
  assert.equal(codec.encodeAction('run', undefined), '{"signal":"run"}');
  assert.equal(codec.encodeAction('run', null), '{"signal":"run","load":null}');
  assert.equal(codec.encodeCancel(7, false), '{"__cancel":7}');
  assert.equal(codec.encodeCancel(7, true), '{"__cancel":7,"force":true}');
  assert.equal(codec.encodeKernelWord('restart'), '{"__kernel":"restart"}');
});

test('a process id is a number in an object, and nothing else', () => {
  assert.equal(codec.processIdOf({ __process_id: 0 }), 0);
  for (const none of [undefined, null, 3, 'x', [1], {}, { __process_id: '7' }]) {
    assert.equal(codec.processIdOf(none), null);
  }
});

test('BigInts are numbers with all of their digits, and nothing else changes', () => {
  const big = 12345678901234567891n;
  assert.equal(codec.encodeAction('run', big), '{"signal":"run","load":12345678901234567891}');
  const message = { a: [-big, '#5', '"##7"', { '#': big }], b: `#${big}` };
  assert.equal(codec.encodeAction('run', message),
    '{"signal":"run","load":{"a":[-12345678901234567891,"#5","\\"##7\\"",{"#":12345678901234567891}],'
    + '"b":"#12345678901234567891"}}');
  const circle = {};
  circle.self = circle;
  assert.throws(() => codec.encodeAction('run', circle), TypeError);
  assert.throws(() => codec.encodeAction('run', { circle, big }), TypeError);
  const broken = { toJSON() { throw new TypeError('mine'); } };
  assert.throws(() => codec.encodeAction('run', broken), /mine/);
});
