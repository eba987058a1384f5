/**
 * The position of a page in its session's stream. Pure: no socket, no clock.
 *
 * The page counts every stream frame from the offset that `__connect` or `__gap` gave it, and sends
 * that count with the stream's epoch when it comes back: so the front sends what followed, and
 * nothing twice. Another epoch in the answer means that the stream it knew is gone; the given
 * offset then counts in the new one.
 */

import { ConnectLoad, encodeConnect, Frame, GapLoad, isCounted } from './codec';

/** What a join means for what the page already had. */
export interface Joined {
  /** The stream that the page knew is gone: its ends will not come, its state starts afresh. */
  streamLost: boolean;
}

/** Identity and offset of one page in its session. */
export class Session {
  id: string | null;
  epoch: string | null = null;
  received = 0;

  constructor(id: string | null) {
    this.id = id;
  }

  /** The first frame to send, with the saves that the page has seen. A fresh page has received 0 and knows no epoch. */
  hello(requestArgs: string, saves: number | null = null): string {
    return encodeConnect(this.id, requestArgs, this.received, this.epoch, saves);
  }

  /** Takes the answer to `hello`: its offset and epoch count from now on. */
  joined(load: ConnectLoad): Joined {
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
  gap(load: GapLoad): void {
    this.received = load.at;
  }

  /** Counts a frame, if it is one of the stream. */
  count(frame: Frame): void {
    if (isCounted(frame)) this.received += 1;
  }

  /** Counts a frame that cannot be read: a kernel's payload that is not JSON has an offset too. */
  countUnreadable(text: string): void {
    // The front writes the head, so the bytes show it; a snapshot is not counted.
    if (/^\{"signal":"(?!(class_)?data","snapshot":true)/.test(text)) this.received += 1;
  }
}
