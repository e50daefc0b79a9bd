/**
 * Window specs: how event time, or the rows of a key, are cut into windows. Plain data.
 *
 *     tumbling    [0 10) [10 20) …           side by side
 *     sliding     [0 10) [2 12) [4 14) …     a moment is in several
 *     cumulating  [0 2) [0 4) … [0 10)       from the same start, a step longer each
 *     session     [first, last + gap)        of a key, as long as its rows are no further apart than the gap
 *     global      all of time
 *     count       so many rows of a key
 *     until       rows of windows, each with the end of its own: those of one end are complete when it has come
 *
 * Windows of a size begin at multiples of it, `offsetMs` later, by the clock of `timeZone` where there is one.
 * After: engine/operators/windows/window-panes.ts.
 */

/** Where windows of a size begin. */
interface Place {
  readonly offsetMs: number;
  /** By whose clock, an IANA name; null for UTC. */
  readonly timeZone: string | null;
}

export type WindowSpec =
  | ({ readonly kind: 'tumbling'; readonly sizeMs: number } & Place)
  | ({ readonly kind: 'sliding'; readonly sizeMs: number; readonly slideMs: number } & Place)
  | ({ readonly kind: 'cumulating'; readonly sizeMs: number; readonly stepMs: number } & Place)
  | { readonly kind: 'session'; readonly gapMs: number }
  | { readonly kind: 'global' }
  | { readonly kind: 'count'; readonly rows: number; readonly slideRows: number }
  | { readonly kind: 'until' };

/** When windows are given out besides at their end, and what is done about late rows. */
export interface WindowFiring {
  /** A window goes on taking rows so long after its end, and is given out again for them. */
  readonly allowedLatenessMs: number;
  /** Whether what is given out again has only the rows since the last time. */
  readonly isDiscarding: boolean;
  /** Windows with new rows are given out before their end, so often by the clock; null for never. */
  readonly everyMs: number | null;
  /** The same, after so many rows of a task. */
  readonly everyRows: number | null;
  /** The same, whenever event time comes to a multiple of so many milliseconds. */
  readonly everyEventTimeMs: number | null;
  /** Whether a late row brings its windows out at once, and not with the next watermark. */
  readonly isLatePerRow: boolean;
  /** Whether a row without a time ends the job, or is late. */
  readonly missing: 'fail' | 'late';
}

/** Each window once, at its end. */
export const firesOnce: WindowFiring = {
  allowedLatenessMs: 0,
  isDiscarding: false,
  everyMs: null,
  everyRows: null,
  everyEventTimeMs: null,
  isLatePerRow: false,
  missing: 'fail',
};

/** Whether no window is given out twice. */
export function comesOnce(firing: WindowFiring): boolean {
  const { allowedLatenessMs, everyMs, everyRows, everyEventTimeMs } = firing;
  return [everyMs, everyRows, everyEventTimeMs].every(isNever) && allowedLatenessMs === 0;
}

const isNever = (interval: number | null) => interval === null;

/** Windows of the rows of an aggregate. */
export interface EventWindow {
  /** The field that has the event time; null where nothing depends on it. */
  readonly column: string | null;
  readonly spec: WindowSpec;
  readonly firing: WindowFiring;
  /** Whether somebody reads the rows that come too late. @defaultValue they are only counted */
  readonly putsAside?: true;
  /** Another aggregate of the same rows counts those that come too late. @defaultValue they are counted here */
  readonly isLateElsewhere?: true;
}

/** Windows that are the same pieces of time for all keys. */
export type TimeWindowSpec = Exclude<WindowSpec, { readonly kind: 'session' | 'count' }>;

/** Whether rows that come out say when their window begins and ends. */
export function hasBounds({ kind }: WindowSpec): boolean {
  return kind !== 'global' && kind !== 'count' && kind !== 'until';
}

/** Of a size and a slide: the largest pieces that windows are made of. */
export function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** Windows side by side. */
interface Tumbling {
  readonly column: string;
  readonly sizeMs: number;
  readonly offsetMs: number;
}

/** `windows of 60000 ms of at`. */
export function tumblingText({ column, sizeMs, offsetMs }: Tumbling): string {
  const offset = offsetMs === 0 ? '' : ` from ${offsetMs} ms on`;
  return `windows of ${sizeMs} ms of ${column}${offset}`;
}

/** The same; of other windows `windows sliding 10000 ms by 2000 ms of at, late by up to 5000 ms`. */
export function windowText(window: EventWindow): string {
  const { column, spec, firing, putsAside, isLateElsewhere } = window;
  const late = isLateElsewhere === true ? ' (late rows counted elsewhere)' : '';
  const plain = spec.kind === 'tumbling' && spec.timeZone === null && column !== null;
  const of = column === null ? '' : ` of ${column}`;
  const text = plain ? tumblingText({ ...spec, column }) : `windows ${windowSpecText(spec)}${of}`;
  return `${text}${windowFiringText(firing)}${putsAside === true ? ', late rows aside' : late}`;
}

/** `sliding 10000 ms by 2000 ms`. */
export function windowSpecText(spec: WindowSpec): string {
  switch (spec.kind) {
    case 'tumbling':
      return `tumbling ${spec.sizeMs} ms${placeText(spec)}`;
    case 'sliding':
      return `sliding ${spec.sizeMs} ms by ${spec.slideMs} ms${placeText(spec)}`;
    case 'cumulating':
      return `cumulating ${spec.sizeMs} ms by ${spec.stepMs} ms${placeText(spec)}`;
    case 'session':
      return `session gap ${spec.gapMs} ms`;
    case 'global':
    case 'until':
      return spec.kind;
    default:
      return spec.slideRows === spec.rows
        ? `count ${spec.rows}`
        : `count ${spec.rows} by ${spec.slideRows}`;
  }
}

/** `, late by up to 5000 ms`; empty for windows that come once. */
export function windowFiringText(firing: WindowFiring): string {
  const { allowedLatenessMs, isLatePerRow, isDiscarding, missing } = firing;
  const { everyMs, everyRows, everyEventTimeMs } = firing;
  const parts = [
    allowedLatenessMs > 0 ? `late by up to ${allowedLatenessMs} ms` : '',
    everyMs === null ? '' : `every ${everyMs} ms`,
    everyRows === null ? '' : `every ${everyRows} rows`,
    everyEventTimeMs === null ? '' : `every ${everyEventTimeMs} ms of event time`,
    isLatePerRow ? 'for each late row' : '',
    isDiscarding ? 'discarding' : '',
    missing === 'late' ? 'without a time is late' : '',
  ];
  return parts.map((part) => (part === '' ? '' : `, ${part}`)).join('');
}

function placeText({ offsetMs, timeZone }: Place): string {
  const offset = offsetMs === 0 ? '' : ` from ${offsetMs} ms on`;
  return timeZone === null ? offset : `${offset} in ${timeZone}`;
}
