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

import { StorageLike } from './keep';

/** The part of a BroadcastChannel that is used. */
export interface ChannelLike {
  onmessage: ((event: any) => void) | null;
  postMessage(message: any): void;
}

interface Ask {
  ask: string;
  tabs: string[];
  page: number;
}

interface Answer {
  answer: string;
  tab: string;
  to: number;
}

const NAME = 'databench.tab';
const ORIGINAL = 'databench.tab-original';

/** One tab, as long as its page is there. */
export class Tab {
  private name = '';
  private page = 0;
  private channel: ChannelLike | undefined;
  private held = new Set<string>();
  private copied = new Set<string>();
  private watchers: (() => void)[] = [];

  constructor(
    private storage: () => StorageLike | undefined,
    private open: () => ChannelLike | undefined,
    private random: () => number,
  ) {}

  /**
   * This page is in a session.
   *
   * @param session  Its id.
   * @param isKept   Whether the tab had it before this page, and no link named it.
   */
  hold(session: string, isKept: boolean): void {
    if (this.held.has(session) || !this.begin()) return;
    this.held.add(session);
    if (!isKept) {
      this.rename(''); // whatever was copied before, this page did not come by it
      return;
    }
    const tabs = [this.name, this.read(ORIGINAL)].filter(Boolean);
    this.channel!.postMessage({ ask: session, tabs, page: this.page } satisfies Ask);
  }

  /** Whether the tab was copied from one that is still in that session. */
  isCopyIn(session: string | undefined): boolean {
    return session !== undefined && this.copied.has(session);
  }

  /** Calls back when the tab turns out to be a copy. */
  onCopied(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  private begin(): boolean {
    if (this.channel) return true;
    this.channel = this.open();
    if (!this.channel) return false;
    this.page = this.random();
    this.name = this.read(NAME);
    if (!this.name) this.rename('');
    this.channel.onmessage = event => this.receive(event.data);
    return true;
  }

  private receive(message: Ask | Answer): void {
    if ('ask' in message) {
      if (!this.held.has(message.ask) || !message.tabs.includes(this.name)) return;
      const { ask: answer, page: to } = message;
      this.channel!.postMessage({ answer, tab: this.name, to } satisfies Answer);
    } else if (message.to === this.page && this.held.has(message.answer)) {
      this.rename(message.tab);
      this.copied.add(message.answer);
      for (const watcher of this.watchers) watcher();
    }
  }

  /** Takes a fresh name, and notes that of the tab that this one was copied from. */
  private rename(original: string): void {
    this.name = this.random().toString(36).slice(2);
    this.write(NAME, this.name);
    this.write(ORIGINAL, original);
  }

  private read(key: string): string {
    try {
      return this.storage()?.getItem(key) ?? '';
    } catch {
      return ''; // storage can be forbidden by the browser's settings
    }
  }

  private write(key: string, value: string): void {
    try {
      this.storage()?.setItem(key, value);
    } catch {
      // full or forbidden: then nothing of it is copied either
    }
  }
}
