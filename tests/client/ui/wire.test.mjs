import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Databench, page } from './dom.mjs';

test('elements that come later are wired, and know the state', async t => {
  const { document, one, observed, world } = page(t, '<div id="here"></div>');
  world.socket.say('data', { a: 5, name: 'Ada' });
  one('#here').innerHTML = `<p><span data-signal="data:a"></span><input name="name">
    <button data-action="run"></button></p>`;
  await observed();
  assert.equal(one('span').textContent, '5');
  assert.equal(one('input').value, 'Ada');
  one('button').click();
  assert.equal(world.socket.actions[0].signal, 'run');
  assert.equal(document.querySelectorAll('button').length, 1);
});

test('an element that leaves lets go, and one that comes back is bound again, once', async t => {
  const { one, observed, world, document } = page(t, '<p><span data-signal="data:a"></span></p>');
  const span = one('span');
  const ui = span.databenchUI;
  ui.formatFn = v => `got ${v}`;
  span.remove();
  await observed();
  assert.equal(ui.isBound, false);
  world.socket.say('data', { a: 1 });
  assert.equal(span.textContent, '');
  document.querySelector('p').append(span);
  await observed();
  assert.equal(span.databenchUI, ui);
  assert.equal(span.textContent, 'got 1');
  const other = document.createElement('div');
  document.body.append(other);
  other.append(span);
  await observed();
  world.socket.say('data', { a: 2 });
  assert.equal(span.textContent, 'got 2');
});

test('wiring twice does nothing twice', t => {
  const { d, one, world } = page(t, '<button data-action="run"></button><pre id="log"></pre>');
  Databench.ui.wire(d);
  one('button').click();
  world.socket.say('log', 'once');
  assert.equal(world.socket.actions.length, 1);
  assert.equal(one('#log').textContent, 'backend (log): once');
});

test('a part of the page can be wired alone', t => {
  const { document, world } = page(t, '');
  document.body.innerHTML = '<p id="in"><button id="a"></button></p><button id="b"></button>';
  const d = new Databench.Connection(null, null, null, world.options);
  Databench.ui.Button.wire(d, document.getElementById('in'));
  assert.ok(document.getElementById('a').databenchUI);
  assert.ok(!document.getElementById('b').databenchUI);
});

test('cancel and progress follow the action', t => {
  const { one, world } = page(t, `
    <button data-action="run"></button><button data-cancel="run"></button>
    <progress data-progress="run"></progress><i data-progress="run"></i>`);
  const [cancel, bar, text] = [one('[data-cancel]'), one('progress'), one('i')];
  assert.ok(cancel.disabled);
  assert.equal(bar.value, 0);
  one('button').click();
  const id = world.socket.actions[0].load.__process_id;
  world.socket.start(id);
  assert.ok(!cancel.disabled);
  assert.equal(bar.hasAttribute('value'), false);
  world.socket.say('__progress', { id, value: 3, total: 40 });
  assert.deepEqual([bar.value, bar.max, text.textContent], [3, 40, '3 / 40']);
  cancel.click();
  assert.deepEqual(world.socket.actions[1], { __cancel: id });
  assert.equal(cancel.getAttribute('aria-busy'), 'true');
  world.socket.end(id, { outcome: 'cancelled' });
  assert.ok(cancel.disabled);
  assert.deepEqual([bar.value, text.textContent], [0, '']);
  assert.equal(cancel.getAttribute('aria-busy'), null);
});

test('a log shows the newest messages of both sides, shortened', t => {
  const { one, d, world } = page(t, '<pre id="log"></pre>');
  for (let i = 0; i < 30; i += 1) world.socket.say('log', { i });
  d.emit('warn', 'x'.repeat(300));
  const lines = one('#log').textContent.split('\n');
  assert.equal(lines.length, 20);
  assert.equal(lines[18], 'backend (log): {"i":29}');
  assert.equal(lines[19], `${`frontend (warn): ${'x'.repeat(300)}`.slice(0, 250)} ...`);
});

test('alerts count equal messages, are text, and are cleared when the connection is back', t => {
  const { one, d } = page(t, '<div id="databench-alerts"></div>');
  d.errorCB('<img src=x>');
  d.errorCB('<img src=x>');
  const alert = one('#databench-alerts .alert');
  assert.equal(alert.textContent, '(2) <img src=x>');
  assert.equal(one('img'), null);
  d.errorCB();
  assert.equal(one('#databench-alerts .alert'), null);
});

test('start() leaves a page alone that has made its connection', t => {
  page(t, '');
  assert.equal(Databench.start(), undefined);
});
