/**
 * Wires the elements of a page, those that come into it later included.
 */

import type { Connection } from '../connection';
import { StatusLog } from './alerts';
import { Button } from './button';
import { Cancel } from './cancel';
import { Checkbox } from './checkbox';
import { HTMLDatabenchElement, Root, select } from './element';
import { Image } from './image';
import { Log } from './log';
import { NoticePanel } from './noticepanel';
import { NumberInput } from './number';
import { Plot } from './plot';
import { Progress } from './progress';
import { Radio } from './radio';
import { Select } from './select';
import { Slider } from './slider';
import { Text } from './text';
import { TextInput } from './textinput';
import { Toasts } from './toasts';
import { Values } from './values';

const KINDS = [
  Cancel, Progress, Button, Slider, Checkbox, Radio, NumberInput, Select, TextInput, Plot, Image, Text, Values,
];

/** Everything that may be wired, to see quickly that an added node holds nothing of it. */
const ANY = 'button,input,select,textarea,[data-action],[data-signal],[data-cancel],[data-progress],[data-values]';

/**
 * Wires all elements to a connection, and those that are added later.
 *
 * @param connection  What they act on and listen to.
 * @param root        The part of the page; all of it by default.
 * @returns           The same connection.
 */
export function wire(connection: Connection, root?: Root): Connection {
  wireOnes(connection);
  if (document.readyState === 'loading') { // a script in the head: the body is still to come
    document.addEventListener('DOMContentLoaded', () => wireOnes(connection));
  }
  wireElements(connection, root);
  if (typeof MutationObserver === 'function') follow(connection, root ?? document);
  return connection;
}

/** What a page has one of, found by its id. */
function wireOnes(connection: Connection): void {
  Log.wire(connection);
  wireNotices(connection);
}

/** Elements that show the connection and the kernel, in any page. */
export function wireNotices(connection: Connection): void {
  StatusLog.wire(connection);
  NoticePanel.wire(connection);
  Toasts.wire(connection);
}

function wireElements(connection: Connection, root?: Root): void {
  for (const kind of KINDS) kind.wire(connection, root);
}

/** Follows nodes that come and go: a node that comes back keeps its element, and is bound again. */
function follow(connection: Connection, root: Root): void {
  const observer = new MutationObserver(records => {
    for (const node of records.flatMap(r => [...r.removedNodes])) leave(node);
    for (const node of records.flatMap(r => [...r.addedNodes])) enter(connection, node);
  });
  observer.observe(root, { childList: true, subtree: true });
}

function enter(connection: Connection, node: Node): void {
  if (!(node instanceof HTMLElement) || !node.isConnected) return;
  for (const inner of select(node, ANY)) {
    (inner as HTMLDatabenchElement).databenchUI?.rebind();
  }
  wireElements(connection, node);
}

function leave(node: Node): void {
  if (!(node instanceof HTMLElement) || node.isConnected) return; // moved, not removed
  for (const inner of select(node, ANY)) (inner as HTMLDatabenchElement).databenchUI?.unbind();
}
