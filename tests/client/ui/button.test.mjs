import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './dom.mjs';

const RUN = '<button data-action="run">Run</button>';

test('a click calls the action, and the button is busy until its end', t => {
  const { one, world } = page(t, RUN);
  const button = one('button');
  button.click();
  const { signal, load } = world.socket.actions[0];
  assert.equal(signal, 'run');
  assert.equal(typeof load.__process_id, 'number');
  assert.equal(button.getAttribute('aria-busy'), 'true');
  assert.ok(button.disabled && button.classList.contains('disabled'));
  button.databenchUI.click();
  assert.equal(world.socket.actions.length, 1);
  world.socket.start(load.__process_id);
  world.socket.end(load.__process_id);
  assert.equal(button.getAttribute('aria-busy'), null);
  assert.ok(!button.disabled && !button.classList.contains('disabled'));
});

test('actionFormat changes the message; without the id the button is not busy', t => {
  const { ui, one, world } = page(t, RUN);
  ui('button').actionFormat = message => ({ n: 5, ...message });
  one('button').click();
  assert.equal(world.socket.actions[0].load.n, 5);
  world.socket.end(world.socket.actions[0].load.__process_id);
  ui('button').actionFormat = () => [1, 2];
  one('button').click();
  assert.deepEqual(world.socket.actions[1], { signal: 'run', load: [1, 2] });
  assert.ok(!one('button').disabled);
});

test('every way to end frees the button, a lost server too', t => {
  for (const outcome of ['done', 'error', 'cancelled', 'lost']) {
    const { one, world } = page(t, RUN);
    one('button').click();
    const id = world.socket.actions[0].load.__process_id;
    world.socket.start(id);
    world.socket.end(id, { outcome });
    assert.ok(!one('button').disabled, outcome);
  }
  const { one, world } = page(t, RUN);
  one('button').click();
  world.socket.start(world.socket.actions[0].load.__process_id);
  world.socket.fail();
  world.advance(1000);
  assert.ok(one('button').disabled);
  world.socket.accept({ epoch: 'e2' });
  assert.ok(!one('button').disabled);
});

test('a reloaded page finds the button of what still runs busy', t => {
  const { one, world, d } = page(t, RUN + '<button id="other">', { join: false });
  d.connect();
  world.socket.accept({ running: [{ id: 7, action: 'run', elapsed_s: 2 }] });
  assert.ok(one('button').disabled && !one('#other').disabled);
  world.socket.end(7);
  assert.ok(!one('button').disabled);
});

test('two buttons of one action: only the one that was pressed is busy', t => {
  const { document } = page(t, RUN + RUN);
  const [a, b] = document.querySelectorAll('button');
  a.click();
  assert.ok(a.disabled && !b.disabled);
});

test('nameless and skipped buttons stay unwired, names come in their order', t => {
  const { document } = page(t, `
    <button>nameless</button><button id="a" data-skipwire="true"></button>
    <button id="c" name="b" data-action="a"></button><button id="c" name="b"></button>
    <button id="c"></button><button id="d" data-skipwire="1"></button>
    <button id="e" data-skipwire="false"></button>`);
  const names = [...document.querySelectorAll('button')].map(b => b.databenchUI?.actionName);
  assert.deepEqual(names, [undefined, undefined, 'a', 'b', 'c', undefined, 'e']);
});

test('a button in a form does not send the form', t => {
  const { one, window, world } = page(t, `<form>${RUN}</form>`);
  const event = new window.Event('click', { bubbles: true, cancelable: true });
  one('button').dispatchEvent(event);
  assert.ok(event.defaultPrevented);
  assert.equal(world.socket.actions.length, 1);
});
