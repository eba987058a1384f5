/**
 * `<input type="range">`, with its value shown in its label.
 */

import type { Connection } from '../connection';
import type { Kernel } from '../kernel';
import { Root, select, UIElement, unwired } from './element';
import { formatted } from './format';
import { Input } from './input';

/** Wired to sliders with a name. */
export class Slider extends Input {
  declare node: HTMLInputElement & { databenchUI?: UIElement };
  labelNode: HTMLElement | undefined;
  /** What the label held before the value was added to it. */
  labelHtml: string;

  private output: HTMLOutputElement | null = null;
  /** The analysis may yet send a value: where the browser has put the slider means nothing. */
  private isAwaiting = false;

  /**
   * @param node       The slider.
   * @param labelNode  Its label; found by the slider's id, or around it, by default.
   */
  constructor(node: HTMLElement, labelNode?: HTMLElement) {
    super(node);
    this.labelNode = labelNode ?? this.node.labels?.[0] ?? undefined;
    this.labelHtml = this.labelNode?.innerHTML ?? '';
    this.node.addEventListener('input', () => {
      this.isAwaiting = false;
      this.render();
    });
    this.render();
  }

  /** May be replaced: a value of the analysis as the slider's number. */
  valueToSlider(value: number): string | number {
    return String(value);
  }

  /** May be replaced: the slider's number as a value of the analysis. */
  sliderToValue(value: number): any {
    return value;
  }

  /** May be replaced: how a value is shown in the label. */
  formatFn(value: any): string {
    return formatted(value, this.node.dataset['format']);
  }

  /** Shows the value in the label. */
  render(): this {
    if (!this.labelNode) return this;
    if (!this.output) {
      this.output = document.createElement('output');
      if (this.labelNode.contains(this.node)) this.node.before(this.output, ' ');
      else this.labelNode.append(' ', this.output);
    }
    this.output.textContent = this.isAwaiting ? '…' : String(this.formatFn(this.getValue()));
    return this;
  }

  getValue(): any {
    return this.sliderToValue(Number.parseFloat(this.node.value));
  }

  setValue(value: any): this {
    if (value === null || value === undefined) return this; // a slider cannot show nothing
    this.isAwaiting = false;
    const place = String(this.valueToSlider(value));
    if (this.node.value !== place) this.node.value = place;
    return this.render();
  }

  protected override listen(conn: Connection): (() => void)[] {
    this.isAwaiting = !this.node.hasAttribute('value') && !isReady(conn.kernel);
    this.render();
    // Of an analysis that is ready and has sent no value, the slider's own counts.
    const stop = conn.kernel.on(kernel => {
      if (!this.isAwaiting || !isReady(kernel)) return;
      this.isAwaiting = false;
      this.render();
    });
    return [stop, ...super.listen(conn)];
  }

  /** The labels of a part of the page, by the id of what they label. */
  static labelsForSliders(root?: Root): { [id: string]: HTMLLabelElement } {
    const labels = select(root, 'label') as HTMLLabelElement[];
    return Object.fromEntries(labels.filter(l => l.htmlFor).map(l => [l.htmlFor, l]));
  }

  /** Wires all sliders of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'input[type=range]')) {
      if (UIElement.nameOf(node)) new Slider(node).bind(conn);
    }
  }
}

function isReady({ state }: Kernel): boolean {
  return state === 'idle' || state === 'busy';
}
