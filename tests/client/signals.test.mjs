import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { lookUp, Signals } = await load('signals.ts');

test('a path is found in objects, and a key with dots before it', () => {
  const data = { pi: { estimate: 0, more: { deep: null } }, 'a.b': 1, a: { b: 2 } };
  assert.deepEqual(lookUp(data, 'pi.estimate'), [0]);
  assert.deepEqual(lookUp(data, 'pi.more.deep'), [null]);
  assert.deepEqual(lookUp(data, 'a.b'), [1]);
  for (const none of ['x', 'pi.x', 'pi.estimate.x', '.a', 'a.', 'toString', 'pi.constructor']) {
    assert.deepEqual(lookUp(data, none), [], none);
  }
  for (const none of [null, undefined, 3, 'text', [1]]) assert.deepEqual(lookUp(none, 'length'), []);
});

test('a removed listener hears nothing, the others go on', () => {
  const signals = new Signals(assert.fail);
  const heard = [];
  const stop = signals.on('a', v => heard.push(`one ${v}`));
  signals.on({ a: null }, v => heard.push(`two ${v}`));
  signals.on(/a/g, v => heard.push(`three ${v}`));
  signals.dispatch('a', 1);
  stop();
  signals.dispatch('a', 2);
  assert.deepEqual(heard, ['one 1', 'two 1', 'three 1', 'two 2', 'three 2']);
  assert.equal(signals.dispatch('b', 3), false);
});

test('a listener that is added while a signal is told hears the next one', () => {
  const signals = new Signals(assert.fail);
  const heard = [];
  signals.on('a', v => { if (v === 1) signals.on('a', w => heard.push(w)); });
  signals.dispatch('a', 1);
  signals.dispatch('a', 2);
  assert.deepEqual(heard, [2]);
});
