import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { page } from './ui/dom.mjs';

const { effectOf } = await load('reload.ts');
const PI = { path: '/pi/', styles: ['/static/a.css'], others: ['/static/b.css', '/pi/analysis.js'] };

test('a page loads again for itself and for what it has loaded, and for nothing else', () => {
  const effects = paths => effectOf(paths, PI);
  assert.equal(effects(['/pi/']), 'page');
  assert.equal(effects(['/pi/analysis.js']), 'page');
  assert.equal(effects(['/static/b.css']), 'page'); // imported by another style sheet
  assert.equal(effects(['/pi/other.html', '/mu/', '/static/c.css', '/']), 'none');
  assert.equal(effects([]), 'none');
});

test('style sheets alone are taken anew without a reload', () => {
  assert.equal(effectOf(['/static/a.css', '/static/c.css'], PI), 'styles');
  assert.equal(effectOf(['/static/a.css', '/pi/analysis.js'], PI), 'page');
});

test('paths are compared as they are meant, however they are escaped', () => {
  assert.equal(effectOf(['/pi/%C3%A9 a.html'], { ...PI, path: '/pi/é%20a.html' }), 'page');
  assert.equal(effectOf(['/%'], { ...PI, path: '/%' }), 'page');
});

/** A tab's storage, which outlives its pages. */
function tab(t) {
  const content = {};
  globalThis.sessionStorage = {
    getItem: key => content[key] ?? null,
    setItem: (key, value) => { content[key] = value; },
    removeItem: key => { delete content[key]; },
  };
  t.after(() => { delete globalThis.sessionStorage; });
  return content;
}

const SAVED = { paths: ['/pi/'] };
const IDLE = { state: 'idle' };

const INPUTS = `
  <input id="text"><textarea id="area"></textarea><input id="plain" data-skipwire>
  <input id="check" type="checkbox" data-skipwire>
  <select id="choice" data-skipwire><option>x</option><option>y</option></select>
  <input id="secret" type="password"><input id="sent">`;

test('what was typed and not sent survives the reload, behind the state', t => {
  const kept = tab(t);
  const before = page(t, INPUTS);
  before.world.socket.say('__kernel', IDLE);
  for (const id of ['text', 'area', 'plain', 'secret']) {
    before.one(`#${id}`).value = `typed in ${id}`;
    before.fire(before.one(`#${id}`), 'input');
  }
  before.one('#check').checked = true;
  before.one('#choice').options[1].selected = true;
  before.enter('#sent', 'sent');
  before.one('#text').focus();
  before.world.socket.say('__reload', SAVED);
  assert.equal(before.world.reloads, 1);
  assert.ok(!JSON.stringify(kept).includes('typed in secret'));

  const after = page(t, INPUTS);
  after.world.socket.say('data', { text: 'state', sent: 'newer' });
  assert.equal(after.one('#text').value, 'state');
  after.world.socket.say('__kernel', IDLE);
  assert.equal(after.one('#text').value, 'typed in text');
  assert.equal(after.document.activeElement, after.one('#text'));
  assert.equal(after.one('#area').value, 'typed in area');
  assert.equal(after.one('#plain').value, 'typed in plain');
  assert.equal(after.one('#check').checked, true);
  assert.equal(after.one('#choice').value, 'y');
  assert.equal(after.one('#secret').value, '');
  assert.equal(after.one('#sent').value, 'newer'); // it was sent: the state is right
  assert.deepEqual(kept, {});

  after.world.socket.say('data', { text: 'later' });
  assert.equal(after.one('#text').value, 'typed in text'); // it is being edited
  after.one('#text').dispatchEvent(new after.window.KeyboardEvent('keydown', { key: 'Enter' }));
  assert.deepEqual(after.world.socket.actions.map(a => [a.signal, a.load]),
    [['text', 'typed in text']]);
  after.fire(after.one('#text'), 'blur');
  assert.equal(after.world.socket.actions.length, 1);
});

test('an edit that came over a reload is sent when the person leaves it', t => {
  tab(t);
  const before = page(t, INPUTS);
  before.one('#area').value = 'long';
  before.fire(before.one('#area'), 'input');
  before.world.socket.say('__reload', SAVED);
  const after = page(t, INPUTS);
  after.world.socket.say('__kernel', IDLE);
  after.one('#area').dispatchEvent(new after.window.KeyboardEvent('keydown', { key: 'Enter' }));
  assert.deepEqual(after.world.socket.actions, []); // a line break
  after.fire(after.one('#area'), 'blur');
  assert.deepEqual(after.world.socket.actions.map(a => [a.signal, a.load]), [['area', 'long']]);
});

const META = '<meta name="databench-saves" content="7">';

test('a page says the count of saves that it was made with, then the one that it heard of', t => {
  tab(t);
  const { world } = page(t, META);
  assert.equal(world.socket.sent[0].__saves, 7);
  world.socket.say('__reload', { paths: ['/mu/'], saves: 9 });
  world.socket.fail();
  world.advance(1000);
  world.socket.open();
  assert.equal(world.socket.sent[0].__saves, 9);
});

test('a page loads again for what it missed, once where it comes from a cache', t => {
  tab(t);
  const missed = saves => {
    const { world } = page(t, META);
    world.socket.say('__reload', { paths: ['/pi/'], saves, missed: true });
    return world.reloads;
  };
  assert.deepEqual([missed(8), missed(8), missed(9), missed(9)], [1, 0, 1, 0]);
});

test('a save that the page does not show does nothing', t => {
  tab(t);
  const { world } = page(t, INPUTS);
  world.socket.say('__reload', { paths: ['/mu/'] });
  world.socket.say('__reload', {});
  world.socket.say('__reload');
  assert.equal(world.reloads, 0);
});

for (const isThere of [true, false]) {
  test(`a saved style sheet is taken anew${isThere ? '' : ', and the old one stays if it is gone'}`, async t => {
    tab(t);
    const { world, document, window } = page(t, '<p></p>');
    window.happyDOM.settings.handleDisabledFileLoadingAsSuccess = isThere;
    const link = document.createElement('link');
    link.setAttribute('rel', 'stylesheet');
    link.setAttribute('href', '/static/a.css?v=1');
    document.body.append(link);
    world.socket.say('__reload', { paths: ['/static/a.css'] });
    await window.happyDOM.waitUntilComplete();
    assert.equal(world.reloads, 0);
    const [style, ...more] = document.querySelectorAll('link');
    assert.equal(more.length, 0);
    assert.equal(/\/static\/a\.css\?v=1&renewed=/.test(style.href), isThere);
  });
}
