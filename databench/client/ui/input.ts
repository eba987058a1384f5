/**
 * The common part of all inputs: they send what a visitor enters and show the state.
 *
 * A value from the analysis never overwrites what is being typed: while a node has the focus and
 * was edited a moment ago, or holds an edit that was not sent, the value waits. An edit that is
 * sent meanwhile makes the waiting value old, and it is dropped.
 */

import type { Connection } from '../connection';
import { Environment, STANDARD_ENVIRONMENT } from '../environment';
import { UIElement } from './element';

/** An edit is fresh for this long, in milliseconds. */
export const EDIT_QUIET_MS = 1000;

/** Any element of a form that a visitor can change. */
export type InputNode = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** Base of all inputs. */
export abstract class Input extends UIElement {
  declare node: InputNode & { databenchUI?: UIElement };

  private environment: Environment = STANDARD_ENVIRONMENT;
  private editedMs: number | null = null;
  /** It holds an edit that was not sent yet. */
  isUnsent = false;
  private isResumed = false;
  private held: { value: any } | null = null;
  private releaseTimer: unknown = null;

  constructor(node: HTMLElement) {
    super(node);
    this.node.addEventListener('input', () => {
      this.isUnsent = true;
      this.noteEdit();
    });
    this.node.addEventListener('change', () => this.change());
    this.node.addEventListener('keydown', event => {
      const isLine = this.node.tagName !== 'TEXTAREA';
      if (this.isResumed && isLine && (event as KeyboardEvent).key === 'Enter') this.change();
    });
    this.node.addEventListener('blur', () => {
      if (this.isResumed) this.change();
      this.isUnsent = false; // a change would have come before the blur
      this.editedMs = null;
      this.release();
    });
  }

  /** What a visitor entered, as the analysis gets it. */
  abstract getValue(): any;

  /** Shows a value of the analysis. */
  abstract setValue(value: any): this;

  /** Replaced when it is wired; may be replaced by a page. */
  changeCB(_value: any): void {}

  /** Takes a value that a script has set as an edit of the visitor, not yet sent. */
  resume(): void {
    this.isUnsent = this.isResumed = true; // the browser, which saw no edit, will report no change
    this.noteEdit();
  }

  /** Sends what was entered. */
  change(): void {
    this.isUnsent = this.isResumed = false;
    this.held = null;
    this.noteEdit();
    this.changeCB(this.entered());
  }

  /** What is sent. */
  protected entered(): any {
    return this.actionFormat(this.getValue());
  }

  /** Takes a value from the analysis: now, or when the visitor is done. */
  receive(value: any): void {
    if (!this.isBeingEdited()) {
      this.setValue(value);
      return;
    }
    this.held = { value };
    this.environment.clearTimeout(this.releaseTimer);
    this.releaseTimer = this.environment.setTimeout(() => this.release(), EDIT_QUIET_MS);
  }

  protected override listen(conn: Connection): (() => void)[] {
    this.environment = conn.environment;
    this.changeCB = value => { conn.emit(this.actionName, value); };
    return [this.hear(conn, value => this.receive(value))];
  }

  private noteEdit(): void {
    this.editedMs = this.environment.now();
  }

  private isBeingEdited(): boolean {
    if (document.activeElement !== this.node || this.editedMs === null) return false;
    return this.isUnsent || this.environment.now() - this.editedMs < EDIT_QUIET_MS;
  }

  private release(): void {
    if (this.held === null || this.isBeingEdited()) return;
    const { value } = this.held;
    this.held = null;
    this.setValue(value);
  }
}
