/**
 * One group of a group table, found by its key and not made: for people who ask for the state of a key while the
 * table is in use. The find kernels make what they don't find, unless the table is full; so it is said to be full.
 *
 * Contract: called between two calls of the table; the key is written as the table's own are (not checked).
 * After: engine/kernels/group-table.ts
 */
import type { SlotMemory } from '../memory/slot-memory.ts';
import { groupFindOf, groupTableLayout as layout } from './group-kernels.ts';
import type { GroupColumns } from './group-rows.ts';
import type { ColumnAddress, GroupTable } from './group-table.ts';
import type { Kernels } from './kernels.ts';
import type { KeyForm } from './key-layout.ts';

export interface FindOneOptions {
  readonly memory: SlotMemory;
  readonly kernels: Kernels;
  readonly keyForm: KeyForm;
}

/** The address of the key's slot; 0 when the table has none. It holds until the table is used again. */
export function slotOfKey(
  table: GroupTable,
  key: ColumnAddress,
  { memory, kernels, keyForm }: FindOneOptions,
): number {
  const { uint32 } = memory;
  const groupsMax = (table.description + layout.groupsMax) >>> 2;
  const was = uint32[groupsMax] ?? 0;
  uint32[groupsMax] = 0;
  const { values, validity } = key;
  const find = groupFindOf(kernels, keyForm);
  const found = find(table.description, values, validity, 0, 0, 1, table.slotsAt);
  uint32[groupsMax] = was;
  return found === 0 ? 0 : (uint32[table.slotsAt >>> 2] ?? 0);
}

/** A slot's group, in the form of a table that has no other. */
export class OneGroup {
  readonly groupCount = 1;
  readonly #table: GroupTable;
  readonly #memory: SlotMemory;
  readonly #slot: number;

  constructor(table: GroupTable, memory: SlotMemory, slot: number) {
    this.#table = table;
    this.#memory = memory;
    this.#slot = slot;
  }

  get resultSizes(): readonly number[] {
    return this.#table.resultSizes;
  }

  get arenaBlocks() {
    return this.#table.arenaBlocks;
  }

  readGroups(_from: number, _rowsMax: number, out: GroupColumns) {
    const { slotsAt } = this.#table;
    this.#memory.uint32[slotsAt >>> 2] = this.#slot;
    this.#table.gatherGroups(slotsAt, 1, 0, out);
    return { rowCount: 1, nextSlot: 1 };
  }
}
