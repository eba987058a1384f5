import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Tab } = await load('tab.ts');

/** One browser: tabs whose pages hear each other, in order. */
class Browser {
  ends = new Set();
  number = 0;

  channel() {
    const end = {
      onmessage: null,
      postMessage: data => {
        for (const other of [...this.ends]) if (other !== end) other.onmessage?.({ data });
      },
    };
    this.ends.add(end);
    return end;
  }

  /** A page of a tab; the storage is the tab's. */
  page(content) {
    const storage = {
      getItem: key => content[key] ?? null, setItem: (key, value) => { content[key] = value; },
    };
    let own;
    const tab = new Tab(
      () => storage,
      () => { own = this.channel(); return own; },
      () => { this.number += 1; return this.number / 1000; },
    );
    tab.told = 0;
    tab.onCopied(() => { tab.told += 1; });
    tab.close = () => this.ends.delete(own);
    return tab;
  }
}

function shares(tab, session = 's') {
  assert.equal(tab.told, tab.isCopyIn(session) ? 1 : 0);
  return tab.isCopyIn(session);
}

test('a copied tab is told, and the one that it was copied from is not', () => {
  const browser = new Browser();
  const content = {};
  const first = browser.page(content);
  first.hold('s', false);
  const copy = browser.page({ ...content });
  copy.hold('s', true);
  assert.deepEqual([shares(first), shares(copy)], [false, true]);
});

test('a reload of either says the same again', () => {
  const browser = new Browser();
  const content = {};
  const first = browser.page(content);
  first.hold('s', false);
  const other = { ...content };
  const copy = browser.page(other);
  copy.hold('s', true);
  first.close();
  const firstAgain = browser.page(content);
  firstAgain.hold('s', true);
  assert.equal(shares(firstAgain), false);
  copy.close();
  const copyAgain = browser.page(other);
  copyAgain.hold('s', true);
  assert.equal(shares(copyAgain), true);
});

test('a reload alone, or of a copy whose original has gone, says nothing', () => {
  const browser = new Browser();
  const content = {};
  const first = browser.page(content);
  first.hold('s', false);
  const other = { ...content };
  first.close();
  const again = browser.page(content);
  again.hold('s', true);
  assert.equal(shares(again), false);
  again.close();
  const copy = browser.page(other);
  copy.hold('s', true);
  assert.equal(shares(copy), false);
});

test('a copy of a copy is told by either', () => {
  for (const closed of [0, 1]) {
    const browser = new Browser();
    const content = {};
    const first = browser.page(content);
    first.hold('s', false);
    const second = { ...content };
    const copy = browser.page(second);
    copy.hold('s', true);
    const third = { ...second };
    [first, copy][closed].close();
    const copyOfCopy = browser.page(third);
    copyOfCopy.hold('s', true);
    assert.equal(shares(copyOfCopy), true);
  }
});

test('tabs that share by a link are told nothing, now and after a reload', () => {
  const browser = new Browser();
  const content = {};
  const first = browser.page(content);
  first.hold('s', false);
  const other = { ...content }; // opened by a script of the first: its storage is copied too
  const second = browser.page(other);
  second.hold('s', false); // but a link named the session
  for (const [tab, kept] of [[first, content], [second, other]]) {
    tab.close();
    const again = browser.page(kept);
    again.hold('s', true);
    assert.equal(shares(again), false);
  }
});

test('other sessions and browsers without channels or storage are left alone', () => {
  const browser = new Browser();
  const content = {};
  browser.page(content).hold('s', false);
  const other = browser.page({ ...content });
  other.hold('t', true);
  assert.equal(shares(other, 't'), false);
  const bare = new Tab(() => { throw new Error('denied'); }, () => undefined, Math.random);
  bare.hold('s', true);
  assert.equal(bare.isCopyIn('s'), false);
  const mute = new Tab(() => { throw new Error('denied'); }, () => browser.channel(), Math.random);
  mute.hold('s', true);
  assert.equal(mute.isCopyIn('s'), false);
});
