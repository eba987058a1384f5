/**
 * Values to text. Pure.
 */

/** A value as text: nothing for null, JSON for objects and lists, `0` for 0. */
export function asText(value: any): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') return JSON.stringify(value, undefined, 2);
  return String(value);
}

/**
 * A value in the format of a `data-format` attribute.
 *
 * Numbers: `fixed:3`, `percent:1`, `exponential:2`, `precision:4`, `grouped` (1,000,000). Anything
 * else, and values that are not numbers, come as plain text.
 */
export function formatted(value: any, format: string | undefined): string {
  if (!format || typeof value !== 'number') return asText(value);
  const [kind, text] = format.split(':', 2);
  const digits = Math.min(Math.max(Number.parseInt(text ?? '', 10) || 0, 0), 20);
  switch (kind) {
    case 'fixed': return value.toFixed(digits);
    case 'percent': return `${(100 * value).toFixed(digits)} %`;
    case 'exponential': return value.toExponential(digits);
    case 'precision': return value.toPrecision(Math.max(digits, 1));
    case 'grouped': return value.toLocaleString('en-US', { maximumFractionDigits: digits });
    default: return asText(value);
  }
}

/** Seconds in words: `14 s`, `3 min 05 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
