/**
 * Run merge: several runs of entries become one, in slices. Of a key that several have, the newest entry stays;
 * deleted ones go, for nothing older is left that they would hide.
 */
import { addressOf, type MemoryScope } from '../memory/slot-memory.ts';
import { expiryOf, imageBytesOf, isDeleted, isOfKey, RecordKey } from './entry-record.ts';
import { RunCursor } from './run-cursor.ts';
import type { StateFiles } from './state-files.ts';
import { type StateRun, StateRunWriter } from './state-run.ts';

export class RunMerge {
  readonly #scope: MemoryScope;
  /** Newest first. */
  readonly #cursors: RunCursor[];
  readonly #writer: StateRunWriter;
  readonly #key = new RecordKey();
  /** Records with the place that is being written, so that older ones with their keys are left out. */
  readonly #written: number[] = [];

  /** @param runs - Newest first; they stay the caller's. */
  constructor(scope: MemoryScope, files: StateFiles, runs: readonly StateRun[]) {
    this.#scope = scope;
    const entryCount = runs.reduce((sum, run) => sum + run.entryCount, 0);
    this.#writer = new StateRunWriter(scope, files, entryCount);
    this.#cursors = runs.map((run) => new RunCursor(scope, run));
  }

  /** Merges about `entriesMax` entries; the new run when all are done, else null. */
  step(entriesMax: number, nowMs: number): StateRun | null {
    for (let entries = 0; entries < entriesMax; ) {
      const first = this.#first();
      if (first === null) {
        for (const cursor of this.#cursors) cursor.close();
        return this.#writer.finish();
      }
      entries += this.#mergePlace(first.group, first.hash, nowMs);
    }
    return null;
  }

  close(): void {
    for (const cursor of this.#cursors) cursor.close();
    this.#writer.close();
  }

  /** The cursor with the least place; null at the end. */
  #first(): RunCursor | null {
    let first: RunCursor | null = null;
    for (const cursor of this.#cursors) {
      if (cursor.isDone) continue;
      const isBefore =
        first === null ||
        cursor.group < first.group ||
        (cursor.group === first.group && cursor.hash < first.hash);
      if (isBefore) first = cursor;
    }
    return first;
  }

  /** Merges the entries of one place: mostly those of one key. Answers how many they are. */
  #mergePlace(group: number, hash: number, nowMs: number): number {
    const { memory } = this.#scope;
    let count = 0;
    this.#written.length = 0;
    const isHere = (cursor: RunCursor) =>
      !cursor.isDone && cursor.group === group && cursor.hash === hash;
    // One run alone has a key once.
    const isShared = this.#cursors.filter(isHere).length > 1;
    for (const cursor of this.#cursors) {
      for (; isHere(cursor); count++, cursor.step()) {
        const { record } = cursor;
        if (isShared && this.#isWritten(record)) continue;
        if (isShared) this.#remember(record);
        if (!isDeleted(memory, record) && expiryOf(memory, record) > nowMs) {
          this.#writer.append(record);
        }
      }
    }
    for (const copy of this.#written) memory.release(copy);
    return count;
  }

  #remember(record: number): void {
    const { memory } = this.#scope;
    const sizeBytes = imageBytesOf(memory, record);
    const copy = this.#scope.allocate(sizeBytes);
    memory.bytes.copyWithin(addressOf(copy), record, record + sizeBytes);
    this.#written.push(copy);
  }

  #isWritten(record: number): boolean {
    const { memory } = this.#scope;
    const key = this.#key.of(memory, record);
    return this.#written.some((copy) => isOfKey(memory, addressOf(copy), key));
  }
}
