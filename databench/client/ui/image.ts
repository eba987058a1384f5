/**
 * `<img data-signal="plot">`: shows the address, or the data URL, that a signal carries.
 */

import type { Connection } from '../connection';
import { Root, UIElement, unwired } from './element';

/** Wired to images with `data-signal`. */
export class Image extends UIElement {
  declare node: HTMLImageElement & { databenchUI?: UIElement };

  constructor(node: HTMLElement) {
    super(node);
    this.render();
  }

  getSrc(): string {
    return this.node.src;
  }

  /** Hides an image without an address: a browser may draw a frame or a broken image for it. */
  render(): this {
    this.node.hidden = !this.node.getAttribute('src');
    return this;
  }

  /** Shows an image; hides it for null. */
  setSrc(src: string | null | undefined): this {
    if (src === null || src === undefined || src === '') this.node.removeAttribute('src');
    else this.node.src = src;
    return this.render();
  }

  /** Wires all images of a part of the page. */
  static wire(conn: Connection, root?: Root): void {
    for (const node of unwired(root, 'img[data-signal]')) {
      new Image(node).bind(conn);
    }
  }

  protected override listen(conn: Connection): (() => void)[] {
    return [this.hear(conn, src => this.setSrc(src))];
  }
}
