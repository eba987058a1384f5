import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Databench, page } from './dom.mjs';

const HTML = '<div id="databench-alerts"></div>';

function withToasts(t, html = HTML, options = {}) {
  const all = page(t, html, options);
  const texts = () => [...all.document.querySelectorAll('.d-toast')].map(n => n.textContent);
  return { ...all, texts, toast: load => all.world.socket.say('toast', load) };
}

test('a toast stands for 4 s, by the clock of the connection, and each has its own time', t => {
  const { world, texts, toast } = withToasts(t);
  toast('saved');
  world.advance(2000);
  toast('sent');
  assert.deepEqual(texts(), ['saved', 'sent']);
  world.advance(1999);
  assert.deepEqual(texts(), ['saved', 'sent']);
  world.advance(1);
  assert.deepEqual(texts(), ['sent']);
  world.advance(2000);
  assert.deepEqual(texts(), []);
});

test('at most five toasts stand, the newest', t => {
  const { texts, toast, world } = withToasts(t);
  for (let i = 1; i <= 7; i += 1) toast(i);
  assert.deepEqual(texts(), ['3', '4', '5', '6', '7']);
  world.advance(4000);
  assert.deepEqual(texts(), []);
});

test('a toast is text, in a place that is read out; nothing is shown for nothing', t => {
  const { one, texts, toast } = withToasts(t);
  assert.equal(one('.d-toasts').getAttribute('role'), 'status');
  toast('<img src=x>');
  for (const none of [null, '', undefined]) toast(none);
  toast(0);
  assert.deepEqual(texts(), ['<img src=x>', '0']);
  assert.equal(one('img'), null);
});

test('an element of the page that shows toasts is the only one', t => {
  const { one, texts, toast } = withToasts(t, `${HTML}<p data-signal="toast"></p>`);
  toast('saved');
  assert.equal(one('p').textContent, 'saved');
  assert.deepEqual(texts(), []);
});

test('wiring twice shows a toast once', t => {
  const { d, texts, toast } = withToasts(t);
  Databench.ui.wire(d);
  toast('saved');
  assert.deepEqual(texts(), ['saved']);
});

test('a page without alerts, or with alerts of its own, gets no toasts', t => {
  for (const html of ['', '<div id="databench-alerts" data-skipwire></div>']) {
    const { texts, toast } = withToasts(t, html);
    toast('saved');
    assert.deepEqual(texts(), []);
  }
});

test('a reloaded page keeps quiet about its past', t => {
  const { d, texts, toast, world } = withToasts(t, HTML, { join: false });
  d.connect();
  world.socket.accept({ resumed: true });
  toast('old');
  world.advance(999);
  toast('old too');
  assert.deepEqual(texts(), []);
  world.advance(1);
  toast('new');
  assert.deepEqual(texts(), ['new']);
});

test('what was said while the connection was lost is shown', t => {
  const { texts, toast, world } = withToasts(t);
  world.socket.fail();
  world.advance(5000);
  world.socket.accept({ resumed: true });
  toast('missed');
  assert.deepEqual(texts(), ['missed']);
});
