/**
 * Blocks as rows of columns: what the log knows of them. Where their replicas are is not here: nobody promised that.
 *
 *     under construction ──writer is done──▶ committed ──a replica is reported──▶ complete
 *            │  ▲                                                                    │
 *            │  └───────────────────────── append, truncate ────────────────────────┘
 *            └──writer is gone──▶ under recovery, or truncation ──datanodes agree──▶ committed
 */
import { Column, type ReadColumn } from '../table/column.ts';
import { RowIndex } from '../table/row-index.ts';

/** In memory and in the fsimage: never renumber. */
export const blockStates = {
  complete: 0,
  committed: 1,
  underConstruction: 2,
  underRecovery: 3,
  /** Under recovery, to exactly the length that it has here. */
  underTruncation: 4,
} as const;

/** What it takes to read blocks, of now or of a frozen moment. */
export interface ReadBlocks {
  readonly id: ReadColumn;
  readonly generationStamp: ReadColumn;
  readonly lengthBytes: ReadColumn;
  readonly state: ReadColumn;
}

export class BlockTable implements ReadBlocks {
  readonly id = Column.f64();
  readonly generationStamp = Column.f64();
  readonly lengthBytes = Column.f64();
  readonly state = Column.u8();
  /** The row of its file. */
  readonly file = Column.u32();
  readonly #columns = [this.id, this.generationStamp, this.lengthBytes, this.state, this.file];
  readonly #index = new RowIndex(this.id);
  readonly #freed: number[] = [];
  #end = 0;

  get count(): number {
    return this.#end - this.#freed.length;
  }

  /** Rows that are, or were, in use: what a table beside this one has to have room for. */
  get rowCount(): number {
    return this.#end;
  }

  get sizeBytes(): number {
    return this.#columns.reduce((sum, column) => sum + column.sizeBytes, this.#index.sizeBytes);
  }

  /** The row of a block, or -1. */
  find(blockId: number): number {
    return this.#index.find(blockId);
  }

  add(blockId: number, generationStamp: number, file: number): number {
    const row = this.#freed.pop() ?? this.#end++;
    for (const column of this.#columns) column.reserve(this.#end);
    this.id.set(row, blockId);
    this.generationStamp.set(row, generationStamp);
    this.lengthBytes.set(row, 0);
    this.state.set(row, blockStates.underConstruction);
    this.file.set(row, file);
    this.#index.add(row);
    return row;
  }

  free(row: number): void {
    this.#index.remove(this.id.get(row));
    this.#freed.push(row);
  }

  freeze(): ReadBlocks {
    return {
      id: this.id.freeze(),
      generationStamp: this.generationStamp.freeze(),
      lengthBytes: this.lengthBytes.freeze(),
      state: this.state.freeze(),
    };
  }

  thaw(): void {
    for (const column of this.#columns) column.thaw();
  }
}
