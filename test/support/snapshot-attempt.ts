/**
 * Attempt: the tasks of an operator from one restart to the next, for the snapshot harness.
 *
 * All tasks are in one memory, as in a slot thread. Attempts take turns in two memories, so that what is left of one is
 * poison while the next one runs.
 */
import { expect } from 'vitest';
import { assert } from '../../base/assert.ts';
import type { KeyGroupRange } from '../../engine/contracts/snapshot.ts';
import {
  keyGroupCount,
  keyGroupOf,
  keyGroupRangeOf,
  partitionOfKeyGroups,
} from '../../engine/keys/key-group.ts';
import { KeyHasher } from '../../engine/keys/key-hasher.ts';
import type { Operator } from '../../engine/operators/operator.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { MemoryDisk } from './memory-disk.ts';
import {
  advance,
  batchOf,
  CollectingOutbox,
  feedBuildSide,
  feedRows,
  newContext,
  type OperatorCase,
  type Row,
  type Run,
  type RunMode,
  type Step,
  untilDone,
  wake,
} from './operator-harness.ts';
import { SnapshotCopies, SnapshotTaker, type TaskCopy } from './snapshot-copy.ts';
import { spillSpace } from './spill-space.ts';

/** An operator, and how its rows come to its tasks. */
export interface AttemptCase
  extends Pick<OperatorCase, 'input' | 'rightInput' | 'build' | 'shareBytes'> {
  /** What rows are sent by; none: all to one task. */
  readonly keys: readonly string[];
  /** Of the second stream. @defaultValue `keys` */
  readonly rightKeys?: readonly string[];
  /** What the first attempt is given to its end before any row; later ones are given it too, and must not take it. */
  readonly keptSide?: NonNullable<OperatorCase['buildSide']> & {
    /** What its rows are sent by; null: all to every task. */
    readonly keys: readonly string[] | null;
  };
}

/** A piece of the input between which barriers can come. */
export type Piece = Step | { readonly rows: readonly Row[]; readonly isRight: boolean };

/** What an attempt leaves for the next one. */
export interface Past {
  readonly copies: readonly TaskCopy[];
  readonly nowMs: number;
  readonly watermark: number;
}

interface Barrier extends Omit<Past, 'copies'> {
  readonly takers: readonly SnapshotTaker[];
}

interface Task {
  readonly operator: Operator;
  readonly run: Run;
  readonly late: Row[];
  readonly keyGroups: KeyGroupRange;
  /** Its last snapshot that is on disk. */
  written: TaskCopy | null;
}

/** The tasks of an operator from one restart to the next. */
export class Attempt {
  readonly #case: AttemptCase;
  readonly #place = places.pop() ?? newContext('tested', false, 64 * 1024 * 1024);
  readonly #disk = new MemoryDisk();
  readonly #clock: { nowMs: number };
  readonly #tasks: readonly Task[];
  #watermark: number;

  constructor(attemptCase: AttemptCase, mode: RunMode, parallelism: number, past?: Past) {
    this.#case = attemptCase;
    this.#clock = { nowMs: past?.nowMs ?? 0 };
    this.#watermark = past?.watermark ?? Number.NEGATIVE_INFINITY;
    this.#tasks = Array.from({ length: parallelism }, (_, index) => {
      const keyGroups = keyGroupRangeOf(keyGroupCount, parallelism, index);
      return this.#newTask(mode, keyGroups, `${index}`);
    });
    if (past !== undefined) for (const task of this.#tasks) this.#restore(task, past.copies);
    if (attemptCase.keptSide !== undefined) this.#feedKeptSide(attemptCase.keptSide, mode);
  }

  get noted(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { operator } of this.#tasks) {
      for (const [name, count] of Object.entries(operator.notedRows ?? {})) {
        sums[name] = (sums[name] ?? 0) + count;
      }
    }
    return sums;
  }

  /** The time up to which all tasks promise to have given out what is older. */
  get promisedMs(): number {
    const times = this.#tasks.map(({ operator }) => {
      return operator.watermarkBehind?.(this.#watermark) ?? this.#watermark;
    });
    return Math.min(...times);
  }

  feed(piece: Piece): void {
    if ('rows' in piece) this.#feedRows(piece.rows, piece.isRight);
    else if ('watermark' in piece) this.#advance(piece.watermark);
    else if ('wake' in piece) {
      for (const { operator, run } of this.#tasks) wake(operator, piece.wake, run);
    }
  }

  takeRows(): Row[] {
    return this.#tasks.flatMap(({ run: { outbox } }) => outbox.rows.splice(0));
  }

  takeLate(): Row[] {
    return this.#tasks.flatMap(({ late }) => late.splice(0));
  }

  /** A barrier comes to all tasks. */
  snapshot(checkpointId: number): Barrier {
    const takers = this.#tasks.map(({ operator, run: { outbox }, keyGroups, written }) => {
      const taker = new SnapshotTaker(this.#place, keyGroups, checkpointId, written);
      untilDone('snapshot', () => {
        const isDone = operator.snapshot?.(taker, outbox) ?? true;
        assert(isDone || taker.isEmpty, 'nothing is told by a snapshot that is to be called again');
        return isDone;
      });
      return taker;
    });
    return { takers, nowMs: this.#clock.nowMs, watermark: this.#watermark };
  }

  /** A checkpoint that completes, and behind which the attempt goes on: the next one may come on top of it. */
  complete({ takers }: Barrier): void {
    for (const [index, taker] of takers.entries()) {
      while (taker.take(1));
      const task = this.#tasks[index];
      assert(task !== undefined, 'each task has handed out its snapshot');
      task.written = taker.copy;
    }
  }

  /** Works on what follows the barrier, has rows taken meanwhile and behind that, and ends as after a failure. */
  endBehind({ takers, nowMs, watermark }: Barrier, behind: readonly Piece[]): Past {
    for (const piece of behind) {
      this.feed(piece);
      for (const taker of takers) taker.take(1);
    }
    for (const taker of takers) while (taker.take(1));
    // A checkpoint that fails: nothing of it is taken.
    for (const taker of this.snapshot(Number.MAX_SAFE_INTEGER).takers) taker.close();
    const copies = takers.map(({ copy }) => copy);
    this.close();
    return { copies, nowMs, watermark };
  }

  /** Event time begins again at or before where it was: nothing is to come of it. */
  advanceAnew(watermark: number, random: () => number): void {
    if (!Number.isFinite(watermark)) return;
    if (random() < 0.5) this.#advance(watermark - 1 - Math.floor(random() * 100));
    this.#advance(watermark);
    expect([...this.takeRows(), ...this.takeLate()], 'what a past time gives').toEqual([]);
  }

  finish(): void {
    for (const { operator, run } of this.#tasks) {
      untilDone('finish', () => operator.finish(run.outbox));
    }
  }

  close(): void {
    for (const { operator } of this.#tasks) operator.close();
    this.#place.memory.assertEmpty();
    expect([...this.#disk.files.keys()], 'files that are left').toEqual([]);
    places.push(this.#place);
  }

  #newTask(mode: RunMode, keyGroups: KeyGroupRange, prefix: string): Task {
    const { memory, scope, kernels } = this.#place;
    const late: Row[] = [];
    const outbox = new CollectingOutbox(mode.isOutboxSlow);
    const operator = this.#case.build({
      ...{ name: 'tested', scope, kernels },
      shouldYield: () => mode.isTimeOver,
      nowMs: () => this.#clock.nowMs,
      late: new CollectingOutbox(mode.isOutboxSlow, late),
      spill: { ...spillSpace(this.#case.shareBytes, this.#disk), prefix },
    });
    const run: Run = { mode, outbox, clock: this.#clock, scope: memory.scope('input') };
    return { operator, run, late, keyGroups, written: null };
  }

  #restore({ operator, keyGroups }: Task, copies: readonly TaskCopy[]): void {
    if (operator.restore === undefined) {
      const isNothing = copies.every(({ note, parts }) => note === null && parts.size === 0);
      assert(isNothing, 'an operator that hands something out has "restore"');
      return;
    }
    const reader = new SnapshotCopies(this.#place, copies, keyGroups);
    untilDone('restore', () => operator.restore?.(reader) ?? true);
    expect(reader.forgotten, 'parts that "restore" has not read to the end').toEqual([]);
  }

  #advance(timeMs: number): void {
    this.#watermark = timeMs;
    for (const { operator, run } of this.#tasks) advance(operator, timeMs, run, false);
  }

  #feedKeptSide({ schema, rows, keys }: NonNullable<AttemptCase['keptSide']>, mode: RunMode): void {
    const taskOf = keys === null ? null : this.#tasksOf(schema, rows, keys);
    for (const [index, { operator, run }] of this.#tasks.entries()) {
      const own = rows.filter((_, row) => taskOf === null || taskOf[row] === index);
      feedBuildSide(operator, run.scope, { schema, rows: own }, mode);
    }
  }

  #feedRows(rows: readonly Row[], isRight: boolean): void {
    const { input, rightInput = input, keys, rightKeys = keys } = this.#case;
    const schema = isRight ? rightInput : input;
    const taskOf = this.#tasksOf(schema, rows, isRight ? rightKeys : keys);
    for (const [index, { operator, run }] of this.#tasks.entries()) {
      const own = rows.filter((_, row) => taskOf[row] === index);
      if (own.length > 0) feedRows(operator, { schema, rows: own, isRight }, run);
    }
  }

  /** The task of each row, by its key group. */
  #tasksOf(schema: Schema, rows: readonly Row[], keys: readonly string[]): readonly number[] {
    if (this.#tasks.length === 1) return rows.map(() => 0);
    const { scope, kernels, memory } = this.#place;
    const batch = batchOf(scope, schema, rows);
    const hasher = new KeyHasher({ scope, kernels, schema }, keys);
    const partitions = partitionOfKeyGroups(this.#tasks.length);
    const hashes = hasher.hash(batch) >>> 2;
    const found = rows.map((_, row) => {
      return partitions[keyGroupOf(memory.uint32[hashes + row] ?? 0)] ?? 0;
    });
    hasher.close();
    batch.release();
    return found;
  }
}

/** Memories that are empty: two, in turns. */
const places: ReturnType<typeof newContext>[] = [];
