/**
 * A button that calls an action, and is busy while that action runs.
 */

import type { Connection } from '../connection';
import { Process } from '../processes';
import { Root, UIElement, unwired } from './element';

/** Whether a button's action runs. */
export enum ButtonState {
  Idle = 1,
  Active,
}

/** Selects what may be a button. */
export const BUTTON_SELECTOR = 'button,input[type=button][data-action],input[type=submit][data-action]';

/** Wired to every `<button>` with a name. */
export class Button extends UIElement {
  _state = ButtonState.Idle;
  /** Makes the ids of its requests. */
  newProcessId: () => number = () => Math.floor(Math.random() * 2 ** 52);

  private running = new Set<number>();
  private hadFocus = false;

  constructor(node: HTMLElement) {
    super(node);
    this.node.addEventListener('click', event => {
      if ((this.node as HTMLButtonElement).form) event.preventDefault(); // no reload by a form
      this.click();
    });
  }

  /** Replaced when it is wired; may be replaced by a page. */
  clickCB(_processId: number): void {}

  /** Shows its state. */
  render(): this {
    const active = this._state === ButtonState.Active;
    const button = this.node as HTMLButtonElement;
    if (active && !button.disabled) this.hadFocus = document.activeElement === button;
    button.classList.toggle('disabled', active);
    button.disabled = active;
    if (active) button.setAttribute('aria-busy', 'true');
    else button.removeAttribute('aria-busy');
    if (!active) this.giveFocusBack();
    return this;
  }

  /** Calls the action, unless it runs. */
  click(): this {
    if (this._state === ButtonState.Idle) this.clickCB(this.newProcessId());
    return this;
  }

  /** Sets and shows its state. */
  state(state: ButtonState): this {
    if (state !== ButtonState.Idle && state !== ButtonState.Active) return this;
    this._state = state;
    return this.render();
  }

  /** Wires all buttons of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, BUTTON_SELECTOR)) {
      if (node.dataset['cancel'] !== undefined || !UIElement.nameOf(node)) continue;
      new Button(node).bind(conn);
    }
  }

  protected override listen(conn: Connection): (() => void)[] {
    this.newProcessId = () => conn.newProcessId();
    const stop = conn.processes.watch((event, process) => {
      if (event === 'end') this.ended(process);
      // An action that was found running when the page joined: a reload during a run.
      else if (event === 'open' && process.phase === 'started') this.found(process);
    });
    for (const process of conn.processes.list(this.actionName)) this.found(process);
    this.clickCB = processId => {
      conn.emit(this.actionName, this.actionFormat({ __process_id: processId }));
      // Busy only if its end will be reported: `actionFormat` may have left the id out.
      if (conn.processes.get(processId)) this.begin(processId);
    };
    return [stop];
  }

  private found(process: Process): void {
    if (process.action === this.actionName && process.phase === 'started') this.begin(process.id);
  }

  private begin(processId: number): void {
    this.running.add(processId);
    this.state(ButtonState.Active);
  }

  private ended(process: Process): void {
    if (!this.running.delete(process.id)) return;
    if (this.running.size === 0) this.state(ButtonState.Idle);
  }

  /** A disabled button loses the keyboard's focus; visitors who use keys want to press it again. */
  private giveFocusBack(): void {
    const isFree = document.activeElement === null || document.activeElement === document.body;
    if (this.hadFocus && isFree) this.node.focus();
    this.hadFocus = false;
  }
}
