import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './dom.mjs';

test('each value of data is shown under its name, numbers as a line, and follows', async t => {
  const { one, world, document } = page(t, '<dl data-values hidden></dl>');
  assert.ok(one('dl').hidden);
  world.socket.say('data', { pi: null, curve: [], names: ['a'], '<b>': 1 });
  await new Promise(resolve => setTimeout(resolve)); // elements that came are wired by now
  assert.ok(!one('dl').hidden);
  const shown = () => [...document.querySelectorAll('dt')].map(node =>
    [node.textContent, node.nextElementSibling.firstElementChild.localName]);
  assert.deepEqual(shown(), [['pi', 'output'], ['curve', 'figure'], ['names', 'pre'], ['<b>', 'output']]);
  world.socket.say('data', { pi: 3.5 });
  world.socket.say('data', { pi: 3.25, names: [1, 2] });
  await new Promise(resolve => setTimeout(resolve));
  assert.equal(one('output').textContent, '3.25');
  assert.deepEqual(shown()[2], ['names', 'figure']);
});

test('values that are there before the list came are shown, and of very many the first', t => {
  const { world, document, one } = page(t, '<p></p>');
  world.socket.say('data', Object.fromEntries([...Array(150).keys()].map(n => [`k${n}`, n])));
  const list = document.createElement('dl');
  list.dataset.values = '';
  one('p').append(list);
  return new Promise(resolve => setTimeout(resolve)).then(() => {
    assert.equal(list.querySelectorAll('dt').length, 100);
  });
});
