/**
 * Numbers of a JSON text that this browser rounds. Pure.
 *
 * JSON has numbers of any length, and Python writes all of their digits. JavaScript reads each as a
 * 64-bit float. Authors of an analysis need to know it: an id that ends in other digits
 * is another id.
 */

/** A number that is read as another one. */
export interface Rounded {
  /** Where it stands, such as `load.ids[3]`. */
  path: string;
  /** As it is written. */
  text: string;
  /** As it is read. */
  read: string;
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\]:,]/g;
/** No number with fewer digits is rounded. */
const MAY_BE_LONG = /[\d.]{16}|[eE][+-]?\d{3}/;

/** Each number of a JSON text that is read as another one, in order. */
export function findRounded(text: string): Rounded[] {
  if (!MAY_BE_LONG.test(text)) return [];
  const found: Rounded[] = [];
  const steps: (string | number)[] = [];
  let string = '';
  for (const [token] of text.matchAll(TOKENS)) {
    const last = steps.length - 1;
    const step = steps[last];
    if (token[0] === '"') string = token;
    else if (token === '{') steps.push('');
    else if (token === '[') steps.push(0);
    else if (token === '}' || token === ']') steps.pop();
    else if (token === ':') steps[last] = JSON.parse(string);
    else if (token === ',') {
      if (typeof step === 'number') steps[last] = step + 1;
    } else if (isRounded(token)) {
      found.push({ path: pathOf(steps), text: token, read: String(Number(token)) });
    }
  }
  return found;
}

/** Whether a number, as JSON writes it, is shown and sent back with other digits. */
export function isRounded(text: string): boolean {
  const number = Number(text);
  return !Number.isFinite(number) || canonical(text) !== canonical(String(number));
}

/** The digits of a number without zeros around them, and the power of ten of the last one. */
function canonical(text: string): string {
  const [mantissa = '', exponent = '0'] = text.replace('-', '').toLowerCase().split(/e(?=[+-]?\d+$)/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  return short && `${short}e${Number(exponent) - fraction.length + digits.length - short.length}`;
}

function pathOf(steps: readonly (string | number)[]): string {
  return steps
    .map(step => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

/** Warns once for each place of a signal, whatever the indices; for development. */
export class RoundedWarnings {
  private readonly places = new Set<string>();

  /**
   * @param warn           Shows a sentence.
   * @param limitPlaces    The most places to warn of.
   */
  constructor(private warn: (message: string) => void, private limitPlaces = 10) {}

  /** Looks at a frame of the server. */
  look(signal: string, frame: string): void {
    if (this.places.size >= this.limitPlaces) return;
    for (const { path, text, read } of findRounded(frame)) {
      const place = `${signal} ${path.replace(/\[\d+\]/g, '[]')}`;
      if (this.places.has(place) || this.places.size >= this.limitPlaces) continue;
      this.places.add(place);
      this.warn(
        `The number ${shortened(text)} in the signal '${signal}' (${path}) reads as `
        + `${shortened(read)} in this browser. Send it as text, for example with str(…), where `
        + 'the page needs all of its digits.');
    }
  }
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
