/**
 * The connection of a page to its analysis: what a page's script uses.
 *
 * A transport that knows the page that it runs in, if there is one: its address gives the websocket
 * and the query, and it handles the front's messages about the page itself (saves, in development).
 */

import { PAGE_ENVIRONMENT, pageLink, pageQuery, pageSocket } from './page';
import { follow, savesSeen } from './reload';
import { ConnectionOptions, Transport } from './transport';
import { restoreTyped } from './typed';

/** Joins a page to an analysis: `on` to listen, `emit` to act. */
export class Connection extends Transport {
  /** How many connections this page has made. */
  static made = 0;

  /**
   * @param wsUrl        URL of the websocket; guessed from the page's address by default.
   * @param requestArgs  The query of the request, `?a=1`; that of the page by default.
   * @param analysisId   Id of a session to join; a new one by default.
   * @param options      What the world consists of, for Node and for tests.
   */
  constructor(
    wsUrl?: string | null, requestArgs?: string | null, analysisId?: string | null,
    options: ConnectionOptions = {},
  ) {
    super(
      wsUrl || Connection.guessWSUrl(), requestArgs || pageQuery(), analysisId,
      { ...PAGE_ENVIRONMENT, savesSeen, ...options },
    );
    Connection.made += 1;
    this.on('__kernel', restoreTyped); // the first one of a page stands behind the state
    this.on('__reload', load => follow(load, () => this.environment.reload()));
  }

  /** The websocket of the page's address: `/pi/` has `/pi/ws`. Empty outside of a page. */
  static guessWSUrl(): string {
    return pageSocket();
  }

  /** The address of this page in its session, for another tab or visitor; empty before a join. */
  sessionLink(): string {
    return this.analysisId === undefined ? '' : pageLink(this.analysisId);
  }
}
