/**
 * Window notes: what a window aggregate notes of its windows at a barrier, and what those of several tasks come to.
 *
 *     watermark             the least
 *     due again, early      those of any: a window without rows that changed gives nothing out
 *     rounds                of one task as they were; of several: given out or not (`mixedRounds`)
 */
import type { Json } from '../../contracts/json.ts';
import type { SnapshotReader } from '../../contracts/snapshot.ts';
import { keyGroupCount, keyGroupRangeOf } from '../../keys/key-group.ts';
import { leastTimeOf, notesOf } from '../snapshot-notes.ts';
import type { EarlyWindows } from './early-windows.ts';
import { mixedRounds } from './window-aggregate-snapshot.ts';
import type { WindowOutput } from './window-output.ts';
import type { WindowTimer } from './window-timer.ts';

export interface NotedParts {
  readonly timer: WindowTimer;
  readonly early: EarlyWindows;
  readonly output: WindowOutput;
  /** That rows belong to now; 0 where nothing is given out again. */
  readonly round: number;
  readonly lateCount: number;
  readonly nowMs: number;
}

export interface NotedWindows {
  readonly watermark: number;
  readonly again: readonly number[];
  readonly ends: readonly number[];
  readonly rowsSince: number;
  readonly wakeAtMs: number;
  readonly rounds: readonly (readonly [end: number, round: number])[];
  readonly round: number;
  /** Whether this task has rows of several. */
  readonly isMixed: boolean;
}

/** The end of a window of all time is no number in JSON. */
const noEnd = null;

export function noteOfWindows(parts: NotedParts): Json {
  const { timer, early, output, round, lateCount, nowMs } = parts;
  const { watermark, again } = timer.note();
  const { ends, rowsSince, wakeInMs } = early.note(nowMs);
  return {
    ...{ watermark, late: lateCount, rowsSince, wakeInMs, round },
    ...{ again: again.map(notedEnd), early: ends.map(notedEnd) },
    rounds: [...output.rounds].map(([end, given]) => [notedEnd(end), given]),
  };
}

export function notedWindows(reader: SnapshotReader, nowMs: number): NotedWindows {
  const { keyGroups } = reader;
  const tasks = reader.notes.length;
  const notes = notesOf(reader);
  const own = notes.filter((_, task) => {
    const { start, end } = keyGroupRangeOf(keyGroupCount, tasks, task);
    return start < keyGroups.end && keyGroups.start < end;
  });
  const isMixed = own.length > 1;
  const all = <Item>(name: string) => own.flatMap((note) => note[name] as readonly Item[]);
  const rounds = all<readonly [number | null, number]>('rounds');
  const round = Number(own[0]?.round ?? 0);
  const waits = own.flatMap(({ wakeInMs }) => (typeof wakeInMs === 'number' ? [wakeInMs] : []));
  return {
    watermark: leastTimeOf(reader, 'watermark'),
    again: all<number | null>('again').map(endOf),
    ends: all<number | null>('early').map(endOf),
    rowsSince: Math.max(0, ...own.map(({ rowsSince }) => Number(rowsSince))),
    wakeAtMs: nowMs + Math.min(Number.POSITIVE_INFINITY, ...waits),
    rounds: rounds.map(([end, given]) => [endOf(end), isMixed ? mixedRounds.given : given]),
    round: isMixed ? mixedRounds.changed + 1 : round,
    isMixed,
  };
}

function notedEnd(end: number): number | null {
  return Number.isFinite(end) ? end : noEnd;
}

function endOf(noted: number | null): number {
  return noted ?? Number.POSITIVE_INFINITY;
}
