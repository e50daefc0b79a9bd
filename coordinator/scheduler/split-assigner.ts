/**
 * Hands out the splits of a source, one at a time, to whichever task asks: a task on a slow thread
 * gets fewer of them, and nobody waits for a share that was fixed at the start.
 *
 *     v1[0] attempt 1   a c          what a task was given is noted, and given again to each later
 *     v1[1] attempt 1   b d e        attempt of the same task, in the same order
 *     v1[1] attempt 2   b d e f …
 *
 * Once an attempt was told that there are no more, no attempt of the task gets more: it may have finished.
 */
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { taskIndexOf } from '../protocol.ts';
import { restartedShare } from './restarted-share.ts';

interface Share {
  splits: Split[];
  isWhole: boolean;
  /** By attempt: how many of them it has got. */
  readonly given: Map<number, number>;
}

/** Knows which split an attempt of a task gets next. */
export interface SplitSupply {
  /** Null means none now: when a task asks again. @defaultValue null means that there are no more */
  readonly againAfterMs?: number;
  /** The next split for an attempt of a task, or null when there are no more. */
  next(taskId: string, attempt: number): Split | null;
  /**
   * Attempts of a task from now on go on from a checkpoint (restarted-share.ts); none of those before asks any more.
   *
   * @param snapshot - Of the task; null: they begin with what the task was given first.
   */
  restart(taskId: string, snapshot: SourceSnapshot | null): void;
}

/** Splits that are shared out beforehand: each attempt of a task gets those of the task, in their order. */
export class FixedSplits implements SplitSupply {
  readonly #ofTasks: (readonly Split[])[];
  /** By task and attempt: how many it has got. */
  readonly #given = new Map<string, number>();

  /** @param ofTasks - By index of the task. */
  constructor(ofTasks: readonly (readonly Split[])[]) {
    this.#ofTasks = [...ofTasks];
  }

  next(taskId: string, attempt: number): Split | null {
    const key = `${taskId} ${attempt}`;
    const given = this.#given.get(key) ?? 0;
    this.#given.set(key, given + 1);
    return this.#ofTasks[taskIndexOf(taskId)]?.[given] ?? null;
  }

  restart(taskId: string, snapshot: SourceSnapshot | null): void {
    const index = taskIndexOf(taskId);
    this.#ofTasks[index] = restartedShare(this.#ofTasks[index] ?? [], snapshot);
  }
}

export class SplitAssigner implements SplitSupply {
  readonly #splits: readonly Split[];
  readonly #shares = new Map<string, Share>();
  #next = 0;

  constructor(splits: readonly Split[]) {
    this.#splits = splits;
  }

  next(taskId: string, attempt: number): Split | null {
    const share = this.#shareOf(taskId);
    const given = share.given.get(attempt) ?? 0;
    if (given === share.splits.length && !share.isWhole) {
      const split = this.#splits[this.#next++];
      if (split === undefined) share.isWhole = true;
      else share.splits.push(split);
    }
    share.given.set(attempt, given + 1);
    return share.splits[given] ?? null;
  }

  restart(taskId: string, snapshot: SourceSnapshot | null): void {
    const share = this.#shareOf(taskId);
    share.splits = restartedShare(share.splits, snapshot);
  }

  #shareOf(taskId: string): Share {
    const share = this.#shares.get(taskId) ?? { splits: [], isWhole: false, given: new Map() };
    this.#shares.set(taskId, share);
    return share;
  }
}
