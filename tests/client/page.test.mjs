import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Window } from 'happy-dom';
import { load } from './load.mjs';

const { PAGE_ENVIRONMENT, pageLink, pageQuery, pageSocket, socketAt } = await load('page.ts');

/** Gives the globals of a page to one test; Node has none of them. */
function inPage(t, globals) {
  Object.assign(globalThis, globals);
  t.after(() => { for (const name of Object.keys(globals)) delete globalThis[name]; });
}

test('a page finds its websocket beside itself, over TLS as itself', t => {
  inPage(t, { location: new URL('http://here:5000/pi/report.html?a=1') });
  assert.equal(pageSocket(), 'ws://here:5000/pi/ws');
  inPage(t, { location: new URL('https://here/') });
  assert.equal(pageSocket(), 'wss://here/ws');
  assert.equal(socketAt('/_reload'), 'wss://here/_reload');
  inPage(t, { location: new URL('file:///tmp/pi.html') });
  assert.equal(pageSocket(), '');
});

test('the session of an address is no argument, and the link has one', t => {
  inPage(t, { location: new URL('http://here/pi/?a=1&session=old') });
  assert.equal(pageQuery(), '?a=1');
  assert.equal(pageLink('s 1'), 'http://here/pi/?a=1&session=s%201');
});

test('outside of a page all of it is empty', () => {
  assert.deepEqual([pageSocket(), socketAt('/ws'), pageQuery(), pageLink('s')], ['', '', '', '']);
  PAGE_ENVIRONMENT.reload();
  PAGE_ENVIRONMENT.onWake(() => assert.fail('nobody looks at it'))();
});

test('a page that is looked at again, or has a network again, wakes its connection', t => {
  const window = new Window({ url: 'http://here/pi/' });
  const { document } = window;
  inPage(t, {
    document,
    addEventListener: window.addEventListener.bind(window),
    removeEventListener: window.removeEventListener.bind(window),
  });
  const heard = [];
  const stop = PAGE_ENVIRONMENT.onWake(reason => heard.push(reason));
  const happen = () => {
    window.dispatchEvent(new window.Event('online'));
    window.dispatchEvent(new window.Event('pageshow'));
    document.dispatchEvent(new window.Event('visibilitychange'));
  };
  happen();
  assert.deepEqual(heard, ['online', 'visible', 'visible']);
  Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
  happen();
  assert.deepEqual(heard.slice(3), ['online']);
  stop();
  happen();
  assert.equal(heard.length, 4);
});
