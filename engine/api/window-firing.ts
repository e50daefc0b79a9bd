/**
 * Window firing: when the rows of windows come out besides at their end, and what is done about those that come late or
 * without a time. The windows themselves: engine/api/windows.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import type { WindowFiring, WindowSpec } from '../plan/window-spec.ts';
import { type SinkOf, sinkIn } from './endpoints.ts';
import { describe } from './row.ts';
import { wholeMs } from './windows.ts';

/** When the rows of windows come out besides at their end, and what is done about those that come late. */
export interface WindowOptions {
  /**
   * So long after its end, in milliseconds of event time, a window still takes rows; it comes out again for the
   * keys that have got some, once for all that came between two watermarks. @defaultValue 0
   */
  readonly allowedLatenessMs?: number;
  /** Windows with new rows come out before their end as well, for the keys that have got some. @defaultValue never */
  readonly early?: {
    /** So long after the first new row, in milliseconds of the clock. */
    readonly everyMs?: number;
    /** After so many new rows of a task, in whatever windows. */
    readonly everyRows?: number;
    /** Whenever event time comes to a multiple of so many milliseconds. */
    readonly everyEventTimeMs?: number;
  };
  /**
   * When a window that has come out comes out again for late rows: with the next watermark, once for all of them; or for
   * each late row at once, with its key's result so far. Needs `allowedLatenessMs`.
   *
   * For each row costs a look at all groups of its windows, once for as many late rows as a key has in a batch.
   * @defaultValue 'perWatermark'
   * @see Apache Flink, `EventTimeTrigger`: as 'perRow'
   */
  readonly lateFiring?: 'perWatermark' | 'perRow';
  /**
   * Whether a window that comes out again has all of its rows, or those since it came out before; the latter of
   * tumbling and global windows only. @defaultValue 'accumulating'
   */
  readonly accumulate?: 'accumulating' | 'discarding';
  /** Whether a row without event time ends the job, or is treated as a late one. @defaultValue 'fail' */
  readonly missing?: 'fail' | 'late';
  /**
   * Where rows go whose windows have all come out, and those without event time where `missing` is 'late': as they
   * came into the window. @defaultValue they are only counted, in the summary
   */
  readonly late?: SinkOf;
}

/** When windows come out, from what a job says. @throws JOB_ARGUMENT_INVALID */
export function firingOf(spec: WindowSpec, options: WindowOptions): WindowFiring {
  const { allowedLatenessMs = 0, accumulate = 'accumulating', missing = 'fail', late } = options;
  const { lateFiring = 'perWatermark' } = options;
  wholeMs('allowedLatenessMs of a window', allowedLatenessMs, 0);
  const intervals = earlyOf(options);
  oneOf('lateFiring of a window', lateFiring, ['perWatermark', 'perRow']);
  oneOf('accumulate of a window', accumulate, ['accumulating', 'discarding']);
  oneOf('missing of a window', missing, ['fail', 'late']);
  if (spec.kind === 'count') checkPlain(options);
  if (late !== undefined) sinkIn('late of a window', late);
  const isLatePerRow = lateFiring === 'perRow';
  if ((late !== undefined || isLatePerRow) && spec.kind === 'global') {
    throw typedError('JOB_ARGUMENT_INVALID', 'global windows have no late rows', {
      hint: `They go by no time. Leave ${isLatePerRow ? 'lateFiring' : 'late'} out.`,
    });
  }
  if (isLatePerRow && allowedLatenessMs === 0) {
    throw typedError('JOB_ARGUMENT_INVALID', 'lateFiring of a window is for no rows', {
      hint: 'Windows take late rows where they are told to: give allowedLatenessMs as well.',
    });
  }
  if (spec.kind === 'session' && Object.values(intervals).some((every) => every !== null)) {
    throw typedError('JOB_ARGUMENT_INVALID', 'sessions have no early results', {
      hint: 'What came early would be of other bounds than what comes later. Leave early out.',
    });
  }
  const isDiscarding = accumulate === 'discarding';
  if (isDiscarding && spec.kind !== 'tumbling' && spec.kind !== 'global') {
    throw typedError('JOB_ARGUMENT_INVALID', `${spec.kind} windows can't be discarding`, {
      hint: 'Rows of one window are rows of others too. Leave accumulate out, or use tumbling windows.',
    });
  }
  return { allowedLatenessMs, isLatePerRow, isDiscarding, ...intervals, missing };
}

/** How often windows come out early. */
function earlyOf({ early = {} }: WindowOptions) {
  const { everyMs = null, everyRows = null, everyEventTimeMs = null } = early;
  if (everyMs !== null) wholeMs('everyMs of a window', everyMs, 1);
  if (everyRows !== null) wholeMs('everyRows of a window', everyRows, 1, 'rows');
  if (everyEventTimeMs !== null) wholeMs('everyEventTimeMs of a window', everyEventTimeMs, 1);
  return { everyMs, everyRows, everyEventTimeMs };
}

/** Windows of a count come when they are whole, and know no time. */
function checkPlain(options: WindowOptions): void {
  const [given] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
  if (given === undefined) return;
  throw typedError('JOB_ARGUMENT_INVALID', `windows of a count have no option "${given}"`, {
    hint: 'They come out once, when their last row has come, whatever its time. Leave it out.',
  });
}

function oneOf(what: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  throw typedError('JOB_ARGUMENT_INVALID', `${what} is ${describe(value)}`, {
    hint: `It is one of ${known.map((one) => `"${one}"`).join(', ')}.`,
  });
}
