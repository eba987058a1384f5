/**
 * What all wired elements share: their names, and their bond to a connection.
 */

import type { Connection } from '../connection';
import { SignalCallback } from '../signals';

/** An element of the page that is wired. */
export interface HTMLDatabenchElement extends HTMLElement {
  databenchUI?: UIElement;
}

/** A part of the page to look for elements in. */
export type Root = Document | HTMLElement;

/** What an element listens to: a signal, or a key of one. */
export type WireSignal = string | { [signal: string]: string };

/** Base of all wired elements; found at the node as `databenchUI`. */
export class UIElement {
  node: HTMLDatabenchElement;
  static idCounter = 0;
  /** Number of this element in the order in which they were made. */
  idCount: number;
  /** The action's name; empty if the node has none. */
  actionName: string;
  wireSignal: WireSignal;

  private bonds: (() => void)[] = [];
  private boundTo: Connection | null = null;

  constructor(node: HTMLElement) {
    this.node = node;
    this.node.databenchUI = this;
    this.idCount = UIElement.idCounter++;
    this.actionName = this.determineActionName(node);
    this.wireSignal = this.determineWireSignal(node);
  }

  /** Whether `data-skipwire` keeps the node out. */
  static skipWire(node: HTMLElement): boolean {
    const value = node.dataset['skipwire'];
    return value !== undefined && !['false', '0'].includes(value.toLowerCase());
  }

  /** The name that a node's `data-action`, `name` or `id` gives it, in this order; or empty. */
  static nameOf(node: HTMLElement): string {
    return node.dataset['action'] || node.getAttribute('name') || node.getAttribute('id') || '';
  }

  /** May be replaced: changes what is sent with the action. */
  actionFormat(value: any): any {
    return value;
  }

  /** Name of the action of a node. */
  determineActionName(node: HTMLElement): string {
    return UIElement.nameOf(node);
  }

  /**
   * What a node listens to: `data-signal`, in which `data:pi` means the key `pi` of the signal
   * `data`; otherwise the key of `data` that has the node's name.
   */
  determineWireSignal(node: HTMLElement): WireSignal {
    const signal = node.dataset['signal'];
    if (!signal) return { data: UIElement.nameOf(node) };
    const colon = signal.indexOf(':');
    if (colon < 1) return signal;
    return { [signal.slice(0, colon)]: signal.slice(colon + 1) };
  }

  /** Whether it currently listens to a connection. */
  get isBound(): boolean {
    return this.bonds.length > 0;
  }

  /** Binds it to a connection, once. */
  bind(conn: Connection): void {
    if (this.isBound) return;
    this.boundTo = conn;
    this.bonds = this.listen(conn);
  }

  /** Binds it again to the connection that it had, if it had one. */
  rebind(): void {
    if (this.boundTo) this.bind(this.boundTo);
  }

  /** Lets go of the connection, as when the node left the page. */
  unbind(): void {
    for (const stop of this.bonds) stop();
    this.bonds = [];
  }

  /** What a kind of element does when it is bound; returns how to undo each part. */
  protected listen(_conn: Connection): (() => void)[] {
    return [];
  }

  /** Listens to `wireSignal`, and gets at once the value that the state already holds. */
  protected hear(conn: Connection, callback: SignalCallback): () => void {
    const stop = conn.listen(this.wireSignal, callback);
    if (typeof this.wireSignal === 'object') {
      for (const [scope, path] of Object.entries(this.wireSignal)) {
        for (const value of conn.state.find(scope, path)) callback(value, path);
      }
    }
    return stop;
  }
}

/** The nodes that a selector finds in a root, itself included. */
export function select(root: Root | undefined, selector: string): HTMLElement[] {
  const from = root ?? document;
  const found = [...from.querySelectorAll<HTMLElement>(selector)];
  if ('matches' in from && from.matches(selector)) found.unshift(from);
  return found;
}

/** The nodes that a selector finds, without those that are wired already or want to be left out. */
export function unwired(root: Root | undefined, selector: string): HTMLElement[] {
  return select(root, selector).filter(
    node => !(node as HTMLDatabenchElement).databenchUI && !UIElement.skipWire(node));
}
