import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';
import { page } from './dom.mjs';

const { digitsApart, pointsOf, spanOf } = await load('ui/plot.ts');

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

test('the ends of an axis are told apart by as many digits as that takes', t => {
  const { one, document, world } = page(t, '<figure data-signal="data:curve" data-plot="line"></figure>');
  const texts = () => [...document.querySelectorAll('svg text')].map(n => n.textContent);
  world.socket.say('data', { curve: [3.14159, 3.14161] });
  assert.deepEqual(texts(), ['3.14159', '3.14161', '0', '1']);
  assert.match(one('svg').getAttribute('aria-label'), /from 3\.14159 to 3\.14161, the last is 3\.14161$/);
  world.socket.say('data', { curve: { x: [1_700_000_000, 1_700_000_060], y: [1, 2] } });
  assert.deepEqual(texts(), ['1', '2', '1700000000', '1700000060']);
  world.socket.say('data', { curve: [0.1 + 0.2, 0.3] });
  assert.deepEqual(texts().slice(0, 2), ['0.3', '0.30000000000000004']);
});

test('labels of many digits stand beside the axis, within the plot', t => {
  const { one, world } = page(t, '<figure data-signal="data:curve" data-plot="line"></figure>');
  const axis = () => Number(one('.d-axis').getAttribute('d').match(/^M([\d.]+)/)[1]);
  world.socket.say('data', { curve: [1, 2] });
  const before = axis();
  world.socket.say('data', { curve: [0.1 + 0.2, 0.3] });
  assert.ok(axis() > before && axis() < 300);
  assert.equal(Number(one('.d-line').getAttribute('d').match(/^M([\d.]+)/)[1]), axis());
});

test('digits are enough for what lies between the ends, at any size', () => {
  const text = (value, digits) => Number.parseFloat(value.toPrecision(digits));
  for (const size of [1e-300, 1e-9, 1, 12_345, 1e9, 1e300]) {
    for (const apart of [2, 1e-1, 1e-4, 1e-9, 1e-14]) {
      for (const sign of [1, -1]) {
        const [low, high] = spanOf([sign * size, sign * size * (1 + apart)]);
        const digits = digitsApart(low, high);
        const error = Math.abs(text(low, digits) - low) + Math.abs(text(high, digits) - high);
        assert.ok(error <= 0.02 * (high - low), `${low} ${high}: ${digits}`);
      }
    }
  }
  assert.equal(digitsApart(0, 1), 4);
  assert.equal(digitsApart(-1, 1), 4);
});
