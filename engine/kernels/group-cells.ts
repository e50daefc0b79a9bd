/**
 * The cells of a group table: what the groups of some rows accumulate, one kernel call per accumulator,
 * and the results of groups as columns.
 *
 * Contract: the slots are those of the rows, in order, as a find call wrote them (not checked); there is
 * room for texts in the table's arena (`textRoom` says how much).
 * Before: engine/kernels/accumulators.ts · After: engine/kernels/group-table.ts
 */
import type { Accumulate } from './accumulate-kernels.ts';
import {
  type AccumulatorSpec,
  accumulateOf,
  accumulateTextOf,
  type Cell,
  cellsOf,
} from './accumulators.ts';
import type { Kernels } from './kernels.ts';

/** A column's place: addresses; validity 0 when no value is null. A batch's column is one. */
export interface ColumnAddress {
  readonly values: number;
  readonly validity: number;
}

/** The rows of a call: from `fromRow` on, their groups' slots at `slots`. */
export interface SlotsOfRows {
  readonly slots: number;
  readonly count: number;
  readonly fromRow: number;
  readonly selection: number;
}

/** What `count` reads. */
const nowhere: ColumnAddress = { values: 0, validity: 0 };

export class GroupCells {
  readonly #kernels: Kernels;
  readonly #cells: readonly Cell[];
  readonly #accumulate: readonly (Accumulate | null)[];
  readonly #hasTexts: boolean;
  /** Bytes of a slot: hash, flags, key and all cells. */
  readonly slotBytes: number;
  #overflow: { readonly accumulator: number; readonly row: number } | null = null;

  constructor(kernels: Kernels, specs: readonly AccumulatorSpec[], headBytes: number) {
    const { cells, sizeBytes } = cellsOf(specs, headBytes);
    this.#kernels = kernels;
    this.#cells = cells;
    this.#accumulate = specs.map((spec) => accumulateOf(kernels, spec));
    this.#hasTexts = specs.some((spec) => spec.type === 'text');
    this.slotBytes = sizeBytes;
  }

  /** The row whose value brought a sum out of range. */
  get overflow(): { readonly accumulator: number; readonly row: number } | null {
    return this.#overflow;
  }

  /** Where an accumulator is in a slot. */
  cellAt(index: number): Cell {
    return this.#cells[index]!;
  }

  /** Bytes of results per group: of each accumulator, each of its columns. */
  get resultSizes(): readonly number[] {
    return this.#cells.flatMap((cell) => cell.resultSizes);
  }

  /** Bytes of arena that the texts of rows may need. */
  textRoom(inputs: readonly ColumnAddress[], rows: SlotsOfRows): number {
    if (!this.#hasTexts) return 0;
    let sizeBytes = 0;
    for (const [index, { spec }] of this.#cells.entries()) {
      if (spec.type !== 'text') continue;
      const { values, validity } = inputs[index]!;
      const { selection, fromRow, count } = rows;
      sizeBytes += this.#kernels.textRoomOf(values, validity, selection, fromRow, count);
    }
    return sizeBytes;
  }

  /** Adds the rows; false when a sum does not fit, see `overflow`. `table` is its description. */
  add(table: number, inputs: readonly ColumnAddress[], rows: SlotsOfRows): boolean {
    const { slots, count, fromRow, selection } = rows;
    for (let index = 0; index < this.#cells.length; index++) {
      const { offset, flags, flag } = this.#cells[index]!;
      const { values, validity } = inputs[index] ?? nowhere;
      const accumulate = this.#accumulate[index];
      if (!accumulate) {
        this.#addOther(table, index, inputs[index] ?? nowhere, rows);
        continue;
      }
      const row = accumulate(
        slots,
        count,
        offset,
        flags,
        flag,
        values,
        validity,
        selection,
        fromRow,
      );
      if (row < 0) continue;
      this.#overflow = { accumulator: index, row };
      return false;
    }
    return true;
  }

  /**
   * Writes the results of `count` groups behind the `rowCount` written before, a multiple of 64.
   * @param out - A column for each of `resultSizes`; validity 0 where it is not wanted.
   */
  gather(slots: number, count: number, rowCount: number, out: readonly ColumnAddress[]): void {
    const kernels = this.#kernels;
    let column = 0;
    for (const { offset, flags, flag, resultSizes } of this.#cells) {
      let from = offset;
      for (const sizeBytes of resultSizes) {
        const { values, validity } = out[column++]!;
        const gather = sizeBytes === 16 ? kernels.gather16 : kernels.gather8;
        gather(slots, count, from, values + rowCount * sizeBytes);
        if (validity !== 0) {
          kernels.gatherFlags(slots, count, flags, flag, 0, validity + (rowCount >>> 3));
        }
        from += sizeBytes;
      }
    }
  }

  /** Counts, and texts, which have room in the table. */
  #addOther(
    table: number,
    index: number,
    { values, validity }: ColumnAddress,
    { slots, count, fromRow, selection }: SlotsOfRows,
  ): void {
    const { spec, offset, flags, flag } = this.#cells[index]!;
    const kernels = this.#kernels;
    if (spec.function === 'count') {
      kernels.accumulateCount(slots, count, offset);
    } else if (spec.function === 'countValid') {
      kernels.accumulateCountValid(slots, count, offset, validity, selection, fromRow);
    } else {
      const accumulate = accumulateTextOf(kernels, spec);
      const place = [offset, flags, flag, values, validity, selection, fromRow] as const;
      accumulate(table, slots, count, ...place);
    }
  }
}
