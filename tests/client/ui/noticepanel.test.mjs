import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from './dom.mjs';

const HTML = '<div id="databench-alerts"></div><button data-action="run">Run</button>'
  + ['a', 'b', 'c'].map(name => `<button data-action="${name}"></button>`).join('');

function withAlerts(t, more = '') {
  const all = page(t, HTML + more);
  const texts = () => [...all.document.querySelectorAll('.d-notice')]
    .map(n => [...n.children].filter(c => c.tagName === 'SPAN').map(c => c.textContent).join(' ').trim());
  const press = label => [...all.document.querySelectorAll('.d-notice button')]
    .find(b => b.textContent === label).click();
  const run = (action = 'run') => {
    all.one(`[data-action=${action}]`).click();
    const id = all.world.socket.actions.at(-1).load.__process_id;
    all.world.socket.start(id);
    return id;
  };
  const fail = (...actions) => actions.forEach(action => all.world.socket.end(run(action),
    { outcome: 'error', error: { message: 'no' } }));
  return { ...all, texts, press, run, fail };
}

test('a lost kernel shows its reason, until the next run or a dismissal', t => {
  const { world, texts, press, run } = withAlerts(t);
  world.socket.end(run(), { outcome: 'lost', error: { message: 'kernel ended by SIGKILL' } });
  assert.deepEqual(texts(), ['“run” was lost: kernel ended by SIGKILL']);
  const id = run();
  assert.deepEqual(texts(), []);
  world.socket.end(id, { outcome: 'error', error: { message: 'no', traceback: 'line 1\nline 2' } });
  assert.deepEqual(texts(), ['“run” failed: no']);
  press('Dismiss');
  assert.deepEqual(texts(), []);
});

test('the banner of a lost connection counts, and goes when it is back', t => {
  const { world, texts } = withAlerts(t);
  world.socket.fail();
  world.advance(1400);
  assert.deepEqual(texts(), []);
  world.advance(2000);
  assert.match(texts()[0], /^Connection lost, trying again\. Nothing was running\. 3 s$/);
  world.socket.accept();
  assert.deepEqual(texts(), []);
});

test('a lost connection is told once, not twice', t => {
  const { world, document } = withAlerts(t);
  world.socket.fail();
  world.advance(3000);
  assert.equal(document.querySelectorAll('.alert').length, 1);
});

test('a restart for an action that was refused takes its notice away', t => {
  const { world, press, texts, run } = withAlerts(t);
  const error = { type: 'PoisonedAction', message: 'not run' };
  world.socket.end(run(), { outcome: 'error', error });
  assert.deepEqual(texts(), ['“run” failed: not run']);
  press('Restart the kernel');
  assert.deepEqual(texts(), []);
  assert.ok(world.socket.sent.some(frame => frame.__kernel === 'restart'));
});

test('restart, start again and interrupt are sent', t => {
  const { world, press, texts } = withAlerts(t);
  world.socket.say('__kernel', { state: 'failed', reason: 'x', sessions: 3 });
  press('Start again');
  world.socket.say('__kernel', { state: 'backoff', retry_in_s: 5, sessions: 3 });
  press('Restart now');
  world.socket.say('__kernel', { state: 'unresponsive', sessions: 3 });
  press('Interrupt');
  press('Restart');
  assert.equal(world.socket.actions.length, 3);
  assert.match(texts()[0], /^3 sessions share this kernel/);
  press('Keep it');
  press('Restart');
  press('End it for all');
  assert.deepEqual(world.socket.actions.map(a => a.__kernel),
    ['restart', 'restart', 'interrupt', 'restart']);
});

test('a cancel that does not end offers to end the kernel after 2 s', t => {
  const { world, d, texts, press, run } = withAlerts(t);
  const id = run();
  d.cancel(id);
  assert.deepEqual(texts(), ['Cancelling “run”…']);
  world.advance(2500);
  press('End it');
  assert.deepEqual(world.socket.actions.at(-1), { __cancel: id, force: true });
  assert.deepEqual(texts(), ['Ending the kernel…']);
  world.socket.end(id, { outcome: 'lost', error: { message: 'ended as asked' } });
  assert.deepEqual(texts(), ['“run” was lost: ended as asked']);
});

test('what changes with time is not read out, and a button keeps its place while it changes', t => {
  const { one, world } = withAlerts(t);
  world.socket.say('__kernel', { state: 'backoff', retry_in_s: 5 });
  const button = one('.d-notice button');
  const before = one('.d-ticking').textContent;
  world.advance(1200);
  assert.notEqual(one('.d-ticking').textContent, before);
  assert.equal(one('.d-ticking').getAttribute('aria-hidden'), 'true');
  assert.equal(one('.d-notice button'), button);
});

test('nothing ticks while there is nothing to tell', t => {
  const { world, run } = withAlerts(t);
  const id = run();
  assert.ok(world.timers.size > 0);
  world.socket.end(id);
  world.advance(1000);
  assert.equal(world.timers.size, 0);
});

test('the newest failure stands open, the earlier ones behind a fold, newest first', t => {
  const { one, document, texts, fail } = withAlerts(t);
  const folded = () => [...document.querySelectorAll('.d-earlier .d-notice > span:first-child')]
    .map(n => n.textContent);
  fail('a');
  assert.equal(one('.d-earlier'), null);
  fail('b');
  assert.equal(one('.d-earlier summary').textContent, '1 earlier problem');
  fail('c');
  assert.deepEqual(texts(), ['“c” failed: no', '“b” failed: no', '“a” failed: no']);
  assert.deepEqual(folded(), ['“b” failed: no', '“a” failed: no']);
  assert.equal(one('.d-earlier summary').textContent, '2 earlier problems');
  assert.equal(one('.d-earlier').open, false);
  assert.equal(document.querySelectorAll('[role=alert]').length, 1);
});

test('another run of an action takes its failure out of the fold, which goes with the last', t => {
  const { one, world, texts, run, fail } = withAlerts(t);
  fail('a', 'b', 'c');
  one('.d-earlier').open = true;
  world.socket.end(run('a'));
  assert.deepEqual(texts(), ['“c” failed: no', '“b” failed: no']);
  assert.equal(one('.d-earlier').open, true);
  world.socket.end(run('c'));
  assert.deepEqual(texts(), ['“b” failed: no']);
  assert.equal(one('.d-earlier'), null);
  assert.equal(one('.d-notice').getAttribute('role'), 'alert');
  world.socket.end(run('b'));
  assert.deepEqual(texts(), []);
});

test('an earlier failure can be dismissed, and keeps its place below the state of the kernel', t => {
  const { document, texts, world, fail } = withAlerts(t);
  fail('a', 'b');
  world.socket.say('__kernel', { state: 'failed', reason: 'gone' });
  assert.deepEqual(texts(), ['Gone', '“b” failed: no', '“a” failed: no']);
  document.querySelector('.d-earlier button').click();
  assert.deepEqual(texts(), ['Gone', '“b” failed: no']);
});

test('the newest ten failures are kept', t => {
  const { texts, world } = withAlerts(t);
  const ids = Array.from({ length: 12 }, (_, i) => 900 + i);
  for (const id of ids) {
    world.socket.accept({ running: [{ id, action: `x${id}`, elapsed_s: 1 }] });
    world.socket.end(id, { outcome: 'error', error: { message: 'no' } });
  }
  assert.equal(texts().length, 10);
  assert.equal(texts()[0], '“x911” failed: no');
});

test('an id alone raises no alert for an action that is not there, and a name does', t => {
  const { world, one, texts } = withAlerts(t, `<button id="alone"></button>
    <button id="broken"></button><button id="x" name="named"></button>
    <button id="y" data-action="asked"></button>`);
  const click = (id, message = "no action 'x'; known: run") => {
    one(`#${id}`).click();
    world.socket.end(world.socket.actions.at(-1).load.__process_id,
      { outcome: 'error', error: { type: 'ActionError', message } });
  };
  click('alone');
  assert.deepEqual(texts(), []);
  click('broken', 'no luck');
  click('x');
  click('y');
  assert.deepEqual(texts().map(text => text.split(':')[0]),
    ['“asked” failed', '“named” failed', '“broken” failed']);
});
