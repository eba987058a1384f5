/**
 * What the page emitted while there was no connection: a bounded queue. Pure.
 *
 * When it is full, a further message is refused and the caller reports it; nothing that was taken is
 * ever dropped for something newer.
 */

/** Messages that wait at most. */
export const OUTBOX_LIMIT_MESSAGES = 1000;

/** Length of all waiting messages together, in characters. */
export const OUTBOX_LIMIT_CHARS = 4 * 1024 * 1024;

/** One waiting message; `processId` is null for an emit that no code awaits. */
export interface Waiting {
  text: string;
  processId: number | null;
}

/** The queue of one connection. */
export class Outbox {
  private waiting: Waiting[] = [];
  private chars = 0;

  /** How many messages wait. */
  get length(): number {
    return this.waiting.length;
  }

  /** Takes a message; false when the queue is full and it was not taken. */
  push(message: Waiting): boolean {
    if (this.waiting.length >= OUTBOX_LIMIT_MESSAGES) return false;
    if (this.chars + message.text.length > OUTBOX_LIMIT_CHARS) return false;
    this.waiting.push(message);
    this.chars += message.text.length;
    return true;
  }

  /** Takes back a request that was never sent; false when it does not wait here. */
  withdraw(processId: number): boolean {
    const index = this.waiting.findIndex(w => w.processId === processId);
    if (index < 0) return false;
    const [gone] = this.waiting.splice(index, 1);
    this.chars -= gone!.text.length;
    return true;
  }

  /** Takes all of them out, the oldest first. */
  takeAll(): Waiting[] {
    const all = this.waiting;
    this.waiting = [];
    this.chars = 0;
    return all;
  }
}
