import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';
import { page } from './dom.mjs';

const { pointsOf, spanOf } = await load('ui/plot.ts');

test('points come from numbers, pairs and columns', () => {
  assert.deepEqual(pointsOf([3, null, 4]), [[0, 3], [1, null], [2, 4]]);
  assert.deepEqual(pointsOf([[1, 2], [3, 4]]), [[1, 2], [3, 4]]);
  assert.deepEqual(pointsOf({ x: [1, 2], y: [3, 'no'] }), [[1, 3], [2, null]]);
  for (const none of [null, undefined, 3, 'x', {}]) assert.deepEqual(pointsOf(none), []);
});

test('a span is never empty, and takes long lists', () => {
  assert.deepEqual(spanOf([]), [0, 1]);
  assert.deepEqual(spanOf([0, 0]), [-0.5, 0.5]);
  assert.deepEqual(spanOf([4]), [2, 6]);
  assert.deepEqual(spanOf(Array.from({ length: 500_000 }, (_, i) => i)), [0, 499_999]);
});

test('a line is drawn, with gaps, and says what it shows', t => {
  const { one, world } = page(t, '<figure data-signal="data:curve" data-plot="line"></figure>');
  world.socket.say('data', { curve: [1, 2, null, 4, 3] });
  const path = one('.d-line').getAttribute('d');
  assert.equal(path.match(/M/g).length, 2);
  assert.equal(path.match(/L/g).length, 2);
  assert.ok(!/NaN/.test(one('figure').innerHTML));
  assert.equal(one('svg').getAttribute('aria-label'),
    'line of 4 values from 1 to 4, the last is 3');
  world.socket.say('data', { curve: [] });
  assert.equal(one('.d-line'), null);
});
