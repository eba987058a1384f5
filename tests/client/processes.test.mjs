import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';

const { Processes } = await load('processes.ts');

function watched() {
  const processes = new Processes();
  const events = [];
  processes.watch((event, p) => events.push(`${event} ${p.id}`));
  return { processes, events };
}

const start = (p, id) => p.receive({ id, status: 'start' }, 0);
const startAgain = (p, id) => p.receive({ id, status: 'start', again: true }, 0);
const end = (p, id, more = {}) => p.receive({ id, status: 'end', ...more }, 0);

test('one start and one end, however often they come', () => {
  const { processes, events } = watched();
  processes.open(1, 'run', 'text', 0);
  processes.sent(1);
  assert.equal(processes.unseen().length, 1);
  start(processes, 1);
  start(processes, 1);
  assert.equal(processes.unseen().length, 0);
  end(processes, 1);
  end(processes, 1);
  start(processes, 1);
  assert.deepEqual(events, ['open 1', 'start 1', 'end 1']);
});

test('a second run has a start of its own, at no progress, and the one end', () => {
  const { processes, events } = watched();
  processes.open(1, 'fit', 'text', 0);
  start(processes, 1);
  processes.progress({ id: 1, value: 3, total: 4 });
  startAgain(processes, 1);
  const process = processes.get(1);
  assert.deepEqual([process.isAgain, process.value, process.total], [true, null, null]);
  end(processes, 1);
  assert.equal(startAgain(processes, 1), null);
  assert.deepEqual(events, ['open 1', 'start 1', 'progress 1', 'again 1', 'end 1']);
});

test('a second start whose first one is not known is a start', () => {
  const { processes, events } = watched();
  startAgain(processes, 1);
  processes.adopt({ id: 2, action: 'fit', elapsed_s: 1, again: true }, 0);
  processes.adopt({ id: 3, action: 'fit', elapsed_s: 1 }, 0);
  assert.deepEqual(events, ['open 1', 'start 1', 'open 2', 'start 2', 'open 3', 'start 3']);
  assert.deepEqual([1, 2, 3].map(id => processes.get(id).isAgain), [true, true, false]);
});

test('an end without a start is an end', () => {
  const { processes, events } = watched();
  processes.open(1, 'run', 'text', 0);
  processes.sent(1);
  assert.equal(end(processes, 1, { outcome: 'error' }).outcome, 'error');
  assert.deepEqual(events, ['open 1', 'end 1']);
});

test('the end of something unknown is nothing', () => {
  const { processes, events } = watched();
  assert.equal(end(processes, 5), null);
  processes.progress({ id: 5, value: 1 });
  assert.equal(processes.receive({ id: 5, status: 'odd' }, 0), null);
  assert.deepEqual(events, []);
});

test('an id that is used again is a new request', () => {
  const { processes, events } = watched();
  for (let i = 0; i < 2; i += 1) {
    processes.open(1, 'run', 'text', 0);
    start(processes, 1);
    end(processes, 1);
  }
  assert.equal(events.length, 6);
});

test('only so many ends are remembered', () => {
  const { processes } = watched();
  for (let id = 0; id < 3000; id += 1) {
    processes.open(id, 'run', '', 0);
    end(processes, id);
  }
  assert.equal(processes.ended.size, 1000);
  assert.equal(start(processes, 2999), null);
  assert.notEqual(start(processes, 5), null);
});

test('a watcher may end its own watching while it is told', () => {
  const processes = new Processes();
  const heard = [];
  const stop = processes.watch(event => { heard.push(event); stop(); });
  processes.watch(event => heard.push(`second ${event}`));
  processes.open(1, 'run', '', 0);
  processes.cancelling(processes.get(1), false, 5);
  assert.deepEqual(heard, ['open', 'second open', 'second cancel']);
});

test('a request that is found running has started, once', () => {
  const { processes, events } = watched();
  processes.open(1, 'run', 'text', 0);
  processes.sent(1);
  processes.adopt({ id: 1, action: 'run', elapsed_s: 2 }, 5000);
  start(processes, 1);
  processes.adopt({ id: 1, action: 'run', elapsed_s: 3 }, 6000);
  processes.adopt({ id: 2, action: 'other', elapsed_s: 1 }, 6000);
  assert.deepEqual(events, ['open 1', 'start 1', 'open 2', 'start 2']);
  assert.equal(processes.unseen().length, 0);
  assert.equal(processes.get(1).sinceMs, 3000);
});
