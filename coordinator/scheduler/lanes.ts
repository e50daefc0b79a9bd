/**
 * Lanes: how the splits of a stream are shared out, so that each task reads in the order of time.
 *
 *     sequence a (a file)    a1 a2 a3 a4      two tasks, one sequence:   lane 0  a1 a3   lane 1  a2 a4
 *     sequence b             b1 b2            two tasks, two of them:    lane 0  a1 a2 … lane 1  b1 b2
 *
 * A sequence is what has been written in the order of time: a file, a topic partition. Where there are fewer of
 * them than tasks, each is dealt out to several lanes, which then go through it side by side. Where there are
 * very many, those behind are put at the end of a lane, for each lane has a reader with memory of its own.
 *
 * Which task reads what is fixed: a task that took what others have not begun would hold their time back.
 */
import type { Split } from '../../engine/contracts/source.ts';

/** Readers that a task has open at most. */
const lanesPerTaskMax = 64;

/** By index of the task: its splits, in the order in which they are given. */
export function lanesOf(splits: readonly Split[], parallelism: number): readonly Split[][] {
  const sequences = new Map<string, Split[]>();
  for (const split of splits) {
    const known = sequences.get(split.sequence ?? '');
    if (known === undefined) sequences.set(split.sequence ?? '', [split]);
    else known.push(split);
  }
  const perSequence = Math.ceil(parallelism / Math.max(1, sequences.size));
  const laneCount = Math.min(sequences.size * perSequence, parallelism * lanesPerTaskMax);
  const lanes = Array.from({ length: laneCount }, (): Split[] => []);
  let first = 0;
  for (const sequence of sequences.values()) {
    for (const [at, split] of sequence.entries()) {
      lanes[(first + (at % perSequence)) % laneCount]?.push(split);
    }
    first += perSequence;
  }
  const filled = lanes.filter((lane) => lane.length > 0);
  return Array.from({ length: parallelism }, (_, task) =>
    inTurn(filled.filter((__, lane) => lane % parallelism === task)),
  );
}

/** The first split of each lane, then the second ones, and so on. */
function inTurn(lanes: readonly (readonly Split[])[]): Split[] {
  const turns = Math.max(0, ...lanes.map((lane) => lane.length));
  const splits: Split[] = [];
  for (let turn = 0; turn < turns; turn++) {
    for (const [number, lane] of lanes.entries()) {
      const split = lane[turn];
      if (split !== undefined) splits.push({ ...split, lane: { number, count: lanes.length } });
    }
  }
  return splits;
}
