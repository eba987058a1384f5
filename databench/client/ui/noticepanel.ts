/**
 * Shows notices in `#databench-alerts` and carries out their buttons.
 */

import type { Connection } from '../connection';
import { PAGE_KEEPER, PAGE_TAB, pageLink } from '../page';
import type { Process } from '../processes';
import { UIElement } from './element';
import { Notice, NoticeButton, NoticeFailure, NoticeProcess, noticesOf, NoticeView } from './notices';

/** How often the texts that change with time are written, in milliseconds. */
const TICK_MS = 500;

/** Failures kept at most; the newest. All but one of them stand behind a fold. */
const FAILURES_LIMIT = 10;

/** The notices of one page. */
export class NoticePanel {
  private failures: NoticeFailure[] = [];
  private asking: NoticeView['asking'] = null;
  /** The further sessions that were dismissed. */
  private staying: unknown = null;
  private lines = new Map<string, HTMLElement>();
  private timer: unknown = null;
  private fold: HTMLDetailsElement | null = null;

  constructor(private node: HTMLElement, private conn: Connection) {
    conn.onStatus(() => this.render());
    conn.kernel.on(() => this.render());
    PAGE_TAB.onCopied(() => this.render());
    conn.processes.watch((event, process) => {
      if (event === 'open') this.forget(process.action);
      if (event === 'end') this.note(process);
      if (event !== 'progress') this.render();
    });
    this.render();
  }

  /** Puts the notices of a connection into the page's alerts. */
  static wire(conn: Connection, id = 'databench-alerts'): void {
    const node = document.getElementById(id);
    if (!node || UIElement.skipWire(node) || node.querySelector(':scope > .d-notices')) return;
    const box = document.createElement('div');
    box.className = 'd-notices';
    box.setAttribute('role', 'status');
    node.prepend(box);
    new NoticePanel(box, conn);
  }

  /** Shows the current notices, and comes back while any of them changes with time. */
  render(): void {
    const { environment } = this.conn;
    environment.clearTimeout(this.timer);
    const view = this.view();
    const notices = noticesOf(view, environment.now());
    this.show(notices);
    const isTicking = view.lostSinceMs !== null || view.processes.length > 0
      || view.kernel.state === 'starting' || notices.some(n => n.ticking !== undefined);
    this.timer = isTicking ? environment.setTimeout(() => this.render(), TICK_MS) : null;
  }

  private view(): NoticeView {
    const { conn } = this;
    return {
      status: conn.status, lostSinceMs: conn.lostSinceMs, goneReason: conn.goneReason,
      unreachedUrl: conn.isUnreached ? conn.wsUrl : null,
      busyReason: conn.busyReason,
      kernel: conn.kernel,
      processes: conn.processes.list().map(viewOf), failures: this.failures, asking: this.asking,
      others: this.staying === conn.others ? [] : conn.others,
      mayAdminister: conn.mayAdminister, howToAdminister: conn.howToAdminister,
      isReplaced: conn.isReplaced && this.staying !== conn.others,
      isCopy: PAGE_TAB.isCopyIn(conn.analysisId) && this.staying !== conn.others,
    };
  }

  private note(process: Process): void {
    if (this.conn.processes.list().length === 0) this.asking = null;
    const { outcome } = process;
    if (!process.action || (outcome !== 'error' && outcome !== 'lost')) return;
    if (isOfPageAlone(process)) return;
    const failure: NoticeFailure = {
      id: process.id, action: process.action, outcome,
      message: process.error?.message ?? '', traceback: process.error?.traceback ?? '',
      isPoisoned: process.error?.type === 'PoisonedAction',
    };
    this.failures = [...this.failures, failure].slice(-FAILURES_LIMIT);
  }

  private forget(action: string): void {
    this.failures = this.failures.filter(f => f.action !== action);
  }

  private press(button: NoticeButton): void {
    const { conn } = this;
    this.asking = null;
    if (button.word === 'ask') {
      this.asking = { word: button.asked! };
      if (button.id !== undefined) this.asking.id = button.id;
    } else if (button.word === 'restart') {
      this.failures = this.failures.filter(f => !f.isPoisoned); // it may be tried again
      conn.kernel.restart();
    } else if (button.word === 'interrupt') conn.kernel.interrupt();
    else if (button.word === 'force') conn.cancel(button.id!, { force: true });
    else if (button.word === 'cancel') conn.cancel(button.id!);
    else if (button.word === 'rejoin') location.assign(pageLink(button.session!));
    else if (button.word === 'own') {
      PAGE_KEEPER.forget(conn.analysisId!);
      conn.environment.reload();
    } else if (button.word === 'stay') this.staying = conn.others;
    else if (button.word === 'dismiss') {
      this.failures = this.failures.filter(f => f.id !== button.id);
    }
    this.render();
  }

  private show(notices: Notice[]): void {
    const keys = new Set(notices.map(n => n.key));
    for (const [key, line] of this.lines) {
      if (keys.has(key)) continue;
      line.remove();
      this.lines.delete(key);
    }
    const earlier = notices.filter(n => n.isEarlier);
    const fold = this.foldOfEarlier(earlier.length);
    this.place(this.node, notices.filter(n => !n.isEarlier), 0);
    if (fold) this.place(fold, earlier, 1); // after its summary
  }

  /** Puts lines where they belong, in their order. */
  private place(parent: HTMLElement, notices: Notice[], first: number): void {
    notices.forEach((notice, i) => {
      const line = this.showOne(notice);
      // Only where needed: moving a node takes the focus from its button.
      const there = parent.children[first + i] ?? null;
      if (there !== line) parent.insertBefore(line, there);
    });
  }

  /** The fold of earlier failures, last in the panel; it stays open or closed while there are any. */
  private foldOfEarlier(count: number): HTMLElement | null {
    if (count === 0) {
      this.fold?.remove();
      this.fold = null;
      return null;
    }
    if (!this.fold) {
      this.fold = document.createElement('details');
      this.fold.className = 'd-earlier';
      this.fold.append(document.createElement('summary'));
      this.node.append(this.fold);
    }
    const title = this.fold.querySelector('summary')!;
    const text = count === 1 ? '1 earlier problem' : `${count} earlier problems`;
    if (title.textContent !== text) title.textContent = text;
    return this.fold;
  }

  private showOne(notice: Notice): HTMLElement {
    const { ticking, ...steady } = notice;
    const print = JSON.stringify(steady);
    let line = this.lines.get(notice.key);
    if (line?.dataset['print'] !== print) {
      const fresh = this.lineOf(notice);
      fresh.dataset['print'] = print;
      line?.replaceWith(fresh);
      this.lines.set(notice.key, fresh);
      line = fresh;
    }
    const clock = line.querySelector('.d-ticking')!;
    if (clock.textContent !== (ticking ?? '')) clock.textContent = ticking ?? '';
    return line;
  }

  private lineOf(notice: Notice): HTMLElement {
    const line = document.createElement('div');
    const danger = notice.level === 'danger' ? ' alert-danger' : '';
    line.className = `alert${danger} d-notice d-notice-${notice.level}`;
    // An earlier one was read out when it was new.
    if (notice.level === 'danger' && !notice.isEarlier) line.setAttribute('role', 'alert');
    const text = document.createElement('span');
    text.textContent = notice.text;
    const clock = document.createElement('span');
    clock.className = 'd-ticking';
    clock.setAttribute('aria-hidden', 'true'); // read out once a second it would be noise
    line.append(text, ' ', clock);
    for (const button of notice.buttons ?? []) line.append(' ', this.buttonOf(button));
    if (notice.lines?.length) line.append(foldOf(notice.lines, notice.isOpen ?? false));
    return line;
  }

  private buttonOf(button: NoticeButton): HTMLElement {
    const node = document.createElement('button');
    node.type = 'button';
    node.className = 'btn d-small';
    node.dataset['skipwire'] = 'true';
    node.textContent = button.label;
    node.addEventListener('click', () => this.press(button));
    return node;
  }
}

/**
 * Whether an action is not there, and only an element's `id` asked for it: pages give ids to
 * elements for their own scripts and styles.
 */
function isOfPageAlone({ action, error }: Process): boolean {
  const node = document.getElementById(action);
  if (!node || node.dataset['action'] || node.getAttribute('name')) return false;
  return 'databenchUI' in node && /^no action\b/.test(error?.message ?? '');
}

function viewOf(process: Process): NoticeProcess {
  const { id, action, sinceMs, cancelMs, forced, isAgain, value, total } = process;
  const cancels = document.querySelectorAll<HTMLElement>('[data-cancel]');
  const hasCancel = [...cancels].some(node => node.dataset['cancel'] === action);
  const isWaiting = process.phase === 'waiting';
  return { id, action, sinceMs, cancelMs, forced, isAgain, value, total, hasCancel, isWaiting };
}

function foldOf(lines: string[], isOpen: boolean): HTMLElement {
  const fold = document.createElement('details');
  fold.open = isOpen;
  const title = document.createElement('summary');
  title.textContent = 'Details';
  const text = document.createElement('pre');
  text.textContent = lines.join('\n');
  fold.append(title, text);
  return fold;
}
