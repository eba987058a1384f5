/* Databench: https://github.com/svenkreiss/databench, MIT licence. Built from databench/client/ by `npm run build`. */
/**
 * When to try a lost connection again: a pure function of the attempt and of one random number.
 *
 * It never gives up: a laptop that was closed for a night finds its run again in the morning.
 */
/** Longest wait before the first retry, in milliseconds. */
declare const FIRST_DELAY_MS = 200;
/** Longest wait between two retries, in milliseconds. */
declare const LONGEST_DELAY_MS = 15000;
/**
 * The wait before the next attempt.
 *
 * Half of the wait is jitter, so that a thousand pages do not come back to a restarted server in
 * the same millisecond.
 *
 * @param attempt  Attempts that failed since the connection last stood, from 0.
 * @param random   A number from 0 (included) to 1 (excluded).
 * @returns        Milliseconds, from half of the step's wait up to all of it.
 */
declare function reconnectDelayMs(attempt: number, random: number): number;
/**
 * `await connection.call(...)`: an action as a promise.
 */
/** How far a called action has come; `total` is null if it is not known. */
interface CallProgress {
    value: number;
    total: number | null;
}
/** What `call` takes in addition to the action and its arguments. */
interface CallOptions {
    /** Aborting it cancels the action. */
    signal?: AbortSignal;
    onProgress?: (progress: CallProgress) => void;
}
/** An action that did not end with `done`. */
declare class ActionError extends Error {
    readonly name = "ActionError";
    readonly action: string;
    /** Number of the request; null when it was never made. */
    readonly id: number | null;
    /** `error`, `cancelled` or `lost`. */
    readonly outcome: Outcome;
    /** Name of the exception in the kernel, where there was one. */
    readonly type: string;
    /** The kernel's traceback, in development. */
    readonly traceback: string | null;
    constructor(action: string, id: number | null, outcome: Outcome, error: ErrorLoad | null);
}
/** What `call` needs of a connection. */
interface Caller {
    readonly processes: Processes;
    readonly isWanted: boolean;
    newProcessId(): number;
    emit(signal: string, message?: any): unknown;
    cancel(target: number | string): number;
}
/** Sends an action and waits for its end. */
declare function call(caller: Caller, action: string, args: any, options: CallOptions): Promise<any>;
/**
 * The websocket's words: text frames to typed frames and back. Pure.
 *
 * The values of a `load` are passed on as JSON gave them; only the words that begin with two
 * underscores have a known shape. A frame that is not an object with a `signal` decodes to null:
 * the caller reports it and continues, because one bad frame must not end a connection.
 */
/** How a request ended. `lost`: its kernel died, or the server did. */
type Outcome = 'done' | 'error' | 'cancelled' | 'lost';
/** What went wrong, in the words of the kernel or the front. */
interface ErrorLoad {
    type?: string;
    message?: string;
    traceback?: string | null;
}
/** Load of `__process`. */
interface ProcessLoad {
    id: number;
    status: 'start' | 'end';
    /** A second start: the kernel was lost, and the next one runs it once more. */
    again?: boolean;
    action?: string;
    outcome?: Outcome;
    result?: any;
    error?: ErrorLoad | null;
}
/** An action that was running when the page joined. */
interface RunningAction {
    id: number;
    action: string;
    elapsed_s: number;
    /** It runs a second time. */
    again?: boolean;
}
/** Another session of the same visitor that waits for a page. */
interface OtherSession {
    id: string;
    running: RunningAction[];
    has_result: boolean;
}
/** Load of `__connect`: the front's first answer. */
interface ConnectLoad {
    analysis_id: string;
    databench_backend_version?: string | null;
    analyses_version?: string | null;
    resumed?: boolean;
    at?: number;
    epoch?: string | null;
    running?: RunningAction[];
    others?: OtherSession[];
    /** A link led the page to its session: the one that it named, or a new one in its place. */
    linked?: boolean;
    may_administer?: boolean;
    how_to_administer?: string;
}
/** Load of `__progress`; `total` is null if it is not known. */
interface ProgressLoad {
    id: number;
    value: number;
    total?: number | null;
}
/** Load of `__gap`: that many frames are gone for good. */
interface GapLoad {
    missed: number;
    at: number;
}
/** Load of `__kernel`; fields that are not listed are ignored. */
interface KernelLoad {
    state: string;
    reason?: string | null;
    generation?: number | null;
    retry_in_s?: number | null;
    sessions?: number | null;
    shared?: boolean;
    stderr?: string[] | null;
    cancel_limit_s?: number | null;
    code_change?: string | null;
    mistake?: string | null;
    isolation?: string | null;
    ahead?: number | null;
}
/** One frame of the front. */
interface Frame {
    signal: string;
    load: any;
    snapshot: boolean;
}
/** What a page asks of its kernel. */
type KernelWord = 'restart' | 'interrupt';
/** Reads a text frame; null when it is not one of the front's. */
declare function decodeFrame(text: string): Frame | null;
/** Whether a frame counts in the page's stream. */
declare function isCounted(frame: Frame): boolean;
/** The first frame of a connection: who the page is and what it already has. */
declare function encodeConnect(id: string | null, requestArgs: string, received: number, epoch: string | null, saves?: number | null): string;
/** An action; a missing message is left out, so that the handler gets no argument. */
declare function encodeAction(signal: string, message: unknown): string;
/** A cancel; `force` ends the kernel when nothing else helped. */
declare function encodeCancel(id: number, force: boolean): string;
/** A word to the kernel's supervisor. */
declare function encodeKernelWord(word: KernelWord): string;
/** The `__process_id` of an action's message, or null when it has none. */
declare function processIdOf(message: unknown): number | null;
/**
 * The connection of a page to its analysis: what a page's script uses.
 *
 * A transport that knows the page that it runs in, if there is one: its address gives the websocket
 * and the query, and it handles the front's messages about the page itself (saves, in development).
 */
/** Joins a page to an analysis: `on` to listen, `emit` to act. */
declare class Connection extends Transport {
    /** How many connections this page has made. */
    static made: number;
    /**
     * @param wsUrl        URL of the websocket; guessed from the page's address by default.
     * @param requestArgs  The query of the request, `?a=1`; that of the page by default.
     * @param analysisId   Id of a session to join; a new one by default.
     * @param options      What the world consists of, for Node and for tests.
     */
    constructor(wsUrl?: string | null, requestArgs?: string | null, analysisId?: string | null, options?: ConnectionOptions);
    /** The websocket of the page's address: `/pi/` has `/pi/ws`. Empty outside of a page. */
    static guessWSUrl(): string;
    /** The address of this page in its session, for another tab or visitor; empty before a join. */
    sessionLink(): string;
}
/**
 * What a connection needs from the world: a clock, timers, randomness, sockets, the page.
 *
 * Handed in, so that a test moves time by hand and joins both ends itself. The standard one fits
 * Node, given a WebSocket class; in a browser the page adds its own part (`page.ts`).
 */
/** The part of a WebSocket that is used. */
interface SocketLike {
    readonly readyState: number;
    binaryType?: any;
    onopen: ((event: any) => void) | null;
    onclose: ((event: any) => void) | null;
    onerror: ((event: any) => void) | null;
    onmessage: ((event: any) => void) | null;
    send(text: string): void;
    close(): void;
}
/** A class of WebSockets, such as the browser's own or that of the package `ws`. */
type SocketClass = new (url: string) => SocketLike;
/** Why a page should look after its connection at once. */
type WakeReason = 'online' | 'visible';
/** A connection's view of the world. */
interface Environment {
    /** Milliseconds; monotonic. */
    now(): number;
    /** A number from 0 (included) to 1 (excluded). */
    random(): number;
    setTimeout(callback: () => void, delayMs: number): unknown;
    clearTimeout(timer: unknown): void;
    openSocket(url: string): SocketLike;
    /** Calls back when the network returns or the page becomes visible; returns how to stop that. */
    onWake(callback: (reason: WakeReason) => void): () => void;
    /** Reports an exception in the page's own code without ending what runs. */
    report(error: unknown): void;
    /** Loads the page again, where there is one. */
    reload(): void;
    /** The count of saves that the page knows of, in development; null: none is known. */
    savesSeen(): number | null;
}
/** Sets the WebSocket class for every connection without its own (Node before 22 has none). */
declare function useWebSocket(socketClass: SocketClass | undefined): void;
/** The class given to `useWebSocket`, if any. */
declare function chosenWebSocket(): SocketClass | undefined;
/** The world as it is without a page. */
declare const STANDARD_ENVIRONMENT: Environment;
/** That world, but for what is given. */
declare function environmentOf(options: Partial<Environment> & {
    WebSocket?: SocketClass;
    slot?: unknown;
}): Environment;
/**
 * The interface of the first release: `var databench = Databench('simplepi')`.
 */
/** An element as pages of the first release name one: a jQuery object, a node, or an id. */
type ElementLike = HTMLElement | string | {
    readonly [index: number]: HTMLElement;
};
/** What a page of the first release uses; `connection` is what pages of today use. */
declare class FirstRelease {
    readonly name: string;
    readonly connection: Connection;
    /** Listens with `on(signal, callback)` and calls a function with `emit(signal, message)`. */
    readonly signals: {
        on(signal: string, callback: (message: any) => void): void;
        emit(signal: string, message?: any): void;
    };
    /** Parts of a page that need no code. */
    readonly genericElements: {
        /**
         * Shows what the analysis sends as `signalName`, or as `log`, `warn` and `error` without a
         * name, and what the page writes with `console[consoleFnName]`: the newest `limit` lines.
         */
        log(where: ElementLike, signalName?: string, limit?: number, consoleFnName?: string): void;
        /** Draws the figure of mpld3 that comes with `signalName`, instead of the previous one. */
        mpld3canvas(where: ElementLike, signalName?: string): void;
    };
    constructor(name: string, connection: Connection);
}
/**
 * Keeps a page's session id over a reload, in the tab's sessionStorage.
 *
 * One id per path, query and websocket, and per connection of the page in the order in which they
 * are made. A new tab starts empty, so it gets a new session.
 */
/** The part of sessionStorage that is used. */
interface StorageLike {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
}
/** The kept ids of one page. */
declare class SessionKeeper {
    private storage;
    private page;
    private made;
    constructor(storage: () => StorageLike | undefined, page: () => string);
    /** A slot for the next connection to this websocket. */
    slot(wsUrl: string): SessionSlot;
    /** Keeps a session no more: the page's next load begins one. */
    forget(id: string): void;
}
/** Where one connection's id is kept. Storage that is off or full costs only the keeping. */
declare class SessionSlot {
    private storage;
    private key;
    constructor(storage: () => StorageLike | undefined, key: string);
    read(): string | null;
    write(id: string): void;
}
/**
 * What the page knows about its kernel, from `__kernel`.
 */
/** States that a kernel can be in; `unknown` until the front has sent one. */
type KernelState = 'unknown' | 'starting' | 'idle' | 'busy' | 'unresponsive' | 'cancelling' | 'backoff' | 'failed' | 'stopping' | 'culled' | 'queued';
/** The kernel of a page's analysis: its state, and what can be asked of it. */
declare class Kernel {
    private send;
    state: KernelState;
    reason: string;
    /** Number of this life of the kernel. */
    generation: number | null;
    /** Seconds until it starts again, as of `sinceMs`. */
    retryInS: number | null;
    /** After how long a cancel offers to end the kernel. */
    cancelLimitMs: number;
    /** Sessions that share the process. */
    sessions: number;
    /** Whether another session uses it now: has a page, or runs an action in it. */
    isShared: boolean;
    /** Which sessions share it: `analysis`, `pool`, or `session` if none do. */
    isolation: string;
    /** How many sessions begin before this one, while it is queued. */
    ahead: number;
    /** Last lines of its standard error, if the server sends them. */
    stderr: string[];
    /** The file that was saved and waits for the end of what runs; empty if none does. */
    codeChange: string;
    /** What it sent that is not as the protocol says; where the server tells it. */
    mistake: string;
    /** When it entered this state, on the page's clock. */
    sinceMs: number;
    private watchers;
    /** @param send  Carries a word to the kernel's supervisor; false when not connected. */
    constructor(send: (word: KernelWord) => boolean);
    /** Calls back on every change; returns how to stop that. */
    on(watcher: (kernel: Kernel) => void): () => void;
    /** Asks for a new process. False if there is no connection to ask over. */
    restart(): boolean;
    /** Asks for an interrupt, as Ctrl-C in a terminal. False if there is no connection. */
    interrupt(): boolean;
    /** Takes the front's message. */
    receive(load: KernelLoad, nowMs: number): void;
}
/**
 * One socket after another, for as long as the connection is wanted.
 *
 * It knows when to open, give up and try again; it does not know what the frames mean. A socket's
 * events count only while it is the current one: the close of a replaced socket changes nothing.
 */
/** The page reports a connection that is gone for longer than this, in milliseconds. */
declare const TELL_LOSS_AFTER_MS = 1500;
/** A socket that got no answer to `__connect` for this long is given up, in milliseconds. */
declare const JOIN_LIMIT_MS = 10000;
/** Close code of a server that serves the analysis no more (docs/protocol.md, 8.1). */
declare const GONE = 4004;
/** After so many failed sockets, a page that never joined reports that none gets through. */
declare const UNREACHED_AFTER = 2;
/** Close code of a server or session that has as much as it may have (docs/protocol.md, 8.1). */
declare const TRY_LATER = 1013;
/** Close code of a server that got too large a message (docs/protocol.md, 8.1). */
declare const TOO_LARGE = 1009;
/** `closed`: not wanted. `waiting`: for the next attempt. `joined`: the front has answered. */
type ConnectionStatus = 'closed' | 'connecting' | 'joined' | 'waiting';
/** What the link asks of its connection. */
interface LinkOwner {
    wsUrl: string;
    /** The first frame of a socket. */
    hello(): string;
    /** A frame: text, or the buffer of a binary one. */
    receive(content: unknown): void;
    /** The server closed a socket with a reason (RFC 6455 section 7.4). */
    refused(code: number, reason: string): void;
    /** The connection is gone for `TELL_LOSS_AFTER_MS`. */
    lost(): void;
}
/** The socket of a connection. */
declare class Link {
    private environment;
    private owner;
    status: ConnectionStatus;
    /** Since when it is not joined, on the page's clock; null while it is or is not wanted. */
    lostSinceMs: number | null;
    /** Why the server serves the analysis no more; null while it does, as far as is known. */
    goneReason: string | null;
    /** Why the server takes this page only later; null while it does, as far as is known. */
    busyReason: string | null;
    private hasJoined;
    private socket;
    private attempt;
    private retryTimer;
    private joinTimer;
    private lossTimer;
    private stopWake;
    private watchers;
    constructor(environment: Environment, owner: LinkOwner);
    /**
     * Whether no socket of this page ever got through, though the page itself did: something between
     * them and the server, mostly a proxy, passes on HTTP and no websockets.
     */
    get isUnreached(): boolean;
    /** Calls back on every change of `status`; returns how to stop that. */
    watch(watcher: (status: ConnectionStatus) => void): () => void;
    /** Opens the first socket. */
    start(): void;
    /** Closes the socket and tries no more. */
    stop(): void;
    /**
     * The front has answered.
     *
     * @param sendWaiting  Sends what waited, before any watcher gets the new status and adds to it.
     */
    joined(sendWaiting: () => void): void;
    /** Sends a frame; false if there is no joined socket, and it was not sent. */
    send(text: string): boolean;
    private open;
    private beginLoss;
    /** Gives up a socket without waiting for its close, which can take minutes on a dead network. */
    private drop;
    private closed;
    private wake;
    private setStatus;
    private clearTimers;
}
/**
 * What the page emitted while there was no connection: a bounded queue. Pure.
 *
 * When it is full, a further message is refused and the caller reports it; nothing that was taken is
 * ever dropped for something newer.
 */
/** Messages that wait at most. */
declare const OUTBOX_LIMIT_MESSAGES = 1000;
/** Length of all waiting messages together, in characters. */
declare const OUTBOX_LIMIT_CHARS: number;
/** One waiting message; `processId` is null for an emit that no code awaits. */
interface Waiting {
    text: string;
    processId: number | null;
}
/** The queue of one connection. */
declare class Outbox {
    private waiting;
    private chars;
    /** How many messages wait. */
    get length(): number;
    /** Takes a message; false when the queue is full and it was not taken. */
    push(message: Waiting): boolean;
    /** Takes back a request that was never sent; false when it does not wait here. */
    withdraw(processId: number): boolean;
    /** Takes all of them out, the oldest first. */
    takeAll(): Waiting[];
}
/**
 * The page that this script runs in: its address, its storage and tab, and when it is visible.
 *
 * Outside of a page, as in Node, all of it is empty and nothing happens.
 */
/** The websocket of the page's address: `/pi/` has `/pi/ws`. */
declare function pageSocket(): string;
/** The websocket at a path of the page's server. */
declare function socketAt(path: string): string;
/** The page's query, without the session that it names. */
declare function pageQuery(): string;
/** The page's address with a session in it. */
declare function pageLink(session: string): string;
/** The page's own path and query, by which it is known again after a reload; empty outside. */
declare function pagePlace(): string;
/** What a page adds to the world of a connection. */
declare const PAGE_ENVIRONMENT: Pick<Environment, 'onWake' | 'reload'>;
/** Keeps the ids of the page's sessions. */
declare const PAGE_KEEPER: SessionKeeper;
/** The tab that this script runs in; a frame is a part of its page's tab. */
declare const PAGE_TAB: Tab;
/**
 * The requests of a page that asked for a start and an end. Pure: times are given.
 *
 * Theory of operation: a request is `waiting` (not sent yet), `sent` (its start was not seen: it is
 * sent again after a reconnect, the front drops what it already knows), `started`, or gone. An end
 * for an id that is not open is ignored, because a gap may deliver one twice; a start for an id
 * that has ended is ignored for the same reason. Requests of an earlier life of this page, or of
 * another page of the session, appear by their start or in the `running` list of a join.
 */
/** How far a request has come. */
type Phase = 'waiting' | 'sent' | 'started' | 'ended';
/** One request. */
interface Process {
    id: number;
    /** Name of its action; empty when only its id is known. */
    action: string;
    phase: Phase;
    /** The frame to send again while the start was not seen; empty for requests of others. */
    text: string;
    /** On the page's clock, when it began as far as this page knows. */
    sinceMs: number;
    /** When a cancel was asked for; null if it was not. */
    cancelMs: number | null;
    forced: boolean;
    /** Its kernel was lost, and the next one runs it once more. */
    isAgain: boolean;
    value: number | null;
    total: number | null;
    outcome: Outcome | null;
    result: any;
    error: ErrorLoad | null;
}
/**
 * What happened to a request. `open`: this page made it or found it running. `again`: its second
 * start; a caller that waits for its start and its end has got the start before.
 */
type ProcessEvent = 'open' | 'start' | 'again' | 'progress' | 'cancel' | 'end';
/** Called with each event, after the request's fields were changed. */
type ProcessWatcher = (event: ProcessEvent, process: Process) => void;
/** All requests that one page knows of. */
declare class Processes {
    private open_;
    private ended;
    private watchers;
    /** Calls back on every event; returns how to stop that. */
    watch(watcher: ProcessWatcher): () => void;
    /** The open request with this id, if there is one. */
    get(id: number): Process | undefined;
    /** Open requests, oldest first; with a name, those of that action. */
    list(action?: string): Process[];
    /** A request of this page; `text` is its frame. */
    open(id: number, action: string, text: string, nowMs: number): Process;
    /** The request's frame left the page. */
    sent(id: number): void;
    /** Requests to send again after a join, in the order in which they were made. */
    unseen(): Process[];
    /** A request that the front reports as running when the page joins. */
    adopt(running: RunningAction, nowMs: number): void;
    /** `__process`; returns the request that it changed, or null when it is to be ignored. */
    receive(load: ProcessLoad, nowMs: number): Process | null;
    /** `__progress`. */
    progress(load: ProgressLoad): void;
    /** A cancel was asked for. */
    cancelling(process: Process, force: boolean, nowMs: number): void;
    /** Ends a request; null when it is not open. */
    end(load: Omit<ProcessLoad, 'status'>): Process | null;
    private start;
    /** The progress of the first run does not apply to the second. */
    private startAgain;
    private remember;
    private tell;
}
/** Why a request has ended that went with the stream of an earlier server. */
declare const LOST_WITH_STREAM: ErrorLoad;
/** What a request's listener gets. */
declare function loadOf(process: Process, status: 'start' | 'end'): ProcessLoad;
/**
 * What a page does when something that it may show was saved, in development.
 *
 * `effectOf` is pure: it decides by paths. A page that shows none of the saved files does
 * nothing; one that only uses style sheets of them loads these again, without losing anything; any
 * other page reloads, and keeps what was typed into it (`typed`).
 */
/** What a page consists of, as paths of its server. */
interface PageParts {
    /** The page's own path. */
    path: string;
    /** Style sheets that it links. */
    styles: string[];
    /** Everything else that it has loaded, style sheets that others import included. */
    others: string[];
}
/** What follows: nothing, new style sheets, or a reload of the page. */
type Effect = 'none' | 'styles' | 'page';
/** Decides what a page does about paths whose content was saved. */
declare function effectOf(paths: readonly string[], page: PageParts): Effect;
/** What a page sends when it joins, so that it gets the saves of the meantime. */
declare function savesSeen(): number | null;
/** Load of `__reload`. */
interface ReloadLoad {
    paths?: unknown;
    saves?: number;
    missed?: boolean;
}
/**
 * Carries out a `__reload`.
 *
 * @param load    The frame's load.
 * @param reload  Loads the page again.
 */
declare function follow(load: ReloadLoad | null | undefined, reload: () => void): void;
/**
 * Numbers of a JSON text that this browser rounds. Pure.
 *
 * JSON has numbers of any length, and Python writes all of their digits. JavaScript reads each as a
 * 64-bit float. Authors of an analysis need to know it: an id that ends in other digits
 * is another id.
 */
/** A number that is read as another one. */
interface Rounded {
    /** Where it stands, such as `load.ids[3]`. */
    path: string;
    /** As it is written. */
    text: string;
    /** As it is read. */
    read: string;
}
/** Each number of a JSON text that is read as another one, in order. */
declare function findRounded(text: string): Rounded[];
/** Whether a number, as JSON writes it, is shown and sent back with other digits. */
declare function isRounded(text: string): boolean;
/** Warns once for each place of a signal, whatever the indices; for development. */
declare class RoundedWarnings {
    private warn;
    private limitPlaces;
    private readonly places;
    /**
     * @param warn           Shows a sentence.
     * @param limitPlaces    The most places to warn of.
     */
    constructor(warn: (message: string) => void, limitPlaces?: number);
    /** Looks at a frame of the server. */
    look(signal: string, frame: string): void;
}
/**
 * The position of a page in its session's stream. Pure: no socket, no clock.
 *
 * The page counts every stream frame from the offset that `__connect` or `__gap` gave it, and sends
 * that count with the stream's epoch when it comes back: so the front sends what followed, and
 * nothing twice. Another epoch in the answer means that the stream it knew is gone; the given
 * offset then counts in the new one.
 */
/** What a join means for what the page already had. */
interface Joined {
    /** The stream that the page knew is gone: its ends will not come, its state starts afresh. */
    streamLost: boolean;
}
/** Identity and offset of one page in its session. */
declare class Session {
    id: string | null;
    epoch: string | null;
    received: number;
    constructor(id: string | null);
    /** The first frame to send, with the saves that the page has seen. A fresh page has received 0 and knows no epoch. */
    hello(requestArgs: string, saves?: number | null): string;
    /** Takes the answer to `hello`: its offset and epoch count from now on. */
    joined(load: ConnectLoad): Joined;
    /** Some frames are gone for good; counting continues from the given offset. */
    gap(load: GapLoad): void;
    /** Counts a frame, if it is one of the stream. */
    count(frame: Frame): void;
    /** Counts a frame that cannot be read: a kernel's payload that is not JSON has an offset too. */
    countUnreadable(text: string): void;
}
/**
 * The word `session` in a page's address: the link of a session. Pure.
 *
 * It names the session that the page joins, and is not an argument of the analysis.
 */
/** The session that a query such as `?a=1&session=x` names; null where it names none. */
declare function sessionIn(query: string): string | null;
/** The query without that word, as it was written otherwise; empty if nothing is left. */
declare function withoutSession(query: string): string;
/** The address of a page in a session. */
declare function linkOf(id: string, address: {
    origin: string;
    pathname: string;
    search: string;
}): string;
/**
 * The listeners of each signal. Pure.
 *
 * A pattern is a signal's name; a regular expression on names; or an object such as
 * `{data: 'pi'}`, which looks into the signal's message for a key. Keys may be regular expressions
 * too, and may go into objects with dots: `{data: 'pi.estimate'}`.
 */
/** Called with the message and the signal's name, or with the value and its key. */
type SignalCallback = (message: any, key?: string) => void;
/** What to listen for. */
type SignalPattern = string | RegExp | {
    [signal: string]: string | RegExp | null;
};
/** Whether a value is a JSON object (a list is not). */
declare function isObject(value: unknown): value is Record<string, any>;
/**
 * The value of a key, or of a path of keys.
 *
 * A key that itself contains dots is found before the path is tried.
 *
 * @returns The value wrapped in a list, or an empty list when there is none: `undefined` and
 *          `null` are values too.
 */
declare function lookUp(data: unknown, path: string): any[];
/** The listeners of one connection. */
declare class Signals {
    private report;
    private byName;
    private byPattern;
    /**
     * @param report  Gets what a listener throws: one broken listener must not silence the others.
     */
    constructor(report: (error: unknown) => void);
    /** Adds a listener; returns how to remove it. */
    on(pattern: SignalPattern, callback: SignalCallback): () => void;
    /** Calls every listener of a signal; true when there was one. */
    dispatch(signal: string, load: any): boolean;
    private addNamed;
    private addPattern;
}
/**
 * The last known values of `data` and `class_data`, put together from their changes.
 *
 * Elements that come into the page later read their first value here.
 */
/** A page's copy of its analysis' state. */
declare class State {
    /** Values of this session. */
    data: Record<string, any>;
    /** Values that all sessions of the analysis share. */
    class_data: Record<string, any>;
    /** Takes a change, if the signal is one of state. */
    receive(signal: string, load: unknown): void;
    /** The value at a key or dotted path, as a list of one, or of none. */
    find(scope: string, path: string): any[];
    /** Forgets everything: the session is another one. */
    clear(): void;
}
/**
 * Finds out whether this tab is a copy: "Duplicate tab" copies its sessionStorage, and so its
 * session, although the visitor did not ask for two pages in one.
 *
 * Each tab has a random name in its sessionStorage. A page that finds its session there asks the
 * other pages of this browser; one that is in the same session under the same name answers, and so
 * the one that asked is the copy, which takes a new name. Pages that share a session by its
 * link have other names. Pure but for what it is given; without a BroadcastChannel it never
 * finds anything.
 */
/** The part of a BroadcastChannel that is used. */
interface ChannelLike {
    onmessage: ((event: any) => void) | null;
    postMessage(message: any): void;
}
/** One tab, as long as its page is there. */
declare class Tab {
    private storage;
    private open;
    private random;
    private name;
    private page;
    private channel;
    private held;
    private copied;
    private watchers;
    constructor(storage: () => StorageLike | undefined, open: () => ChannelLike | undefined, random: () => number);
    /**
     * This page is in a session.
     *
     * @param session  Its id.
     * @param isKept   Whether the tab had it before this page, and no link named it.
     */
    hold(session: string, isKept: boolean): void;
    /** Whether the tab was copied from one that is still in that session. */
    isCopyIn(session: string | undefined): boolean;
    /** Calls back when the tab turns out to be a copy. */
    onCopied(watcher: () => void): void;
    private begin;
    private receive;
    /** Takes a fresh name, and notes that of the tab that this one was copied from. */
    private rename;
    private read;
    private write;
}
/**
 * The messages between a page and its analysis, over one socket after another.
 *
 * It knows no page: whatever is in a document, an address or a tab is handed in, or listens to the
 * signals (`connection.ts`). tests/client/transport.test.mjs holds that.
 *
 * Theory of operation: the deciders (session, processes, outbox, backoff) are pure; this file joins
 * them to a link, which owns the socket. Nothing is sent before the front answered `__connect`;
 * then, in this order: requests whose start was not seen, what waited in the outbox, cancels that
 * were asked for meanwhile. So the front sees a request before its cancel, and older ones first.
 */
/** What `errorCB` gets when the connection is gone for a while. */
declare const LOSS_MESSAGE = "Connection lost. Trying again\u2026";
/** Options of a connection, in addition to its address. */
interface ConnectionOptions extends Partial<Environment> {
    /** Class of the socket; the browser's own by default. */
    WebSocket?: SocketClass;
    /** Where the session's id is kept over a reload. */
    slot?: SessionSlot;
}
/** Joins a page or program to an analysis: `on` to listen, `emit` to act. */
declare class Transport {
    wsUrl: string;
    requestArgs: string;
    databenchBackendVersion: string | undefined;
    analysesVersion: string | undefined;
    /** Called when the connection is lost for a while, and without an argument when it is back. */
    errorCB: (message?: string) => void;
    /** Reserved: gets binary frames, which carry buffers. */
    onBinary: ((buffer: ArrayBuffer) => void) | undefined;
    /** The last known state of the analysis. */
    readonly state: State;
    /** The kernel's state, and restart and interrupt. */
    readonly kernel: Kernel;
    /** Further sessions of the same visitor that wait for a page, as of the last join. */
    others: OtherSession[];
    /** Whether the session that was asked for has ended, and this is another one. */
    isReplaced: boolean;
    /** Whether the page may end what other sessions use; how it would get that right. */
    mayAdminister: boolean;
    howToAdminister: string;
    /** Whether a link led the page to its session. */
    isLinked: boolean;
    /** Requests that are open. */
    readonly processes: Processes;
    readonly environment: Environment;
    private readonly session;
    private readonly slot;
    private readonly outbox;
    private readonly signals;
    private readonly link;
    private readonly rounded;
    private readonly preEmitHooks;
    private joinCallbacks;
    private toldLoss;
    private toldFull;
    private nextProcessId;
    /**
     * @param wsUrl        URL of the websocket.
     * @param requestArgs  The query of the request, `?a=1`.
     * @param analysisId   Id of a session to join; a new one by default.
     * @param options      What the world consists of.
     */
    constructor(wsUrl: string, requestArgs: string, analysisId?: string | null, options?: ConnectionOptions);
    /** Id of the session; undefined until the front has given one. May be set before connecting. */
    get analysisId(): string | undefined;
    set analysisId(id: string | undefined);
    /** Whether the front has answered, and what is done about it if not. */
    get status(): ConnectionStatus;
    /** Since when it is not joined, on the page's clock; null while it is or is not wanted. */
    get lostSinceMs(): number | null;
    /** Why the server serves the analysis no more; null while it does, as far as is known. */
    get goneReason(): string | null;
    /** Whether no websocket of this page ever got through to the server. */
    get isUnreached(): boolean;
    /** Why the server takes this page only later; null while it does, as far as is known. */
    get busyReason(): string | null;
    /** Whether `connect()` was called, and `disconnect()` was not. */
    get isWanted(): boolean;
    /**
     * Connects, and stays connected until `disconnect()`.
     *
     * @param callback  Called once, when the front has answered.
     */
    connect(callback?: (connection: this) => void): this;
    /** Closes the connection. What runs on the server continues; `connect()` joins it again. */
    disconnect(): void;
    /** Calls back on every change of `status`; returns how to stop that. */
    onStatus(watcher: (status: ConnectionStatus) => void): () => void;
    /** Calls the listeners of a signal, as if the analysis had emitted it. */
    trigger(signal: string, message?: any): void;
    /**
     * Listens for a signal.
     *
     * @param signal    A name; a regular expression on names; or an object such as `{data: 'pi'}`,
     *                  `{class_data: 'n'}` or `{data: /^curve/}` for a key of the message.
     * @param callback  Gets the message and the signal, or the value and its key.
     */
    on(signal: SignalPattern, callback: SignalCallback): this;
    /** Listens, and returns how to stop listening. */
    listen(signal: SignalPattern, callback: SignalCallback): () => void;
    /** The next message of a signal, as a promise. */
    once(signal: SignalPattern): Promise<any>;
    /** Sets a hook that sees, and may replace, a message before it is sent. */
    preEmit(signalName: string, callback: (message: any) => any): this;
    /** Calls an action: now, or when the connection is back. Without `connect()`, only the hooks run. */
    emit(signalName: string, message?: any): this;
    /** Listens for the start and the end of a request, by the `__process_id` sent with it. */
    onProcess(processId: number, callback: (status: 'start' | 'end', load?: ProcessLoad) => void): this;
    /**
     * Calls an action and waits for its end.
     *
     * @param action   Name of the action.
     * @param args     Its arguments by name.
     * @param options  `signal` cancels it, `onProgress` gets `self.progress`.
     * @returns        What the handler returned. Rejects with an `ActionError` that has `outcome`.
     */
    call(action: string, args?: any, options?: CallOptions): Promise<any>;
    /**
     * Cancels a request by its id, or all open ones of an action.
     *
     * @param target  An id or an action's name.
     * @param force   Ends the kernel when nothing else helped; others may share it.
     * @returns       How many requests it concerns.
     */
    cancel(target: number | string, { force }?: {
        force?: boolean;
    }): number;
    /** A fresh number for `__process_id`. */
    newProcessId(): number;
    private cancelOne;
    private linkOwner;
    /** A request that the server finds too large would be refused again after every reconnect. */
    private dropTooLarge;
    private receive;
    private take;
    private joined;
    /** Brings the open requests to the front's list of running ones. */
    private settle;
    private sendWaiting;
    private refuse;
    private noteVersion;
    private writeLogsToConsole;
}
/**
 * Keeps what a visitor typed and did not send over a reload of the page, in sessionStorage.
 *
 * A value that the analysis knows comes back with its state; so of wired inputs only edits that
 * were not sent are put back, and of all inputs those that still show the value of the page's HTML.
 * Passwords and files are left out.
 */
/** Notes all inputs of the page, for the page that follows. */
declare function keepTyped(): void;
/** Puts back what the page before the reload noted, once. */
declare function restoreTyped(): void;
/**
 * Messages about the page as a whole, such as a connection that failed.
 */
/** Text as HTML that shows that text. */
declare function escapeHtml(text: string): string;
/** Usually wired to `<div id="databench-alerts">`: counts equal messages. */
declare class StatusLog extends UIElement {
    formatter: (message: string, count: number) => string;
    _messages: {
        [message: string]: number;
    };
    private readonly box;
    /**
     * @param node       Where the messages go; its content stays.
     * @param formatter  Makes HTML of a message, which comes to it escaped, and of its count.
     */
    constructor(node: HTMLElement, formatter?: (message: string, count: number) => string);
    /** HTML of an alert. */
    static defaultAlert(message: string, count: number): string;
    /** Shows the messages. */
    render(): this;
    /** Adds a message; without one, clears them all. */
    add(message?: any): this;
    /** Wires the alerts of a page. */
    static wire(conn: Connection, id?: string, formatter?: (message: string, count: number) => string): void;
}
/**
 * A button that calls an action, and is busy while that action runs.
 */
/** Whether a button's action runs. */
declare enum ButtonState {
    Idle = 1,
    Active = 2
}
/** Selects what may be a button. */
declare const BUTTON_SELECTOR = "button,input[type=button][data-action],input[type=submit][data-action]";
/** Wired to every `<button>` with a name. */
declare class Button extends UIElement {
    _state: ButtonState;
    /** Makes the ids of its requests. */
    newProcessId: () => number;
    private running;
    private hadFocus;
    constructor(node: HTMLElement);
    /** Replaced when it is wired; may be replaced by a page. */
    clickCB(_processId: number): void;
    /** Shows its state. */
    render(): this;
    /** Calls the action, unless it runs. */
    click(): this;
    /** Sets and shows its state. */
    state(state: ButtonState): this;
    /** Wires all buttons of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
    private found;
    private begin;
    private ended;
    /** A disabled button loses the keyboard's focus; visitors who use keys want to press it again. */
    private giveFocusBack;
}
/**
 * `data-cancel="run"`: cancels what runs of an action; disabled while nothing does.
 */
/** Wired to every element with `data-cancel`. */
declare class Cancel extends UIElement {
    constructor(node: HTMLElement);
    /** Wires all cancel elements of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
    private show;
}
/**
 * `<input type="checkbox">`: true or false.
 */
/** Wired to checkboxes with a name. */
declare class Checkbox extends Input {
    node: HTMLInputElement & {
        databenchUI?: UIElement;
    };
    getValue(): boolean;
    setValue(value: any): this;
    /** Wires all checkboxes of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
}
/**
 * What all wired elements share: their names, and their bond to a connection.
 */
/** An element of the page that is wired. */
interface HTMLDatabenchElement extends HTMLElement {
    databenchUI?: UIElement;
}
/** A part of the page to look for elements in. */
type Root = Document | HTMLElement;
/** What an element listens to: a signal, or a key of one. */
type WireSignal = string | {
    [signal: string]: string;
};
/** Base of all wired elements; found at the node as `databenchUI`. */
declare class UIElement {
    node: HTMLDatabenchElement;
    static idCounter: number;
    /** Number of this element in the order in which they were made. */
    idCount: number;
    /** The action's name; empty if the node has none. */
    actionName: string;
    wireSignal: WireSignal;
    private bonds;
    private boundTo;
    constructor(node: HTMLElement);
    /** Whether `data-skipwire` keeps the node out. */
    static skipWire(node: HTMLElement): boolean;
    /** The name that a node's `data-action`, `name` or `id` gives it, in this order; or empty. */
    static nameOf(node: HTMLElement): string;
    /** May be replaced: changes what is sent with the action. */
    actionFormat(value: any): any;
    /** Name of the action of a node. */
    determineActionName(node: HTMLElement): string;
    /**
     * What a node listens to: `data-signal`, in which `data:pi` means the key `pi` of the signal
     * `data`; otherwise the key of `data` that has the node's name.
     */
    determineWireSignal(node: HTMLElement): WireSignal;
    /** Whether it currently listens to a connection. */
    get isBound(): boolean;
    /** Binds it to a connection, once. */
    bind(conn: Connection): void;
    /** Binds it again to the connection that it had, if it had one. */
    rebind(): void;
    /** Lets go of the connection, as when the node left the page. */
    unbind(): void;
    /** What a kind of element does when it is bound; returns how to undo each part. */
    protected listen(_conn: Connection): (() => void)[];
    /** Listens to `wireSignal`, and gets at once the value that the state already holds. */
    protected hear(conn: Connection, callback: SignalCallback): () => void;
}
/** The nodes that a selector finds in a root, itself included. */
declare function select(root: Root | undefined, selector: string): HTMLElement[];
/** The nodes that a selector finds, without those that are wired already or want to be left out. */
declare function unwired(root: Root | undefined, selector: string): HTMLElement[];
/**
 * Values to text. Pure.
 */
/** A value as text: nothing for null, JSON for objects and lists, `0` for 0. */
declare function asText(value: any): string;
/**
 * A value in the format of a `data-format` attribute.
 *
 * Numbers: `fixed:3`, `percent:1`, `exponential:2`, `precision:4`, `grouped` (1,000,000). Anything
 * else, and values that are not numbers, come as plain text.
 */
declare function formatted(value: any, format: string | undefined): string;
/** Seconds in words: `14 s`, `3 min 05 s`, `2 h 10 min`. */
declare function duration(seconds: number): string;
/**
 * Once per frame of the screen.
 */
/**
 * Calls back once per frame, however often it is asked to between two.
 *
 * @returns  Asks for it.
 */
declare function oncePerFrame(callback: () => void): () => void;
/**
 * `<img data-signal="plot">`: shows the address, or the data URL, that a signal carries.
 */
/** Wired to images with `data-signal`. */
declare class Image extends UIElement {
    node: HTMLImageElement & {
        databenchUI?: UIElement;
    };
    constructor(node: HTMLElement);
    getSrc(): string;
    /** Hides an image without an address: a browser may draw a frame or a broken image for it. */
    render(): this;
    /** Shows an image; hides it for null. */
    setSrc(src: string | null | undefined): this;
    /** Wires all images of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
}
/**
 * The common part of all inputs: they send what a visitor enters and show the state.
 *
 * A value from the analysis never overwrites what is being typed: while a node has the focus and
 * was edited a moment ago, or holds an edit that was not sent, the value waits. An edit that is
 * sent meanwhile makes the waiting value old, and it is dropped.
 */
/** An edit is fresh for this long, in milliseconds. */
declare const EDIT_QUIET_MS = 1000;
/** Any element of a form that a visitor can change. */
type InputNode = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
/** Base of all inputs. */
declare abstract class Input extends UIElement {
    node: InputNode & {
        databenchUI?: UIElement;
    };
    private environment;
    private editedMs;
    /** It holds an edit that was not sent yet. */
    isUnsent: boolean;
    private isResumed;
    private held;
    private releaseTimer;
    constructor(node: HTMLElement);
    /** What a visitor entered, as the analysis gets it. */
    abstract getValue(): any;
    /** Shows a value of the analysis. */
    abstract setValue(value: any): this;
    /** Replaced when it is wired; may be replaced by a page. */
    changeCB(_value: any): void;
    /** Takes a value that a script has set as an edit of the visitor, not yet sent. */
    resume(): void;
    /** Sends what was entered. */
    change(): void;
    /** What is sent. */
    protected entered(): any;
    /** Takes a value from the analysis: now, or when the visitor is done. */
    receive(value: any): void;
    protected listen(conn: Connection): (() => void)[];
    private noteEdit;
    private isBeingEdited;
    private release;
}
/**
 * The log of a page: what the analysis and the page itself send as `log`, `warn` and `error`.
 */
/** Usually wired to `<pre id="log">`. */
declare class Log extends UIElement {
    limitNumber: number;
    limitLength: number;
    _messages: string[][];
    private readonly renderSoon;
    /**
     * @param node         Where the messages go.
     * @param limitNumber  Messages shown at most; the newest.
     * @param limitLength  Characters shown at most of each.
     */
    constructor(node: HTMLElement, limitNumber?: number, limitLength?: number);
    /** Shows the messages. */
    render(): this;
    /** Adds a message. */
    add(message: any, source?: string): this;
    /** Wires the log of a page. */
    static wire(conn: Connection, id?: string, wireSignals?: string[], limitNumber?: number, limitLength?: number): void;
    /** Shows what the analysis and the page send as these signals from now on. */
    showSignals(conn: Connection, signals?: string[]): void;
    private shortened;
}
/**
 * Shows notices in `#databench-alerts` and carries out their buttons.
 */
/** The notices of one page. */
declare class NoticePanel {
    private node;
    private conn;
    private failures;
    private asking;
    /** The further sessions that were dismissed. */
    private staying;
    private lines;
    private timer;
    private fold;
    constructor(node: HTMLElement, conn: Connection);
    /** Puts the notices of a connection into the page's alerts. */
    static wire(conn: Connection, id?: string): void;
    /** Shows the current notices, and comes back while any of them changes with time. */
    render(): void;
    private view;
    private note;
    private forget;
    private press;
    private show;
    /** Puts lines where they belong, in their order. */
    private place;
    /** The fold of earlier failures, last in the panel; it stays open or closed while there are any. */
    private foldOfEarlier;
    private showOne;
    private lineOf;
    private buttonOf;
}
/**
 * The page's notices about its connection, its kernel and its requests. Pure.
 *
 * One function takes everything that is known and returns the notices to show, so that any state
 * can be tested without a page. A notice's `ticking` part changes with time and is kept out of
 * what a screen reader reads out.
 */
/** Connection: gone for longer than this before it shows, in milliseconds. */
declare const QUIET_LOSS_MS = 1500;
/** Kernel: starting for longer than this before it shows, in milliseconds. */
declare const QUIET_START_MS = 400;
/** Activity: an action without its own cancel element shows after this, in milliseconds. */
declare const QUIET_ACTIVITY_MS = 2000;
/** What a notice's button does. */
type NoticeWord = 'restart' | 'interrupt' | 'force' | 'cancel' | 'dismiss' | 'ask' | 'keep' | 'rejoin' | 'stay' | 'own';
/** A button of a notice. */
interface NoticeButton {
    label: string;
    word: NoticeWord;
    /** The request, or for `ask` what is asked. */
    id?: number;
    asked?: 'restart' | 'force';
    /** The session to rejoin. */
    session?: string;
}
/** One message to show. */
interface Notice {
    key: string;
    level: 'quiet' | 'warning' | 'danger';
    text: string;
    ticking?: string;
    /** Lines behind a fold: standard error, or a traceback. */
    lines?: string[];
    /** The fold is open from the start. */
    isOpen?: boolean;
    /** A failure with a newer one: it stands behind the fold of those. */
    isEarlier?: boolean;
    buttons?: NoticeButton[];
}
/** A request, as far as notices need it. */
interface NoticeProcess {
    id: number;
    action: string;
    sinceMs: number;
    cancelMs: number | null;
    forced: boolean;
    /** Its kernel was lost, and the next one runs it once more. */
    isAgain?: boolean;
    value: number | null;
    total: number | null;
    /** The page has an element to cancel it. */
    hasCancel: boolean;
    /** The server has not seen it: it is sent when the connection is back. */
    isWaiting: boolean;
}
/** Another session of the same visitor. */
interface NoticeSession {
    id: string;
    running: {
        action: string;
        elapsed_s: number;
    }[];
}
/** A request that failed or was lost. */
interface NoticeFailure {
    id: number;
    action: string;
    outcome: 'error' | 'lost';
    message: string;
    traceback: string;
    /** It ended its kernel before, and is refused until there is another one. */
    isPoisoned?: boolean;
}
/** Everything that notices are made from. */
interface NoticeView {
    status: ConnectionStatus;
    lostSinceMs: number | null;
    /** Why the server serves the analysis no more. */
    goneReason: string | null;
    /** The websocket's address, where none of this page ever got through to it; else null. */
    unreachedUrl: string | null;
    /** Why the server takes this page only later. */
    busyReason: string | null;
    kernel: {
        state: KernelState;
        reason: string;
        sinceMs: number;
        retryInS: number | null;
        sessions: number;
        isShared: boolean;
        isolation: string;
        ahead: number;
        stderr: string[];
        cancelLimitMs: number;
        codeChange: string;
        mistake: string;
    };
    processes: NoticeProcess[];
    failures: NoticeFailure[];
    /** The visitor's further sessions, until they choose to stay. */
    others: NoticeSession[];
    /** Whether the page may end what other sessions use; how it would get that right. */
    mayAdminister: boolean;
    howToAdminister: string;
    /** The session that the page's address named has ended. */
    isReplaced: boolean;
    /** The tab was copied from another one that is in this session too. */
    isCopy: boolean;
    /** What the visitor was asked to confirm. */
    asking: {
        word: 'restart' | 'force';
        id?: number;
    } | null;
}
/** The notices to show now, the most important first. */
declare function noticesOf(view: NoticeView, nowMs: number): Notice[];
/**
 * `<input type="number">`: a number, or null while it is empty.
 *
 * What was typed stays as it was typed (`007`, `1e3`, `0.10`) while the analysis has the same
 * number, and an integer that JavaScript would round is sent with all of its digits.
 */
/** Wired to number inputs with a name. */
declare class NumberInput extends TextInput {
    getValue(): number | null;
    setValue(value: any): this;
    change(): void;
    protected entered(): any;
    /** Wires all number inputs of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
}
/**
 * `data-plot="line"`: plain numbers as a live line, drawn as SVG in the theme's colours.
 */
/** A place on the plot; a null y is a gap in the line. */
type Point = [x: number, y: number | null];
/**
 * Points of what a signal carries.
 *
 * @param value  A list of numbers, a list of pairs, or `{x: [...], y: [...]}`.
 */
declare function pointsOf(value: any): Point[];
/** Smallest and largest of some numbers, apart even if they are all the same. */
declare function spanOf(values: number[]): [number, number];
/** Digits of two different numbers with which rounding takes at most 1 % of what lies between. */
declare function digitsApart(low: number, high: number): number;
/** Wired to elements with `data-signal` and `data-plot="line"`. */
declare class Plot extends UIElement {
    private pending;
    private readonly showSoon;
    /**
     * May be replaced: how a number is written at an axis.
     *
     * @param digits  How many distinguish the ends of the axis; at least 4.
     */
    formatFn(value: number, digits?: number): string;
    /** Draws a line; an empty plot for null or an empty list. */
    setValue(value: any): this;
    /** Wires all plots of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
    private describe;
    private textsOf;
    private formatterOf;
}
/**
 * `data-progress="run"`: the progress of an action.
 */
/** Wired to every element with `data-progress`: a `<progress>`, or text such as `3 / 40`. */
declare class Progress extends UIElement {
    constructor(node: HTMLElement);
    /** May be replaced: the text of an element that is not a `<progress>`. */
    formatFn(value: number, total: number | null): string;
    /** Shows a place; null for one that is not known while the action runs. */
    setValue(value: number | null, total: number | null): this;
    /** Shows that nothing runs. */
    clear(): this;
    /** Wires all progress elements of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
    private follow;
    private finish;
}
/**
 * `<input type="radio">`: the value of the one that is chosen of its name.
 */
/** Wired to each radio button with a name; those of one name make one value. */
declare class Radio extends Input {
    node: HTMLInputElement & {
        databenchUI?: UIElement;
    };
    getValue(): string;
    setValue(value: any): this;
    /** Wires all radio buttons of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
}
/**
 * `<select>`: the value of the chosen option, or with `multiple` a list of them.
 */
/** Wired to selects with a name. */
declare class Select extends Input {
    node: HTMLSelectElement & {
        databenchUI?: UIElement;
    };
    getValue(): string | string[];
    setValue(value: any): this;
    /** Wires all selects of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
}
/**
 * `<input type="range">`, with its value shown in its label.
 */
/** Wired to sliders with a name. */
declare class Slider extends Input {
    node: HTMLInputElement & {
        databenchUI?: UIElement;
    };
    labelNode: HTMLElement | undefined;
    /** What the label held before the value was added to it. */
    labelHtml: string;
    private output;
    /** The analysis may yet send a value: where the browser has put the slider means nothing. */
    private isAwaiting;
    /**
     * @param node       The slider.
     * @param labelNode  Its label; found by the slider's id, or around it, by default.
     */
    constructor(node: HTMLElement, labelNode?: HTMLElement);
    /** May be replaced: a value of the analysis as the slider's number. */
    valueToSlider(value: number): string | number;
    /** May be replaced: the slider's number as a value of the analysis. */
    sliderToValue(value: number): any;
    /** May be replaced: how a value is shown in the label. */
    formatFn(value: any): string;
    /** Shows the value in the label. */
    render(): this;
    getValue(): any;
    setValue(value: any): this;
    protected listen(conn: Connection): (() => void)[];
    /** The labels of a part of the page, by the id of what they label. */
    static labelsForSliders(root?: Root): {
        [id: string]: HTMLLabelElement;
    };
    /** Wires all sliders of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
}
/**
 * Text that follows a value: `<span data-signal="data:pi.estimate">`.
 */
/** Selects what may be text. */
declare const TEXT_SELECTOR: string;
/** Wired to elements with `data-signal`, and to some with `data-action`. */
declare class Text extends UIElement {
    private pending;
    private readonly showSoon;
    /** May be replaced: a value as text, or as a node. Text is never read as HTML. */
    formatFn(value: any): string | Node;
    /** The text that is shown. */
    getValue(): string;
    /** Shows a value. */
    setValue(value?: any): this;
    /** Wires all text of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
}
/**
 * Inputs of text: `<input>` of type text, search, email, date and the like, and `<textarea>`.
 */
/** Wired to text inputs and text areas with a name. */
declare class TextInput extends Input {
    _triggerOnKeyUp: boolean;
    private readonly keyUp;
    /** May be replaced: a value of the analysis as text. */
    formatFn(value: any): string;
    /**
     * Sends on every key, instead of on enter and on leaving the element.
     *
     * @param v  False to send on enter again.
     */
    triggerOnKeyUp(v?: boolean): this;
    getValue(): any;
    setValue(value: any): this;
    /** Wires all text inputs of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
}
/**
 * Short notices of the analysis: the texts of `self.toast(text)`, gone again after a moment.
 */
/** How long a toast stands, in milliseconds. */
declare const TOAST_MS = 4000;
/** Toasts that stand at once, at most; the newest. */
declare const TOASTS_LIMIT = 5;
/**
 * A reloaded page gets its session's past again: for this long, in milliseconds, it shows no
 * toasts, since each of them was shown by the page before.
 */
declare const TOASTS_PAST_MS = 1000;
/** The toasts of one page. */
declare class Toasts {
    private node;
    private conn;
    private hasJoined;
    private quietUntilMs;
    constructor(node: HTMLElement, conn: Connection);
    /** Puts the toasts of a connection into the page's alerts. */
    static wire(conn: Connection, id?: string): void;
    /** Shows a message, as text; nothing for null and for an empty text. */
    add(message: any): this;
    private joined;
}
/**
 * All values of `data`, for a page that names none: `<dl data-values>`.
 */
/** Wired to elements with `data-values`. Each value is an element, wired like any. */
declare class Values extends UIElement {
    private shown;
    /** Wires all lists of values of a part of the page. */
    static wire(conn: Connection, root?: Root): void;
    protected listen(conn: Connection): (() => void)[];
    private show;
}
/**
 * Wires the elements of a page, those that come into it later included.
 */
/**
 * Wires all elements to a connection, and those that are added later.
 *
 * @param connection  What they act on and listen to.
 * @param root        The part of the page; all of it by default.
 * @returns           The same connection.
 */
declare function wire(connection: Connection, root?: Root): Connection;
/** Elements that show the connection and the kernel, in any page. */
declare function wireNotices(connection: Connection): void;
declare namespace ui {
  export { StatusLog, Button, ButtonState, Cancel, Checkbox, UIElement, HTMLDatabenchElement, Root, WireSignal, Image, Input, Log, NumberInput, Plot, Progress, Radio, Select, Slider, Text, TextInput, Values, wire };
}
/**
 * Everything that `databench.js` offers.
 */
/**
 * Makes a connection and connects it.
 *
 * In a page the session's id is kept over a reload, so that the page finds its run again. A page
 * whose address names a session (`?session=…`) joins that one.
 *
 * @param wsUrl        URL of the websocket; guessed from the page's address by default.
 * @param requestArgs  The query of the request; that of the page by default.
 * @param analysisId   Id of a session to join; it comes before a kept one.
 * @param callback     Called once, when the front has answered.
 * @param options      What the world consists of, for Node and for tests.
 */
declare function connect(wsUrl?: string | null, requestArgs?: string | null, analysisId?: string | null, callback?: (connection: Connection) => void, options?: ConnectionOptions): Connection;
/** Like `connect`, as a promise of the connection, kept when the front has answered. */
declare function attach(wsUrl?: string | null, requestArgs?: string | null, analysisId?: string | null, options?: ConnectionOptions): Promise<Connection>;
/**
 * Follows what is saved, in a page without an analysis such as the gallery; in development only.
 *
 * It loads again too when the server was started again.
 */
declare function follow(): Connection;
/**
 * Wires and connects the page: what the base template does for a page without a script.
 *
 * A page whose own script has made a connection is left alone, and so is one that starts twice.
 * The connection is also the global `databench`, for a page's script and for the console.
 */
declare function start(): Connection | undefined;
export { ActionError, CallOptions, CallProgress, Outcome, ProcessLoad, KernelLoad, Connection, ConnectionOptions, ConnectionStatus, useWebSocket, Environment, SocketClass, SocketLike, Kernel, ui, connect, attach, follow, start };
/** The class of websockets, where the runtime has none; see `useWebSocket`. */
interface DatabenchModule {
  /** Connects the page, in the way of the first release. */
  (name: string): FirstRelease;
  ActionError: typeof ActionError;
  Connection: typeof Connection;
  useWebSocket: typeof useWebSocket;
  Kernel: typeof Kernel;
  ui: typeof ui;
  connect: typeof connect;
  attach: typeof attach;
  follow: typeof follow;
  start: typeof start;
  WebSocket: SocketClass | undefined;
}
declare const databench: DatabenchModule;
export default databench;
export as namespace Databench;
