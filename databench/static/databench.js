/* Databench: https://github.com/svenkreiss/databench, MIT licence. Built from databench/client/ by `npm run build`. */
var Databench = (globalThis.Databench && globalThis.Databench.Connection) ? globalThis.Databench
  : (function () {
"use strict";
var exported = (() => {
  var __defProp = Object.defineProperty;
  var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
  var __getOwnPropNames = Object.getOwnPropertyNames;
  var __hasOwnProp = Object.prototype.hasOwnProperty;
  var __export = (target, all) => {
    for (var name in all)
      __defProp(target, name, { get: all[name], enumerable: true });
  };
  var __copyProps = (to, from, except, desc) => {
    if (from && typeof from === "object" || typeof from === "function") {
      for (let key of __getOwnPropNames(from))
        if (!__hasOwnProp.call(to, key) && key !== except)
          __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
    }
    return to;
  };
  var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

  // databench/client/api.ts
  var api_exports = {};
  __export(api_exports, {
    api: () => api
  });

  // databench/client/environment.ts
  var chosenSocketClass;
  function useWebSocket(socketClass) {
    chosenSocketClass = socketClass;
  }
  function chosenWebSocket() {
    return chosenSocketClass;
  }
  function openSocket(url) {
    const found = chosenSocketClass ?? globalThis.WebSocket;
    if (!found) {
      throw new Error(
        "no WebSocket class in this runtime; set one before connecting, such as Databench.WebSocket = require('ws')"
      );
    }
    return new found(url);
  }
  function report(error) {
    queueMicrotask(() => {
      throw error;
    });
  }
  var STANDARD_ENVIRONMENT = {
    now: () => performance.now(),
    random: () => Math.random(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (timer) => clearTimeout(timer),
    openSocket,
    onWake: () => () => {
    },
    report,
    reload: () => {
    },
    savesSeen: () => null
  };
  function environmentOf(options) {
    const { WebSocket: socketClass, slot: _slot, ...given } = options;
    const environment = { ...STANDARD_ENVIRONMENT, ...given };
    if (socketClass) environment.openSocket = (url) => new socketClass(url);
    return environment;
  }

  // databench/client/ui/element.ts
  var _UIElement = class _UIElement {
    constructor(node) {
      this.bonds = [];
      this.boundTo = null;
      this.node = node;
      this.node.databenchUI = this;
      this.idCount = _UIElement.idCounter++;
      this.actionName = this.determineActionName(node);
      this.wireSignal = this.determineWireSignal(node);
    }
    /** Whether `data-skipwire` keeps the node out. */
    static skipWire(node) {
      const value = node.dataset["skipwire"];
      return value !== void 0 && !["false", "0"].includes(value.toLowerCase());
    }
    /** The name that a node's `data-action`, `name` or `id` gives it, in this order; or empty. */
    static nameOf(node) {
      return node.dataset["action"] || node.getAttribute("name") || node.getAttribute("id") || "";
    }
    /** May be replaced: changes what is sent with the action. */
    actionFormat(value) {
      return value;
    }
    /** Name of the action of a node. */
    determineActionName(node) {
      return _UIElement.nameOf(node);
    }
    /**
     * What a node listens to: `data-signal`, in which `data:pi` means the key `pi` of the signal
     * `data`; otherwise the key of `data` that has the node's name.
     */
    determineWireSignal(node) {
      const signal = node.dataset["signal"];
      if (!signal) return { data: _UIElement.nameOf(node) };
      const colon = signal.indexOf(":");
      if (colon < 1) return signal;
      return { [signal.slice(0, colon)]: signal.slice(colon + 1) };
    }
    /** Whether it currently listens to a connection. */
    get isBound() {
      return this.bonds.length > 0;
    }
    /** Binds it to a connection, once. */
    bind(conn) {
      if (this.isBound) return;
      this.boundTo = conn;
      this.bonds = this.listen(conn);
    }
    /** Binds it again to the connection that it had, if it had one. */
    rebind() {
      if (this.boundTo) this.bind(this.boundTo);
    }
    /** Lets go of the connection, as when the node left the page. */
    unbind() {
      for (const stop of this.bonds) stop();
      this.bonds = [];
    }
    /** What a kind of element does when it is bound; returns how to undo each part. */
    listen(_conn) {
      return [];
    }
    /** Listens to `wireSignal`, and gets at once the value that the state already holds. */
    hear(conn, callback) {
      const stop = conn.listen(this.wireSignal, callback);
      if (typeof this.wireSignal === "object") {
        for (const [scope, path] of Object.entries(this.wireSignal)) {
          for (const value of conn.state.find(scope, path)) callback(value, path);
        }
      }
      return stop;
    }
  };
  _UIElement.idCounter = 0;
  var UIElement = _UIElement;
  function select(root, selector) {
    const from = root ?? document;
    const found = [...from.querySelectorAll(selector)];
    if ("matches" in from && from.matches(selector)) found.unshift(from);
    return found;
  }
  function unwired(root, selector) {
    return select(root, selector).filter(
      (node) => !node.databenchUI && !UIElement.skipWire(node)
    );
  }

  // databench/client/ui/frame.ts
  var HIDDEN_DELAY_MS = 200;
  function oncePerFrame(callback) {
    let isScheduled = false;
    return () => {
      if (isScheduled) return;
      isScheduled = true;
      nextFrame(() => {
        isScheduled = false;
        callback();
      });
    };
  }
  function nextFrame(callback) {
    if (typeof requestAnimationFrame !== "function" || document.visibilityState === "hidden") {
      setTimeout(callback, HIDDEN_DELAY_MS);
      return;
    }
    let isDone = false;
    const once = () => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      callback();
    };
    const timer = setTimeout(once, HIDDEN_DELAY_MS);
    requestAnimationFrame(once);
  }

  // databench/client/ui/log.ts
  var Log = class _Log extends UIElement {
    /**
     * @param node         Where the messages go.
     * @param limitNumber  Messages shown at most; the newest.
     * @param limitLength  Characters shown at most of each.
     */
    constructor(node, limitNumber = 20, limitLength = 250) {
      super(node);
      this._messages = [];
      this.renderSoon = oncePerFrame(() => this.render());
      this.limitNumber = limitNumber;
      this.limitLength = limitLength;
      node.setAttribute("role", "log");
    }
    /** Shows the messages. */
    render() {
      this.node.textContent = this._messages.map((parts) => this.shortened(parts.join(""))).join("\n");
      this.node.scrollTop = this.node.scrollHeight;
      return this;
    }
    /** Adds a message. */
    add(message, source = "unknown") {
      const text = typeof message === "string" ? message : JSON.stringify(message);
      this._messages.push([`${source.padStart(7)}: ${text}`]);
      while (this._messages.length > this.limitNumber) this._messages.shift();
      this.renderSoon();
      return this;
    }
    /** Wires the log of a page. */
    static wire(conn, id = "log", wireSignals = ["log", "warn", "error"], limitNumber = 20, limitLength = 250) {
      const node = document.getElementById(id);
      if (!node || node.databenchUI || UIElement.skipWire(node)) return;
      new _Log(node, limitNumber, limitLength).showSignals(conn, wireSignals);
    }
    /** Shows what the analysis and the page send as these signals from now on. */
    showSignals(conn, signals = ["log", "warn", "error"]) {
      for (const signal of signals) {
        conn.on(signal, (message) => {
          this.add(message, `backend (${signal})`);
        });
        conn.preEmit(signal, (message) => {
          this.add(message, `frontend (${signal})`);
          return message;
        });
      }
    }
    shortened(text) {
      return text.length > this.limitLength ? `${text.slice(0, this.limitLength)} ...` : text;
    }
  };

  // databench/client/signals.ts
  function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }
  function lookUp(data, path) {
    if (!isObject(data)) return [];
    if (Object.prototype.hasOwnProperty.call(data, path)) return [data[path]];
    const dot = path.indexOf(".");
    if (dot < 1) return [];
    const head = path.slice(0, dot);
    if (!Object.prototype.hasOwnProperty.call(data, head)) return [];
    return lookUp(data[head], path.slice(dot + 1));
  }
  var Signals = class {
    /**
     * @param report  Gets what a listener throws: one broken listener must not silence the others.
     */
    constructor(report2) {
      this.report = report2;
      this.byName = /* @__PURE__ */ new Map();
      this.byPattern = [];
    }
    /** Adds a listener; returns how to remove it. */
    on(pattern, callback) {
      if (typeof pattern === "string") {
        return this.addNamed(pattern, callback);
      }
      if (pattern instanceof RegExp) {
        const matches = (s) => !s.startsWith("__") && s.search(pattern) >= 0;
        return this.addPattern({ matches, hear: callback });
      }
      const removers = Object.keys(pattern).map((signal) => this.addNamed(signal, keyed(pattern[signal] ?? null, callback)));
      return () => removers.forEach((remove) => remove());
    }
    /** Calls every listener of a signal; true when there was one. */
    dispatch(signal, load) {
      const named = this.byName.get(signal) ?? [];
      const patterned = this.byPattern.filter((l) => l.matches(signal));
      for (const listener of [...named, ...patterned]) {
        try {
          listener.hear(load, signal);
        } catch (error) {
          this.report(error);
        }
      }
      return named.length + patterned.length > 0;
    }
    addNamed(name, hear) {
      const listener = { matches: (s) => s === name, hear };
      this.byName.set(name, [...this.byName.get(name) ?? [], listener]);
      return () => {
        const left = (this.byName.get(name) ?? []).filter((l) => l !== listener);
        if (left.length) this.byName.set(name, left);
        else this.byName.delete(name);
      };
    }
    addPattern(listener) {
      this.byPattern = [...this.byPattern, listener];
      return () => {
        this.byPattern = this.byPattern.filter((l) => l !== listener);
      };
    }
  };
  function keyed(key, callback) {
    if (key === null) return callback;
    if (typeof key === "string") {
      return (load) => {
        for (const value of lookUp(load, key)) callback(value, key);
      };
    }
    return (load) => {
      if (!isObject(load)) return;
      for (const name of Object.keys(load)) {
        if (name.search(key) >= 0) callback(load[name], name);
      }
    };
  }

  // databench/client/call.ts
  var ActionError = class extends Error {
    constructor(action, id, outcome, error) {
      super(error?.message || `action '${action}' ended: ${outcome}`);
      this.name = "ActionError";
      this.action = action;
      this.id = id;
      this.outcome = outcome;
      this.type = error?.type ?? "";
      this.traceback = error?.traceback ?? null;
    }
  };
  function call(caller, action, args, options) {
    if (args !== void 0 && args !== null && !isObject(args)) {
      const got = Array.isArray(args) ? "a list" : `a ${typeof args}`;
      return Promise.reject(new TypeError(
        `call('${action}', …) takes an object of named arguments, not ${got}; nothing was sent`
      ));
    }
    if (!caller.isWanted) {
      return Promise.reject(new ActionError(action, null, "error", {
        message: `call('${action}', …) on a connection that is not connected; use connect() first`
      }));
    }
    if (options.signal?.aborted) {
      return Promise.reject(new ActionError(action, null, "cancelled", null));
    }
    return new Promise((resolve, reject) => {
      const id = caller.newProcessId();
      const abort = () => {
        caller.cancel(id);
      };
      const stop = caller.processes.watch((event, process) => {
        if (process.id !== id) return;
        if (event === "progress") options.onProgress?.(progressOf(process));
        if (event !== "end") return;
        stop();
        options.signal?.removeEventListener("abort", abort);
        settle(process, resolve, reject);
      });
      options.signal?.addEventListener("abort", abort);
      send(caller, action, args, id, (error) => {
        stop();
        reject(error);
      });
    });
  }
  function send(caller, action, args, id, fail) {
    let seen = false;
    const stop = caller.processes.watch((event, p) => {
      seen || (seen = event === "open" && p.id === id);
    });
    try {
      caller.emit(action, { ...args, __process_id: id });
    } catch (error) {
      fail(error);
      return;
    } finally {
      stop();
    }
    if (!seen) {
      fail(new TypeError(
        `a preEmit hook of '${action}' removed __process_id, without which call() cannot wait for the end; use emit() for this action or keep that key`
      ));
    }
  }
  function progressOf(process) {
    return { value: process.value ?? 0, total: process.total };
  }
  function settle(process, resolve, reject) {
    if (process.outcome === "done") resolve(process.result);
    else reject(new ActionError(process.action, process.id, process.outcome, process.error));
  }

  // databench/client/codec.ts
  var UNCOUNTED = /* @__PURE__ */ new Set(["__connect", "__kernel", "__gap", "__reload"]);
  function decodeFrame(text) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return null;
    }
    if (typeof value !== "object" || value === null || typeof value.signal !== "string") return null;
    return { signal: value.signal, load: value.load, snapshot: value.snapshot === true };
  }
  function isCounted(frame) {
    return !frame.snapshot && !UNCOUNTED.has(frame.signal);
  }
  function encodeConnect(id, requestArgs, received, epoch, saves2 = null) {
    const words = { __connect: id, __request_args: requestArgs };
    words["__received"] = received;
    if (epoch !== null) words["__epoch"] = epoch;
    if (saves2 !== null) words["__saves"] = saves2;
    return JSON.stringify(words);
  }
  function encodeAction(signal, message) {
    const frame = { signal, load: message };
    try {
      return JSON.stringify(frame);
    } catch (error) {
      const text = encodeWithBigInts(frame);
      if (text === null) throw error;
      return text;
    }
  }
  function encodeWithBigInts(frame) {
    const encode = (mark2) => JSON.stringify(frame, (_key, value) => {
      if (typeof value !== "bigint") return value;
      count += 1;
      return mark2 === null ? 0 : mark2 + value;
    });
    let count = 0;
    const without = encode(null);
    if (count === 0) return null;
    let mark = "#";
    while (without.includes(mark)) mark += "#";
    return encode(mark).replace(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
  }
  function encodeCancel(id, force) {
    return JSON.stringify(force ? { __cancel: id, force: true } : { __cancel: id });
  }
  function encodeKernelWord(word) {
    return JSON.stringify({ __kernel: word });
  }
  function processIdOf(message) {
    if (typeof message !== "object" || message === null || Array.isArray(message)) return null;
    const id = message["__process_id"];
    return typeof id === "number" ? id : null;
  }

  // databench/client/kernel.ts
  var Kernel = class {
    /** @param send  Carries a word to the kernel's supervisor; false when not connected. */
    constructor(send2) {
      this.send = send2;
      this.state = "unknown";
      this.reason = "";
      /** Number of this life of the kernel. */
      this.generation = null;
      /** Seconds until it starts again, as of `sinceMs`. */
      this.retryInS = null;
      /** After how long a cancel offers to end the kernel. */
      this.cancelLimitMs = 2e3;
      /** Sessions that share the process. */
      this.sessions = 1;
      /** Whether another session uses it now: has a page, or runs an action in it. */
      this.isShared = false;
      /** Which sessions share it: `analysis`, `pool`, or `session` if none do. */
      this.isolation = "analysis";
      /** How many sessions begin before this one, while it is queued. */
      this.ahead = 0;
      /** Last lines of its standard error, if the server sends them. */
      this.stderr = [];
      /** The file that was saved and waits for the end of what runs; empty if none does. */
      this.codeChange = "";
      /** What it sent that is not as the protocol says; where the server tells it. */
      this.mistake = "";
      /** When it entered this state, on the page's clock. */
      this.sinceMs = 0;
      this.watchers = [];
    }
    /** Calls back on every change; returns how to stop that. */
    on(watcher) {
      this.watchers.push(watcher);
      return () => {
        this.watchers = this.watchers.filter((w) => w !== watcher);
      };
    }
    /** Asks for a new process. False if there is no connection to ask over. */
    restart() {
      return this.send("restart");
    }
    /** Asks for an interrupt, as Ctrl-C in a terminal. False if there is no connection. */
    interrupt() {
      return this.send("interrupt");
    }
    /** Takes the front's message. */
    receive(load, nowMs) {
      const generation = load.generation ?? this.generation;
      if (load.state !== this.state || generation !== this.generation) this.sinceMs = nowMs;
      if (load.state === "backoff") this.sinceMs = nowMs;
      this.state = load.state;
      this.reason = load.reason ?? "";
      this.generation = generation;
      this.retryInS = load.retry_in_s ?? null;
      this.sessions = load.sessions ?? 1;
      this.isShared = load.shared === true;
      this.isolation = load.isolation ?? "analysis";
      this.ahead = load.ahead ?? 0;
      this.codeChange = load.code_change ?? "";
      this.mistake = load.mistake ?? "";
      this.cancelLimitMs = 1e3 * (load.cancel_limit_s ?? this.cancelLimitMs / 1e3);
      this.stderr = Array.isArray(load.stderr) ? load.stderr.map(String) : [];
      for (const watcher of [...this.watchers]) watcher(this);
    }
  };

  // databench/client/backoff.ts
  var FIRST_DELAY_MS = 200;
  var LONGEST_DELAY_MS = 15e3;
  function reconnectDelayMs(attempt, random) {
    const step = Math.min(Math.max(attempt, 0), 30);
    const longestMs = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** step);
    return longestMs * (0.5 + 0.5 * random);
  }

  // databench/client/link.ts
  var TELL_LOSS_AFTER_MS = 1500;
  var JOIN_LIMIT_MS = 1e4;
  var GONE = 4004;
  var UNREACHED_AFTER = 2;
  var TRY_LATER = 1013;
  var TOO_LARGE = 1009;
  var Link = class {
    constructor(environment, owner) {
      this.environment = environment;
      this.owner = owner;
      this.status = "closed";
      /** Since when it is not joined, on the page's clock; null while it is or is not wanted. */
      this.lostSinceMs = null;
      /** Why the server serves the analysis no more; null while it does, as far as is known. */
      this.goneReason = null;
      /** Why the server takes this page only later; null while it does, as far as is known. */
      this.busyReason = null;
      this.hasJoined = false;
      this.socket = null;
      this.attempt = 0;
      this.retryTimer = null;
      this.joinTimer = null;
      this.lossTimer = null;
      this.stopWake = null;
      this.watchers = [];
    }
    /**
     * Whether no socket of this page ever got through, though the page itself did: something between
     * them and the server, mostly a proxy, passes on HTTP and no websockets.
     */
    get isUnreached() {
      return !this.hasJoined && this.busyReason === null && this.attempt >= UNREACHED_AFTER;
    }
    /** Calls back on every change of `status`; returns how to stop that. */
    watch(watcher) {
      this.watchers.push(watcher);
      return () => {
        this.watchers = this.watchers.filter((w) => w !== watcher);
      };
    }
    /** Opens the first socket. */
    start() {
      this.attempt = 0;
      this.open();
      this.stopWake = this.environment.onWake((reason) => this.wake(reason));
    }
    /** Closes the socket and tries no more. */
    stop() {
      const socket = this.socket;
      this.socket = null;
      this.stopWake?.();
      this.stopWake = null;
      this.clearTimers();
      this.lostSinceMs = null;
      this.goneReason = this.busyReason = null;
      this.setStatus("closed");
      socket?.close();
    }
    /**
     * The front has answered.
     *
     * @param sendWaiting  Sends what waited, before any watcher gets the new status and adds to it.
     */
    joined(sendWaiting) {
      this.clearTimers();
      this.attempt = 0;
      this.hasJoined = true;
      this.lostSinceMs = null;
      this.goneReason = this.busyReason = null;
      this.status = "joined";
      sendWaiting();
      this.setStatus("joined");
    }
    /** Sends a frame; false if there is no joined socket, and it was not sent. */
    send(text) {
      if (this.status !== "joined" || this.socket?.readyState !== 1) return false;
      this.socket.send(text);
      return true;
    }
    open() {
      this.retryTimer = null;
      const socket = this.environment.openSocket(this.owner.wsUrl);
      socket.binaryType = "arraybuffer";
      const isCurrent = () => socket === this.socket;
      socket.onopen = () => {
        if (isCurrent()) socket.send(this.owner.hello());
      };
      socket.onmessage = (event) => {
        if (isCurrent()) this.owner.receive(event.data);
      };
      socket.onclose = (event) => {
        if (!isCurrent()) return;
        const reason = event?.reason ?? "";
        this.owner.refused(event?.code ?? 1006, reason);
        this.busyReason = event?.code === TRY_LATER && reason ? reason : null;
        if (event?.code === GONE) this.goneReason = reason || "the analysis is no longer served";
        this.closed();
      };
      socket.onerror = () => {
      };
      this.socket = socket;
      this.joinTimer = this.environment.setTimeout(() => this.drop(), JOIN_LIMIT_MS);
      this.beginLoss();
      this.setStatus("connecting");
    }
    beginLoss() {
      if (this.lostSinceMs !== null) return;
      this.lostSinceMs = this.environment.now();
      this.lossTimer = this.environment.setTimeout(() => this.owner.lost(), TELL_LOSS_AFTER_MS);
    }
    /** Gives up a socket without waiting for its close, which can take minutes on a dead network. */
    drop() {
      const socket = this.socket;
      this.closed();
      socket?.close();
    }
    closed() {
      this.socket = null;
      this.environment.clearTimeout(this.joinTimer);
      this.environment.clearTimeout(this.retryTimer);
      this.beginLoss();
      const attempt = this.goneReason === null ? this.attempt : Infinity;
      const delayMs = reconnectDelayMs(attempt, this.environment.random());
      this.attempt += 1;
      this.retryTimer = this.environment.setTimeout(() => this.open(), delayMs);
      this.setStatus("waiting");
    }
    wake(reason) {
      if (reason === "online" && this.socket !== null) this.drop();
      if (this.status !== "waiting") return;
      this.environment.clearTimeout(this.retryTimer);
      this.attempt = 0;
      this.open();
    }
    setStatus(status) {
      this.status = status;
      for (const watcher of [...this.watchers]) watcher(status);
    }
    clearTimers() {
      for (const timer of [this.retryTimer, this.joinTimer, this.lossTimer]) {
        this.environment.clearTimeout(timer);
      }
      this.retryTimer = this.joinTimer = this.lossTimer = null;
    }
  };

  // databench/client/outbox.ts
  var OUTBOX_LIMIT_MESSAGES = 1e3;
  var OUTBOX_LIMIT_CHARS = 4 * 1024 * 1024;
  var Outbox = class {
    constructor() {
      this.waiting = [];
      this.chars = 0;
    }
    /** How many messages wait. */
    get length() {
      return this.waiting.length;
    }
    /** Takes a message; false when the queue is full and it was not taken. */
    push(message) {
      if (this.waiting.length >= OUTBOX_LIMIT_MESSAGES) return false;
      if (this.chars + message.text.length > OUTBOX_LIMIT_CHARS) return false;
      this.waiting.push(message);
      this.chars += message.text.length;
      return true;
    }
    /** Takes back a request that was never sent; false when it does not wait here. */
    withdraw(processId) {
      const index = this.waiting.findIndex((w) => w.processId === processId);
      if (index < 0) return false;
      const [gone] = this.waiting.splice(index, 1);
      this.chars -= gone.text.length;
      return true;
    }
    /** Takes all of them out, the oldest first. */
    takeAll() {
      const all = this.waiting;
      this.waiting = [];
      this.chars = 0;
      return all;
    }
  };

  // databench/client/processes.ts
  var REMEMBERED_ENDS = 1e3;
  var Processes = class {
    constructor() {
      this.open_ = /* @__PURE__ */ new Map();
      this.ended = /* @__PURE__ */ new Set();
      this.watchers = [];
    }
    /** Calls back on every event; returns how to stop that. */
    watch(watcher) {
      this.watchers.push(watcher);
      return () => {
        this.watchers = this.watchers.filter((w) => w !== watcher);
      };
    }
    /** The open request with this id, if there is one. */
    get(id) {
      return this.open_.get(id);
    }
    /** Open requests, oldest first; with a name, those of that action. */
    list(action) {
      const all = [...this.open_.values()];
      return action === void 0 ? all : all.filter((p) => p.action === action);
    }
    /** A request of this page; `text` is its frame. */
    open(id, action, text, nowMs) {
      this.ended.delete(id);
      const process = blank(id, action, "waiting", text, nowMs);
      this.open_.set(id, process);
      this.tell("open", process);
      return process;
    }
    /** The request's frame left the page. */
    sent(id) {
      const process = this.open_.get(id);
      if (process?.phase === "waiting") process.phase = "sent";
    }
    /** Requests to send again after a join, in the order in which they were made. */
    unseen() {
      return this.list().filter((p) => p.phase === "sent");
    }
    /** A request that the front reports as running when the page joins. */
    adopt(running, nowMs) {
      const known = this.open_.get(running.id);
      const process = known ?? blank(running.id, running.action, "started", "", nowMs);
      if (!known) this.open_.set(running.id, process);
      process.action = running.action || process.action;
      process.sinceMs = nowMs - 1e3 * running.elapsed_s;
      const hadStarted = known?.phase === "started";
      process.phase = "started";
      process.text = "";
      process.isAgain = running.again === true;
      if (!known) this.tell("open", process);
      if (!hadStarted) this.tell("start", process);
    }
    /** `__process`; returns the request that it changed, or null when it is to be ignored. */
    receive(load, nowMs) {
      if (load.status === "start") return this.start(load, nowMs);
      if (load.status === "end") return this.end(load);
      return null;
    }
    /** `__progress`. */
    progress(load) {
      const process = this.open_.get(load.id);
      if (!process) return;
      process.value = load.value;
      process.total = load.total ?? null;
      this.tell("progress", process);
    }
    /** A cancel was asked for. */
    cancelling(process, force, nowMs) {
      process.cancelMs = process.cancelMs ?? nowMs;
      process.forced = process.forced || force;
      this.tell("cancel", process);
    }
    /** Ends a request; null when it is not open. */
    end(load) {
      const process = this.open_.get(load.id);
      if (!process) return null;
      this.open_.delete(load.id);
      this.remember(load.id);
      process.phase = "ended";
      process.outcome = load.outcome ?? "done";
      process.result = load.result;
      process.error = load.error ?? null;
      this.tell("end", process);
      return process;
    }
    start(load, nowMs) {
      if (this.ended.has(load.id)) return null;
      let process = this.open_.get(load.id);
      if (process?.phase === "started") return load.again ? this.startAgain(process) : null;
      if (!process) {
        process = blank(load.id, load.action ?? "", "waiting", "", nowMs);
        this.open_.set(load.id, process);
        this.tell("open", process);
      }
      process.phase = "started";
      process.text = "";
      process.isAgain = load.again === true;
      this.tell("start", process);
      return process;
    }
    /** The progress of the first run does not apply to the second. */
    startAgain(process) {
      process.isAgain = true;
      process.value = null;
      process.total = null;
      this.tell("again", process);
      return process;
    }
    remember(id) {
      this.ended.add(id);
      if (this.ended.size <= REMEMBERED_ENDS) return;
      for (const oldest of this.ended) {
        this.ended.delete(oldest);
        break;
      }
    }
    tell(event, process) {
      for (const watcher of [...this.watchers]) watcher(event, process);
    }
  };
  function blank(id, action, phase, text, sinceMs) {
    return {
      id,
      action,
      phase,
      text,
      sinceMs,
      cancelMs: null,
      forced: false,
      isAgain: false,
      value: null,
      total: null,
      outcome: null,
      result: void 0,
      error: null
    };
  }
  var LOST_WITH_STREAM = {
    type: "Lost",
    message: "the server was restarted while this ran; its result is lost"
  };
  function loadOf(process, status) {
    if (status === "start") return { id: process.id, status };
    return {
      id: process.id,
      status,
      outcome: process.outcome,
      result: process.result,
      error: process.error
    };
  }

  // databench/client/rounded.ts
  var TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\]:,]/g;
  var MAY_BE_LONG = /[\d.]{16}|[eE][+-]?\d{3}/;
  function findRounded(text) {
    if (!MAY_BE_LONG.test(text)) return [];
    const found = [];
    const steps = [];
    let string = "";
    for (const [token] of text.matchAll(TOKENS)) {
      const last = steps.length - 1;
      const step = steps[last];
      if (token[0] === '"') string = token;
      else if (token === "{") steps.push("");
      else if (token === "[") steps.push(0);
      else if (token === "}" || token === "]") steps.pop();
      else if (token === ":") steps[last] = JSON.parse(string);
      else if (token === ",") {
        if (typeof step === "number") steps[last] = step + 1;
      } else if (isRounded(token)) {
        found.push({ path: pathOf(steps), text: token, read: String(Number(token)) });
      }
    }
    return found;
  }
  function isRounded(text) {
    const number = Number(text);
    return !Number.isFinite(number) || canonical(text) !== canonical(String(number));
  }
  function canonical(text) {
    const [mantissa = "", exponent = "0"] = text.replace("-", "").toLowerCase().split(/e(?=[+-]?\d+$)/);
    const [whole = "", fraction = ""] = mantissa.split(".");
    const digits = (whole + fraction).replace(/^0+/, "");
    const short = digits.replace(/0+$/, "");
    return short && `${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
  }
  function pathOf(steps) {
    return steps.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`).join("").replace(/^\./, "");
  }
  var RoundedWarnings = class {
    /**
     * @param warn           Shows a sentence.
     * @param limitPlaces    The most places to warn of.
     */
    constructor(warn, limitPlaces = 10) {
      this.warn = warn;
      this.limitPlaces = limitPlaces;
      this.places = /* @__PURE__ */ new Set();
    }
    /** Looks at a frame of the server. */
    look(signal, frame) {
      if (this.places.size >= this.limitPlaces) return;
      for (const { path, text, read } of findRounded(frame)) {
        const place2 = `${signal} ${path.replace(/\[\d+\]/g, "[]")}`;
        if (this.places.has(place2) || this.places.size >= this.limitPlaces) continue;
        this.places.add(place2);
        this.warn(
          `The number ${shortened(text)} in the signal '${signal}' (${path}) reads as ${shortened(read)} in this browser. Send it as text, for example with str(…), where the page needs all of its digits.`
        );
      }
    }
  };
  function shortened(text) {
    return text.length > 40 ? `${text.slice(0, 39)}…` : text;
  }

  // databench/client/session.ts
  var Session = class {
    constructor(id) {
      this.epoch = null;
      this.received = 0;
      this.id = id;
    }
    /** The first frame to send, with the saves that the page has seen. A fresh page has received 0 and knows no epoch. */
    hello(requestArgs, saves2 = null) {
      return encodeConnect(this.id, requestArgs, this.received, this.epoch, saves2);
    }
    /** Takes the answer to `hello`: its offset and epoch count from now on. */
    joined(load) {
      const epoch = load.epoch ?? null;
      const hadStream = this.epoch !== null;
      const newSession = this.id !== null && hadStream && this.id !== load.analysis_id;
      const streamLost = hadStream && (newSession || this.epoch !== epoch);
      this.id = load.analysis_id;
      this.epoch = epoch;
      this.received = load.at ?? 0;
      return { streamLost };
    }
    /** Some frames are gone for good; counting continues from the given offset. */
    gap(load) {
      this.received = load.at;
    }
    /** Counts a frame, if it is one of the stream. */
    count(frame) {
      if (isCounted(frame)) this.received += 1;
    }
    /** Counts a frame that cannot be read: a kernel's payload that is not JSON has an offset too. */
    countUnreadable(text) {
      if (/^\{"signal":"(?!(class_)?data","snapshot":true)/.test(text)) this.received += 1;
    }
  };

  // databench/client/state.ts
  var State = class {
    constructor() {
      /** Values of this session. */
      this.data = {};
      /** Values that all sessions of the analysis share. */
      this.class_data = {};
    }
    /** Takes a change, if the signal is one of state. */
    receive(signal, load) {
      if (signal !== "data" && signal !== "class_data" || !isObject(load)) return;
      for (const key of Object.keys(load)) {
        Object.defineProperty(this[signal], key, {
          value: load[key],
          writable: true,
          enumerable: true,
          configurable: true
        });
      }
    }
    /** The value at a key or dotted path, as a list of one, or of none. */
    find(scope, path) {
      if (scope !== "data" && scope !== "class_data") return [];
      return lookUp(this[scope], path);
    }
    /** Forgets everything: the session is another one. */
    clear() {
      this.data = {};
      this.class_data = {};
    }
  };

  // databench/client/transport.ts
  var LOSS_MESSAGE = "Connection lost. Trying again…";
  var Transport = class {
    /**
     * @param wsUrl        URL of the websocket.
     * @param requestArgs  The query of the request, `?a=1`.
     * @param analysisId   Id of a session to join; a new one by default.
     * @param options      What the world consists of.
     */
    constructor(wsUrl, requestArgs, analysisId, options = {}) {
      /** The last known state of the analysis. */
      this.state = new State();
      /** Further sessions of the same visitor that wait for a page, as of the last join. */
      this.others = [];
      /** Whether the session that was asked for has ended, and this is another one. */
      this.isReplaced = false;
      /** Whether the page may end what other sessions use; how it would get that right. */
      this.mayAdminister = false;
      this.howToAdminister = "";
      /** Whether a link led the page to its session. */
      this.isLinked = false;
      /** Requests that are open. */
      this.processes = new Processes();
      this.outbox = new Outbox();
      this.rounded = new RoundedWarnings((message) => this.errorCB(message));
      this.preEmitHooks = /* @__PURE__ */ new Map();
      this.joinCallbacks = [];
      this.toldLoss = false;
      this.toldFull = false;
      this.wsUrl = wsUrl;
      this.requestArgs = requestArgs;
      this.environment = environmentOf(options);
      this.slot = analysisId ? void 0 : options.slot;
      this.session = new Session(analysisId || this.slot?.read() || null);
      this.signals = new Signals(this.environment.report);
      this.link = new Link(this.environment, this.linkOwner());
      this.kernel = new Kernel((word) => this.link.send(encodeKernelWord(word)));
      this.nextProcessId = Math.floor(this.environment.random() * 2 ** 52);
      this.errorCB = (message) => {
        if (message != null) console.log(`connection: ${message}`);
      };
      this.writeLogsToConsole();
    }
    /** Id of the session; undefined until the front has given one. May be set before connecting. */
    get analysisId() {
      return this.session.id ?? void 0;
    }
    set analysisId(id) {
      this.session.id = id ?? null;
    }
    /** Whether the front has answered, and what is done about it if not. */
    get status() {
      return this.link.status;
    }
    /** Since when it is not joined, on the page's clock; null while it is or is not wanted. */
    get lostSinceMs() {
      return this.link.lostSinceMs;
    }
    /** Why the server serves the analysis no more; null while it does, as far as is known. */
    get goneReason() {
      return this.link.goneReason;
    }
    /** Whether no websocket of this page ever got through to the server. */
    get isUnreached() {
      return this.link.isUnreached;
    }
    /** Why the server takes this page only later; null while it does, as far as is known. */
    get busyReason() {
      return this.link.busyReason;
    }
    /** Whether `connect()` was called, and `disconnect()` was not. */
    get isWanted() {
      return this.status !== "closed";
    }
    /**
     * Connects, and stays connected until `disconnect()`.
     *
     * @param callback  Called once, when the front has answered.
     */
    connect(callback) {
      if (!this.wsUrl) throw new Error("no wsUrl given, and no page to guess it from");
      if (callback) {
        if (this.status === "joined") queueMicrotask(() => callback(this));
        else this.joinCallbacks.push(callback);
      }
      if (!this.isWanted) this.link.start();
      return this;
    }
    /** Closes the connection. What runs on the server continues; `connect()` joins it again. */
    disconnect() {
      this.link.stop();
    }
    /** Calls back on every change of `status`; returns how to stop that. */
    onStatus(watcher) {
      return this.link.watch(watcher);
    }
    /** Calls the listeners of a signal, as if the analysis had emitted it. */
    trigger(signal, message) {
      this.signals.dispatch(signal, message);
    }
    /**
     * Listens for a signal.
     *
     * @param signal    A name; a regular expression on names; or an object such as `{data: 'pi'}`,
     *                  `{class_data: 'n'}` or `{data: /^curve/}` for a key of the message.
     * @param callback  Gets the message and the signal, or the value and its key.
     */
    on(signal, callback) {
      this.signals.on(signal, callback);
      return this;
    }
    /** Listens, and returns how to stop listening. */
    listen(signal, callback) {
      return this.signals.on(signal, callback);
    }
    /** The next message of a signal, as a promise. */
    once(signal) {
      return new Promise((resolve) => {
        const stop = this.signals.on(signal, (message) => {
          stop();
          resolve(message);
        });
      });
    }
    /** Sets a hook that sees, and may replace, a message before it is sent. */
    preEmit(signalName, callback) {
      const hooks = this.preEmitHooks.get(signalName) ?? [];
      this.preEmitHooks.set(signalName, [...hooks, callback]);
      return this;
    }
    /** Calls an action: now, or when the connection is back. Without `connect()`, only the hooks run. */
    emit(signalName, message) {
      for (const hook of this.preEmitHooks.get(signalName) ?? []) message = hook(message);
      if (!this.isWanted) return this;
      const text = encodeAction(signalName, message);
      const processId = processIdOf(message);
      if (processId !== null) {
        this.processes.open(processId, signalName, text, this.environment.now());
      }
      if (this.link.send(text)) {
        if (processId !== null) this.processes.sent(processId);
      } else if (!this.outbox.push({ text, processId })) {
        this.refuse(signalName, processId);
      }
      return this;
    }
    /** Listens for the start and the end of a request, by the `__process_id` sent with it. */
    onProcess(processId, callback) {
      this.processes.watch((event, process) => {
        if (process.id !== processId || event !== "start" && event !== "end") return;
        callback(event, loadOf(process, event));
      });
      return this;
    }
    /**
     * Calls an action and waits for its end.
     *
     * @param action   Name of the action.
     * @param args     Its arguments by name.
     * @param options  `signal` cancels it, `onProgress` gets `self.progress`.
     * @returns        What the handler returned. Rejects with an `ActionError` that has `outcome`.
     */
    call(action, args, options = {}) {
      return call(this, action, args, options);
    }
    /**
     * Cancels a request by its id, or all open ones of an action.
     *
     * @param target  An id or an action's name.
     * @param force   Ends the kernel when nothing else helped; others may share it.
     * @returns       How many requests it concerns.
     */
    cancel(target, { force = false } = {}) {
      const targets = typeof target === "string" ? this.processes.list(target) : [this.processes.get(target)].filter((p) => p !== void 0);
      for (const process of targets) this.cancelOne(process, force);
      return targets.length;
    }
    /** A fresh number for `__process_id`. */
    newProcessId() {
      this.nextProcessId += 1;
      return this.nextProcessId;
    }
    cancelOne(process, force) {
      if (process.phase === "waiting" && this.outbox.withdraw(process.id)) {
        this.processes.end({ id: process.id, outcome: "cancelled" });
        return;
      }
      this.processes.cancelling(process, force, this.environment.now());
      this.link.send(encodeCancel(process.id, force));
    }
    linkOwner() {
      const transport = this;
      return {
        get wsUrl() {
          return transport.wsUrl;
        },
        hello: () => this.session.hello(this.requestArgs, this.environment.savesSeen()),
        receive: (content) => this.receive(content),
        refused: (code, reason) => {
          if (code === TOO_LARGE) this.dropTooLarge(reason);
        },
        lost: () => {
          this.toldLoss = true;
          this.errorCB(this.goneReason ?? this.busyReason ?? LOSS_MESSAGE);
        }
      };
    }
    /** A request that the server finds too large would be refused again after every reconnect. */
    dropTooLarge(reason) {
      const message = `too large for the server, and not sent again: ${reason}`;
      const [largest] = this.processes.unseen().sort((a, b) => b.text.length - a.text.length);
      if (largest) this.processes.end({ id: largest.id, outcome: "error", error: { message } });
      else this.errorCB(message);
    }
    receive(content) {
      if (typeof content !== "string") {
        this.onBinary?.(content);
        return;
      }
      const frame = decodeFrame(content);
      if (frame === null) {
        this.session.countUnreadable(content);
        this.environment.report(new Error(`unreadable frame from the server: ${content.slice(0, 80)}`));
        return;
      }
      if (this.environment.savesSeen() !== null) this.rounded.look(frame.signal, content);
      this.session.count(frame);
      this.take(frame);
      this.signals.dispatch(frame.signal, frame.load);
    }
    take({ signal, load }) {
      const now = this.environment.now();
      if (signal === "__connect") this.joined(load);
      else if (signal === "__gap") this.session.gap(load);
      else if (signal === "__kernel") this.kernel.receive(load, now);
      else if (signal === "__process") this.processes.receive(load, now);
      else if (signal === "__progress") this.processes.progress(load);
      else this.state.receive(signal, load);
    }
    joined(load) {
      const { id, epoch } = this.session;
      const isAsked = !this.slot && id !== null && epoch === null;
      if (isAsked) this.isReplaced = id !== load.analysis_id;
      if (load.linked) [this.isLinked, this.isReplaced] = [true, !load.resumed];
      const { streamLost } = this.session.joined(load);
      this.others = load.others ?? [];
      this.mayAdminister = load.may_administer === true;
      this.howToAdminister = load.how_to_administer ?? "";
      this.slot?.write(load.analysis_id);
      if (streamLost) this.state.clear();
      this.databenchBackendVersion = load.databench_backend_version ?? void 0;
      this.settle(load.running ?? [], streamLost);
      this.link.joined(() => this.sendWaiting());
      if (this.toldLoss) this.errorCB();
      this.toldLoss = false;
      const callbacks = this.joinCallbacks;
      this.joinCallbacks = [];
      for (const callback of callbacks) callback(this);
      this.noteVersion(load.analyses_version ?? void 0);
    }
    /** Brings the open requests to the front's list of running ones. */
    settle(running, streamLost) {
      for (const action of running) this.processes.adopt(action, this.environment.now());
      if (!streamLost) return;
      const ids = new Set(running.map((r) => r.id));
      for (const process of this.processes.list()) {
        if (process.phase !== "started" || ids.has(process.id)) continue;
        this.processes.end({ id: process.id, outcome: "lost", error: LOST_WITH_STREAM });
      }
    }
    sendWaiting() {
      this.toldFull = false;
      for (const process of this.processes.unseen()) this.link.send(process.text);
      for (const { text, processId } of this.outbox.takeAll()) {
        this.link.send(text);
        if (processId !== null) this.processes.sent(processId);
      }
      for (const process of this.processes.list()) {
        if (process.cancelMs === null) continue;
        this.link.send(encodeCancel(process.id, process.forced));
      }
    }
    refuse(signalName, processId) {
      const message = `'${signalName}' was not sent: ${OUTBOX_LIMIT_MESSAGES} messages already wait for the connection; try again when it is back`;
      if (processId !== null) {
        this.processes.end({ id: processId, outcome: "error", error: { type: "Full", message } });
      }
      if (this.toldFull) return;
      this.toldFull = true;
      this.errorCB(message);
    }
    noteVersion(version) {
      const before = this.analysesVersion;
      this.analysesVersion = version;
      if (before && before !== version) this.environment.reload();
    }
    writeLogsToConsole() {
      for (const level of ["log", "warn", "error"]) {
        this.on(level, (message) => console[level]("backend: ", message));
        this.preEmit(level, (message) => {
          console[level]("frontend: ", message);
          return message;
        });
      }
    }
  };

  // databench/client/ui/alerts.ts
  var ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;"
  };
  function escapeHtml(text) {
    return text.replace(/[&<>"']/g, (c) => ESCAPES[c]);
  }
  var StatusLog = class _StatusLog extends UIElement {
    /**
     * @param node       Where the messages go; its content stays.
     * @param formatter  Makes HTML of a message, which comes to it escaped, and of its count.
     */
    constructor(node, formatter = _StatusLog.defaultAlert) {
      super(node);
      this._messages = /* @__PURE__ */ Object.create(null);
      this.formatter = formatter;
      this.box = document.createElement("div");
      this.box.setAttribute("role", "status");
      node.append(this.box);
    }
    /** HTML of an alert. */
    static defaultAlert(message, count) {
      const times = count <= 1 ? "" : `<b>(${count})</b> `;
      return `<div class="alert alert-danger">${times}${message}</div>`;
    }
    /** Shows the messages. */
    render() {
      this.box.innerHTML = Object.keys(this._messages).map((message) => this.formatter(escapeHtml(message), this._messages[message])).join("\n");
      return this;
    }
    /** Adds a message; without one, clears them all. */
    add(message) {
      if (message === void 0 || message === null) {
        this._messages = /* @__PURE__ */ Object.create(null);
        return this.render();
      }
      const text = typeof message === "string" ? message : JSON.stringify(message);
      this._messages[text] = (this._messages[text] ?? 0) + 1;
      return this.render();
    }
    /** Wires the alerts of a page. */
    static wire(conn, id = "databench-alerts", formatter = _StatusLog.defaultAlert) {
      const node = document.getElementById(id);
      if (!node || node.databenchUI || UIElement.skipWire(node)) return;
      const log = new _StatusLog(node, formatter);
      conn.errorCB = (message) => {
        const loss = conn.goneReason ?? conn.busyReason ?? LOSS_MESSAGE;
        if (message === loss && node.querySelector(".d-notices")) return;
        log.add(message);
      };
    }
  };

  // databench/client/ui/button.ts
  var ButtonState = /* @__PURE__ */ ((ButtonState2) => {
    ButtonState2[ButtonState2["Idle"] = 1] = "Idle";
    ButtonState2[ButtonState2["Active"] = 2] = "Active";
    return ButtonState2;
  })(ButtonState || {});
  var BUTTON_SELECTOR = "button,input[type=button][data-action],input[type=submit][data-action]";
  var Button = class _Button extends UIElement {
    constructor(node) {
      super(node);
      this._state = 1 /* Idle */;
      /** Makes the ids of its requests. */
      this.newProcessId = () => Math.floor(Math.random() * 2 ** 52);
      this.running = /* @__PURE__ */ new Set();
      this.hadFocus = false;
      this.node.addEventListener("click", (event) => {
        if (this.node.form) event.preventDefault();
        this.click();
      });
    }
    /** Replaced when it is wired; may be replaced by a page. */
    clickCB(_processId) {
    }
    /** Shows its state. */
    render() {
      const active = this._state === 2 /* Active */;
      const button = this.node;
      if (active && !button.disabled) this.hadFocus = document.activeElement === button;
      button.classList.toggle("disabled", active);
      button.disabled = active;
      if (active) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
      if (!active) this.giveFocusBack();
      return this;
    }
    /** Calls the action, unless it runs. */
    click() {
      if (this._state === 1 /* Idle */) this.clickCB(this.newProcessId());
      return this;
    }
    /** Sets and shows its state. */
    state(state) {
      if (state !== 1 /* Idle */ && state !== 2 /* Active */) return this;
      this._state = state;
      return this.render();
    }
    /** Wires all buttons of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, BUTTON_SELECTOR)) {
        if (node.dataset["cancel"] !== void 0 || !UIElement.nameOf(node)) continue;
        new _Button(node).bind(conn);
      }
    }
    listen(conn) {
      this.newProcessId = () => conn.newProcessId();
      const stop = conn.processes.watch((event, process) => {
        if (event === "end") this.ended(process);
        else if (event === "open" && process.phase === "started") this.found(process);
      });
      for (const process of conn.processes.list(this.actionName)) this.found(process);
      this.clickCB = (processId) => {
        conn.emit(this.actionName, this.actionFormat({ __process_id: processId }));
        if (conn.processes.get(processId)) this.begin(processId);
      };
      return [stop];
    }
    found(process) {
      if (process.action === this.actionName && process.phase === "started") this.begin(process.id);
    }
    begin(processId) {
      this.running.add(processId);
      this.state(2 /* Active */);
    }
    ended(process) {
      if (!this.running.delete(process.id)) return;
      if (this.running.size === 0) this.state(1 /* Idle */);
    }
    /** A disabled button loses the keyboard's focus; visitors who use keys want to press it again. */
    giveFocusBack() {
      const isFree = document.activeElement === null || document.activeElement === document.body;
      if (this.hadFocus && isFree) this.node.focus();
      this.hadFocus = false;
    }
  };

  // databench/client/ui/cancel.ts
  var Cancel = class _Cancel extends UIElement {
    constructor(node) {
      super(node);
      this.actionName = node.dataset["cancel"] ?? "";
    }
    /** Wires all cancel elements of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "[data-cancel]")) {
        if (node.dataset["cancel"]) new _Cancel(node).bind(conn);
      }
    }
    listen(conn) {
      const click = (event) => {
        event.preventDefault();
        conn.cancel(this.actionName);
      };
      this.node.addEventListener("click", click);
      const show = () => this.show(conn);
      show();
      return [
        conn.processes.watch(show),
        () => this.node.removeEventListener("click", click)
      ];
    }
    show(conn) {
      const open2 = conn.processes.list(this.actionName);
      const isCancelling = open2.length > 0 && open2.every((p) => p.cancelMs !== null);
      const button = this.node;
      button.disabled = open2.length === 0;
      button.classList.toggle("disabled", open2.length === 0);
      if (isCancelling) button.setAttribute("aria-busy", "true");
      else button.removeAttribute("aria-busy");
    }
  };

  // databench/client/ui/input.ts
  var EDIT_QUIET_MS = 1e3;
  var Input = class extends UIElement {
    constructor(node) {
      super(node);
      this.environment = STANDARD_ENVIRONMENT;
      this.editedMs = null;
      /** It holds an edit that was not sent yet. */
      this.isUnsent = false;
      this.isResumed = false;
      this.held = null;
      this.releaseTimer = null;
      this.node.addEventListener("input", () => {
        this.isUnsent = true;
        this.noteEdit();
      });
      this.node.addEventListener("change", () => this.change());
      this.node.addEventListener("keydown", (event) => {
        const isLine = this.node.tagName !== "TEXTAREA";
        if (this.isResumed && isLine && event.key === "Enter") this.change();
      });
      this.node.addEventListener("blur", () => {
        if (this.isResumed) this.change();
        this.isUnsent = false;
        this.editedMs = null;
        this.release();
      });
    }
    /** Replaced when it is wired; may be replaced by a page. */
    changeCB(_value) {
    }
    /** Takes a value that a script has set as an edit of the visitor, not yet sent. */
    resume() {
      this.isUnsent = this.isResumed = true;
      this.noteEdit();
    }
    /** Sends what was entered. */
    change() {
      this.isUnsent = this.isResumed = false;
      this.held = null;
      this.noteEdit();
      this.changeCB(this.entered());
    }
    /** What is sent. */
    entered() {
      return this.actionFormat(this.getValue());
    }
    /** Takes a value from the analysis: now, or when the visitor is done. */
    receive(value) {
      if (!this.isBeingEdited()) {
        this.setValue(value);
        return;
      }
      this.held = { value };
      this.environment.clearTimeout(this.releaseTimer);
      this.releaseTimer = this.environment.setTimeout(() => this.release(), EDIT_QUIET_MS);
    }
    listen(conn) {
      this.environment = conn.environment;
      this.changeCB = (value) => {
        conn.emit(this.actionName, value);
      };
      return [this.hear(conn, (value) => this.receive(value))];
    }
    noteEdit() {
      this.editedMs = this.environment.now();
    }
    isBeingEdited() {
      if (document.activeElement !== this.node || this.editedMs === null) return false;
      return this.isUnsent || this.environment.now() - this.editedMs < EDIT_QUIET_MS;
    }
    release() {
      if (this.held === null || this.isBeingEdited()) return;
      const { value } = this.held;
      this.held = null;
      this.setValue(value);
    }
  };

  // databench/client/ui/checkbox.ts
  var Checkbox = class _Checkbox extends Input {
    getValue() {
      return this.node.checked;
    }
    setValue(value) {
      this.node.checked = Boolean(value);
      return this;
    }
    /** Wires all checkboxes of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "input[type=checkbox]")) {
        if (UIElement.nameOf(node)) new _Checkbox(node).bind(conn);
      }
    }
  };

  // databench/client/ui/image.ts
  var Image = class _Image extends UIElement {
    constructor(node) {
      super(node);
      this.render();
    }
    getSrc() {
      return this.node.src;
    }
    /** Hides an image without an address: a browser may draw a frame or a broken image for it. */
    render() {
      this.node.hidden = !this.node.getAttribute("src");
      return this;
    }
    /** Shows an image; hides it for null. */
    setSrc(src) {
      if (src === null || src === void 0 || src === "") this.node.removeAttribute("src");
      else this.node.src = src;
      return this.render();
    }
    /** Wires all images of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "img[data-signal]")) {
        new _Image(node).bind(conn);
      }
    }
    listen(conn) {
      return [this.hear(conn, (src) => this.setSrc(src))];
    }
  };

  // databench/client/keep.ts
  var PREFIX = "databench.session:";
  var SessionKeeper = class {
    constructor(storage, page) {
      this.storage = storage;
      this.page = page;
      this.made = /* @__PURE__ */ new Map();
    }
    /** A slot for the next connection to this websocket. */
    slot(wsUrl) {
      const base = `${PREFIX}${this.page()} ${wsUrl}`;
      const nth = this.made.get(base) ?? 0;
      this.made.set(base, nth + 1);
      return new SessionSlot(this.storage, `${base} ${nth}`);
    }
    /** Keeps a session no more: the page's next load begins one. */
    forget(id) {
      for (const [base, count] of this.made) {
        for (let nth = 0; nth < count; nth += 1) {
          const slot = new SessionSlot(this.storage, `${base} ${nth}`);
          if (slot.read() === id) slot.write("");
        }
      }
    }
  };
  var SessionSlot = class {
    constructor(storage, key) {
      this.storage = storage;
      this.key = key;
    }
    read() {
      try {
        return this.storage()?.getItem(this.key) ?? null;
      } catch {
        return null;
      }
    }
    write(id) {
      try {
        this.storage()?.setItem(this.key, id);
      } catch {
      }
    }
  };

  // databench/client/sessionlink.ts
  var WORD = "session";
  function sessionIn(query) {
    return new URLSearchParams(query).get(WORD) || null;
  }
  function withoutSession(query) {
    const parts = query.replace(/^\?/, "").split("&").filter((part) => part && !isWord(part));
    return parts.length ? `?${parts.join("&")}` : "";
  }
  function linkOf(id, address) {
    const rest = withoutSession(address.search);
    const word = `${WORD}=${encodeURIComponent(id)}`;
    return `${address.origin}${address.pathname}${rest ? `${rest}&${word}` : `?${word}`}`;
  }
  function isWord(part) {
    return part === WORD || part.startsWith(`${WORD}=`);
  }

  // databench/client/tab.ts
  var NAME = "databench.tab";
  var ORIGINAL = "databench.tab-original";
  var Tab = class {
    constructor(storage, open2, random) {
      this.storage = storage;
      this.open = open2;
      this.random = random;
      this.name = "";
      this.page = 0;
      this.held = /* @__PURE__ */ new Set();
      this.copied = /* @__PURE__ */ new Set();
      this.watchers = [];
    }
    /**
     * This page is in a session.
     *
     * @param session  Its id.
     * @param isKept   Whether the tab had it before this page, and no link named it.
     */
    hold(session, isKept) {
      if (this.held.has(session) || !this.begin()) return;
      this.held.add(session);
      if (!isKept) {
        this.rename("");
        return;
      }
      const tabs = [this.name, this.read(ORIGINAL)].filter(Boolean);
      this.channel.postMessage({ ask: session, tabs, page: this.page });
    }
    /** Whether the tab was copied from one that is still in that session. */
    isCopyIn(session) {
      return session !== void 0 && this.copied.has(session);
    }
    /** Calls back when the tab turns out to be a copy. */
    onCopied(watcher) {
      this.watchers.push(watcher);
    }
    begin() {
      if (this.channel) return true;
      this.channel = this.open();
      if (!this.channel) return false;
      this.page = this.random();
      this.name = this.read(NAME);
      if (!this.name) this.rename("");
      this.channel.onmessage = (event) => this.receive(event.data);
      return true;
    }
    receive(message) {
      if ("ask" in message) {
        if (!this.held.has(message.ask) || !message.tabs.includes(this.name)) return;
        const { ask: answer, page: to } = message;
        this.channel.postMessage({ answer, tab: this.name, to });
      } else if (message.to === this.page && this.held.has(message.answer)) {
        this.rename(message.tab);
        this.copied.add(message.answer);
        for (const watcher of this.watchers) watcher();
      }
    }
    /** Takes a fresh name, and notes that of the tab that this one was copied from. */
    rename(original) {
      this.name = this.random().toString(36).slice(2);
      this.write(NAME, this.name);
      this.write(ORIGINAL, original);
    }
    read(key) {
      try {
        return this.storage()?.getItem(key) ?? "";
      } catch {
        return "";
      }
    }
    write(key, value) {
      try {
        this.storage()?.setItem(key, value);
      } catch {
      }
    }
  };

  // databench/client/page.ts
  function pageSocket() {
    if (typeof location === "undefined") return "";
    return socketAt(`${location.pathname.slice(0, location.pathname.lastIndexOf("/"))}/ws`);
  }
  function socketAt(path) {
    if (typeof location === "undefined" || !location.host) return "";
    return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
  }
  function pageQuery() {
    return typeof location === "undefined" ? "" : withoutSession(location.search);
  }
  function pageLink(session) {
    return typeof location === "undefined" ? "" : linkOf(session, location);
  }
  function onWake(callback) {
    if (typeof addEventListener !== "function" || typeof document === "undefined") return () => {
    };
    const online = () => callback("online");
    const visible = () => {
      if (document.visibilityState === "visible") callback("visible");
    };
    addEventListener("online", online);
    addEventListener("pageshow", visible);
    document.addEventListener("visibilitychange", visible);
    return () => {
      removeEventListener("online", online);
      removeEventListener("pageshow", visible);
      document.removeEventListener("visibilitychange", visible);
    };
  }
  function pagePlace() {
    return typeof location === "undefined" ? "" : location.pathname + location.search;
  }
  var PAGE_ENVIRONMENT = {
    onWake,
    reload: () => {
      if (typeof location !== "undefined") location.reload();
    }
  };
  var PAGE_KEEPER = new SessionKeeper(
    () => typeof sessionStorage === "undefined" ? void 0 : sessionStorage,
    pagePlace
  );
  var PAGE_TAB = new Tab(
    () => typeof sessionStorage === "undefined" ? void 0 : sessionStorage,
    () => typeof BroadcastChannel === "undefined" || typeof window === "undefined" || window.top !== window ? void 0 : new BroadcastChannel("databench.tabs"),
    () => Math.random()
  );

  // databench/client/ui/format.ts
  function asText(value) {
    if (value === void 0 || value === null) return "";
    if (typeof value === "object") return JSON.stringify(value, void 0, 2);
    return String(value);
  }
  function formatted(value, format) {
    if (!format || typeof value !== "number") return asText(value);
    const [kind, text] = format.split(":", 2);
    const digits = Math.min(Math.max(Number.parseInt(text ?? "", 10) || 0, 0), 20);
    switch (kind) {
      case "fixed":
        return value.toFixed(digits);
      case "percent":
        return `${(100 * value).toFixed(digits)} %`;
      case "exponential":
        return value.toExponential(digits);
      case "precision":
        return value.toPrecision(Math.max(digits, 1));
      case "grouped":
        return value.toLocaleString("en-US", { maximumFractionDigits: digits });
      default:
        return asText(value);
    }
  }
  function duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole < 60) return `${whole} s`;
    const minutes = Math.floor(whole / 60);
    if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
    return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
  }

  // databench/client/ui/notices.ts
  var QUIET_LOSS_MS = 1500;
  var QUIET_START_MS = 400;
  var QUIET_ACTIVITY_MS = 2e3;
  var UNANSWERED_S = 6;
  var ENDING = /* @__PURE__ */ new Set(["restart", "force", "ask"]);
  function noticesOf(view, nowMs) {
    const failures = failureNotices(view);
    if (view.status !== "joined") return [...lossNotices(view, nowMs), ...failures];
    const upper = permitted(view, [
      ...questionNotices(view),
      ...kernelNotices(view, nowMs),
      ...codeNotices(view),
      ...mistakeNotices(view),
      ...cancelNotices(view, nowMs)
    ]);
    const isSaid = upper.some((n) => n.key === "right");
    return [
      ...upper,
      ...sessionNotices(view),
      ...activityNotices(view, nowMs),
      ...permitted(view, failures).filter((n) => n.key !== "right" || !isSaid)
    ];
  }
  function lossNotices(view, nowMs) {
    if (view.lostSinceMs === null || nowMs - view.lostSinceMs < QUIET_LOSS_MS) return [];
    if (view.goneReason !== null) {
      const text = `${view.goneReason}. This page continues when it is served again.`;
      return [{ key: "loss", level: "warning", text }];
    }
    if (view.unreachedUrl !== null) return [unreachedNotice(view.unreachedUrl, view.lostSinceMs, nowMs)];
    const what = view.busyReason === null ? "Connection lost, trying again." : `${view.busyReason} This page tries again by itself.`;
    return [{
      key: "loss",
      level: "warning",
      text: [what, ...workTexts(view.processes)].join(" "),
      ticking: duration((nowMs - view.lostSinceMs) / 1e3)
    }];
  }
  function unreachedNotice(url, lostSinceMs, nowMs) {
    return {
      key: "loss",
      level: "warning",
      text: `This page cannot reach its analysis: it cannot open the websocket ${url}. If a proxy is in front of the server, it must forward the headers Upgrade and Connection and keep the address unchanged. Otherwise the server has stopped. Trying again.`,
      ticking: duration((nowMs - lostSinceMs) / 1e3)
    };
  }
  function workTexts(processes) {
    const running = namesOf(processes.filter((p) => !p.isWaiting));
    const waiting = processes.filter((p) => p.isWaiting).length;
    const texts = [];
    if (running) texts.push(`${running} continues on the server.`);
    if (waiting) {
      const what = waiting === 1 ? "1 action waits" : `${waiting} actions wait`;
      texts.push(`${what} to be sent.`);
    }
    return texts.length ? texts : ["Nothing was running."];
  }
  function namesOf(processes) {
    const names = [...new Set(processes.map((p) => p.action).filter(Boolean))];
    return names.length ? `“${names.join("”, “")}”` : "";
  }
  function sessionNotices({ others, isReplaced, isCopy }) {
    const notices = others.map((other) => {
      const label2 = other.running.length ? "Rejoin" : "Show it";
      const rejoin = { label: label2, word: "rejoin", session: other.id };
      return {
        key: `session ${other.id}`,
        level: "quiet",
        text: otherText(other),
        buttons: [rejoin]
      };
    });
    notices[notices.length - 1]?.buttons.push({ label: "Dismiss", word: "stay" });
    if (isCopy) {
      const buttons = [{ label: "Use a new session", word: "own" }];
      if (!notices.length) buttons.push({ label: "Dismiss", word: "stay" });
      notices.unshift({
        key: "copy",
        level: "quiet",
        buttons,
        text: "This tab is a copy of another one and shares its session: a change in one tab shows in both."
      });
    }
    if (isReplaced) {
      notices.unshift({
        key: "replaced",
        level: "quiet",
        text: "The earlier session has ended. This is a new one.",
        buttons: notices.length ? [] : [{ label: "Dismiss", word: "stay" }]
      });
    }
    return notices;
  }
  function otherText({ running }) {
    if (!running.length) return "You have a result that you have not seen";
    const count = running.length === 1 ? "1 of your runs is" : `${running.length} of your runs are`;
    const longestS = Math.max(...running.map((r) => r.elapsed_s));
    const names = [...new Set(running.map((r) => r.action))].join("”, “");
    return `${count} still in progress: “${names}”, for ${duration(longestS)}`;
  }
  function permitted(view, notices) {
    const { kernel } = view;
    const isDown = kernel.state === "backoff" || kernel.state === "failed";
    if (view.mayAdminister || !kernel.isShared || isDown) return notices;
    const isEnding = ({ word }) => ENDING.has(word);
    const left = notices.filter((n) => n.key !== "question").map((n) => n.buttons ? { ...n, buttons: n.buttons.filter((b) => !isEnding(b)) } : n);
    if (notices.some((n) => n.buttons?.some(isEnding))) {
      const text = "Other sessions use this kernel too, so only an administrator may end it.";
      left.push({ key: "right", level: "quiet", text: `${text} ${view.howToAdminister}`.trim() });
    }
    return left;
  }
  function questionNotices({ asking, kernel }) {
    if (!asking) return [];
    const sure = { label: "End it for all", word: asking.word };
    if (asking.id !== void 0) sure.id = asking.id;
    return [{
      key: "question",
      level: "danger",
      text: `${kernel.sessions} sessions share this kernel. Ending it stops what they run.`,
      buttons: [sure, { label: "Keep it", word: "keep" }]
    }];
  }
  function kernelNotices({ kernel }, nowMs) {
    const forS = (nowMs - kernel.sinceMs) / 1e3;
    const restart = endingButton("Restart", "restart", kernel.sessions);
    switch (kernel.state) {
      case "starting":
        if (nowMs - kernel.sinceMs < QUIET_START_MS) return [];
        return [{ key: "kernel", level: "quiet", text: "Starting…", ticking: duration(forS) }];
      case "unresponsive":
        return [{
          key: "kernel",
          level: "warning",
          text: "The analysis is not answering",
          ticking: `for ${duration(forS + UNANSWERED_S)}`,
          buttons: [{ label: "Interrupt", word: "interrupt" }, restart]
        }];
      case "backoff":
        return [{
          key: "kernel",
          level: "warning",
          text: sentence(kernel.reason, "The kernel ended"),
          ticking: backoffText(kernel.retryInS, forS),
          lines: kernel.stderr,
          buttons: [{ label: "Restart now", word: "restart" }]
        }];
      case "failed":
        return [{
          key: "kernel",
          level: "danger",
          text: saidLast(kernel.stderr) + sentence(kernel.reason, "The kernel failed"),
          lines: kernel.stderr,
          isOpen: true,
          buttons: [{ label: "Start again", word: "restart" }]
        }];
      case "stopping":
        return [{ key: "kernel", level: "quiet", text: "Stopping" }];
      case "queued": {
        const place2 = kernel.ahead ? `${kernel.ahead} before you` : "you are next";
        const text = `Waiting for a free kernel: ${place2}`;
        return [{ key: "kernel", level: "quiet", text, ticking: duration(forS) }];
      }
      default:
        return [];
    }
  }
  function codeNotices({ kernel, processes }) {
    if (!kernel.codeChange) return [];
    const what = namesOf(processes) || "the work of other sessions";
    return [{
      key: "code",
      level: "warning",
      text: `Code changed: ${kernel.codeChange}. The kernel restarts when ${what} has ended.`,
      buttons: [endingButton("Restart now", "restart", kernel.sessions)]
    }];
  }
  function mistakeNotices({ kernel }) {
    if (!kernel.mistake) return [];
    return [{
      key: "mistake",
      level: "warning",
      text: `The kernel does not follow the protocol: ${kernel.mistake}`,
      buttons: [endingButton("Restart", "restart", kernel.sessions)]
    }];
  }
  function saidLast(stderr) {
    const last = [...stderr].reverse().find((line) => line.trim()) ?? "";
    return /^[\w.]+(Error|Exception|Interrupt|Exit)\b/.test(last) ? `${last}. ` : "";
  }
  function sentence(reason, otherwise) {
    return reason ? reason[0].toUpperCase() + reason.slice(1) : otherwise;
  }
  function backoffText(retryInS, forS) {
    const leftS = Math.ceil((retryInS ?? 0) - forS);
    return leftS > 0 ? `starts again in ${duration(leftS)}` : "starts again now";
  }
  function cancelNotices(view, nowMs) {
    const { kernel } = view;
    return cancelled(view).map((process) => {
      const notice = {
        key: `cancel ${process.id}`,
        level: "quiet",
        text: process.action ? `Cancelling “${process.action}”…` : "Cancelling…"
      };
      if (process.forced) return { ...notice, text: "Ending the kernel…" };
      const forMs = nowMs - process.cancelMs;
      if (forMs < kernel.cancelLimitMs || kernel.isolation === "session") return notice;
      return {
        ...notice,
        ticking: duration(forMs / 1e3),
        buttons: [endingButton("End it", "force", kernel.sessions, process.id)]
      };
    });
  }
  function cancelled({ processes, kernel }) {
    const own = processes.filter((p) => p.cancelMs !== null);
    const [oldest] = processes;
    if (own.length || !oldest || kernel.state !== "cancelling") return own;
    return [{ ...oldest, action: "", cancelMs: kernel.sinceMs }];
  }
  function endingButton(label2, word, sessions, id) {
    const button = sessions > 1 ? { label: label2, word: "ask", asked: word } : { label: label2, word };
    if (id !== void 0) button.id = id;
    return button;
  }
  function activityNotices({ processes }, nowMs) {
    const shown = processes.filter((p) => p.action && p.cancelMs === null && (p.isAgain || !p.hasCancel && nowMs - p.sinceMs >= QUIET_ACTIVITY_MS));
    return shown.map((process) => {
      const part = process.value !== null && process.total ? ` · ${Math.floor(100 * process.value / process.total)} %` : "";
      const running = process.isAgain ? `The kernel ended; “${process.action}” is running again` : `“${process.action}” is running`;
      return {
        key: `activity ${process.id}`,
        level: "quiet",
        text: running,
        ticking: `${duration((nowMs - process.sinceMs) / 1e3)}${part}`,
        buttons: process.hasCancel ? [] : [{ label: "Cancel", word: "cancel", id: process.id }]
      };
    });
  }
  function failureNotices({ failures, kernel }) {
    const [newest, ...earlier] = [...failures].reverse().map((f) => failureNotice(f, kernel.sessions));
    if (!newest) return [];
    return [newest, ...earlier.map((notice) => ({ ...notice, isEarlier: true }))];
  }
  function failureNotice(failure, sessions) {
    const what = failure.outcome === "lost" ? "was lost" : "failed";
    return {
      key: `failure ${failure.id}`,
      level: "danger",
      text: `“${failure.action}” ${what}${failure.message ? `: ${failure.message}` : ""}`,
      lines: failure.traceback ? failure.traceback.trimEnd().split("\n") : [],
      buttons: [
        ...failure.isPoisoned ? [endingButton("Restart the kernel", "restart", sessions)] : [],
        { label: "Dismiss", word: "dismiss", id: failure.id }
      ]
    };
  }

  // databench/client/ui/noticepanel.ts
  var TICK_MS = 500;
  var FAILURES_LIMIT = 10;
  var NoticePanel = class _NoticePanel {
    constructor(node, conn) {
      this.node = node;
      this.conn = conn;
      this.failures = [];
      this.asking = null;
      /** The further sessions that were dismissed. */
      this.staying = null;
      this.lines = /* @__PURE__ */ new Map();
      this.timer = null;
      this.fold = null;
      conn.onStatus(() => this.render());
      conn.kernel.on(() => this.render());
      PAGE_TAB.onCopied(() => this.render());
      conn.processes.watch((event, process) => {
        if (event === "open") this.forget(process.action);
        if (event === "end") this.note(process);
        if (event !== "progress") this.render();
      });
      this.render();
    }
    /** Puts the notices of a connection into the page's alerts. */
    static wire(conn, id = "databench-alerts") {
      const node = document.getElementById(id);
      if (!node || UIElement.skipWire(node) || node.querySelector(":scope > .d-notices")) return;
      const box = document.createElement("div");
      box.className = "d-notices";
      box.setAttribute("role", "status");
      node.prepend(box);
      new _NoticePanel(box, conn);
    }
    /** Shows the current notices, and comes back while any of them changes with time. */
    render() {
      const { environment } = this.conn;
      environment.clearTimeout(this.timer);
      const view = this.view();
      const notices = noticesOf(view, environment.now());
      this.show(notices);
      const isTicking = view.lostSinceMs !== null || view.processes.length > 0 || view.kernel.state === "starting" || notices.some((n) => n.ticking !== void 0);
      this.timer = isTicking ? environment.setTimeout(() => this.render(), TICK_MS) : null;
    }
    view() {
      const { conn } = this;
      return {
        status: conn.status,
        lostSinceMs: conn.lostSinceMs,
        goneReason: conn.goneReason,
        unreachedUrl: conn.isUnreached ? conn.wsUrl : null,
        busyReason: conn.busyReason,
        kernel: conn.kernel,
        processes: conn.processes.list().map(viewOf),
        failures: this.failures,
        asking: this.asking,
        others: this.staying === conn.others ? [] : conn.others,
        mayAdminister: conn.mayAdminister,
        howToAdminister: conn.howToAdminister,
        isReplaced: conn.isReplaced && this.staying !== conn.others,
        isCopy: PAGE_TAB.isCopyIn(conn.analysisId) && this.staying !== conn.others
      };
    }
    note(process) {
      if (this.conn.processes.list().length === 0) this.asking = null;
      const { outcome } = process;
      if (!process.action || outcome !== "error" && outcome !== "lost") return;
      if (isOfPageAlone(process)) return;
      const failure = {
        id: process.id,
        action: process.action,
        outcome,
        message: process.error?.message ?? "",
        traceback: process.error?.traceback ?? "",
        isPoisoned: process.error?.type === "PoisonedAction"
      };
      this.failures = [...this.failures, failure].slice(-FAILURES_LIMIT);
    }
    forget(action) {
      this.failures = this.failures.filter((f) => f.action !== action);
    }
    press(button) {
      const { conn } = this;
      this.asking = null;
      if (button.word === "ask") {
        this.asking = { word: button.asked };
        if (button.id !== void 0) this.asking.id = button.id;
      } else if (button.word === "restart") {
        this.failures = this.failures.filter((f) => !f.isPoisoned);
        conn.kernel.restart();
      } else if (button.word === "interrupt") conn.kernel.interrupt();
      else if (button.word === "force") conn.cancel(button.id, { force: true });
      else if (button.word === "cancel") conn.cancel(button.id);
      else if (button.word === "rejoin") location.assign(pageLink(button.session));
      else if (button.word === "own") {
        PAGE_KEEPER.forget(conn.analysisId);
        conn.environment.reload();
      } else if (button.word === "stay") this.staying = conn.others;
      else if (button.word === "dismiss") {
        this.failures = this.failures.filter((f) => f.id !== button.id);
      }
      this.render();
    }
    show(notices) {
      const keys = new Set(notices.map((n) => n.key));
      for (const [key, line] of this.lines) {
        if (keys.has(key)) continue;
        line.remove();
        this.lines.delete(key);
      }
      const earlier = notices.filter((n) => n.isEarlier);
      const fold = this.foldOfEarlier(earlier.length);
      this.place(this.node, notices.filter((n) => !n.isEarlier), 0);
      if (fold) this.place(fold, earlier, 1);
    }
    /** Puts lines where they belong, in their order. */
    place(parent, notices, first) {
      notices.forEach((notice, i) => {
        const line = this.showOne(notice);
        const there = parent.children[first + i] ?? null;
        if (there !== line) parent.insertBefore(line, there);
      });
    }
    /** The fold of earlier failures, last in the panel; it stays open or closed while there are any. */
    foldOfEarlier(count) {
      if (count === 0) {
        this.fold?.remove();
        this.fold = null;
        return null;
      }
      if (!this.fold) {
        this.fold = document.createElement("details");
        this.fold.className = "d-earlier";
        this.fold.append(document.createElement("summary"));
        this.node.append(this.fold);
      }
      const title = this.fold.querySelector("summary");
      const text = count === 1 ? "1 earlier problem" : `${count} earlier problems`;
      if (title.textContent !== text) title.textContent = text;
      return this.fold;
    }
    showOne(notice) {
      const { ticking, ...steady } = notice;
      const print = JSON.stringify(steady);
      let line = this.lines.get(notice.key);
      if (line?.dataset["print"] !== print) {
        const fresh = this.lineOf(notice);
        fresh.dataset["print"] = print;
        line?.replaceWith(fresh);
        this.lines.set(notice.key, fresh);
        line = fresh;
      }
      const clock = line.querySelector(".d-ticking");
      if (clock.textContent !== (ticking ?? "")) clock.textContent = ticking ?? "";
      return line;
    }
    lineOf(notice) {
      const line = document.createElement("div");
      const danger = notice.level === "danger" ? " alert-danger" : "";
      line.className = `alert${danger} d-notice d-notice-${notice.level}`;
      if (notice.level === "danger" && !notice.isEarlier) line.setAttribute("role", "alert");
      const text = document.createElement("span");
      text.textContent = notice.text;
      const clock = document.createElement("span");
      clock.className = "d-ticking";
      clock.setAttribute("aria-hidden", "true");
      line.append(text, " ", clock);
      for (const button of notice.buttons ?? []) line.append(" ", this.buttonOf(button));
      if (notice.lines?.length) line.append(foldOf(notice.lines, notice.isOpen ?? false));
      return line;
    }
    buttonOf(button) {
      const node = document.createElement("button");
      node.type = "button";
      node.className = "btn d-small";
      node.dataset["skipwire"] = "true";
      node.textContent = button.label;
      node.addEventListener("click", () => this.press(button));
      return node;
    }
  };
  function isOfPageAlone({ action, error }) {
    const node = document.getElementById(action);
    if (!node || node.dataset["action"] || node.getAttribute("name")) return false;
    return "databenchUI" in node && /^no action\b/.test(error?.message ?? "");
  }
  function viewOf(process) {
    const { id, action, sinceMs, cancelMs, forced, isAgain, value, total } = process;
    const cancels = document.querySelectorAll("[data-cancel]");
    const hasCancel = [...cancels].some((node) => node.dataset["cancel"] === action);
    const isWaiting = process.phase === "waiting";
    return { id, action, sinceMs, cancelMs, forced, isAgain, value, total, hasCancel, isWaiting };
  }
  function foldOf(lines, isOpen) {
    const fold = document.createElement("details");
    fold.open = isOpen;
    const title = document.createElement("summary");
    title.textContent = "Details";
    const text = document.createElement("pre");
    text.textContent = lines.join("\n");
    fold.append(title, text);
    return fold;
  }

  // databench/client/ui/textinput.ts
  var OTHER_TYPES = [
    "button",
    "checkbox",
    "file",
    "hidden",
    "image",
    "number",
    "radio",
    "range",
    "reset",
    "submit"
  ];
  var TextInput = class _TextInput extends Input {
    constructor() {
      super(...arguments);
      this._triggerOnKeyUp = false;
      this.keyUp = () => this.change();
    }
    /** May be replaced: a value of the analysis as text. */
    formatFn(value) {
      return asText(value);
    }
    /**
     * Sends on every key, instead of on enter and on leaving the element.
     *
     * @param v  False to send on enter again.
     */
    triggerOnKeyUp(v = true) {
      this.node.removeEventListener("keyup", this.keyUp);
      if (v) this.node.addEventListener("keyup", this.keyUp);
      this._triggerOnKeyUp = v;
      return this;
    }
    getValue() {
      return this.node.value;
    }
    setValue(value) {
      const text = this.formatFn(value) ?? "";
      if (this.node.value !== String(text)) this.node.value = String(text);
      return this;
    }
    /** Wires all text inputs of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "input,textarea")) {
        if (!UIElement.nameOf(node) || OTHER_TYPES.includes(node.type)) continue;
        new _TextInput(node).bind(conn);
      }
    }
  };

  // databench/client/ui/number.ts
  var NumberInput = class _NumberInput extends TextInput {
    getValue() {
      const value = Number.parseFloat(this.node.value);
      return Number.isFinite(value) ? value : null;
    }
    setValue(value) {
      const typed = this.node.value;
      if (typed !== "" && typeof value === "number" && Number(typed) === value) return this;
      return super.setValue(value);
    }
    change() {
      if (this.node.value === "" && this.node.validity?.badInput) {
        this.node.reportValidity();
        return;
      }
      super.change();
    }
    entered() {
      const value = super.entered();
      const typed = this.node.value;
      const isLong = /^-?\d+$/.test(typed) && !Number.isSafeInteger(Number(typed));
      return isLong && value === this.getValue() ? BigInt(typed) : value;
    }
    /** Wires all number inputs of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "input[type=number]")) {
        if (UIElement.nameOf(node)) new _NumberInput(node).bind(conn);
      }
    }
  };

  // databench/client/ui/plot.ts
  var SVG = "http://www.w3.org/2000/svg";
  var WIDTH = 640;
  var HEIGHT = 240;
  var LEFT = 64;
  var RIGHT = 12;
  var TOP = 12;
  var BOTTOM = 28;
  function pointsOf(value) {
    if (Array.isArray(value?.x) && Array.isArray(value?.y)) {
      return value.y.map((y, i) => [Number(value.x[i] ?? i), numberOrNull(y)]);
    }
    if (!Array.isArray(value)) return [];
    return value.map((entry, i) => Array.isArray(entry) ? [Number(entry[0]), numberOrNull(entry[1])] : [i, numberOrNull(entry)]);
  }
  function spanOf(values) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) return [0, 1];
    if (low === high) return [low - (Math.abs(low) / 2 || 0.5), high + (Math.abs(high) / 2 || 0.5)];
    return [low, high];
  }
  var DIGITS = 4;
  var ALL_DIGITS = 17;
  var CHARACTER = 10;
  function digitsApart(low, high) {
    const shared = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low)));
    return Math.min(Math.max(shared + 3, DIGITS), ALL_DIGITS);
  }
  var Plot = class _Plot extends UIElement {
    constructor() {
      super(...arguments);
      this.showSoon = oncePerFrame(() => this.setValue(this.pending));
    }
    /**
     * May be replaced: how a number is written at an axis.
     *
     * @param digits  How many distinguish the ends of the axis; at least 4.
     */
    formatFn(value, digits = DIGITS) {
      return String(Number.parseFloat(value.toPrecision(digits)));
    }
    /** Draws a line; an empty plot for null or an empty list. */
    setValue(value) {
      const points = pointsOf(value);
      const seen = points.filter(([x, y]) => Number.isFinite(x) && y !== null);
      const svg = create("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "d-plot" });
      svg.setAttribute("aria-label", this.describe(seen));
      const [x0, x1] = spanOf(seen.map((p) => p[0]));
      const [y0, y1] = spanOf(seen.map((p) => p[1]));
      const [xLow, xHigh] = this.textsOf(x0, x1);
      const [yLow, yHigh] = this.textsOf(y0, y1);
      const left = Math.max(LEFT, 6 + CHARACTER * Math.max(yLow.length, yHigh.length));
      const px = (x) => left + (x - x0) / (x1 - x0) * (WIDTH - left - RIGHT);
      const py = (y) => HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
      svg.append(create("path", { class: "d-axis", d: `M${left} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }));
      if (seen.length > 0) {
        svg.append(
          label(left - 6, py(y0), "end", yLow),
          label(left - 6, py(y1) + 8, "end", yHigh),
          label(px(x0), HEIGHT - 8, "start", xLow),
          label(px(x1), HEIGHT - 8, "end", xHigh),
          create("path", { class: "d-line", d: pathOf2(points, px, py) })
        );
        const [x, y] = seen[seen.length - 1];
        svg.append(create("circle", { class: "d-last", cx: px(x), cy: py(y), r: 4 }));
      }
      this.node.replaceChildren(svg);
      return this;
    }
    /** Wires all plots of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "[data-signal][data-plot=line]")) new _Plot(node).bind(conn);
    }
    listen(conn) {
      return [this.hear(conn, (value) => {
        this.pending = value;
        this.showSoon();
      })];
    }
    describe(seen) {
      if (seen.length === 0) return "line without values yet";
      const last = seen[seen.length - 1][1];
      const [low, high] = spanOf(seen.map((p) => p[1]));
      const text = this.formatterOf(low, high);
      return `line of ${seen.length} values from ${text(low)} to ${text(high)}, the last is ${text(last)}`;
    }
    textsOf(low, high) {
      const text = this.formatterOf(low, high);
      return [text(low), text(high)];
    }
    formatterOf(low, high) {
      const digits = digitsApart(low, high);
      return (value) => String(this.formatFn(value, digits));
    }
  };
  function numberOrNull(value) {
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  }
  function pathOf2(points, px, py) {
    let isOpen = false;
    let path = "";
    for (const [x, y] of points) {
      if (y === null || !Number.isFinite(x)) {
        isOpen = false;
        continue;
      }
      path += `${isOpen ? "L" : "M"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
      isOpen = true;
    }
    return path;
  }
  function create(tag, attributes) {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    return node;
  }
  function label(x, y, anchor, text) {
    const node = create("text", { x, y, "text-anchor": anchor });
    node.textContent = text;
    return node;
  }

  // databench/client/ui/progress.ts
  var Progress = class _Progress extends UIElement {
    constructor(node) {
      super(node);
      this.actionName = node.dataset["progress"] ?? "";
    }
    /** May be replaced: the text of an element that is not a `<progress>`. */
    formatFn(value, total) {
      return total === null ? String(value) : `${value} / ${total}`;
    }
    /** Shows a place; null for one that is not known while the action runs. */
    setValue(value, total) {
      if (!(this.node instanceof HTMLProgressElement)) {
        this.node.textContent = value === null ? "…" : this.formatFn(value, total);
        return this;
      }
      if (value === null || total === null || !(total > 0)) {
        this.node.removeAttribute("value");
        return this;
      }
      this.node.max = total;
      this.node.value = value;
      return this;
    }
    /** Shows that nothing runs. */
    clear() {
      if (!(this.node instanceof HTMLProgressElement)) this.node.textContent = "";
      else this.node.value = 0;
      return this;
    }
    /** Wires all progress elements of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "[data-progress]")) {
        if (node.dataset["progress"]) new _Progress(node).bind(conn);
      }
    }
    listen(conn) {
      this.clear();
      for (const process of conn.processes.list(this.actionName)) {
        this.setValue(process.value, process.total);
      }
      return [conn.processes.watch((event, process) => {
        if (process.action === this.actionName) this.follow(event, process);
      })];
    }
    follow(event, process) {
      if (event !== "end") this.setValue(process.value, process.total);
      else if (process.outcome === "done") this.finish();
      else this.clear();
    }
    finish() {
      if (this.node instanceof HTMLProgressElement) this.node.value = this.node.max;
      else this.clear();
    }
  };

  // databench/client/ui/radio.ts
  var Radio = class _Radio extends Input {
    getValue() {
      return this.node.value;
    }
    setValue(value) {
      this.node.checked = String(value) === this.node.value;
      return this;
    }
    /** Wires all radio buttons of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "input[type=radio]")) {
        if (UIElement.nameOf(node)) new _Radio(node).bind(conn);
      }
    }
  };

  // databench/client/ui/select.ts
  var Select = class _Select extends Input {
    getValue() {
      if (!this.node.multiple) return this.node.value;
      return [...this.node.options].filter((o) => o.selected).map((o) => o.value);
    }
    setValue(value) {
      const chosen = (Array.isArray(value) ? value : [value]).map(String);
      for (const option of this.node.options) option.selected = chosen.includes(option.value);
      return this;
    }
    /** Wires all selects of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "select")) {
        if (UIElement.nameOf(node)) new _Select(node).bind(conn);
      }
    }
  };

  // databench/client/ui/slider.ts
  var Slider = class _Slider extends Input {
    /**
     * @param node       The slider.
     * @param labelNode  Its label; found by the slider's id, or around it, by default.
     */
    constructor(node, labelNode) {
      super(node);
      this.output = null;
      /** The analysis may yet send a value: where the browser has put the slider means nothing. */
      this.isAwaiting = false;
      this.labelNode = labelNode ?? this.node.labels?.[0] ?? void 0;
      this.labelHtml = this.labelNode?.innerHTML ?? "";
      this.node.addEventListener("input", () => {
        this.isAwaiting = false;
        this.render();
      });
      this.render();
    }
    /** May be replaced: a value of the analysis as the slider's number. */
    valueToSlider(value) {
      return String(value);
    }
    /** May be replaced: the slider's number as a value of the analysis. */
    sliderToValue(value) {
      return value;
    }
    /** May be replaced: how a value is shown in the label. */
    formatFn(value) {
      return formatted(value, this.node.dataset["format"]);
    }
    /** Shows the value in the label. */
    render() {
      if (!this.labelNode) return this;
      if (!this.output) {
        this.output = document.createElement("output");
        if (this.labelNode.contains(this.node)) this.node.before(this.output, " ");
        else this.labelNode.append(" ", this.output);
      }
      this.output.textContent = this.isAwaiting ? "…" : String(this.formatFn(this.getValue()));
      return this;
    }
    getValue() {
      return this.sliderToValue(Number.parseFloat(this.node.value));
    }
    setValue(value) {
      if (value === null || value === void 0) return this;
      this.isAwaiting = false;
      const place2 = String(this.valueToSlider(value));
      if (this.node.value !== place2) this.node.value = place2;
      return this.render();
    }
    listen(conn) {
      this.isAwaiting = !this.node.hasAttribute("value") && !isReady(conn.kernel);
      this.render();
      const stop = conn.kernel.on((kernel) => {
        if (!this.isAwaiting || !isReady(kernel)) return;
        this.isAwaiting = false;
        this.render();
      });
      return [stop, ...super.listen(conn)];
    }
    /** The labels of a part of the page, by the id of what they label. */
    static labelsForSliders(root) {
      const labels = select(root, "label");
      return Object.fromEntries(labels.filter((l) => l.htmlFor).map((l) => [l.htmlFor, l]));
    }
    /** Wires all sliders of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "input[type=range]")) {
        if (UIElement.nameOf(node)) new _Slider(node).bind(conn);
      }
    }
  };
  function isReady({ state }) {
    return state === "idle" || state === "busy";
  }

  // databench/client/ui/text.ts
  var BY_ACTION = ["span", "p", "div", "i", "b", "pre"].map((tag) => `${tag}[data-action]`);
  var TEXT_SELECTOR = ["[data-signal]", ...BY_ACTION].join(",");
  var NO_TEXT = "button,input,select,textarea,img,progress,[data-plot],[data-cancel],[data-progress]";
  var Text = class _Text extends UIElement {
    constructor() {
      super(...arguments);
      this.showSoon = oncePerFrame(() => this.setValue(this.pending));
    }
    /** May be replaced: a value as text, or as a node. Text is never read as HTML. */
    formatFn(value) {
      return formatted(value, this.node.dataset["format"]);
    }
    /** The text that is shown. */
    getValue() {
      return this.node.textContent ?? "";
    }
    /** Shows a value. */
    setValue(value) {
      const shown = this.formatFn(value);
      if (shown !== null && typeof shown === "object") this.node.replaceChildren(shown);
      else this.node.textContent = shown === void 0 || shown === null ? "" : String(shown);
      return this;
    }
    /** Wires all text of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, TEXT_SELECTOR)) {
        if (!node.matches(NO_TEXT)) new _Text(node).bind(conn);
      }
    }
    listen(conn) {
      return [this.hear(conn, (value) => {
        this.pending = value;
        this.showSoon();
      })];
    }
  };

  // databench/client/ui/toasts.ts
  var TOAST_MS = 4e3;
  var TOASTS_LIMIT = 5;
  var TOASTS_PAST_MS = 1e3;
  var Toasts = class _Toasts {
    constructor(node, conn) {
      this.node = node;
      this.conn = conn;
      this.hasJoined = false;
      this.quietUntilMs = -Infinity;
      conn.on("__connect", (load) => this.joined(load));
      conn.on("toast", (message) => {
        if (conn.environment.now() < this.quietUntilMs) return;
        if (document.querySelector("[data-signal=toast]") === null) this.add(message);
      });
    }
    /** Puts the toasts of a connection into the page's alerts. */
    static wire(conn, id = "databench-alerts") {
      const node = document.getElementById(id);
      if (!node || UIElement.skipWire(node) || node.querySelector(":scope > .d-toasts")) return;
      const box = document.createElement("div");
      box.className = "d-toasts";
      box.setAttribute("role", "status");
      node.append(box);
      new _Toasts(box, conn);
    }
    /** Shows a message, as text; nothing for null and for an empty text. */
    add(message) {
      const text = asText(message);
      if (!text) return this;
      const toast = document.createElement("div");
      toast.className = "d-toast";
      toast.textContent = text;
      this.node.append(toast);
      while (this.node.children.length > TOASTS_LIMIT) this.node.firstElementChild.remove();
      this.conn.environment.setTimeout(() => toast.remove(), TOAST_MS);
      return this;
    }
    joined({ resumed }) {
      if (!this.hasJoined && resumed) this.quietUntilMs = this.conn.environment.now() + TOASTS_PAST_MS;
      this.hasJoined = true;
    }
  };

  // databench/client/ui/values.ts
  var MOST = 100;
  var Values = class _Values extends UIElement {
    constructor() {
      super(...arguments);
      this.shown = /* @__PURE__ */ new Map();
    }
    /** Wires all lists of values of a part of the page. */
    static wire(conn, root) {
      for (const node of unwired(root, "[data-values]")) new _Values(node).bind(conn);
    }
    listen(conn) {
      const show = (load) => {
        for (const [key, value] of isObject(load) ? Object.entries(load) : []) this.show(key, value);
      };
      show(conn.state.data);
      return [conn.listen("data", show)];
    }
    show(key, value) {
      const tag = tagOf(value);
      const before = this.shown.get(key);
      if (before?.localName === tag || !before && this.shown.size >= MOST) return;
      const node = document.createElement(tag);
      node.dataset["signal"] = `data:${key}`;
      if (tag === "figure") node.dataset["plot"] = "line";
      this.shown.set(key, node);
      this.node.hidden = false;
      if (before) {
        before.replaceWith(node);
        return;
      }
      const [name, place2] = [document.createElement("dt"), document.createElement("dd")];
      name.textContent = key;
      place2.append(node);
      this.node.append(name, place2);
    }
  };
  function tagOf(value) {
    if (Array.isArray(value) && value.every((item) => typeof item === "number")) return "figure";
    return value !== null && typeof value === "object" ? "pre" : "output";
  }

  // databench/client/ui/wire.ts
  var KINDS = [
    Cancel,
    Progress,
    Button,
    Slider,
    Checkbox,
    Radio,
    NumberInput,
    Select,
    TextInput,
    Plot,
    Image,
    Text,
    Values
  ];
  var ANY = "button,input,select,textarea,[data-action],[data-signal],[data-cancel],[data-progress],[data-values]";
  function wire(connection, root) {
    wireOnes(connection);
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", () => wireOnes(connection));
    }
    wireElements(connection, root);
    if (typeof MutationObserver === "function") follow(connection, root ?? document);
    return connection;
  }
  function wireOnes(connection) {
    Log.wire(connection);
    wireNotices(connection);
  }
  function wireNotices(connection) {
    StatusLog.wire(connection);
    NoticePanel.wire(connection);
    Toasts.wire(connection);
  }
  function wireElements(connection, root) {
    for (const kind of KINDS) kind.wire(connection, root);
  }
  function follow(connection, root) {
    const observer = new MutationObserver((records) => {
      for (const node of records.flatMap((r) => [...r.removedNodes])) leave(node);
      for (const node of records.flatMap((r) => [...r.addedNodes])) enter(connection, node);
    });
    observer.observe(root, { childList: true, subtree: true });
  }
  function enter(connection, node) {
    if (!(node instanceof HTMLElement) || !node.isConnected) return;
    for (const inner of select(node, ANY)) {
      inner.databenchUI?.rebind();
    }
    wireElements(connection, node);
  }
  function leave(node) {
    if (!(node instanceof HTMLElement) || node.isConnected) return;
    for (const inner of select(node, ANY)) inner.databenchUI?.unbind();
  }

  // databench/client/firstrelease.ts
  var FirstRelease = class {
    constructor(name, connection) {
      this.name = name;
      this.connection = connection;
      this.signals = {
        on: (signal, callback) => {
          connection.on(signal, (message) => callback(message));
        },
        emit: (signal, message) => {
          connection.emit(signal, message);
        }
      };
      this.genericElements = {
        log: (where, signalName, limit = 20, consoleFnName = "log") => {
          const log = new Log(elementOf(where, "genericElements.log"), limit);
          log.showSignals(connection, signalName ? [signalName] : void 0);
          showConsole(log, consoleFnName);
        },
        mpld3canvas: (where, signalName = "mpld3canvas") => {
          const node = elementOf(where, "genericElements.mpld3canvas");
          connection.on(signalName, (figure) => drawFigure(node, figure));
        }
      };
      if (typeof document !== "undefined") wireNotices(connection);
    }
  };
  var CONNECTION_WORDS = ["backend: ", "frontend: "];
  function showConsole(log, name) {
    const page = console;
    const write = page[name];
    if (write === void 0) throw new Error(`genericElements.log: there is no console.${name}`);
    page[name] = (...words) => {
      write.apply(console, words);
      if (!CONNECTION_WORDS.includes(words[0])) log.add(words[0], "frontend");
    };
  }
  function drawFigure(node, figure) {
    const { mpld3 } = globalThis;
    if (mpld3 === void 0) {
      node.textContent = "This figure needs mpld3. Install it where the server runs, for example with pip install 'databench[mpld3]', and start the server again.";
      return;
    }
    node.replaceChildren();
    for (const old of document.querySelectorAll(".mpld3-tooltip")) old.remove();
    node.id || (node.id = "mpld3canvas");
    mpld3.draw_figure(node.id, figure);
  }
  function elementOf(where, asker) {
    if (typeof where === "string") {
      const node2 = document.getElementById(where.replace(/^#/, ""));
      if (node2) return node2;
      throw new Error(`${asker}: there is no element with the id '${where}'; nothing is shown`);
    }
    const node = "nodeType" in where ? where : where?.[0];
    if (node) return node;
    throw new Error(`${asker}: the selection is empty; nothing is shown`);
  }

  // databench/client/main.ts
  var main_exports = {};
  __export(main_exports, {
    ActionError: () => ActionError,
    Connection: () => Connection,
    Kernel: () => Kernel,
    attach: () => attach,
    connect: () => connect,
    follow: () => follow3,
    start: () => start,
    ui: () => ui_exports,
    useWebSocket: () => useWebSocket
  });

  // databench/client/typed.ts
  var PREFIX2 = "databench.typed:";
  var LEFT_OUT = ["password", "file", "hidden", "button", "submit", "reset", "image"];
  var CHOICES = ["checkbox", "radio"];
  function keepTyped() {
    const kept = inputs().map(([key, node]) => ({
      key,
      value: valueOf(node),
      isUnsent: node.databenchUI?.isUnsent ?? false,
      isFocused: document.activeElement === node,
      selection: selectionOf(node)
    }));
    try {
      sessionStorage.setItem(place(), JSON.stringify(kept));
    } catch {
    }
  }
  function restoreTyped() {
    let kept;
    try {
      const text = sessionStorage.getItem(place());
      if (text === null) return;
      sessionStorage.removeItem(place());
      kept = JSON.parse(text);
    } catch {
      return;
    }
    const nodes = new Map(inputs());
    for (const one of kept) {
      const node = nodes.get(one.key);
      if (node) restore(node, one);
    }
  }
  function place() {
    return PREFIX2 + pagePlace();
  }
  function inputs() {
    const counts = /* @__PURE__ */ new Map();
    const found = [];
    for (const node of document.querySelectorAll("input,select,textarea")) {
      if (LEFT_OUT.includes(node.type)) continue;
      const own = CHOICES.includes(node.type) ? node.value : "";
      const base = `${node.type} ${node.name} ${node.id} ${own}`;
      const nth = counts.get(base) ?? 0;
      counts.set(base, nth + 1);
      found.push([`${base} ${nth}`, node]);
    }
    return found;
  }
  function valueOf(node) {
    if (CHOICES.includes(node.type)) return node.checked;
    if (isSelect(node)) return [...node.selectedOptions].map((o) => o.value);
    return node.value;
  }
  function defaultOf(node) {
    if (CHOICES.includes(node.type)) return node.defaultChecked;
    if (isSelect(node)) {
      const chosen = [...node.options].filter((o) => o.defaultSelected).map((o) => o.value);
      const first = node.multiple || !node.options[0] ? [] : [node.options[0].value];
      return chosen.length ? chosen : first;
    }
    const { defaultValue, type } = node;
    return defaultValue || (type === "range" || type === "color" ? node.value : "");
  }
  function selectionOf(node) {
    const { selectionStart, selectionEnd } = node;
    return typeof selectionStart === "number" ? [selectionStart, selectionEnd ?? selectionStart] : null;
  }
  function restore(node, { value, isUnsent, isFocused, selection }) {
    const isUntouched = same(valueOf(node), defaultOf(node));
    if (isFocused) node.focus({ preventScroll: true });
    if ((isUnsent || isUntouched) && !same(valueOf(node), value)) {
      put(node, value);
      if (isUnsent) node.databenchUI?.resume?.();
    }
    if (isFocused && selection) {
      node.setSelectionRange(...selection);
    }
  }
  function put(node, value) {
    if (typeof value === "boolean") {
      node.checked = value;
    } else if (isSelect(node)) {
      for (const option of node.options) option.selected = value.includes(option.value);
    } else {
      node.value = String(value);
      node.databenchUI?.render?.();
    }
  }
  function isSelect(node) {
    return node.type.startsWith("select-");
  }
  function same(a, b) {
    return JSON.stringify(a) === JSON.stringify(b);
  }

  // databench/client/reload.ts
  function effectOf(paths, page) {
    const saved = new Set(paths.map(plain));
    const touches = (path) => saved.has(plain(path));
    if (touches(page.path) || page.others.some(touches)) return "page";
    return page.styles.some(touches) ? "styles" : "none";
  }
  var saves = null;
  function savesSeen() {
    if (saves !== null || typeof document === "undefined") return saves;
    const node = document.querySelector('meta[name="databench-saves"]');
    return node && /^\d+$/.test(node.content) ? Number(node.content) : null;
  }
  function isRepeated(load) {
    if (!load.missed) return false;
    const key = `databench.missed:${location.pathname}`;
    try {
      const isSame = sessionStorage.getItem(key) === String(load.saves);
      sessionStorage.setItem(key, String(load.saves));
      return isSame;
    } catch {
      return true;
    }
  }
  function follow2(load, reload) {
    if (typeof document === "undefined" || !Array.isArray(load?.paths)) return;
    saves = load.saves ?? saves;
    const paths = load.paths.map(String);
    const effect = effectOf(paths, partsOfPage());
    if (effect === "page") {
      if (isRepeated(load)) return;
      keepTyped();
      reload();
    } else if (effect === "styles") {
      renewStyles(new Set(paths.map(plain)));
    }
  }
  function plain(path) {
    try {
      return decodeURI(path);
    } catch {
      return path;
    }
  }
  function pathOf3(url) {
    if (!url) return null;
    try {
      const parsed = new URL(url, location.href);
      return parsed.origin === location.origin ? parsed.pathname : null;
    } catch {
      return null;
    }
  }
  function styleLinks() {
    return [...document.querySelectorAll('link[rel~="stylesheet"][href]')];
  }
  function partsOfPage() {
    const known = (paths) => paths.filter((p) => p !== null);
    const styles = known(styleLinks().map((link) => pathOf3(link.href)));
    const nodes = [...document.querySelectorAll("script[src],img[src],iframe[src],object[data]")];
    const others = known([
      ...nodes.map((node) => pathOf3(node.getAttribute("src") ?? node.getAttribute("data"))),
      // Modules and what style sheets import are known here alone.
      ...performance.getEntriesByType("resource").map((entry) => pathOf3(entry.name))
    ]);
    return { path: location.pathname, styles, others: others.filter((p) => !styles.includes(p)) };
  }
  var renewals = 0;
  function renewStyles(paths) {
    for (const link of styleLinks()) {
      const path = pathOf3(link.href);
      if (path === null || !paths.has(plain(path))) continue;
      const url = new URL(link.href);
      renewals += 1;
      url.searchParams.set("renewed", `${Date.now()}.${renewals}`);
      const fresh = link.cloneNode();
      fresh.href = url.href;
      const settle2 = () => link.remove();
      fresh.addEventListener("load", settle2);
      fresh.addEventListener("error", () => fresh.remove());
      link.after(fresh);
    }
  }

  // databench/client/connection.ts
  var _Connection = class _Connection extends Transport {
    /**
     * @param wsUrl        URL of the websocket; guessed from the page's address by default.
     * @param requestArgs  The query of the request, `?a=1`; that of the page by default.
     * @param analysisId   Id of a session to join; a new one by default.
     * @param options      What the world consists of, for Node and for tests.
     */
    constructor(wsUrl, requestArgs, analysisId, options = {}) {
      super(
        wsUrl || _Connection.guessWSUrl(),
        requestArgs || pageQuery(),
        analysisId,
        { ...PAGE_ENVIRONMENT, savesSeen, ...options }
      );
      _Connection.made += 1;
      this.on("__kernel", restoreTyped);
      this.on("__reload", (load) => follow2(load, () => this.environment.reload()));
    }
    /** The websocket of the page's address: `/pi/` has `/pi/ws`. Empty outside of a page. */
    static guessWSUrl() {
      return pageSocket();
    }
    /** The address of this page in its session, for another tab or visitor; empty before a join. */
    sessionLink() {
      return this.analysisId === void 0 ? "" : pageLink(this.analysisId);
    }
  };
  /** How many connections this page has made. */
  _Connection.made = 0;
  var Connection = _Connection;

  // databench/client/ui/index.ts
  var ui_exports = {};
  __export(ui_exports, {
    Button: () => Button,
    ButtonState: () => ButtonState,
    Cancel: () => Cancel,
    Checkbox: () => Checkbox,
    Image: () => Image,
    Input: () => Input,
    Log: () => Log,
    NumberInput: () => NumberInput,
    Plot: () => Plot,
    Progress: () => Progress,
    Radio: () => Radio,
    Select: () => Select,
    Slider: () => Slider,
    StatusLog: () => StatusLog,
    Text: () => Text,
    TextInput: () => TextInput,
    UIElement: () => UIElement,
    Values: () => Values,
    wire: () => wire
  });

  // databench/client/main.ts
  function connect(wsUrl, requestArgs, analysisId, callback, options = {}) {
    const named = takeNamed();
    const slot = PAGE_KEEPER.slot(wsUrl || Connection.guessWSUrl());
    const id = analysisId || named;
    const conn = new Connection(wsUrl, requestArgs, id, { slot, ...options });
    const kept = id ? null : slot.read();
    conn.onStatus((status) => {
      if (status !== "joined") return;
      PAGE_TAB.hold(conn.analysisId, kept === conn.analysisId && !conn.isLinked);
    });
    conn.connect(callback);
    if (named && !analysisId) keepNamed(conn, slot);
    return conn;
  }
  function takeNamed() {
    if (typeof location === "undefined") return null;
    const { pathname, search, hash } = location;
    const named = sessionIn(search);
    if (named !== null && typeof history !== "undefined") {
      history.replaceState(history.state, "", `${pathname}${withoutSession(search)}${hash}`);
    }
    return named;
  }
  function keepNamed(conn, slot) {
    const stop = conn.onStatus((status) => {
      if (status !== "joined") return;
      stop();
      slot.write(conn.analysisId);
    });
  }
  function attach(wsUrl, requestArgs, analysisId, options = {}) {
    return new Promise((resolve) => {
      connect(wsUrl, requestArgs, analysisId, resolve, options);
    });
  }
  function follow3() {
    const conn = new Connection(socketAt("/_reload"));
    let joins = 0;
    conn.onStatus((status) => {
      if (status !== "joined") return;
      joins += 1;
      if (joins > 1) conn.environment.reload();
    });
    globalThis.databench = conn;
    return conn.connect();
  }
  var started;
  function start() {
    if (started || Connection.made > 0) return started;
    started = connect();
    wire(started);
    globalThis.databench = started;
    return started;
  }

  // databench/client/api.ts
  function open(name) {
    return new FirstRelease(name, connect());
  }
  var api = Object.defineProperty(Object.assign(open, main_exports), "WebSocket", {
    get: chosenWebSocket,
    set: useWebSocket,
    enumerable: true
  });
  return __toCommonJS(api_exports);
})();
return exported.api;
})();
if (typeof module === 'object' && module && module.exports) module.exports = Databench;
