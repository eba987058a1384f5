import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { quietConsole, World } from './world.mjs';

const { SessionKeeper } = await load('keep.ts');
const { Connection } = await load('main.ts');

function storage(content = {}) {
  return {
    content,
    getItem: key => content[key] ?? null,
    setItem: (key, value) => { content[key] = value; },
  };
}

test('an id is kept over a reload, per path, query and order', () => {
  const tab = storage();
  const page = path => new SessionKeeper(() => tab, () => path);
  const one = page('/pi/?a=1');
  one.slot('ws').write('first');
  one.slot('ws').write('second');
  const reloaded = page('/pi/?a=1');
  assert.equal(reloaded.slot('ws').read(), 'first');
  assert.equal(reloaded.slot('ws').read(), 'second');
  assert.equal(reloaded.slot('ws').read(), null);
  assert.equal(page('/pi/?a=2').slot('ws').read(), null);
  assert.equal(page('/other/?a=1').slot('ws').read(), null);
  assert.equal(page('/pi/?a=1').slot('another ws').read(), null);
});

test('storage that fails costs only the keeping', () => {
  const broken = { getItem() { throw new Error('no'); }, setItem() { throw new Error('full'); } };
  for (const get of [() => broken, () => undefined, () => { throw new Error('denied'); }]) {
    const slot = new SessionKeeper(get, () => '/').slot('ws');
    slot.write('x');
    assert.equal(slot.read(), null);
  }
});

test('a connection reads and writes its slot, unless an id is given', t => {
  quietConsole(t);
  const world = new World();
  const tab = storage();
  const slot = () => new SessionKeeper(() => tab, () => '/').slot('ws');
  new Connection('ws://x', '', null, { ...world.options, slot: slot() }).connect();
  world.socket.accept({ analysis_id: 'kept' });
  new Connection('ws://x', '', null, { ...world.options, slot: slot() }).connect();
  world.socket.open();
  assert.deepEqual(world.socket.sent[0],
    { __connect: 'kept', __request_args: '', __received: 0 });
  new Connection('ws://x', '', 'mine', { ...world.options, slot: slot() }).connect();
  world.socket.accept({ analysis_id: 'mine' });
  assert.equal(world.socket.sent[0].__connect, 'mine');
  assert.equal(slot().read(), 'kept');
});
