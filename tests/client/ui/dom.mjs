/**
 * A page in memory, wired to a connection whose other end the test holds.
 */

import { Window } from 'happy-dom';
import { load } from '../load.mjs';
import { quietConsole, World } from '../world.mjs';

const GLOBALS = [
  'document', 'HTMLElement', 'HTMLProgressElement', 'MutationObserver', 'Node', 'location',
];

export const Databench = await load('main.ts');

/** Makes the page, and joins it to a front. */
export function page(t, html, { join = true } = {}) {
  quietConsole(t);
  const window = new Window({ url: 'http://here/pi/?a=1' });
  const had = Object.fromEntries(GLOBALS.map(name => [name, globalThis[name]]));
  for (const name of GLOBALS) globalThis[name] = name === 'document' ? window.document : window[name];
  globalThis.requestAnimationFrame = callback => { callback(); };
  t.after(async () => {
    await window.happyDOM.abort();
    Object.assign(globalThis, had);
    delete globalThis.requestAnimationFrame;
  });
  window.document.body.innerHTML = html;
  const world = new World();
  const d = new Databench.Connection(null, null, null, world.options);
  Databench.ui.wire(d);
  if (join) {
    d.connect();
    world.socket.accept();
  }
  return { window, document: window.document, world, d, ...helpers(window) };
}

function helpers(window) {
  const one = selector => window.document.querySelector(selector);
  const fire = (node, type) => node.dispatchEvent(new window.Event(type, { bubbles: true }));
  return {
    one,
    ui: selector => one(selector).databenchUI,
    fire,
    /** A person enters a value: the events of a browser. */
    enter(selector, value) {
      const node = one(selector);
      node.focus();
      node.value = value;
      fire(node, 'input');
      fire(node, 'change');
    },
    /** Lets observers of the document run. */
    observed: () => window.happyDOM.waitUntilComplete(),
  };
}
