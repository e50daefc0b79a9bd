/**
 * The share of a task that is started again alone, from a checkpoint, while others read on: what it had been given, without
 * what it had read by then, and with the positions at which it goes on. What it was given since is given to it again.
 *
 *     given          a      b      c        d          at the checkpoint: a finished, b open at 700
 *     given again           b, at 700  c    d          c, d: from where the attempt began with them
 *
 * So no split moves to another task, and which checkpoint the hand-out of a split came before is of no matter.
 *
 * Before: coordinator/job/job-sources.ts. After: coordinator/scheduler/split-assigner.ts, growing-splits.ts.
 */
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Split } from '../../engine/contracts/source.ts';

/** @param snapshot - Of the task; null: no checkpoint is complete since it was given the first of them. */
export function restartedShare<S extends Split>(
  share: readonly S[],
  snapshot: SourceSnapshot | null,
): S[] {
  if (snapshot === null) return [...share];
  const finished = new Set(snapshot.finished);
  const positions = new Map(snapshot.open.map((one) => [one.splitId, one.position]));
  const left = share.filter(({ id }) => !finished.has(id));
  return withLanes(
    left.map((split) => {
      const position = positions.get(split.id);
      return position === undefined ? split : { ...split, position };
    }),
  );
}

/** A lane that has been read to its end is none any more: who waits for one before time goes on would wait for ever. */
function withLanes<S extends Split>(splits: readonly S[]): S[] {
  const numbers = [...new Set(splits.flatMap(({ lane }) => lane?.number ?? []))];
  const count = numbers.length;
  return splits.map((split) =>
    split.lane === undefined
      ? split
      : { ...split, lane: { number: numbers.indexOf(split.lane.number), count } },
  );
}
