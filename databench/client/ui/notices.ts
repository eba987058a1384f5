/**
 * The page's notices about its connection, its kernel and its requests. Pure.
 *
 * One function takes everything that is known and returns the notices to show, so that any state
 * can be tested without a page. A notice's `ticking` part changes with time and is kept out of
 * what a screen reader reads out.
 */

import type { KernelState } from '../kernel';
import type { ConnectionStatus } from '../link';
import { duration } from './format';

/** Connection: gone for longer than this before it shows, in milliseconds. */
export const QUIET_LOSS_MS = 1500;

/** Kernel: starting for longer than this before it shows, in milliseconds. */
export const QUIET_START_MS = 400;

/** Activity: an action without its own cancel element shows after this, in milliseconds. */
export const QUIET_ACTIVITY_MS = 2000;

/** Three pings, 2 s apart, went unanswered before a kernel is called unresponsive. */
const UNANSWERED_S = 6;

/** What a notice's button does. */
export type NoticeWord =
  | 'restart' | 'interrupt' | 'force' | 'cancel' | 'dismiss' | 'ask' | 'keep' | 'rejoin' | 'stay' | 'own';

/** A button of a notice. */
export interface NoticeButton {
  label: string;
  word: NoticeWord;
  /** The request, or for `ask` what is asked. */
  id?: number;
  asked?: 'restart' | 'force';
  /** The session to rejoin. */
  session?: string;
}

/** One message to show. */
export interface Notice {
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
export interface NoticeProcess {
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
export interface NoticeSession {
  id: string;
  running: { action: string; elapsed_s: number }[];
}

/** A request that failed or was lost. */
export interface NoticeFailure {
  id: number;
  action: string;
  outcome: 'error' | 'lost';
  message: string;
  traceback: string;
  /** It ended its kernel before, and is refused until there is another one. */
  isPoisoned?: boolean;
}

/** Everything that notices are made from. */
export interface NoticeView {
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
  asking: { word: 'restart' | 'force'; id?: number } | null;
}

/** Words of buttons that end a kernel. */
const ENDING = new Set<string>(['restart', 'force', 'ask']);

/** The notices to show now, the most important first. */
export function noticesOf(view: NoticeView, nowMs: number): Notice[] {
  const failures = failureNotices(view);
  if (view.status !== 'joined') return [...lossNotices(view, nowMs), ...failures];
  const upper = permitted(view, [
    ...questionNotices(view),
    ...kernelNotices(view, nowMs),
    ...codeNotices(view),
    ...mistakeNotices(view),
    ...cancelNotices(view, nowMs),
  ]);
  const isSaid = upper.some(n => n.key === 'right'); // once is enough
  return [
    ...upper,
    ...sessionNotices(view),
    ...activityNotices(view, nowMs),
    ...permitted(view, failures).filter(n => n.key !== 'right' || !isSaid),
  ];
}

function lossNotices(view: NoticeView, nowMs: number): Notice[] {
  if (view.lostSinceMs === null || nowMs - view.lostSinceMs < QUIET_LOSS_MS) return [];
  if (view.goneReason !== null) {
    const text = `${view.goneReason}. This page continues when it is served again.`;
    return [{ key: 'loss', level: 'warning', text }];
  }
  if (view.unreachedUrl !== null) return [unreachedNotice(view.unreachedUrl, view.lostSinceMs, nowMs)];
  const what = view.busyReason === null
    ? 'Connection lost, trying again.' : `${view.busyReason} This page tries again by itself.`;
  return [{
    key: 'loss',
    level: 'warning',
    text: [what, ...workTexts(view.processes)].join(' '),
    ticking: duration((nowMs - view.lostSinceMs) / 1000),
  }];
}

/** The page is here, and its websocket is not: what most probably is in between. */
function unreachedNotice(url: string, lostSinceMs: number, nowMs: number): Notice {
  return {
    key: 'loss',
    level: 'warning',
    text: `This page cannot reach its analysis: it cannot open the websocket ${url}. If a proxy is `
      + 'in front of the server, it must forward the headers Upgrade and Connection and keep the '
      + 'address unchanged. Otherwise the server has stopped. Trying again.',
    ticking: duration((nowMs - lostSinceMs) / 1000),
  };
}

/** What runs at the server, and what waits for the connection. */
function workTexts(processes: NoticeProcess[]): string[] {
  const running = namesOf(processes.filter(p => !p.isWaiting));
  const waiting = processes.filter(p => p.isWaiting).length;
  const texts = [];
  if (running) texts.push(`${running} continues on the server.`);
  if (waiting) {
    const what = waiting === 1 ? '1 action waits' : `${waiting} actions wait`;
    texts.push(`${what} to be sent.`);
  }
  return texts.length ? texts : ['Nothing was running.'];
}

function namesOf(processes: NoticeProcess[]): string {
  const names = [...new Set(processes.map(p => p.action).filter(Boolean))];
  return names.length ? `“${names.join('”, “')}”` : '';
}

/** What the visitor left behind elsewhere; a link to a session that has ended. */
function sessionNotices({ others, isReplaced, isCopy }: NoticeView): Notice[] {
  const notices: Notice[] = others.map(other => {
    const label = other.running.length ? 'Rejoin' : 'Show it';
    const rejoin: NoticeButton = { label, word: 'rejoin', session: other.id };
    return {
      key: `session ${other.id}`, level: 'quiet', text: otherText(other), buttons: [rejoin],
    };
  });
  notices[notices.length - 1]?.buttons!.push({ label: 'Dismiss', word: 'stay' });
  if (isCopy) {
    const buttons: NoticeButton[] = [{ label: 'Use a new session', word: 'own' }];
    if (!notices.length) buttons.push({ label: 'Dismiss', word: 'stay' });
    notices.unshift({
      key: 'copy', level: 'quiet', buttons,
      text: 'This tab is a copy of another one and shares its session: a change in one tab shows in both.',
    });
  }
  if (isReplaced) {
    notices.unshift({
      key: 'replaced', level: 'quiet', text: 'The earlier session has ended. This is a new one.',
      buttons: notices.length ? [] : [{ label: 'Dismiss', word: 'stay' }],
    });
  }
  return notices;
}

function otherText({ running }: NoticeSession): string {
  if (!running.length) return 'You have a result that you have not seen';
  const count = running.length === 1 ? '1 of your runs is' : `${running.length} of your runs are`;
  const longestS = Math.max(...running.map(r => r.elapsed_s));
  const names = [...new Set(running.map(r => r.action))].join('”, “');
  return `${count} still in progress: “${names}”, for ${duration(longestS)}`;
}

/** Without what the page may not do, and with the reason: others use the kernel too. */
function permitted(view: NoticeView, notices: Notice[]): Notice[] {
  const { kernel } = view;
  const isDown = kernel.state === 'backoff' || kernel.state === 'failed'; // nothing is to be ended
  if (view.mayAdminister || !kernel.isShared || isDown) return notices;
  const isEnding = ({ word }: NoticeButton) => ENDING.has(word);
  const left = notices.filter(n => n.key !== 'question').map(n => (
    n.buttons ? { ...n, buttons: n.buttons.filter(b => !isEnding(b)) } : n));
  if (notices.some(n => n.buttons?.some(isEnding))) {
    const text = 'Other sessions use this kernel too, so only an administrator may end it.';
    left.push({ key: 'right', level: 'quiet', text: `${text} ${view.howToAdminister}`.trim() });
  }
  return left;
}

function questionNotices({ asking, kernel }: NoticeView): Notice[] {
  if (!asking) return [];
  const sure: NoticeButton = { label: 'End it for all', word: asking.word };
  if (asking.id !== undefined) sure.id = asking.id;
  return [{
    key: 'question',
    level: 'danger',
    text: `${kernel.sessions} sessions share this kernel. Ending it stops what they run.`,
    buttons: [sure, { label: 'Keep it', word: 'keep' }],
  }];
}

function kernelNotices({ kernel }: NoticeView, nowMs: number): Notice[] {
  const forS = (nowMs - kernel.sinceMs) / 1000;
  const restart = endingButton('Restart', 'restart', kernel.sessions);
  switch (kernel.state) {
    case 'starting':
      if (nowMs - kernel.sinceMs < QUIET_START_MS) return [];
      return [{ key: 'kernel', level: 'quiet', text: 'Starting…', ticking: duration(forS) }];
    case 'unresponsive':
      return [{
        key: 'kernel', level: 'warning', text: 'The analysis is not answering',
        ticking: `for ${duration(forS + UNANSWERED_S)}`,
        buttons: [{ label: 'Interrupt', word: 'interrupt' }, restart],
      }];
    case 'backoff':
      return [{
        key: 'kernel', level: 'warning', text: sentence(kernel.reason, 'The kernel ended'),
        ticking: backoffText(kernel.retryInS, forS), lines: kernel.stderr,
        buttons: [{ label: 'Restart now', word: 'restart' }],
      }];
    case 'failed':
      return [{
        key: 'kernel', level: 'danger',
        text: saidLast(kernel.stderr) + sentence(kernel.reason, 'The kernel failed'),
        lines: kernel.stderr, isOpen: true,
        buttons: [{ label: 'Start again', word: 'restart' }],
      }];
    case 'stopping':
      return [{ key: 'kernel', level: 'quiet', text: 'Stopping' }];
    case 'queued': {
      const place = kernel.ahead ? `${kernel.ahead} before you` : 'you are next';
      const text = `Waiting for a free kernel: ${place}`;
      return [{ key: 'kernel', level: 'quiet', text, ticking: duration(forS) }];
    }
    default: // a culled one starts again for the page that comes
      return [];
  }
}

/** New code waits for the end of what runs; also of what other sessions run. */
function codeNotices({ kernel, processes }: NoticeView): Notice[] {
  if (!kernel.codeChange) return [];
  const what = namesOf(processes) || 'the work of other sessions';
  return [{
    key: 'code', level: 'warning',
    text: `Code changed: ${kernel.codeChange}. The kernel restarts when ${what} has ended.`,
    buttons: [endingButton('Restart now', 'restart', kernel.sessions)],
  }];
}

/** A kernel that is being written sent something wrong: what it runs may never end. */
function mistakeNotices({ kernel }: NoticeView): Notice[] {
  if (!kernel.mistake) return [];
  return [{
    key: 'mistake', level: 'warning',
    text: `The kernel does not follow the protocol: ${kernel.mistake}`,
    buttons: [endingButton('Restart', 'restart', kernel.sessions)],
  }];
}

/** The last line of a failed start's traceback, in front of how often it failed. */
function saidLast(stderr: string[]): string {
  const last = [...stderr].reverse().find(line => line.trim()) ?? '';
  return /^[\w.]+(Error|Exception|Interrupt|Exit)\b/.test(last) ? `${last}. ` : '';
}

/** A reason as the server gives it, in lower case and with its subject. */
function sentence(reason: string, otherwise: string): string {
  return reason ? reason[0]!.toUpperCase() + reason.slice(1) : otherwise;
}

function backoffText(retryInS: number | null, forS: number): string {
  const leftS = Math.ceil((retryInS ?? 0) - forS);
  return leftS > 0 ? `starts again in ${duration(leftS)}` : 'starts again now';
}

function cancelNotices(view: NoticeView, nowMs: number): Notice[] {
  const { kernel } = view;
  return cancelled(view).map(process => {
    const notice: Notice = {
      key: `cancel ${process.id}`, level: 'quiet',
      text: process.action ? `Cancelling “${process.action}”…` : 'Cancelling…',
    };
    if (process.forced) return { ...notice, text: 'Ending the kernel…' };
    const forMs = nowMs - process.cancelMs!;
    // The server ends a kernel that no other session shares.
    if (forMs < kernel.cancelLimitMs || kernel.isolation === 'session') return notice;
    return {
      ...notice,
      ticking: duration(forMs / 1000),
      buttons: [endingButton('End it', 'force', kernel.sessions, process.id)],
    };
  });
}

/** Requests with a cancel; one that was asked for by a page before its reload shows in the kernel. */
function cancelled({ processes, kernel }: NoticeView): NoticeProcess[] {
  const own = processes.filter(p => p.cancelMs !== null);
  const [oldest] = processes;
  if (own.length || !oldest || kernel.state !== 'cancelling') return own;
  return [{ ...oldest, action: '', cancelMs: kernel.sinceMs }];
}

/** A button that ends a kernel: asks first where others share it. */
function endingButton(
  label: string, word: 'restart' | 'force', sessions: number, id?: number,
): NoticeButton {
  const button: NoticeButton = sessions > 1 ? { label, word: 'ask', asked: word } : { label, word };
  if (id !== undefined) button.id = id;
  return button;
}

/** Running actions that the page itself does not show; a second run always, because no one asked for it. */
function activityNotices({ processes }: NoticeView, nowMs: number): Notice[] {
  const shown = processes.filter(p => p.action && p.cancelMs === null
    && (p.isAgain || (!p.hasCancel && nowMs - p.sinceMs >= QUIET_ACTIVITY_MS)));
  return shown.map(process => {
    const part = process.value !== null && process.total
      ? ` · ${Math.floor((100 * process.value) / process.total)} %` : '';
    const running = process.isAgain
      ? `The kernel ended; “${process.action}” is running again` : `“${process.action}” is running`;
    return {
      key: `activity ${process.id}`, level: 'quiet', text: running,
      ticking: `${duration((nowMs - process.sinceMs) / 1000)}${part}`,
      buttons: process.hasCancel ? [] : [{ label: 'Cancel', word: 'cancel', id: process.id }],
    };
  });
}

/** The newest first, and alone in the open. */
function failureNotices({ failures, kernel }: NoticeView): Notice[] {
  const [newest, ...earlier] = [...failures].reverse().map(f => failureNotice(f, kernel.sessions));
  if (!newest) return [];
  return [newest, ...earlier.map(notice => ({ ...notice, isEarlier: true }))];
}

function failureNotice(failure: NoticeFailure, sessions: number): Notice {
  const what = failure.outcome === 'lost' ? 'was lost' : 'failed';
  return {
    key: `failure ${failure.id}`,
    level: 'danger',
    text: `“${failure.action}” ${what}${failure.message ? `: ${failure.message}` : ''}`,
    lines: failure.traceback ? failure.traceback.trimEnd().split('\n') : [],
    buttons: [
      ...(failure.isPoisoned ? [endingButton('Restart the kernel', 'restart', sessions)] : []),
      { label: 'Dismiss', word: 'dismiss', id: failure.id },
    ],
  };
}
