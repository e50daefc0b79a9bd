/**
 * Splits of a source without an end: those that were there at first are shared out as lanes (lanes.ts), and what is
 * found later goes behind the lanes in turn.
 *
 *     at first    task 0: lane 0  a1 a2     task 1: lane 0  b1
 *     c found     task 0: lane 0  a1 a2 c
 *     d found                               task 1: lane 0  b1 d
 *
 * A lane goes on with what comes later, so what is found first should be the oldest. Each attempt of a task is given all
 * splits of the task again, in the same order.
 */
import type { Split } from '../../engine/contracts/source.ts';
import { taskIndexOf } from '../protocol.ts';
import type { SplitSupply } from './split-assigner.ts';

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
      const count = this.#laneCounts[task] ?? 1;
      const lane = { number: Math.floor(number / taskCount) % count, count };
      this.#ofTasks[task]?.push({ ...split, lane });
    }
  }

  next(taskId: string, attempt: number): Split | null {
    const key = `${taskId} ${attempt}`;
    const given = this.#given.get(key) ?? 0;
    const split = this.#ofTasks[taskIndexOf(taskId)]?.[given] ?? null;
    if (split !== null) this.#given.set(key, given + 1);
    return split;
  }
}
