/**
 * The other end of a connection, and time that is moved by hand.
 */

/** A front and a clock: hand `world.options` to a Connection. */
export class World {
  constructor({ random = () => 0.5 } = {}) {
    this.nowMs = 0;
    this.timers = new Map();
    this.nextTimer = 1;
    this.sockets = [];
    this.reports = [];
    this.reloads = 0;
    this.wakers = new Set();
    this.options = {
      now: () => this.nowMs,
      random,
      setTimeout: (callback, delayMs) => this.addTimer(callback, delayMs),
      clearTimeout: timer => { this.timers.delete(timer); },
      openSocket: url => this.openSocket(url),
      onWake: callback => {
        this.wakers.add(callback);
        return () => this.wakers.delete(callback);
      },
      report: error => { this.reports.push(error); },
      reload: () => { this.reloads += 1; },
    };
  }

  /** The socket that was opened last. */
  get socket() {
    return this.sockets[this.sockets.length - 1];
  }

  /** Moves time on; what is due runs in order. */
  advance(ms) {
    const end = this.nowMs + ms;
    for (;;) {
      const due = [...this.timers].filter(([, t]) => t.atMs <= end)
        .sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.nowMs = Math.max(this.nowMs, due[1].atMs);
      due[1].callback();
    }
    this.nowMs = end;
  }

  wake(reason) {
    for (const waker of [...this.wakers]) waker(reason);
  }

  addTimer(callback, delayMs) {
    const id = this.nextTimer++;
    this.timers.set(id, { callback, atMs: this.nowMs + delayMs });
    return id;
  }

  openSocket(url) {
    const socket = new FakeSocket(url);
    this.sockets.push(socket);
    return socket;
  }
}

/** A socket whose other end the test holds. */
export class FakeSocket {
  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.sent = [];
    this.texts = [];
    this.onopen = this.onclose = this.onmessage = this.onerror = null;
  }

  send(text) {
    if (this.readyState !== 1) throw new Error('send on a socket that is not open');
    this.texts.push(text);
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  /** The front takes the connection and answers `__connect`. */
  accept(load = {}) {
    this.open();
    this.say('__connect', { analysis_id: 'session-1', at: 0, epoch: 'e1', running: [], ...load });
    return this;
  }

  open() {
    this.readyState = 1;
    this.onopen({});
  }

  /** The front says a signal. */
  say(signal, load, more = {}) {
    this.onmessage({ data: JSON.stringify({ signal, load, ...more }) });
  }

  start(id, more = {}) {
    this.say('__process', { id, status: 'start', ...more });
  }

  end(id, more = {}) {
    this.say('__process', { id, status: 'end', outcome: 'done', ...more });
  }

  /** The connection breaks. */
  fail(event = {}) {
    this.readyState = 3;
    this.onclose(event);
  }

  /** What was sent, without the first frame. */
  get actions() {
    return this.sent.slice(1);
  }
}

/** Ends a test that waits for a promise which never settles: lets microtasks run. */
export async function settled() {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}

/** Keeps the console quiet while a test makes the client write to it. */
export function quietConsole(t) {
  for (const level of ['log', 'warn', 'error']) t.mock.method(console, level, () => {});
}
