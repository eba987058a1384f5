/**
 * `data-progress="run"`: the progress of an action.
 */

import type { Connection } from '../connection';
import { Process, ProcessEvent } from '../processes';
import { Root, UIElement, unwired } from './element';

/** Wired to every element with `data-progress`: a `<progress>`, or text such as `3 / 40`. */
export class Progress extends UIElement {
  constructor(node: HTMLElement) {
    super(node);
    this.actionName = node.dataset['progress'] ?? '';
  }

  /** May be replaced: the text of an element that is not a `<progress>`. */
  formatFn(value: number, total: number | null): string {
    return total === null ? String(value) : `${value} / ${total}`;
  }

  /** Shows a place; null for one that is not known while the action runs. */
  setValue(value: number | null, total: number | null): this {
    if (!(this.node instanceof HTMLProgressElement)) {
      this.node.textContent = value === null ? '…' : this.formatFn(value, total);
      return this;
    }
    if (value === null || total === null || !(total > 0)) {
      this.node.removeAttribute('value'); // runs, and its progress is unknown
      return this;
    }
    this.node.max = total;
    this.node.value = value;
    return this;
  }

  /** Shows that nothing runs. */
  clear(): this {
    if (!(this.node instanceof HTMLProgressElement)) this.node.textContent = '';
    else this.node.value = 0;
    return this;
  }

  /** Wires all progress elements of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, '[data-progress]')) {
      if (node.dataset['progress']) new Progress(node).bind(conn);
    }
  }

  protected override listen(conn: Connection): (() => void)[] {
    this.clear();
    for (const process of conn.processes.list(this.actionName)) {
      this.setValue(process.value, process.total);
    }
    return [conn.processes.watch((event, process) => {
      if (process.action === this.actionName) this.follow(event, process);
    })];
  }

  private follow(event: ProcessEvent, process: Process): void {
    if (event !== 'end') this.setValue(process.value, process.total);
    else if (process.outcome === 'done') this.finish();
    else this.clear();
  }

  private finish(): void {
    if (this.node instanceof HTMLProgressElement) this.node.value = this.node.max;
    else this.clear();
  }
}
