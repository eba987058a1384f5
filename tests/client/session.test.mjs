import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Session } = await load('session.ts');

const answer = more => ({ analysis_id: 'a', at: 0, epoch: 'e1', ...more });

test('a first join loses nothing, whatever id was asked for', () => {
  const session = new Session('kept over a reload');
  assert.deepEqual(session.joined(answer()), { streamLost: false });
  assert.deepEqual(JSON.parse(session.hello('')),
    { __connect: 'a', __request_args: '', __received: 0, __epoch: 'e1' });
});

test('the same epoch means the same stream', () => {
  const session = new Session(null);
  session.joined(answer({ at: 7 }));
  assert.equal(session.received, 7);
  assert.deepEqual(session.joined(answer({ at: 7 })), { streamLost: false });
});

test('another epoch means that the stream is lost, another id the session too', () => {
  const session = new Session(null);
  session.joined(answer());
  assert.deepEqual(session.joined(answer({ epoch: 'e2' })), { streamLost: true });
  assert.deepEqual(session.joined(answer({ analysis_id: 'b', epoch: 'e2' })),
    { streamLost: true });
});

test('a gap sets the place', () => {
  const session = new Session(null);
  session.joined(answer());
  session.gap({ missed: 5, at: 99 });
  session.count({ signal: 'x', load: null, snapshot: false });
  session.count({ signal: 'x', load: null, snapshot: true });
  assert.equal(session.received, 100);
});

test('a frame that cannot be read has its place, unless it is of a snapshot', () => {
  const session = new Session(null);
  session.joined(answer({ at: 3 }));
  session.countUnreadable('{"signal":"x","load":nul}');
  session.countUnreadable('{"signal":"data","load":{"k":nul}}');
  session.countUnreadable('{"signal":"data","snapshot":true,"load":{"k":nul}}');
  assert.equal(session.received, 5);
});
