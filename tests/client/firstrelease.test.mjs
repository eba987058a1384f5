import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { page } from './ui/dom.mjs';

const { FirstRelease } = await load('firstrelease.ts');
const { api } = await load('api.ts');

test('signals come in and go out', t => {
  const { d, world } = page(t, '');
  const databench = new FirstRelease('simplepi', d);
  const heard = [];
  databench.signals.on('status', (...args) => heard.push(args));
  world.socket.say('status', { pi: 3 });
  assert.deepEqual(heard, [[{ pi: 3 }]]);
  databench.signals.emit('run', { n: 5 });
  assert.equal(world.socket.actions[0].signal, 'run');
  assert.equal(world.socket.actions[0].load.n, 5);
});

for (const [name, where] of [
  ['an id', () => 'out'],
  ['an id with its hash', () => '#out'],
  ['a node', one => one('#out')],
  ['a jQuery object', one => ({ 0: one('#out'), length: 1 })],
]) {
  test(`the log shows in what is named by ${name}`, t => {
    const { d, world, one } = page(t, '<pre id="out"></pre>');
    new FirstRelease('simplepi', d).genericElements.log(where(one));
    world.socket.say('log', { draws: 100 });
    world.socket.say('error', 'no');
    assert.equal(one('#out').textContent,
      'backend (log): {"draws":100}\nbackend (error): no');
  });
}

test('what is not there is told, and why nothing is shown', t => {
  const { d } = page(t, '');
  const { log } = new FirstRelease('simplepi', d).genericElements;
  assert.throws(() => log('out'), /no element with the id 'out'; nothing is shown/);
  assert.throws(() => log({ length: 0 }), /selection is empty/);
});

test('Databench can be called, and keeps all that it offers', () => {
  assert.equal(typeof api, 'function');
  for (const name of ['Connection', 'connect', 'start', 'ui']) assert.ok(api[name], name);
});
