/**
 * Windows: how time, or the rows of a key, are cut into pieces that are grouped one by one. When the rows of a piece come
 * out: engine/api/window-firing.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { greatestDivisor, type WindowSpec } from '../plan/window-spec.ts';
import { describe } from './row.ts';

/** Where windows of a size begin. */
export interface WindowPlace {
  /** Where windows begin, in milliseconds after multiples of their size; may be negative. @defaultValue 0 */
  readonly offsetMs?: number;
  /**
   * Windows are by the clocks of a time zone, an IANA name: those of a day begin at its midnight, and one has 23 or
   * 25 hours where clocks change. @defaultValue UTC
   */
  readonly timeZone?: string;
}

/** Size and place of tumbling windows. */
export interface TumblingOptions extends WindowPlace {
  /** How long a window is, in milliseconds: 1 or more. */
  readonly sizeMs: number;
}

/** Size and place of sliding windows. */
export interface SlidingOptions extends WindowPlace {
  /** How long a window is, in milliseconds: 1 or more. */
  readonly sizeMs: number;
  /** How much later the next one begins, in milliseconds: from 1 to the size. */
  readonly slideMs: number;
}

/** Size and place of cumulating windows. */
export interface CumulatingOptions extends WindowPlace {
  /** How long the longest window is, in milliseconds: a multiple of the step. */
  readonly sizeMs: number;
  /** How much longer each window is than the one before, in milliseconds: 1 or more. */
  readonly stepMs: number;
}

/** How far apart rows of a session may be. */
export interface SessionOptions {
  /** The longest time between a row and the next one, in milliseconds: 1 or more. */
  readonly gapMs: number;
}

/** How many rows of a key are a window. */
export interface CountOptions {
  /** Rows of a window: 1 or more. */
  readonly rows: number;
  /** How many rows later the next one begins: from 1 to those of a window. @defaultValue as many: side by side */
  readonly slideRows?: number;
}

/** Rows of a window; and pieces of it that a slide makes. */
const windowRowsMax = 2 ** 31 - 1;
const windowPiecesMax = 65_536;

/** Some hundred years, so that sums with times are exact. */
const gapMsMax = 2 ** 43;

/** How time is cut; `Bounded` says whether rows that come out have the start and the end of their window. */
export interface Window<Bounded extends boolean> {
  readonly kind: 'millrace.window';
  readonly spec: WindowSpec;
  readonly isBounded: Bounded;
}

/**
 * Windows of a fixed size, one behind the other, in event time.
 *
 * @throws JOB_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { tumbling } from 'millrace';
 *
 * tumbling({ sizeMs: 60_000 }).spec.kind; // => 'tumbling'
 * ```
 */
export function tumbling({ sizeMs, ...place }: TumblingOptions): Window<true> {
  wholeMs('sizeMs of tumbling', sizeMs, 1);
  return bounded({ kind: 'tumbling', sizeMs, ...placeOf('tumbling', place) });
}

/**
 * Windows of a fixed size that overlap: a moment is in several. A row is worked in once, whatever the slide.
 *
 * @throws JOB_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { sliding } from 'millrace';
 *
 * sliding({ sizeMs: 10_000, slideMs: 2_000 }).spec.kind; // => 'sliding'
 * ```
 */
export function sliding({ sizeMs, slideMs, ...place }: SlidingOptions): Window<true> {
  wholeMs('sizeMs of sliding', sizeMs, 1);
  wholeMs('slideMs of sliding', slideMs, 1);
  if (slideMs > sizeMs) {
    const message = `slideMs of sliding is ${slideMs}, more than the size of ${sizeMs}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Rows between two windows would be in none. Give a slide of at most the size.',
    });
  }
  return bounded({ kind: 'sliding', sizeMs, slideMs, ...placeOf('sliding', place) });
}

/**
 * Windows that grow by a step until they have their size, all from one start: the count of a day so far, each
 * hour.
 *
 * @throws JOB_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { cumulating } from 'millrace';
 *
 * cumulating({ sizeMs: 86_400_000, stepMs: 3_600_000 }).spec.kind; // => 'cumulating'
 * ```
 */
export function cumulating({ sizeMs, stepMs, ...place }: CumulatingOptions): Window<true> {
  wholeMs('sizeMs of cumulating', sizeMs, 1);
  wholeMs('stepMs of cumulating', stepMs, 1);
  if (sizeMs % stepMs !== 0) {
    const message = `sizeMs of cumulating is ${sizeMs}, no multiple of the step of ${stepMs}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Give a size that is a whole number of steps.',
    });
  }
  return bounded({ kind: 'cumulating', sizeMs, stepMs, ...placeOf('cumulating', place) });
}

/**
 * One window for all of time. It comes out at the end of the input, and earlier where it is told to (`early`).
 *
 * @example
 * ```ts
 * import { globalWindow } from 'millrace';
 *
 * globalWindow().isBounded; // => false
 * ```
 */
export function globalWindow(): Window<false> {
  return Object.freeze({
    kind: 'millrace.window',
    spec: Object.freeze({ kind: 'global' }),
    isBounded: false,
  });
}

/**
 * Windows of a key's own: its rows belong together as long as each is no further than the gap from the one before.
 * A session ends a gap behind its last row.
 *
 * @throws JOB_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { session } from 'millrace';
 *
 * session({ gapMs: 1_800_000 }).spec.kind; // => 'session'
 * ```
 */
export function session({ gapMs }: SessionOptions): Window<true> {
  wholeMs('gapMs of session', gapMs, 1);
  if (gapMs > gapMsMax) {
    throw typedError('JOB_ARGUMENT_INVALID', `gapMs of session is ${gapMs}`, {
      hint: `Give ${gapMsMax} milliseconds or less; rows of any distance are in a globalWindow().`,
    });
  }
  return bounded({ kind: 'session', gapMs });
}

/**
 * Windows of so many rows of a key, in the order in which they come, whatever their time; without keys, of all rows. A
 * window comes out when its last row has come. Rows that are in no whole window at the end are counted in the summary.
 *
 * Rows of a key come in the order of the input where they are in one file, or all is read by one task.
 *
 * @throws JOB_ARGUMENT_INVALID
 * @example
 * ```ts
 * import { countWindow } from 'millrace';
 *
 * countWindow({ rows: 100, slideRows: 10 }).spec.kind; // => 'count'
 * ```
 */
export function countWindow({ rows, slideRows = rows }: CountOptions): Window<false> {
  wholeMs('rows of countWindow', rows, 1, 'rows');
  wholeMs('slideRows of countWindow', slideRows, 1, 'rows');
  if (slideRows > rows) {
    const message = `slideRows of countWindow is ${slideRows}, more than the ${rows} of a window`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Rows between two windows would be in none. Give a slide of at most the rows of a window.',
    });
  }
  if (rows > windowRowsMax || rows / greatestDivisor(rows, slideRows) > windowPiecesMax) {
    const message = `rows of countWindow is ${rows}, with a slide of ${slideRows}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: `Give at most ${windowRowsMax} rows, and a slide that cuts them into at most ${windowPiecesMax} pieces.`,
    });
  }
  const spec = Object.freeze({ kind: 'count', rows, slideRows } as const);
  return Object.freeze({ kind: 'millrace.window', spec, isBounded: false });
}

export function wholeMs(what: string, value: number, min: number, unit = 'milliseconds'): void {
  if (Number.isSafeInteger(value) && value >= min) return;
  const range = min < 0 ? '' : `, ${min} or more`;
  throw typedError('JOB_ARGUMENT_INVALID', `${what} is ${describe(value)}`, {
    hint: `Give whole ${unit}${range}.`,
  });
}

function placeOf(kind: string, { offsetMs = 0, timeZone }: WindowPlace) {
  wholeMs(`offsetMs of ${kind}`, offsetMs, Number.MIN_SAFE_INTEGER);
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const message = `timeZone of ${kind} is ${describe(timeZone)}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Give the IANA name of a time zone, such as "Europe/Berlin".',
    });
  }
  return { offsetMs, timeZone: timeZone ?? null };
}

function isTimeZone(timeZone: unknown): boolean {
  if (typeof timeZone !== 'string') return false;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function bounded(spec: WindowSpec): Window<true> {
  return Object.freeze({ kind: 'millrace.window', spec: Object.freeze(spec), isBounded: true });
}
