/**
 * Writes batches as a Parquet file: row groups of many rows, in them a chunk for each column, and a
 * footer that says where all is.
 *
 * A row group is kept in memory, encoded and compressed, until it is whole, since a column's pages must lie
 * side by side. It ends at `rowGroupRows` rows or `rowGroupBytes` of data, or when it takes a quarter of
 * the slot's memory.
 *
 * Before: engine/batch/batch.ts · After: connectors/filesystem/file-sink-writer.ts
 */
import { nearestNames } from '../../../base/nearest-name.ts';
import { typedError } from '../../../base/typed-error.ts';
import type { Batch, Column } from '../../../engine/batch/batch.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import type { BlockHandle } from '../../../engine/memory/slot-memory.ts';
import type { Field } from '../../../engine/schema/field-type.ts';
import { takeColumn } from '../../../engine/stream/take-column.ts';
import type { WriterTarget } from '../../formats/file-format.ts';
import type { OutputBuffer } from '../../formats/output-buffer.ts';
import type { RowWriter } from '../../formats/row-writer.ts';
import type { BytesPlace } from '../parquet-metadata.ts';
import type { BloomOptions } from './bloom-writer.ts';
import { type ColumnTree, columnTreeOf, type TreeLeaf } from './column-tree.ts';
import type { WrittenCodec } from './compress.ts';
import {
  fileEndOf,
  magic,
  type PlacedChunk,
  rootNode,
  type WrittenGroup,
  type WrittenNode,
} from './file-footer.ts';
import { LeafWriter } from './leaf-writer.ts';
import { type LeafEntries, nestedEntriesOf } from './nested-entries.ts';
import { WriteRoom } from './write-room.ts';

export interface ParquetWriterOptions {
  readonly compression: WrittenCodec;
  readonly rowGroupRows: number;
  readonly rowGroupBytes: number;
  readonly pageRows: number;
  /** By paths of leaves. */
  readonly bloomFilters?: {
    readonly columns: readonly string[];
    readonly falsePositiveRate: number;
  };
}

/** A column of the rows: a leaf, or several where it is nested. */
interface OpenColumn {
  readonly field: Field;
  readonly nodes: readonly WrittenNode[];
  readonly leaves: readonly LeafWriter[];
}

/** Its part of the slot's memory that a row group may take: there are others who want some. */
const memoryShare = 0.25;
/** Columns that a message names at most, the nearest first. */
const namesMax = 8;

export class ParquetWriter implements RowWriter {
  readonly #context: SlotContext;
  readonly #output: OutputBuffer;
  readonly #options: ParquetWriterOptions;
  readonly #room: WriteRoom;
  readonly #columns: readonly OpenColumn[];
  readonly #groups: WrittenGroup[] = [];
  #position = 0;
  #groupRows = 0;

  constructor(options: ParquetWriterOptions, { context, schema, output }: WriterTarget) {
    this.#context = context;
    this.#output = output;
    this.#options = options;
    const { compression: codec, pageRows } = options;
    const trees = schema.fields.map(columnTreeOf);
    const blooms = bloomsOf(
      options,
      trees.flatMap(({ leaves }) => leaves),
    );
    const room = new WriteRoom(context.scope);
    this.#room = room;
    this.#columns = schema.fields.map((field, index) => {
      const { nodes, leaves } = trees[index] as ColumnTree;
      const chunk = { context, room, codec, pageRows };
      const writerOf = (leaf: TreeLeaf) =>
        new LeafWriter({ ...chunk, bloom: blooms.get(leaf) ?? null }, leaf);
      return { field, nodes, leaves: leaves.map(writerOf) };
    });
  }

  writeHeader(): void {
    this.#write(magic);
  }

  writeRows(batch: Batch): void {
    if (batch.rowCount === 0) return;
    this.#columns.forEach((open, index) => {
      const column = batch.columns[index] as Column;
      const [leaf] = open.leaves;
      const isFlat = open.nodes.length === 1;
      if (isFlat) leaf?.addColumn(column, batch);
      else this.#addNested(open, column, batch);
    });
    this.#groupRows += batch.rowCount;
    if (this.#isGroupFull()) this.#endGroup();
  }

  writeFooter(): void {
    if (this.#groupRows > 0) this.#endGroup();
    const end = fileEndOf(
      {
        nodes: [rootNode(this.#columns.length), ...this.#columns.flatMap(({ nodes }) => nodes)],
        leaves: this.#leaves().map(({ leaf }) => leaf),
        groups: this.#groups,
      },
      this.#position,
    );
    for (const part of end) this.#write(part);
  }

  close(): void {
    for (const leaf of this.#leaves()) leaf.close();
    this.#room.close();
  }

  #leaves(): readonly LeafWriter[] {
    return this.#columns.flatMap(({ leaves }) => leaves);
  }

  #addNested({ field, leaves }: OpenColumn, column: Column, batch: Batch): void {
    const { scope, kernels } = this.#context;
    const { selection, rowCount } = batch;
    const blocks: BlockHandle[] = [];
    try {
      const isWhole = selection === 0;
      const target = { scope, kernels, blocks };
      const rows = isWhole ? column : takeColumn(target, column, selection, rowCount);
      const entries = nestedEntriesOf({ scope, blocks }, field, rows, batch.rowCount);
      leaves.forEach((leaf, index) => {
        leaf.addEntries(entries[index] as LeafEntries);
      });
    } finally {
      for (const block of blocks) scope.memory.release(block);
    }
  }

  #isGroupFull(): boolean {
    const { rowGroupRows, rowGroupBytes } = this.#options;
    if (this.#groupRows >= rowGroupRows) return true;
    let [data, held] = [0, 0];
    for (const { sizes } of this.#leaves()) {
      data += sizes.data;
      held += sizes.held;
    }
    const { budgetBytes } = this.#context.scope.memory;
    return data >= rowGroupBytes || held >= budgetBytes * memoryShare;
  }

  #endGroup(): void {
    const written = this.#leaves().map((leaf) => {
      const offset = this.#position;
      const chunk = leaf.finish(this.#output);
      this.#position += chunk.compressedBytes;
      return { offset, chunk };
    });
    const chunks = written.map(({ offset, chunk }): PlacedChunk => {
      const { bloomFilter, ...rest } = chunk;
      return { offset, chunk: rest, bloomFilter: bloomFilter && this.#placed(bloomFilter) };
    });
    this.#groups.push({ rowCount: this.#groupRows, chunks });
    this.#groupRows = 0;
  }

  #placed(bytes: Uint8Array): BytesPlace {
    const offset = this.#position;
    this.#write(bytes);
    return { offset, sizeBytes: bytes.length };
  }

  #write(bytes: Uint8Array): void {
    this.#output.writeBytes(bytes);
    this.#position += bytes.length;
  }
}

/** @throws FILES_OPTION_INVALID */
function bloomsOf(
  { bloomFilters, rowGroupRows }: ParquetWriterOptions,
  leaves: readonly TreeLeaf[],
): ReadonlyMap<TreeLeaf, BloomOptions> {
  const { columns = [], falsePositiveRate = 0 } = bloomFilters ?? {};
  return new Map(
    columns.map((name) => {
      const leaf = leaves.find(({ path }) => path.join('.') === name);
      if (leaf === undefined || leaf.column.form === 'bits') throw bloomColumnError(name, leaves);
      return [leaf, { valuesMax: rowGroupRows, falsePositiveRate }];
    }),
  );
}

function bloomColumnError(name: string, leaves: readonly TreeLeaf[]) {
  const paths = leaves.map(({ path }) => path.join('.'));
  const known = nearestNames(name, paths).slice(0, namesMax);
  return typedError('FILES_OPTION_INVALID', `parquet writes no Bloom filter of column "${name}"`, {
    hint: `Name columns that are written and are no bool; there are "${known.join('", "')}".`,
  });
}
