/**
 * `data-plot="line"`: plain numbers as a live line, drawn as SVG in the theme's colours.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';
import { oncePerFrame } from './frame';

/** A place on the plot; a null y is a gap in the line. */
export type Point = [x: number, y: number | null];

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 640;
const HEIGHT = 240;
const LEFT = 64;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 28;

/**
 * Points of what a signal carries.
 *
 * @param value  A list of numbers, a list of pairs, or `{x: [...], y: [...]}`.
 */
export function pointsOf(value: any): Point[] {
  if (Array.isArray(value?.x) && Array.isArray(value?.y)) {
    return value.y.map((y: any, i: number) => [Number(value.x[i] ?? i), numberOrNull(y)] as Point);
  }
  if (!Array.isArray(value)) return [];
  return value.map((entry, i) => (Array.isArray(entry)
    ? [Number(entry[0]), numberOrNull(entry[1])]
    : [i, numberOrNull(entry)]) as Point);
}

/** Smallest and largest of some numbers, apart even if they are all the same. */
export function spanOf(values: number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) { // not Math.min(...values): long lists overflow the stack
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (low === high) return [low - (Math.abs(low) / 2 || 0.5), high + (Math.abs(high) / 2 || 0.5)];
  return [low, high];
}

/** Digits that a number at an axis has, unless its ends lie close together. */
const DIGITS = 4;

/** Digits that distinguish any two numbers. */
const ALL_DIGITS = 17;

/** Room for one character of a label, as wide as it is on a phone. */
const CHARACTER = 10;

/** Digits of two different numbers with which rounding takes at most 1 % of what lies between. */
export function digitsApart(low: number, high: number): number {
  const shared = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low)));
  return Math.min(Math.max(shared + 3, DIGITS), ALL_DIGITS);
}

/** Wired to elements with `data-signal` and `data-plot="line"`. */
export class Plot extends UIElement {
  private pending: any;
  private readonly showSoon = oncePerFrame(() => this.setValue(this.pending));

  /**
   * May be replaced: how a number is written at an axis.
   *
   * @param digits  How many distinguish the ends of the axis; at least 4.
   */
  formatFn(value: number, digits: number = DIGITS): string {
    return String(Number.parseFloat(value.toPrecision(digits)));
  }

  /** Draws a line; an empty plot for null or an empty list. */
  setValue(value: any): this {
    const points = pointsOf(value);
    const seen = points.filter(([x, y]) => Number.isFinite(x) && y !== null) as [number, number][];
    const svg = create('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'd-plot' });
    svg.setAttribute('aria-label', this.describe(seen));
    const [x0, x1] = spanOf(seen.map(p => p[0]));
    const [y0, y1] = spanOf(seen.map(p => p[1]));
    const [xLow, xHigh] = this.textsOf(x0, x1);
    const [yLow, yHigh] = this.textsOf(y0, y1);
    const left = Math.max(LEFT, 6 + CHARACTER * Math.max(yLow.length, yHigh.length));
    const px = (x: number) => left + ((x - x0) / (x1 - x0)) * (WIDTH - left - RIGHT);
    const py = (y: number) => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
    svg.append(create('path', { class: 'd-axis', d: `M${left} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }));
    if (seen.length > 0) {
      svg.append(
        label(left - 6, py(y0), 'end', yLow),
        label(left - 6, py(y1) + 8, 'end', yHigh),
        label(px(x0), HEIGHT - 8, 'start', xLow),
        label(px(x1), HEIGHT - 8, 'end', xHigh),
        create('path', { class: 'd-line', d: pathOf(points, px, py) }),
      );
      const [x, y] = seen[seen.length - 1]!;
      svg.append(create('circle', { class: 'd-last', cx: px(x), cy: py(y), r: 4 }));
    }
    this.node.replaceChildren(svg);
    return this;
  }

  /** Wires all plots of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, '[data-signal][data-plot=line]')) new Plot(node).bind(conn);
  }

  protected override listen(conn: Connection): (() => void)[] {
    return [this.hear(conn, value => {
      this.pending = value;
      this.showSoon();
    })];
  }

  private describe(seen: [number, number][]): string {
    if (seen.length === 0) return 'line without values yet';
    const last = seen[seen.length - 1]![1];
    const [low, high] = spanOf(seen.map(p => p[1]));
    const text = this.formatterOf(low, high);
    return `line of ${seen.length} values from ${text(low)} to ${text(high)}, `
      + `the last is ${text(last)}`;
  }

  private textsOf(low: number, high: number): [string, string] {
    const text = this.formatterOf(low, high);
    return [text(low), text(high)];
  }

  private formatterOf(low: number, high: number): (value: number) => string {
    const digits = digitsApart(low, high);
    return value => String(this.formatFn(value, digits));
  }
}

function numberOrNull(value: any): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function pathOf(points: Point[], px: (x: number) => number, py: (y: number) => number): string {
  let isOpen = false;
  let path = '';
  for (const [x, y] of points) {
    if (y === null || !Number.isFinite(x)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? 'L' : 'M'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
    isOpen = true;
  }
  return path;
}

function create(tag: string, attributes: Record<string, string | number>): SVGElement {
  const node = document.createElementNS(SVG, tag) as SVGElement;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

function label(x: number, y: number, anchor: string, text: string): SVGElement {
  const node = create('text', { x, y, 'text-anchor': anchor });
  node.textContent = text;
  return node;
}
