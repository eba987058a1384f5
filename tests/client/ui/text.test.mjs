import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './dom.mjs';

test('text goes in as text, 0 as 0, and paths reach into objects', t => {
  const { one, world } = page(t, `
    <span id="a" data-signal="data:a"></span><b id="b" data-action="b"></b>
    <td id="c"></td><output data-signal="data:pi.estimate" data-format="fixed:2"></output>
    <em data-signal="status"></em>`);
  world.socket.say('data', { a: '<b>bold</b>', b: 0, pi: { estimate: 3.14159 } });
  world.socket.say('status', { x: 1 });
  assert.equal(one('#a').innerHTML, '&lt;b&gt;bold&lt;/b&gt;');
  assert.equal(one('#b').textContent, '0');
  assert.equal(one('output').textContent, '3.14');
  assert.equal(one('em').textContent, '{\n  "x": 1\n}');
  world.socket.say('data', { a: null, b: false });
  assert.equal(one('#a').textContent, '');
  assert.equal(one('#b').textContent, 'false');
});

test('formatFn may return text, which stays text, or a node', t => {
  const { one, ui, document, world } = page(t, '<span data-signal="data:a"></span>');
  ui('span').formatFn = v => `<i>${v}</i>`;
  world.socket.say('data', { a: 1 });
  assert.equal(one('span').textContent, '<i>1</i>');
  ui('span').formatFn = v => {
    const node = document.createElement('i');
    node.textContent = v;
    return node;
  };
  world.socket.say('data', { a: 2 });
  assert.equal(one('span').innerHTML, '<i>2</i>');
});

test('a span with an id alone is not wired, as a page writes it itself', t => {
  const { one, world } = page(t, '<span id="pi">?</span>');
  world.socket.say('data', { pi: 3 });
  assert.equal(one('span').textContent, '?');
});

test('an image takes an address', t => {
  const { one, world } = page(t, '<img data-signal="plot">');
  world.socket.say('plot', 'data:image/png;base64,AAAA');
  assert.equal(one('img').getAttribute('src'), 'data:image/png;base64,AAAA');
  world.socket.say('plot', null);
  assert.equal(one('img').getAttribute('src'), null);
});

test('an image without an address is hidden, from the start and for null', t => {
  const { one, world } = page(t, '<img data-signal="data:plot">');
  assert.ok(one('img').hidden);
  world.socket.say('data', { plot: 'data:image/png;base64,AAAA' });
  assert.ok(!one('img').hidden);
  for (const none of [null, '']) {
    world.socket.say('data', { plot: none });
    assert.ok(one('img').hidden);
    assert.equal(one('img').getAttribute('src'), null);
  }
});

test('an image with an address of its own is shown until a signal comes', t => {
  const { one } = page(t, '<img data-signal="plot" src="wait.png">');
  assert.ok(!one('img').hidden);
});
