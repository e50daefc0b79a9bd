/**
 * Splits of a source without an end: those that were there at first are shared out as lanes (lanes.ts), and what is
 * found later goes behind the lanes in turn.
 *
 *     at first    task 0: lane 0  a1 a2     task 1: lane 0  b1
 *     c found     task 0: lane 0  a1 a2 c
 *     d found                               task 1: lane 0  b1 d
 *     e found, without an end          task 0: lane 0  a1 a2 c   lane 1  e
 *
 * A lane goes on with what comes later, so what is found first should be the oldest. Each attempt of a task is given all
 * splits of the task again, in the same order.
 */
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { taskIndexOf } from '../protocol.ts';
import { restartedShare } from './restarted-share.ts';
import type { SplitSupply } from './split-assigner.ts';

type Lane = NonNullable<Split['lane']>;

export class GrowingSplits implements SplitSupply {
  readonly againAfterMs = 100;
  readonly #ofTasks: Split[][];
  /** By index of the task: lanes that it has; one that has had nothing yet has one to come. */
  readonly #laneCounts: number[];
  /** By task and attempt: how many splits it has got. */
  readonly #given = new Map<string, number>();
  #foundCount = 0;

  /** @param ofTasks - What was there at first, by index of the task. */
  constructor(ofTasks: readonly (readonly Split[])[]) {
    this.#ofTasks = ofTasks.map((splits) => [...splits]);
    this.#laneCounts = ofTasks.map(([first]) => first?.lane?.count ?? 1);
  }

  /** More has been found. */
  add(splits: readonly Split[]): void {
    const taskCount = this.#ofTasks.length;
    for (const split of splits) {
      const number = this.#foundCount++;
      const task = number % taskCount;
      const lane =
        split.isEndless === true
          ? this.#newLane(task)
          : this.#nextLane(task, Math.floor(number / taskCount));
      this.#ofTasks[task]?.push({ ...split, lane });
    }
  }

  #nextLane(task: number, turn: number): Lane {
    const count = this.#laneCounts[task] ?? 1;
    return { number: turn % count, count };
  }

  /** Beside those of the task: what is behind a split without an end is never read. */
  #newLane(task: number): Lane {
    const hasLanes = (this.#ofTasks[task] ?? []).length > 0;
    const count = hasLanes ? (this.#laneCounts[task] ?? 0) + 1 : 1;
    this.#laneCounts[task] = count;
    return { number: count - 1, count };
  }

  next(taskId: string, attempt: number): Split | null {
    const key = `${taskId} ${attempt}`;
    const given = this.#given.get(key) ?? 0;
    const split = this.#ofTasks[taskIndexOf(taskId)]?.[given] ?? null;
    if (split !== null) this.#given.set(key, given + 1);
    return split;
  }

  restart(taskId: string, snapshot: SourceSnapshot | null): void {
    const task = taskIndexOf(taskId);
    const left = restartedShare(this.#ofTasks[task] ?? [], snapshot);
    this.#ofTasks[task] = left;
    if (snapshot !== null) this.#laneCounts[task] = left[0]?.lane?.count ?? 1;
  }
}
