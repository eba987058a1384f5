import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { quietConsole, settled, World } from './world.mjs';

const { Connection, ActionError } = await load('main.ts');

function open(t, { random, args } = {}) {
  quietConsole(t);
  const world = new World(random ? { random } : {});
  const errors = [];
  const d = new Connection('ws://here/pi/ws', ...(args ?? ['?a=1', null]), world.options);
  d.errorCB = message => errors.push(message);
  return { world, d, errors };
}

function joined(t, more) {
  const all = open(t, more);
  all.d.connect();
  all.world.socket.accept();
  return all;
}

test('the first frame names no session, no epoch and place 0', t => {
  const { world, d } = open(t);
  d.connect();
  world.socket.open();
  assert.equal(world.socket.url, 'ws://here/pi/ws');
  assert.deepEqual(world.socket.sent, [
    { __connect: null, __request_args: '?a=1', __received: 0 },
  ]);
});

test('an analysis id given to the constructor is asked for', t => {
  const { world, d } = open(t, { args: ['', 'mine'] });
  d.connect();
  world.socket.open();
  assert.equal(world.socket.sent[0].__connect, 'mine');
});

test('the answer gives id and versions, and calls back once', t => {
  const { world, d } = open(t);
  const called = [];
  d.connect(c => called.push(c));
  world.socket.accept({ databench_backend_version: '1.0', analyses_version: '0.1' });
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({ analyses_version: '0.1' });
  assert.deepEqual(called, [d]);
  assert.equal(d.analysisId, 'session-1');
  assert.equal(d.analysesVersion, '0.1');
  assert.equal(world.reloads, 0);
});

test('a new version of the analyses loads the page again', t => {
  const { world, d } = open(t);
  d.connect();
  world.socket.accept({ analyses_version: '1' });
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({ analyses_version: '2' });
  assert.equal(world.reloads, 1);
});

test('every frame of the stream counts, the others do not', t => {
  const { world, d } = open(t);
  d.connect();
  world.socket.accept({ at: 10, epoch: 'x' });
  world.socket.say('__kernel', { state: 'starting' });
  world.socket.say('data', { a: 1 }, { snapshot: true });
  world.socket.say('data', { a: 1 });
  world.socket.say('status', null);
  world.socket.start(5);
  world.socket.say('__progress', { id: 5, value: 1, total: 2 });
  world.socket.end(5);
  world.socket.fail();
  world.advance(1000);
  world.socket.open();
  assert.deepEqual(world.socket.sent[0], {
    __connect: 'session-1', __request_args: '?a=1', __received: 15, __epoch: 'x',
  });
});

test('a gap moves the count, another epoch starts it anew', t => {
  const { world } = joined(t);
  world.socket.say('a', 1);
  world.socket.say('__gap', { missed: 120, at: 4711 });
  world.socket.say('a', 1);
  world.socket.fail();
  world.advance(1000);
  world.socket.open();
  assert.equal(world.socket.sent[0].__received, 4712);
  world.socket.say('__connect', { analysis_id: 'session-1', at: 3, epoch: 'e2', running: [] });
  world.socket.say('a', 1);
  world.socket.fail();
  world.advance(1000);
  world.socket.open();
  assert.deepEqual([world.socket.sent[0].__received, world.socket.sent[0].__epoch], [4, 'e2']);
});

test('a page that never joined knows after two sockets; one that did has lost its connection', t => {
  const { world, d } = open(t);
  d.connect();
  assert.equal(d.isUnreached, false);
  world.socket.fail();
  assert.equal(d.isUnreached, false);
  world.advance(60_000);
  world.socket.fail();
  assert.equal(d.isUnreached, true);
  world.advance(60_000);
  world.socket.accept({});
  assert.equal(d.isUnreached, false);
  for (let i = 0; i < 5; i += 1) {
    world.socket.fail();
    world.advance(60_000);
  }
  assert.equal(d.isUnreached, false);
});

test('a listener that throws shifts no count and silences nobody', t => {
  const { world, d } = joined(t);
  const heard = [];
  d.on('a', () => { throw new Error('mine'); });
  d.on('a', value => heard.push(value));
  world.socket.say('a', 1);
  world.socket.say('a', 2);
  assert.deepEqual(heard, [1, 2]);
  assert.equal(world.reports.length, 2);
  world.socket.fail();
  world.advance(1000);
  world.socket.open();
  assert.equal(world.socket.sent[0].__received, 2);
});

test('junk from the server is reported and not counted', t => {
  const { world } = joined(t);
  for (const data of ['{', '3', 'null', '{"load": 1}', '{"signal": 3}']) {
    world.socket.onmessage({ data });
  }
  assert.equal(world.reports.length, 5);
  world.socket.fail();
  world.advance(1000);
  world.socket.open();
  assert.equal(world.socket.sent[0].__received, 0);
});

test('a binary frame goes to the reserved hook', t => {
  const { world, d } = joined(t);
  const got = [];
  d.onBinary = buffer => got.push(buffer);
  const buffer = new ArrayBuffer(8);
  world.socket.onmessage({ data: buffer });
  assert.deepEqual(got, [buffer]);
});

test('emit sends a signal, and no load for no message', t => {
  const { world, d } = joined(t);
  d.emit('run', { n: 10 }).emit('stop').emit('zero', 0).emit('nothing', null).emit('empty', '');
  assert.deepEqual(world.socket.actions, [
    { signal: 'run', load: { n: 10 } }, { signal: 'stop' }, { signal: 'zero', load: 0 },
    { signal: 'nothing', load: null }, { signal: 'empty', load: '' },
  ]);
});

test('without connect() only the hooks run, and trigger calls the listeners', t => {
  const { world, d } = open(t);
  const heard = [];
  d.on('received', message => heard.push(message));
  d.preEmit('test', message => { d.trigger('received', message); return message; });
  d.emit('test', 'hello');
  d.trigger('nobody hears this');
  d.connect();
  world.socket.accept();
  assert.deepEqual(heard, ['hello']);
  assert.deepEqual(world.socket.actions, []);
});

test('preEmit hooks change a message once, in their order', t => {
  const { world, d } = open(t);
  d.connect();
  d.preEmit('n', n => n + 1).preEmit('n', n => n * 10);
  d.emit('n', 1);
  world.socket.accept();
  assert.deepEqual(world.socket.actions, [{ signal: 'n', load: 20 }]);
});

test('what is emitted before the join is sent after it, in order', t => {
  const { world, d } = open(t);
  d.connect();
  d.emit('a', 1).emit('b', 2);
  world.socket.open();
  assert.equal(world.socket.sent.length, 1);
  world.socket.say('__connect', { analysis_id: 'i', at: 0, epoch: 'e' });
  assert.deepEqual(world.socket.actions.map(a => a.signal), ['a', 'b']);
});

test('a full outbox refuses, tells once, and ends what awaits its end', async t => {
  const { world, d, errors } = open(t);
  d.connect();
  for (let i = 0; i < 1000; i += 1) d.emit('n', i);
  d.emit('n', 1000).emit('n', 1001);
  assert.equal(errors.length, 1);
  assert.match(errors[0], /'n' was not sent: 1000 messages already wait/);
  await assert.rejects(d.call('run'), error => error.outcome === 'error' && error.type === 'Full');
  world.socket.accept();
  assert.equal(world.socket.actions.length, 1000);
});

test('a lost connection is told after 1.5 s and taken back when it is joined again', t => {
  const { world, errors } = joined(t);
  world.socket.fail();
  world.advance(1499);
  assert.deepEqual(errors, []);
  world.advance(1);
  assert.deepEqual(errors, ['Connection lost. Trying again…']);
  world.socket.accept();
  assert.deepEqual(errors, ['Connection lost. Trying again…', undefined]);
});

test('retries never end, and their waits grow to a limit', t => {
  const { world } = joined(t);
  const waits = [];
  for (let i = 0; i < 40; i += 1) {
    const count = world.sockets.length;
    const from = world.nowMs;
    world.socket.fail();
    for (let n = 0; n < 2000 && world.sockets.length === count; n += 1) world.advance(10);
    waits.push(world.nowMs - from);
  }
  assert.equal(waits[0], 150); // 200 ms, and 0.5 of the half that is jitter
  assert.ok(Math.abs(waits[39] - 11_250) <= 10, `${waits[39]}`);
});

test('an analysis that was taken out is told, and asked for slowly until it is back', t => {
  const { world, d, errors } = joined(t);
  const why = "analysis 'pi' is no longer served";
  world.socket.fail({ code: 4004, reason: why });
  assert.equal(d.goneReason, why);
  world.advance(1500);
  assert.deepEqual(errors, [why]);
  world.advance(5900); // half of 15 s at the earliest
  assert.equal(world.sockets.length, 1);
  for (let i = 0; i < 5; i += 1) {
    world.advance(15_000);
    world.socket.fail(); // the handshake is refused with 404, which pages see as 1006
    assert.equal(d.goneReason, why);
  }
  world.advance(7400);
  assert.equal(world.sockets.length, 6);
  world.wake('visible');
  world.socket.accept({ epoch: 'e2' });
  assert.deepEqual([world.sockets.length, d.goneReason], [7, null]);
  assert.deepEqual(errors, [why, undefined]);
  world.socket.fail();
  world.advance(200);
  assert.equal(world.sockets.length, 8);
});

test('a server that takes the page only later says why, until it does', t => {
  const { world, d, errors } = joined(t);
  const why = 'The server is short of memory. Try again in a moment.';
  world.socket.fail();
  world.advance(200);
  world.socket.fail({ code: 1013, reason: why });
  assert.equal(d.busyReason, why);
  world.advance(1500);
  assert.deepEqual(errors, [why]);
  world.wake('visible');
  world.socket.fail();
  assert.equal(d.busyReason, null);
});

test('a join makes the next wait short again', t => {
  const { world } = joined(t);
  for (let i = 0; i < 10; i += 1) { world.socket.fail(); world.advance(20_000); }
  world.socket.accept();
  const count = world.sockets.length;
  world.socket.fail();
  world.advance(200);
  assert.equal(world.sockets.length, count + 1);
});

test('the network\'s return, and looking at the page, connect at once', t => {
  for (const reason of ['online', 'visible']) {
    const { world } = joined(t);
    world.socket.fail();
    world.advance(60_000);
    for (let i = 0; i < 10; i += 1) { world.socket.fail(); world.advance(60_000); }
    world.socket.fail();
    const before = world.sockets.length;
    world.wake(reason);
    assert.equal(world.sockets.length, before + 1, reason);
    world.socket.accept();
    world.advance(60_000);
    assert.equal(world.sockets.length, before + 1, `${reason}: a timer was left`);
  }
});

test('the network\'s return replaces a socket that only looks open', t => {
  const { world } = joined(t);
  const old = world.socket;
  world.wake('visible');
  assert.equal(world.socket, old);
  world.wake('online');
  assert.notEqual(world.socket, old);
  world.socket.accept();
  old.onclose({});
  old.onmessage({ data: '{"signal": "a"}' });
  world.advance(60_000);
  assert.equal(world.sockets.length, 2);
});

test('a socket that never answers is given up after 10 s', t => {
  const { world, d } = open(t);
  d.connect();
  world.socket.open();
  world.advance(9_999);
  assert.equal(world.sockets.length, 1);
  world.advance(1000);
  assert.equal(world.sockets.length, 2);
});

test('disconnect() ends it, and connect() joins the same session again', t => {
  const { world, d } = joined(t);
  world.socket.say('a', 1);
  d.disconnect();
  assert.equal(world.socket.readyState, 3);
  world.advance(100_000);
  assert.equal(world.sockets.length, 1);
  assert.equal(world.timers.size, 0);
  assert.equal(world.wakers.size, 0);
  d.connect().connect();
  world.socket.open();
  assert.equal(world.sockets.length, 2);
  assert.equal(world.socket.sent[0].__connect, 'session-1');
  assert.equal(world.socket.sent[0].__received, 1);
});

test('disconnect() right after connect() leaves nothing behind', t => {
  const { world, d } = open(t);
  d.connect().disconnect();
  d.disconnect();
  assert.equal(world.timers.size, 0);
  assert.equal(d.status, 'closed');
});

test('on() takes names, keys, dotted paths and regular expressions', t => {
  const { world, d } = joined(t);
  const heard = [];
  d.on('data', (m, s) => heard.push(['name', m, s]));
  d.on({ data: 'pi' }, (v, k) => heard.push(['key', v, k]));
  d.on({ data: 'pi.estimate' }, v => heard.push(['path', v]));
  d.on({ data: /^p/ }, (v, k) => heard.push(['key pattern', v, k]));
  d.on({ class_data: 'n' }, v => heard.push(['class', v]));
  d.on(/^da/, (m, s) => heard.push(['pattern', m, s]));
  d.on(/./, () => heard.push(['any']));
  world.socket.say('data', { pi: { estimate: 3 }, spin: 1 });
  world.socket.say('class_data', { n: 0 });
  world.socket.say('__progress', { id: 1, value: 1 });
  assert.deepEqual(heard, [
    ['name', { pi: { estimate: 3 }, spin: 1 }, 'data'],
    ['key', { estimate: 3 }, 'pi'],
    ['path', 3],
    ['key pattern', { estimate: 3 }, 'pi'],
    ['pattern', { pi: { estimate: 3 }, spin: 1 }, 'data'],
    ['any'],
    ['class', 0],
    ['any'],
  ]);
});

test('once() gives the next message, and only that', async t => {
  const { world, d } = joined(t);
  const first = d.once('ack');
  const key = d.once({ data: 'n' });
  world.socket.say('ack', 1);
  world.socket.say('ack', 2);
  world.socket.say('data', { n: 5 });
  assert.deepEqual([await first, await key], [1, 5]);
});

test('state follows data and class_data, and starts afresh with another session', t => {
  const { world, d } = joined(t);
  world.socket.say('data', { a: 1, b: 2 });
  world.socket.say('data', JSON.parse('{"b": 3, "__proto__": 4}'));
  world.socket.say('class_data', { c: 1 });
  assert.equal(d.state.data.a, 1);
  assert.equal(d.state.data.b, 3);
  assert.deepEqual(Object.keys(d.state.data), ['a', 'b', '__proto__']);
  assert.deepEqual(d.state.class_data, { c: 1 });
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({ analysis_id: 'session-2', epoch: 'e2' });
  assert.deepEqual(d.state.data, {});
});

test('state starts afresh in the same session after a restart of the server', t => {
  const { world, d } = joined(t);
  world.socket.say('data', { kept: 1, lost: 2 });
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({ analysis_id: 'session-1', epoch: 'e2' });
  assert.deepEqual(d.state.data, {});
});

test('onProcess hears start and end of its id, once each', t => {
  const { world, d } = joined(t);
  const heard = [];
  d.onProcess(123, (status, load) => heard.push([status, load.outcome]));
  d.emit('f', { first: 1, __process_id: 123 });
  world.socket.start(123);
  world.socket.start(123);
  world.socket.end(123);
  world.socket.end(123);
  world.socket.start(123);
  world.socket.end(9);
  assert.deepEqual(heard, [['start', undefined], ['end', 'done']]);
});

test('a request whose start was not seen is sent again after the join, others are not', t => {
  const { world, d } = joined(t);
  d.emit('started', { __process_id: 1 }).emit('unseen', { __process_id: 2 }).emit('no id', 3);
  world.socket.start(1);
  world.socket.fail();
  d.emit('later', { __process_id: 4 });
  world.advance(1000);
  world.socket.accept({ running: [{ id: 1, action: 'started', elapsed_s: 1 }] });
  assert.deepEqual(world.socket.actions.map(a => a.signal), ['unseen', 'later']);
  world.socket.start(2);
  world.socket.start(4);
  world.socket.fail();
  world.advance(1000);
  world.socket.accept();
  assert.deepEqual(world.socket.actions, []);
});

test('cancel by id and by name, with and without force', t => {
  const { world, d } = joined(t);
  d.emit('run', { __process_id: 7 }).emit('run', { __process_id: 8 }).emit('x', { __process_id: 9 });
  assert.equal(d.cancel('run'), 2);
  assert.equal(d.cancel(9, { force: true }), 1);
  assert.equal(d.cancel(10), 0);
  assert.deepEqual(world.socket.actions.slice(3), [
    { __cancel: 7 }, { __cancel: 8 }, { __cancel: 9, force: true },
  ]);
});

test('a cancel while disconnected follows its request; one never sent just ends', async t => {
  const { world, d } = joined(t);
  d.emit('run', { __process_id: 7 });
  world.socket.fail();
  d.cancel(7);
  const never = d.call('late');
  d.cancel('late');
  await assert.rejects(never, error => error.outcome === 'cancelled');
  world.advance(1000);
  world.socket.accept();
  assert.deepEqual(world.socket.actions, [
    { signal: 'run', load: { __process_id: 7 } }, { __cancel: 7 },
  ]);
});

test('call() gives the result, and hears of progress', async t => {
  const { world, d } = joined(t);
  const heard = [];
  const called = d.call('run', { n: 10 }, { onProgress: p => heard.push(p) });
  const { signal, load: { n, __process_id: id } } = world.socket.actions[0];
  assert.deepEqual([signal, n], ['run', 10]);
  world.socket.start(id);
  world.socket.say('__progress', { id, value: 3, total: 40 });
  world.socket.say('__progress', { id: id + 1, value: 4, total: 40 });
  world.socket.end(id, { result: { pi: 3 } });
  assert.deepEqual(await called, { pi: 3 });
  assert.deepEqual(heard, [{ value: 3, total: 40 }]);
});

test('call() rejects with the outcome, the message and the traceback', async t => {
  const { world, d } = joined(t);
  const called = d.call('run');
  const id = world.socket.actions[0].load.__process_id;
  world.socket.start(id);
  world.socket.end(id, {
    outcome: 'error', error: { type: 'ValueError', message: 'no', traceback: 'line 1' },
  });
  await assert.rejects(called, error => {
    assert.ok(error instanceof ActionError);
    assert.deepEqual(
      [error.outcome, error.type, error.message, error.traceback, error.action, error.id],
      ['error', 'ValueError', 'no', 'line 1', 'run', id]);
    return true;
  });
});

test('aborting a call cancels it, and its end settles it', async t => {
  const { world, d } = joined(t);
  const abort = new AbortController();
  const called = d.call('run', {}, { signal: abort.signal });
  const id = world.socket.actions[0].load.__process_id;
  world.socket.start(id);
  abort.abort();
  assert.deepEqual(world.socket.actions[1], { __cancel: id });
  world.socket.end(id, { outcome: 'cancelled' });
  await assert.rejects(called, error => error.outcome === 'cancelled');
  await assert.rejects(
    d.call('run', {}, { signal: abort.signal }), error => error.outcome === 'cancelled');
  assert.equal(world.socket.actions.length, 2);
});

test('call() refuses what it cannot follow', async t => {
  const { d } = joined(t);
  await assert.rejects(d.call('run', [1, 2]), /takes an object of named arguments, not a list/);
  await assert.rejects(d.call('run', 5), /not a number/);
  const circle = {};
  circle.self = circle;
  await assert.rejects(d.call('run', { circle }), TypeError);
  d.preEmit('strip', () => ({}));
  await assert.rejects(d.call('strip'), /removed __process_id/);
  d.disconnect();
  await assert.rejects(d.call('run'), /use connect\(\) first/);
});

test('a restarted server: what it does not run any more is lost, the rest goes on', async t => {
  const { world, d } = joined(t);
  const gone = d.call('gone');
  const kept = d.call('kept');
  const unseen = d.call('unseen');
  const [a, b, c] = world.socket.actions.map(x => x.load.__process_id);
  world.socket.start(a);
  world.socket.start(b);
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({ epoch: 'e2', running: [{ id: b, action: 'kept', elapsed_s: 3 }] });
  await assert.rejects(gone, error => error.outcome === 'lost' && /restarted/.test(error.message));
  assert.deepEqual(world.socket.actions.map(x => x.load.__process_id), [c]);
  world.socket.start(c);
  world.socket.end(b, { result: 1 });
  world.socket.end(c, { result: 2 });
  assert.deepEqual(await Promise.all([kept, unseen]), [1, 2]);
});

test('the same epoch: an end that was missed comes with the ring', async t => {
  const { world, d } = joined(t);
  const called = d.call('run');
  const id = world.socket.actions[0].load.__process_id;
  world.socket.start(id);
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({ at: 1 });
  await settled();
  world.socket.end(id, { result: 5 });
  assert.equal(await called, 5);
});

test('a fresh page learns what runs from the answer', t => {
  const { world, d } = open(t);
  d.connect();
  world.advance(5000);
  world.socket.accept({ running: [{ id: 7, action: 'run', elapsed_s: 2 }] });
  world.socket.start(3);
  world.socket.end(3);
  world.socket.start(7);
  const [process, ...others] = d.processes.list();
  assert.equal(others.length, 0);
  assert.deepEqual([process.id, process.action, process.phase, process.sinceMs],
    [7, 'run', 'started', 3000]);
});

test('request ids of two lives of a page differ', t => {
  let seed = 0.1;
  const one = open(t, { random: () => seed }).d;
  seed = 0.7;
  const two = open(t, { random: () => seed }).d;
  assert.ok(Math.abs(one.newProcessId() - two.newProcessId()) > 2 ** 40);
  assert.equal(one.newProcessId() + 1, one.newProcessId());
  assert.ok(Number.isSafeInteger(two.newProcessId()));
});

test('a request too large for the server ends, and is not sent for ever', async t => {
  const { world, d, errors } = joined(t);
  const small = d.call('small');
  const large = d.call('large', { text: 'x'.repeat(1000) });
  world.socket.fail({ code: 1009, reason: 'message of 1000 bytes, limit 500' });
  await assert.rejects(large, /too large for the server.*limit 500/);
  world.advance(1000);
  world.socket.accept();
  assert.deepEqual(world.socket.actions.map(a => a.signal), ['small']);
  world.socket.start(world.socket.actions[0].load.__process_id);
  world.socket.end(world.socket.actions[0].load.__process_id);
  await small;
  d.emit('nobody waits', 'x');
  world.socket.fail({ code: 1009, reason: 'limit 0' });
  assert.match(errors[0], /limit 0/);
});

test('the kernel\'s state is told, and restart and interrupt are asked for', t => {
  const { world, d } = joined(t);
  const heard = [];
  const stop = d.kernel.on(k => heard.push([k.state, k.reason, k.retryInS, k.sessions]));
  world.socket.say('__kernel', {
    state: 'backoff', reason: 'exited with 3', generation: 2, retry_in_s: 4, sessions: 3, new: 1,
  });
  stop();
  world.socket.say('__kernel', { state: 'idle' });
  assert.deepEqual(heard, [['backoff', 'exited with 3', 4, 3]]);
  assert.equal(d.kernel.state, 'idle');
  assert.equal(d.kernel.generation, 2);
  assert.ok(d.kernel.restart());
  assert.ok(d.kernel.interrupt());
  assert.deepEqual(world.socket.actions, [{ __kernel: 'restart' }, { __kernel: 'interrupt' }]);
  world.socket.fail();
  assert.equal(d.kernel.restart(), false);
});

test('a file whose code waits is known until the kernel has it', t => {
  const { world, d } = joined(t);
  world.socket.say('__kernel', { state: 'busy', code_change: 'pi/analysis.py' });
  assert.equal(d.kernel.codeChange, 'pi/analysis.py');
  world.socket.say('__kernel', { state: 'starting' });
  assert.equal(d.kernel.codeChange, '');
});

test('without a WebSocket class the error says how to give one', t => {
  quietConsole(t);
  const had = globalThis.WebSocket;
  delete globalThis.WebSocket;
  t.after(() => { if (had) globalThis.WebSocket = had; });
  const d = new Connection('ws://here/ws');
  assert.throws(() => d.connect(), /no WebSocket class.*Databench\.WebSocket = require\('ws'\)/);
  assert.equal(d.status, 'closed');
  assert.throws(() => new Connection().connect(), /no wsUrl given/);
});

test('a session that was asked for and has ended is told; one that was kept is not', t => {
  const { world, d } = open(t, { args: ['', 'mine'] });
  d.connect();
  world.socket.accept({ analysis_id: 'mine' });
  assert.equal(d.isReplaced, false);
  const other = open(t, { args: ['', 'gone'] });
  other.d.connect();
  other.world.socket.accept({ analysis_id: 'new' });
  assert.equal(other.d.isReplaced, true);
  const kept = open(t);
  kept.d.connect();
  kept.world.socket.accept({ analysis_id: 'new' });
  kept.world.socket.fail();
  kept.world.advance(1000);
  kept.world.socket.accept({ analysis_id: 'newer', epoch: 'e2' });
  assert.equal(kept.d.isReplaced, false);
});

test('the person\'s further sessions are those of the last join', t => {
  const { world, d } = open(t);
  d.connect();
  const others = [{ id: 'x', running: [], has_result: true }];
  world.socket.accept({ others });
  assert.deepEqual(d.others, others);
  world.socket.fail();
  world.advance(1000);
  world.socket.accept({});
  assert.deepEqual(d.others, []);
});

test('a page that is refused with a reason from the start was reached', t => {
  const { world, d } = open(t);
  d.connect();
  const why = 'The server is short of memory. Try again in a moment.';
  for (let i = 0; i < 4; i += 1) {
    world.socket.fail({ code: 1013, reason: why });
    assert.deepEqual([d.isUnreached, d.busyReason], [false, why]);
    world.advance(20_000);
  }
});
