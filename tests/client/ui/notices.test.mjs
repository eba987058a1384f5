import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../load.mjs';

const { noticesOf } = await load('ui/notices.ts');

const KERNEL = { state: 'idle', reason: '', sinceMs: 0, retryInS: null, sessions: 1, isShared: false, stderr: [],
  cancelLimitMs: 2000, codeChange: '', mistake: '', isolation: 'analysis', ahead: 0 };
const RUN = {
  id: 7, action: 'run', sinceMs: 0, cancelMs: null, forced: false, value: null, total: null,
  hasCancel: true, isWaiting: false,
};

function view({ kernel = {}, ...more } = {}) {
  return {
    status: 'joined', lostSinceMs: null, goneReason: null, unreachedUrl: null, busyReason: null,
    kernel: { ...KERNEL, ...kernel }, processes: [],
    failures: [], asking: null, others: [], isReplaced: false, mayAdminister: false, howToAdminister: '', isCopy: false, ...more,
  };
}

const shown = (v, nowMs = 10_000) => noticesOf(view(v), nowMs).map(
  n => [n.text, n.ticking, (n.buttons ?? []).map(b => `${b.label}: ${b.word}`)].flat());

test('nothing is said while all is well', () => {
  for (const state of ['unknown', 'idle', 'busy', 'cancelling']) {
    assert.deepEqual(shown({ kernel: { state } }), []);
  }
});

test('a page whose websocket never got through says what may be in between', () => {
  const lost = { status: 'waiting', lostSinceMs: 8600, unreachedUrl: 'ws://h/app/a/ws' };
  assert.deepEqual(shown(lost), []);
  const [[text, ticking]] = shown(lost, 11_000);
  assert.match(text, /it cannot open the websocket ws:\/\/h\/app\/a\/ws\. If a proxy .* Upgrade/);
  assert.equal(ticking, '2 s');
  const gone = { ...lost, goneReason: "analysis 'a' is no longer served" };
  assert.match(shown(gone, 11_000)[0][0], /no longer served/);
});

test('a lost connection is told after 1.5 s, with what goes on', () => {
  const lost = { status: 'waiting', lostSinceMs: 8600 };
  assert.deepEqual(shown(lost), []);
  assert.deepEqual(shown(lost, 10_100),
    [['Connection lost, trying again. Nothing was running.', '1 s']]);
  assert.deepEqual(shown({ ...lost, processes: [RUN, { ...RUN, id: 8 }] }, 11_000),
    [['Connection lost, trying again. “run” continues on the server.', '2 s']]);
  const waiting = { ...RUN, id: 9, action: 'fit', isWaiting: true };
  assert.deepEqual(shown({ ...lost, processes: [waiting] }, 11_000),
    [['Connection lost, trying again. 1 action waits to be sent.', '2 s']]);
  assert.equal(shown({ ...lost, processes: [RUN, waiting, { ...waiting, id: 10 }] }, 11_000)[0][0],
    'Connection lost, trying again. “run” continues on the server. '
    + '2 actions wait to be sent.');
});

test('an analysis that was taken out is told with what brings the page back', () => {
  const gone = { status: 'waiting', lostSinceMs: 0, goneReason: "analysis 'a' is no longer served" };
  assert.deepEqual(shown({ ...gone, processes: [RUN] }), [[
    "analysis 'a' is no longer served. This page continues when it is served again.", undefined]]);
});

test('a server that takes the page only later says why in the place of a lost connection', () => {
  const busyReason = 'The server is short of memory. Try again in a moment.';
  const busy = { status: 'waiting', lostSinceMs: 0, busyReason };
  assert.deepEqual(shown({ ...busy, processes: [RUN] }, 11_000)[0][0],
    `${busyReason} This page tries again by itself. “run” continues on the server.`);
});

test('a start is told when it takes a while', () => {
  const kernel = { state: 'starting', sinceMs: 9700 };
  assert.deepEqual(shown({ kernel }), []);
  assert.deepEqual(shown({ kernel }, 12_800), [['Starting…', '3 s']]);
});

test('a kernel that does not answer can be interrupted and restarted', () => {
  assert.deepEqual(shown({ kernel: { state: 'unresponsive', sinceMs: 2000 } }), [[
    'The analysis is not answering', 'for 14 s', 'Interrupt: interrupt', 'Restart: restart',
  ]]);
});

test('ending a shared kernel asks first, and says whom it touches', () => {
  const kernel = { state: 'unresponsive', sessions: 3 };
  assert.equal(shown({ kernel })[0][3], 'Restart: ask');
  assert.deepEqual(shown({ kernel, asking: { word: 'restart' } })[0], [
    '3 sessions share this kernel. Ending it stops what they run.', undefined,
    'End it for all: restart', 'Keep it: keep',
  ]);
});

test('a backoff counts down', () => {
  const kernel = { state: 'backoff', reason: "kernel 'pi' ended", retryInS: 4, sinceMs: 9000 };
  assert.deepEqual(shown({ kernel }),
    [["Kernel 'pi' ended", 'starts again in 3 s', 'Restart now: restart']]);
  assert.equal(shown({ kernel }, 20_000)[0][1], 'starts again now');
});

test('a failed kernel shows reason and last lines, and can be started', () => {
  const kernel = { state: 'failed', reason: "kernel 'pi' exited with 3", stderr: ['a', 'b'] };
  assert.deepEqual(shown({ kernel }), [["Kernel 'pi' exited with 3", undefined,
    'Start again: restart']]);
  assert.deepEqual(noticesOf(view({ kernel }), 0)[0].lines, ['a', 'b']);
});

test('stopping is told quietly', () => {
  assert.deepEqual(shown({ kernel: { state: 'stopping' } }), [['Stopping', undefined]]);
});

test('a cancel that takes 2 s offers to end the kernel, and asks where it is shared', () => {
  const processes = [{ ...RUN, cancelMs: 9000 }];
  assert.deepEqual(shown({ processes }), [['Cancelling “run”…', undefined]]);
  assert.deepEqual(shown({ processes }, 11_000),
    [['Cancelling “run”…', '2 s', 'End it: force']]);
  assert.deepEqual(shown({ processes, kernel: { sessions: 2 } }, 11_000)[0][2], 'End it: ask');
  assert.equal(shown({ processes, kernel: { cancelLimitMs: 5000 } }, 11_000)[0].length, 2);
  assert.deepEqual(shown({ processes: [{ ...RUN, cancelMs: 9000, forced: true }] }, 11_000),
    [['Ending the kernel…', undefined]]);
});

test('a cancel of another life of the page is known from the kernel', () => {
  const kernel = { state: 'cancelling', sinceMs: 7000 };
  assert.deepEqual(shown({ kernel, processes: [RUN] }), [['Cancelling…', '3 s', 'End it: force']]);
});

test('an action without a cancel element of its own is shown with one', () => {
  assert.deepEqual(shown({ processes: [RUN] }), []);
  const bare = { ...RUN, hasCancel: false, value: 1, total: 3 };
  assert.deepEqual(shown({ processes: [bare] }, 1999), []);
  assert.deepEqual(shown({ processes: [bare] }, 12_000),
    [['“run” is running', '12 s · 33 %', 'Cancel: cancel']]);
});

test('an action that runs again is shown at once, also where the page has a cancel element', () => {
  const again = { ...RUN, isAgain: true };
  assert.deepEqual(shown({ processes: [again] }, 0),
    [['The kernel ended; “run” is running again', '0 s']]);
  assert.deepEqual(shown({ processes: [{ ...again, hasCancel: false }] }, 12_000),
    [['The kernel ended; “run” is running again', '12 s', 'Cancel: cancel']]);
  assert.deepEqual(shown({ processes: [{ ...again, cancelMs: 9000 }] }),
    [['Cancelling “run”…', undefined]]);
});

test('a failure shows its message, and its traceback behind a fold', () => {
  const failure = { id: 1, action: 'run', outcome: 'lost', message: 'SIGKILL', traceback: '' };
  assert.deepEqual(shown({ failures: [failure] }),
    [['“run” was lost: SIGKILL', undefined, 'Dismiss: dismiss']]);
  assert.equal(shown({ failures: [failure], status: 'waiting' }).length, 1);
  const [notice] = noticesOf(view({
    failures: [{ ...failure, outcome: 'error', message: '', traceback: 'a\nb\n' }],
  }), 0);
  assert.deepEqual([notice.text, notice.lines], ['“run” failed', ['a', 'b']]);
});

test('an action that is refused for ending kernels offers another kernel, to those who may', () => {
  const failures = [{
    id: 1, action: 'run', outcome: 'error', message: 'not run', traceback: '', isPoisoned: true,
  }];
  const text = '“run” failed: not run';
  assert.deepEqual(shown({ failures }),
    [[text, undefined, 'Restart the kernel: restart', 'Dismiss: dismiss']]);
  const shared = { state: 'idle', sessions: 3, isShared: true };
  assert.deepEqual(shown({ failures, kernel: shared, howToAdminister: 'How.' }), [
    [text, undefined, 'Dismiss: dismiss'],
    ['Other sessions use this kernel too, so only an administrator may end it. How.', undefined],
  ]);
  assert.deepEqual(shown({ failures, kernel: shared, mayAdminister: true }),
    [[text, undefined, 'Restart the kernel: ask', 'Dismiss: dismiss']]);
  const silent = { ...shared, state: 'unresponsive' };
  const rights = noticesOf(view({ failures, kernel: silent }), 10_000).filter(n => n.key === 'right');
  assert.equal(rights.length, 1);
});

test('new code that waits is told, with what it waits for, and can be had at once', () => {
  const kernel = { state: 'busy', codeChange: 'analyses/pi/analysis.py' };
  assert.deepEqual(shown({ kernel, processes: [RUN] }), [[
    'Code changed: analyses/pi/analysis.py. The kernel restarts when “run” has ended.', undefined,
    'Restart now: restart',
  ]]);
  assert.deepEqual(shown({ kernel: { ...kernel, sessions: 2 } }), [[
    'Code changed: analyses/pi/analysis.py. The kernel restarts when the work of other sessions has ended.', undefined,
    'Restart now: ask',
  ]]);
});

test('a mistake of a kernel is shown, with a restart', () => {
  const kernel = { state: 'busy', mistake: 'done: no request; dropped (docs/protocol.md, 4.2)' };
  assert.deepEqual(shown({ kernel }), [[
    'The kernel does not follow the protocol: done: no request; dropped (docs/protocol.md, 4.2)',
    undefined, 'Restart: restart',
  ]]);
});

test('a start that failed is headed by what Python said', () => {
  const stderr = ['Traceback (most recent call last):', '  File "x.py", line 1', '    impor os',
    'SyntaxError: invalid syntax', ''];
  const kernel = { state: 'failed', reason: "kernel 'x' exited with status 1", stderr };
  assert.equal(shown({ kernel })[0][0],
    "SyntaxError: invalid syntax. Kernel 'x' exited with status 1");
  assert.equal(shown({ kernel: { ...kernel, stderr: ['last words'] } })[0][0],
    "Kernel 'x' exited with status 1");
});

test('a session that is queued is told its place', () => {
  const kernel = { state: 'queued', ahead: 2, sinceMs: 7000 };
  assert.deepEqual(shown({ kernel }), [['Waiting for a free kernel: 2 before you', '3 s']]);
  assert.equal(shown({ kernel: { ...kernel, ahead: 0 } })[0][0],
    'Waiting for a free kernel: you are next');
});

test('a kernel that was culled says nothing: it starts for the page that comes', () => {
  assert.deepEqual(shown({ kernel: { state: 'culled', reason: 'no page' } }), []);
});

test('a cancel in a kernel of its own is carried out by the server, and not offered', () => {
  const processes = [{ ...RUN, cancelMs: 0 }];
  assert.equal(shown({ processes })[0][2], 'End it: force');
  assert.deepEqual(shown({ processes, kernel: { isolation: 'session' } }),
    [['Cancelling “run”…', undefined]]);
});

test('runs and results that were left behind can be rejoined', () => {
  const running = [{ action: 'fit', elapsed_s: 90 }];
  assert.deepEqual(shown({ others: [{ id: 'x', running }] }), [[
    '1 of your runs is still in progress: “fit”, for 1 min 30 s', undefined, 'Rejoin: rejoin', 'Dismiss: stay',
  ]]);
  const two = [...running, { action: 'fit', elapsed_s: 200 }];
  const [first, second] = shown({ others: [{ id: 'x', running: two }, { id: 'y', running: [] }] });
  assert.equal(first[0], '2 of your runs are still in progress: “fit”, for 3 min 20 s');
  assert.deepEqual(second, [
    'You have a result that you have not seen', undefined, 'Show it: rejoin', 'Dismiss: stay']);
  assert.equal(first.length, 3);
});

test('a link to a session that has ended is told', () => {
  assert.deepEqual(shown({ isReplaced: true }), [
    ['The earlier session has ended. This is a new one.', undefined, 'Dismiss: stay']]);
});
test('a copied tab says that it shares its session, quietly, and offers one of its own', () => {
  const [notice, ...rest] = noticesOf(view({ isCopy: true }), 0);
  assert.deepEqual(rest, []);
  assert.equal(notice.level, 'quiet');
  assert.match(notice.text, /copy of another one and shares its session/);
  assert.deepEqual(notice.buttons.map(b => b.word), ['own', 'stay']);
});


test('who may not end what others use is shown why, and no button that would be refused', () => {
  const kernel = { state: 'unresponsive', sessions: 3, isShared: true, codeChange: 'pi.py' };
  const processes = [{ ...RUN, cancelMs: 0 }];
  const why = 'Other sessions use this kernel too, so only an administrator may end it. Ask Ada.';
  const given = { kernel, processes, howToAdminister: 'Ask Ada.' };
  const asking = { word: 'restart' };
  const words = shown({ ...given, asking }).flat().filter(text => /: (restart|force|ask)$/.test(text));
  assert.deepEqual(words, []);
  assert.equal(shown({ ...given, asking }).flat().filter(text => text === why).length, 1);
  assert.ok(shown(given).flat().includes('Interrupt: interrupt'));
  assert.ok(shown({ ...given, mayAdminister: true }).flat().includes('Restart: ask'));
  assert.ok(!shown({ ...given, mayAdminister: true }).flat().includes(why));
});

test('a kernel that is down is started by whoever is there', () => {
  for (const state of ['failed', 'backoff']) {
    const texts = shown({ kernel: { state, sessions: 3, isShared: true } }).flat();
    assert.ok(texts.some(text => /: restart$/.test(text)));
    assert.ok(!texts.some(text => /administrator/.test(text)));
  }
});

test('without a button that would end the kernel nothing is said of the right', () => {
  assert.deepEqual(shown({ kernel: { sessions: 3, isShared: true } }), []);
});
