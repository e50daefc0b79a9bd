/**
 * Kept groups: the table of running groups, as much of it as memory has room for, and the rest on disk.
 *
 *     groups that come ─▶ slots of their keys ─▶ those that were never touched ─▶ looked for on disk ─▶ whole groups
 *     table, no room for them ─▶ all of it to disk (group-disk.ts) ─▶ an empty table
 *
 * So before anything is merged (`makeReady`), the table has all that is known of the groups that come, and no more has to be
 * known. What is over, or gone, is swept out of the table where it is all there is; else runs are merged without it.
 *
 * Invariants:
 * - Between two updates each group in the table is as it is, and counts more than what the disk has of it.
 * - Without keys there is one group, and no disk.
 * Before: engine/operators/changes/running-groups.ts · After: engine/operators/changes/group-disk.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import type { Batch } from '../../batch/batch.ts';
import type { GroupRows, GroupTable } from '../../kernels/group-table.ts';
import type { Schema } from '../../schema/schema.ts';
import type { FrozenRun } from '../frozen-rows.ts';
import type { OperatorContext } from '../operator.ts';
import type { Work } from './counted-rows.ts';
import { GroupDisk, type GroupsOnDisk } from './group-disk.ts';
import { placeOf } from './group-order.ts';
import type { GroupSweep } from './group-sweep.ts';
import { PlaceList } from './wanted-groups.ts';

/** What groups are made of, in a table and on disk. */
export interface KeptParts extends GroupsOnDisk {
  /** A batch of groups that come, as the table reads it; holds until the next call. */
  keysOf(batch: Batch): GroupRows;
}

export interface KeptGroupsOptions {
  readonly parts: KeptParts;
  readonly hasKeys: boolean;
  /** Of batches that are made of groups. */
  readonly output: Schema;
  /** Of the operator's share, from 0 to 1. */
  readonly part: number;
  /** What the table may have. @defaultValue what there is */
  readonly tableBytes?: number;
  /** Makes of a batch of a run one of a snapshot; takes it over. @defaultValue as it is */
  readonly frozenNow?: () => (batch: Batch) => Batch;
  /** Puts the groups that were touched since into another table. @defaultValue none is ever swept */
  readonly sweep?: (table: GroupTable, sinceMs: number) => GroupSweep;
}

/** Whoever has groups that come. */
export interface ComingGroups {
  readonly count: number;
  /** Gives all of them, as parts, to `work`. */
  each(work: (batch: Batch) => Work): Work;
}

export class KeptGroups {
  readonly #context: OperatorContext;
  readonly #options: KeptGroupsOptions;
  readonly #disk: GroupDisk | null;
  readonly #places = new PlaceList();
  #table: GroupTable;
  #work: Work | null = null;
  /** What `#work` makes the table ready for. */
  #subject: unknown = null;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: KeptGroupsOptions) {
    const { parts, hasKeys } = options;
    this.#context = context;
    this.#options = options;
    this.#table = parts.newTable();
    try {
      this.#disk = hasKeys ? this.#newDisk() : null;
    } catch (error) {
      this.#table.close();
      throw error;
    }
  }

  get table(): GroupTable {
    return this.#table;
  }

  /** Groups, those on disk as often as they are there. */
  get count(): number {
    return this.#table.groupCount + (this.#disk?.rowCount ?? 0);
  }

  get isOnDisk(): boolean {
    return this.#disk !== null && !this.#disk.isEmpty;
  }

  /** Brings all that is known of groups that come into the table; false asks to be called again, with the same ones. */
  makeReady(coming: ComingGroups, subject: unknown = coming): boolean {
    if (this.#disk === null) return true;
    if (!this.isOnDisk && !this.#disk.isFull(this.#table, coming.count)) return true;
    return this.#do(subject, () => this.#readying(coming));
  }

  /** Leaves out groups that are over by now, and those without rows; false asks to be called again. */
  sweep(sinceMs: number): boolean {
    return this.#do('sweep', () => this.#sweeping(sinceMs));
  }

  /** Brings all groups to where `frozen` and the table have each of them once; false asks to be called again. */
  settle(): boolean {
    return this.#do('settle', () => this.#settling());
  }

  /** Groups on disk, behind `settle`, as rows of a snapshot. */
  frozen(): readonly FrozenRun[] {
    const read = this.#options.frozenNow?.() ?? ((batch: Batch) => batch);
    return this.#disk?.frozen(read) ?? [];
  }

  /** Whether there is no memory because the share is too small for the disk: then that is what the error says. */
  explained(error: unknown): unknown {
    return this.#disk?.explained(error) ?? error;
  }

  close(): void {
    this.#work?.return();
    this.#work = null;
    closeAll([this.#table, this.#disk]);
  }

  #newDisk(): GroupDisk {
    const { parts: groups, output, part, tableBytes } = this.#options;
    const table = tableBytes !== undefined && { tableBytes };
    return new GroupDisk(this.#context, { groups, output, part, ...table });
  }

  /** Goes on with work on a subject, or begins it; false when the slice is over before. */
  #do(subject: unknown, begin: () => Work): boolean {
    if (this.#work === null) {
      this.#work = begin();
      this.#subject = subject;
    }
    assert(this.#subject === subject, 'one thing is done after the other');
    try {
      while (this.#work.next().done !== true) if (this.#context.shouldYield()) return false;
    } catch (error) {
      throw this.explained(error);
    }
    this.#work = null;
    return true;
  }

  *#readying(coming: ComingGroups): Work {
    const disk = this.#disk;
    assert(disk !== null, 'groups with keys have a disk');
    yield* this.#grown();
    if (disk.isFull(this.#table, coming.count)) {
      yield* this.#toDisk(disk);
      yield* disk.tidy();
    }
    if (disk.isEmpty) return;
    yield* coming.each((batch) => this.#look(disk, batch));
    yield* disk.find(this.#places.take(), this.#table);
    yield* this.#grown();
  }

  /** Makes slots for the groups of a batch, and notes which of those that are new the disk may have. */
  *#look(disk: GroupDisk, batch: Batch): Work {
    const { parts } = this.#options;
    const { memory } = this.#context.scope;
    const rows = parts.keysOf(batch);
    for (let row = 0; row < batch.rowCount; ) {
      if (this.#table.isGrowing) {
        this.#table.grow();
        yield null;
        continue;
      }
      const found = this.#table.findRows(rows, row);
      const { uint32 } = memory;
      const slots = this.#table.slotsAt >>> 2;
      for (let at = 0; at < found; at++) {
        const slot = uint32[slots + at] ?? 0;
        if (parts.isThere(slot)) continue;
        const place = placeOf(uint32[slot >>> 2] ?? 0);
        if (disk.mayHold(place)) this.#places.add(place);
      }
      row += found;
    }
  }

  *#sweeping(sinceMs: number): Work {
    yield* this.#grown();
    const disk = this.#disk;
    if (disk !== null && (!disk.isEmpty || disk.isFull(this.#table, this.#table.groupCount))) {
      yield* this.#toDisk(disk);
      yield* disk.gather();
      return;
    }
    const sweep = this.#options.sweep?.(this.#table, sinceMs);
    assert(sweep !== undefined, 'who has groups swept says how');
    let swept: GroupTable | null = null;
    try {
      for (swept = sweep.step(); swept === null; swept = sweep.step()) yield null;
    } finally {
      if (swept === null) sweep.close();
    }
    this.#table.close();
    this.#table = swept;
  }

  *#settling(): Work {
    yield* this.#grown();
    if (this.#disk === null || this.#disk.isEmpty) return;
    yield* this.#toDisk(this.#disk);
    yield* this.#disk.gather();
  }

  *#toDisk(disk: GroupDisk): Work {
    if (this.#table.groupCount > 0) yield* disk.write(this.#table);
    this.#table.clear();
    if (disk.hasRoomFor(this.#table)) return;
    const empty = this.#options.parts.newTable();
    this.#table.close();
    this.#table = empty;
  }

  *#grown(): Work {
    while (this.#table.isGrowing) {
      this.#table.grow();
      yield null;
    }
  }
}
