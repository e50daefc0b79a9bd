/**
 * Snapshot file reader: what an operator of a new task goes on from, out of the files of all its old tasks.
 *
 *     task snapshots ──operator and kind──▶ parts of tasks with key groups of this one's ──part by part──▶ batches
 *
 * A part is checked as a whole before a row of it is given out: it has some megabytes at most. What is held of it then is
 * one batch.
 *
 * Contract: `close` once; batches outlive it.
 *
 * Before: engine/checkpoint/task-snapshot.ts. After: worker/snapshot/snapshot-part-reader.ts, engine/contracts/snapshot.ts.
 */
import type { Batch } from '../../engine/batch/batch.ts';
import type {
  OperatorSnapshot,
  SnapshotPart,
  TaskSnapshot,
} from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { KeyGroupRange, SnapshotReader } from '../../engine/contracts/snapshot.ts';
import { keyGroupCount, keyGroupRangeOf } from '../../engine/keys/key-group.ts';
import type { SnapshotContext } from './snapshot-output.ts';
import { SnapshotPartReader } from './snapshot-part-reader.ts';

export interface SnapshotFileReaderOptions extends SnapshotContext {
  readonly operatorId: string;
  readonly kind: string;
  /** Of the tasks that the operator had. */
  readonly tasks: readonly TaskSnapshot[];
  /** Of the new task. */
  readonly taskIndex: number;
  readonly parallelism: number;
  /** As in `SnapshotReader`. @defaultValue false */
  readonly isOwn?: boolean;
  /** Whether parts of all tasks are read, whatever their key groups. @defaultValue false */
  readonly readsAll?: boolean;
}

/** How far a part has been read. */
interface Progress {
  readonly parts: readonly SnapshotPart[];
  /** Of the first task. */
  readonly ofFirst: number;
  next: number;
  reader: SnapshotPartReader | null;
}

export class SnapshotFileReader implements SnapshotReader {
  readonly keyGroups: KeyGroupRange;
  readonly notes: readonly Json[];
  readonly isOwn: boolean;
  readonly #options: SnapshotFileReaderOptions;
  readonly #progress = new Map<string, Progress>();

  constructor(options: SnapshotFileReaderOptions) {
    const { operatorId, kind, tasks, taskIndex, parallelism } = options;
    this.#options = options;
    this.isOwn = options.isOwn === true;
    this.keyGroups = keyGroupRangeOf(keyGroupCount, parallelism, taskIndex);
    const isOwn = (one: OperatorSnapshot) => one.operatorId === operatorId && one.kind === kind;
    // Others have only rows that were on their way to it.
    const ordered = tasks
      .filter(({ operators }) => operators.some(isOwn))
      .toSorted((left, right) => left.taskIndex - right.taskIndex);
    this.notes = ordered.map(({ operators }) => operators.find(isOwn)?.note ?? null);
    for (const [at, task] of ordered.filter((one) => this.#isWanted(one)).entries()) {
      for (const part of task.operators.find(isOwn)?.parts ?? []) this.#add(part, at === 0);
    }
  }

  /** @throws SNAPSHOT_DAMAGED; MEMORY_EXHAUSTED; errors of the disk */
  read(part: string): Batch | null {
    const progress = this.#progress.get(part);
    return progress === undefined ? null : this.#readNext(progress, progress.parts.length);
  }

  /** @throws as `read` */
  readOne(part: string): Batch | null {
    const progress = this.#progress.get(part);
    return progress === undefined ? null : this.#readNext(progress, progress.ofFirst);
  }

  #readNext(progress: Progress, end: number): Batch | null {
    for (;;) {
      const reader = progress.reader ?? this.#openNext(progress, end);
      if (reader === null) return null;
      const batch = reader.read();
      if (batch !== null) return batch;
      progress.reader = null;
      reader.close();
    }
  }

  close(): void {
    for (const progress of this.#progress.values()) {
      progress.reader?.close();
      progress.reader = null;
    }
    this.#progress.clear();
  }

  #isWanted({ parallelism, taskIndex }: TaskSnapshot): boolean {
    if (this.#options.readsAll === true) return true;
    const { start, end } = keyGroupRangeOf(keyGroupCount, parallelism, taskIndex);
    return start < this.keyGroups.end && this.keyGroups.start < end;
  }

  #add(part: SnapshotPart, isOfFirst: boolean): void {
    const known = this.#progress.get(part.part);
    const parts = [...(known?.parts ?? []), part];
    const ofFirst = (known?.ofFirst ?? 0) + (isOfFirst ? 1 : 0);
    this.#progress.set(part.part, { parts, ofFirst, next: 0, reader: null });
  }

  #openNext(progress: Progress, end: number): SnapshotPartReader | null {
    const part = progress.parts[progress.next];
    if (part === undefined || progress.next >= end) return null;
    progress.next++;
    progress.reader = new SnapshotPartReader(this.#options, part);
    return progress.reader;
  }
}
