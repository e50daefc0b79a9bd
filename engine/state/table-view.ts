/**
 * Table view: the entries of a keyed table as they were at one moment, read by key group while work goes on.
 *
 *     changes     deltas frozen since the last snapshot ──newest of each key──▶ entries, deleted ones among them
 *     everything  deltas · base · runs                  ──newest of each key──▶ entries that have not expired by then
 *
 * Frozen deltas and runs do not change. The base does, and what moves entries into it stays behind a view that reads it
 * (table-layers.ts): key groups below `groupsDone` are free.
 *
 * Contract: records hold until the next call.
 */
import type { Kernels } from '../kernels/kernels.ts';
import { keyGroupCount } from '../keys/key-group.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import { type EntryKey, expiryOf, isDeleted, RecordKey } from './entry-record.ts';
import type { EntryTable } from './entry-table.ts';
import type { FrozenDelta } from './frozen-delta.ts';
import { RunCursor } from './run-cursor.ts';
import type { StateRun } from './state-run.ts';

/** What a view reads; all of it newest first. */
export interface ViewParts {
  /** Held by the view from now on. */
  readonly deltas: readonly FrozenDelta[];
  /** What is below them; null: only changes are wanted. */
  readonly below: ViewBelow | null;
}

interface ViewBelow {
  readonly base: EntryTable;
  readonly runs: readonly StateRun[];
  /** Entries that have expired by then are left out. */
  readonly nowMs: number;
}

/** Entries that can be looked up, and read by key group, ascending. */
interface Source {
  find(key: EntryKey): number;
  /** Puts some of the next records of the group, divided by 8, at an address: at most `max`. Answers how many; -1 behind the last. */
  list(group: number, to: number, max: number): number;
  close(): void;
}

export interface ViewContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
}

export class TableView {
  readonly #scope: MemoryScope;
  readonly #below: ViewBelow | null;
  readonly #key = new RecordKey();
  #sources: Source[];
  #group = 0;
  /** Which source is read. */
  #at = 0;

  constructor({ scope, kernels }: ViewContext, { deltas, below }: ViewParts) {
    this.#scope = scope;
    this.#below = below;
    this.#sources = deltas.map((delta) => new TableSource(kernels, delta.hold().table, delta));
    if (below === null) return;
    this.#sources.push(new TableSource(kernels, below.base, null));
    this.#sources.push(...below.runs.map((run) => new RunSource(scope, run)));
  }

  /** Whether it still reads the base. */
  get readsBase(): boolean {
    return this.#below !== null && this.#group < keyGroupCount;
  }

  /** Key groups whose entries have all been given. */
  get groupsDone(): number {
    return this.#group;
  }

  /**
   * Puts the next records, divided by 8, at an address: at most `max`, where there is room for one more. Answers how many; 0
   * behind the last one.
   * @throws SPILL_DAMAGED; MEMORY_EXHAUSTED
   */
  list(to: number, max: number): number {
    for (; this.#group < keyGroupCount; this.#group++, this.#at = 0) {
      for (; this.#at < this.#sources.length; this.#at++) {
        const source = this.#sources[this.#at]!;
        for (;;) {
          const listed = source.list(this.#group, to, max);
          if (listed < 0) break;
          const count = this.#keepShown(to, listed);
          if (count > 0) return count;
        }
      }
    }
    return 0;
  }

  /** Gives up what it holds; twice is once. */
  close(): void {
    for (const source of this.#sources) source.close();
    this.#sources = [];
    this.#group = keyGroupCount;
  }

  /** Takes hidden records out of a list; answers how many are left. */
  #keepShown(list: number, listed: number): number {
    // The newest changes of all: nothing hides them.
    if (this.#below === null && this.#at === 0) return listed;
    const { uint32 } = this.#scope.memory;
    const first = list >>> 2;
    let count = 0;
    for (let at = 0; at < listed; at++) {
      const record = uint32[first + at]!;
      if (!this.#isHidden(record * 8)) uint32[first + count++] = record;
    }
    return count;
  }

  #isHidden(record: number): boolean {
    const { memory } = this.#scope;
    if (this.#below !== null) {
      if (isDeleted(memory, record) || expiryOf(memory, record) <= this.#below.nowMs) return true;
    }
    if (this.#at === 0) return false;
    const key = this.#key.of(memory, record);
    for (let newer = 0; newer < this.#at; newer++) {
      if (this.#sources[newer]!.find(key) !== 0) return true;
    }
    return false;
  }
}

/**
 * Not slot by slot: entries in the order of their hashes, put into another table while it grows, would all
 * want the same part of it, and look-ups there would take as long as the part is.
 */
class TableSource implements Source {
  readonly #kernels: Kernels;
  readonly #table: EntryTable;
  readonly #delta: FrozenDelta | null;
  #group = 0;
  #steps = 0;

  constructor(kernels: Kernels, table: EntryTable, delta: FrozenDelta | null) {
    this.#kernels = kernels;
    this.#table = table;
    this.#delta = delta;
  }

  find(key: EntryKey): number {
    return this.#table.find(key);
  }

  list(group: number, to: number, max: number): number {
    if (group !== this.#group) this.#steps = 0;
    this.#group = group;
    const slotCount = this.#table.slotCountOf(group);
    const steps = Math.min(max, slotCount - this.#steps);
    if (steps <= 0) return -1;
    const slots = this.#table.slotsAddressOf(group);
    const from = this.#steps;
    this.#steps += steps;
    return this.#kernels.listEntries(slots, slotCount - 1, from, steps, to);
  }

  close(): void {
    this.#delta?.release();
  }
}

class RunSource implements Source {
  readonly #scope: MemoryScope;
  readonly #run: StateRun;
  #cursor: RunCursor | null = null;
  /** Whether the cursor is at the record that was given last. */
  #isGiven = false;

  constructor(scope: MemoryScope, run: StateRun) {
    this.#scope = scope;
    this.#run = run.hold();
  }

  find(key: EntryKey): number {
    return this.#run.find(key);
  }

  list(group: number, to: number): number {
    this.#cursor ??= new RunCursor(this.#scope, this.#run);
    if (this.#isGiven) this.#cursor.step();
    this.#isGiven = !this.#cursor.isDone && this.#cursor.group === group;
    if (!this.#isGiven) return -1;
    // One at a time: its bytes are there until the cursor goes on.
    this.#scope.memory.uint32[to >>> 2] = this.#cursor.record / 8;
    return 1;
  }

  close(): void {
    this.#cursor?.close();
    this.#run.close();
  }
}
