/**
 * Keeps a page's session id over a reload, in the tab's sessionStorage.
 *
 * One id per path, query and websocket, and per connection of the page in the order in which they
 * are made. A new tab starts empty, so it gets a new session.
 */

/** The part of sessionStorage that is used. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const PREFIX = 'databench.session:';

/** The kept ids of one page. */
export class SessionKeeper {
  private made = new Map<string, number>();

  constructor(private storage: () => StorageLike | undefined, private page: () => string) {}

  /** A slot for the next connection to this websocket. */
  slot(wsUrl: string): SessionSlot {
    const base = `${PREFIX}${this.page()} ${wsUrl}`;
    const nth = this.made.get(base) ?? 0;
    this.made.set(base, nth + 1);
    return new SessionSlot(this.storage, `${base} ${nth}`);
  }

  /** Keeps a session no more: the page's next load begins one. */
  forget(id: string): void {
    for (const [base, count] of this.made) {
      for (let nth = 0; nth < count; nth += 1) {
        const slot = new SessionSlot(this.storage, `${base} ${nth}`);
        if (slot.read() === id) slot.write('');
      }
    }
  }
}

/** Where one connection's id is kept. Storage that is off or full costs only the keeping. */
export class SessionSlot {
  constructor(private storage: () => StorageLike | undefined, private key: string) {}

  read(): string | null {
    try {
      return this.storage()?.getItem(this.key) ?? null;
    } catch {
      return null; // storage can be forbidden by the browser's settings
    }
  }

  write(id: string): void {
    try {
      this.storage()?.setItem(this.key, id);
    } catch {
      // full or forbidden: the page works on, only a reload starts a new session
    }
  }
}
