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
import { typedError } from '../../../base/typed-error.ts';
import type { Batch, Column } from '../../../engine/batch/batch.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { takeOf } from '../../../engine/kernels/take-kernels.ts';
import { type FieldType, typeText } from '../../../engine/schema/field-type.ts';
import type { Field } from '../../../engine/schema/schema.ts';
import type { WriterTarget } from '../../formats/file-format.ts';
import type { OutputBuffer } from '../../formats/output-buffer.ts';
import type { RowWriter } from '../../formats/row-writer.ts';
import { repetitions } from '../parquet-metadata.ts';
import { ColumnChunkWriter } from './column-chunk-writer.ts';
import { type WrittenCodec, writtenCodecs } from './compress.ts';
import {
  fileEndOf,
  magic,
  type PlacedChunk,
  rootNode,
  type WrittenGroup,
  type WrittenLeaf,
  type WrittenNode,
} from './file-footer.ts';
import { type PhysicalColumn, physicalColumnOf } from './physical-column.ts';
import { WriteRoom } from './write-room.ts';

export interface ParquetWriterOptions {
  readonly compression: WrittenCodec;
  readonly rowGroupRows: number;
  readonly rowGroupBytes: number;
  readonly pageRows: number;
}

/** A column of the rows. */
interface OpenColumn {
  readonly field: Field;
  readonly physical: PhysicalColumn;
  readonly chunk: ColumnChunkWriter;
}

/** Its part of the slot's memory that a row group may take: there are others who want some. */
const memoryShare = 0.25;

export class ParquetWriter implements RowWriter {
  readonly #context: SlotContext;
  readonly #output: OutputBuffer;
  readonly #options: ParquetWriterOptions;
  readonly #room: WriteRoom;
  readonly #columns: readonly OpenColumn[];
  readonly #groups: WrittenGroup[] = [];
  #position = 0;
  #groupRows = 0;

  /** @throws PARQUET_FEATURE_UNSUPPORTED for columns that are lists or structs. */
  constructor(options: ParquetWriterOptions, { context, schema, output }: WriterTarget) {
    for (const { name, type } of schema.fields) {
      if (type.kind === 'list' || type.kind === 'struct') throw nestedError(name, type);
    }
    this.#context = context;
    this.#output = output;
    this.#options = options;
    const room = new WriteRoom(context.scope);
    this.#room = room;
    this.#columns = schema.fields.map((field) => {
      const physical = physicalColumnOf(field.type);
      const levels = { definition: field.nullable ? 1 : 0, repetition: 0 };
      const { compression: codec, pageRows } = options;
      const chunk = new ColumnChunkWriter({ context, room, codec, pageRows, ...levels }, physical);
      return { field, physical, chunk };
    });
  }

  writeHeader(): void {
    this.#write(magic);
  }

  writeRows(batch: Batch): void {
    if (batch.rowCount === 0) return;
    this.#columns.forEach((open, index) => {
      const column = batch.columns[index] as Column;
      while (!this.#addRows(open, column, batch));
    });
    this.#groupRows += batch.rowCount;
    if (this.#isGroupFull()) this.#endGroup();
  }

  writeFooter(): void {
    if (this.#groupRows > 0) this.#endGroup();
    const nodes = this.#columns.map(nodeOf);
    const leaves = this.#columns.map(
      ({ field, physical }): WrittenLeaf => ({ path: [field.name], column: physical }),
    );
    const end = fileEndOf(
      {
        nodes: [rootNode(nodes.length), ...nodes],
        leaves,
        groups: this.#groups,
        codec: writtenCodecs[this.#options.compression],
      },
      this.#position,
    );
    for (const part of end) this.#write(part);
  }

  close(): void {
    for (const { chunk } of this.#columns) chunk.close();
    this.#room.close();
  }

  /** False when the page had to be ended first. */
  #addRows({ field, physical, chunk }: OpenColumn, column: Column, batch: Batch): boolean {
    const { kernels } = this.#context;
    const room = this.#room;
    const { rowCount, selection } = batch;
    let rows = selection;
    let present = rowCount;
    const { definitions } = chunk;
    if (definitions !== null) {
      const { start, bit } = definitions.reserve(rowCount);
      rows = room.rows;
      present = kernels.presentRows(column.validity, selection, rowCount, rows, start, bit);
    }
    let values = column.values;
    if (rows !== 0) {
      takeOf(kernels, field.type)(values, rows, present, room.dense);
      values = room.dense;
    }
    if (physical.toForm !== null) {
      const { wide, formed: out } = room;
      physical.toForm(kernels, { values, count: present, wide, out });
      values = out;
    }
    return chunk.add({ rowCount, valueCount: rowCount, values, present });
  }

  #isGroupFull(): boolean {
    const { rowGroupRows, rowGroupBytes } = this.#options;
    if (this.#groupRows >= rowGroupRows) return true;
    let [data, held] = [0, 0];
    for (const { chunk } of this.#columns) {
      data += chunk.uncompressedBytes;
      held += chunk.heldBytes;
    }
    const { budgetBytes } = this.#context.scope.memory;
    return data >= rowGroupBytes || held >= budgetBytes * memoryShare;
  }

  #endGroup(): void {
    const chunks = this.#columns.map(({ chunk }): PlacedChunk => {
      const offset = this.#position;
      const written = chunk.finish(this.#output);
      this.#position += written.compressedBytes;
      return { offset, chunk: written };
    });
    this.#groups.push({ rowCount: this.#groupRows, chunks });
    this.#groupRows = 0;
  }

  #write(bytes: Uint8Array): void {
    this.#output.writeBytes(bytes);
    this.#position += bytes.length;
  }
}

function nestedError(name: string, type: FieldType) {
  return typedError(
    'PARQUET_FEATURE_UNSUPPORTED',
    `column "${name}" is ${typeText(type)}, which can not be written as Parquet`,
    { hint: 'Select its fields as columns of their own, or write Arrow or NDJSON.' },
  );
}

function nodeOf({ field, physical }: OpenColumn): WrittenNode {
  return {
    name: field.name,
    repetition: field.nullable ? repetitions.optional : repetitions.required,
    column: physical,
    childCount: 0,
    converted: null,
    logical: null,
  };
}
