/**
 * Writes Arrow IPC: a record batch for each batch, as it comes, and at the end of a file its footer.
 *
 *     batch ──▶ columns (selected rows) ──▶ dictionaries: new entries, indexes ──▶ body ──▶ record batch
 *
 * A column of dictionary-encoded text is written with a dictionary; inside of lists and structs it is plain
 * text. The metadata of a batch takes some microseconds.
 *
 * Before: engine/batch/batch.ts · After: connectors/filesystem/file-sink-writer.ts
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { roundUp } from '../../engine/batch/body-layout.ts';
import type { BlockHandle } from '../../engine/memory/slot-memory.ts';
import { takeColumn } from '../../engine/stream/take-column.ts';
import type { WriterTarget } from '../formats/file-format.ts';
import type { RowWriter } from '../formats/row-writer.ts';
import { buildBody } from './arrow-body-builder.ts';
import type { ArrowCodec } from './arrow-compression.ts';
import { type DictionaryLimits, DictionaryWriter } from './arrow-dictionary-writer.ts';
import { hasDictionary } from './arrow-fields.ts';
import {
  batchMessage,
  dictionaryMessage,
  footerOf,
  type MessageBody,
  schemaMessage,
} from './arrow-message-writer.ts';
import { continuation, fileStart, type MessagePlace, magic } from './arrow-messages.ts';

const zeroes = new Uint8Array(8);

export interface ArrowWriterOptions {
  readonly container: 'file' | 'stream';
  readonly compression: ArrowCodec | 'none';
  /** What the schema of a stream says besides its fields. @defaultValue nothing */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Of the dictionaries of a stream. @defaultValue 1 Mi entries, 16 MiB of text; tests set it low */
  readonly dictionaryLimits?: DictionaryLimits;
}

const dictionaryLimitsDefault = { entriesMax: 1 << 20, textBytesMax: 16 << 20 };

export class ArrowWriter implements RowWriter {
  readonly #target: WriterTarget;
  readonly #metadata: ArrowWriterOptions['metadata'];
  readonly #isFile: boolean;
  readonly #codec: ArrowCodec | null;
  /** Per column; null of those without one. */
  readonly #dictionaries: (DictionaryWriter | null)[] = [];
  readonly #batches: MessagePlace[] = [];
  readonly #dictionaryBatches: MessagePlace[] = [];
  #position = 0;

  constructor(options: ArrowWriterOptions, target: WriterTarget) {
    const { container, compression, dictionaryLimits = dictionaryLimitsDefault } = options;
    this.#isFile = container === 'file';
    this.#metadata = options.metadata;
    this.#codec = compression === 'none' ? null : compression;
    this.#target = target;
    const limits = this.#isFile ? null : dictionaryLimits;
    target.schema.fields.forEach(({ type }, id) => {
      const has = hasDictionary(type);
      this.#dictionaries.push(has ? new DictionaryWriter(target.context, id, limits) : null);
    });
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#position;
  }

  writeHeader(): void {
    if (this.#isFile) {
      const start = new Uint8Array(fileStart);
      start.set(magic);
      this.#write(start);
    }
    this.#write(schemaMessage(this.#target.schema, this.#metadata));
  }

  writeRows(batch: Batch): void {
    const { rowCount } = batch;
    const blocks: BlockHandle[] = [];
    try {
      const columns = this.#storedColumns(batch, blocks);
      for (const dictionary of this.#dictionaries) {
        const added = dictionary?.takeNew() ?? null;
        if (added === null) continue;
        const { id, isDelta, column, count } = added;
        const place = this.#writeMessage([column], count, blocks, (body) =>
          dictionaryMessage({ id, isDelta }, body),
        );
        this.#dictionaryBatches.push(place);
      }
      this.#batches.push(this.#writeMessage(columns, rowCount, blocks, batchMessage));
    } finally {
      this.#release(blocks);
    }
  }

  writeFooter(): void {
    const end = new Uint8Array(8);
    new DataView(end.buffer).setUint32(0, continuation, true);
    this.#write(end);
    if (!this.#isFile) return;
    const footer = footerOf(this.#target.schema, this.#dictionaryBatches, this.#batches);
    this.#write(footer);
    const trailer = new Uint8Array(4 + magic.length);
    new DataView(trailer.buffer).setInt32(0, footer.length, true);
    trailer.set(magic, 4);
    this.#write(trailer);
  }

  close(): void {
    for (const dictionary of this.#dictionaries.splice(0)) dictionary?.close();
  }

  /** The columns' selected rows, indexes where a column has a dictionary. */
  #storedColumns({ columns, selection, rowCount }: Batch, blocks: BlockHandle[]): Column[] {
    const { scope, kernels } = this.#target.context;
    return columns.map((column, index) => {
      const taken =
        selection === 0
          ? column
          : takeColumn({ scope, kernels, blocks }, column, selection, rowCount);
      return this.#dictionaries[index]?.indexesOf(taken, rowCount, blocks) ?? taken;
    });
  }

  #writeMessage(
    columns: readonly Column[],
    rowCount: number,
    blocks: BlockHandle[],
    metadataOf: (body: MessageBody) => Uint8Array,
  ): MessagePlace {
    const { context, output } = this.#target;
    const codec = this.#codec;
    const { description, pieces } = buildBody({ context, codec, blocks }, columns, rowCount);
    const metadata = metadataOf({ ...description, codec });
    const { bodyBytes } = description;
    const place = { offset: this.#position, metadataBytes: metadata.length, bodyBytes };
    this.#write(metadata);
    for (const { address, sizeBytes } of pieces) {
      output.copyFrom(address, sizeBytes);
      output.writeBytes(zeroes.subarray(0, roundUp(sizeBytes) - sizeBytes));
    }
    this.#position += bodyBytes;
    return place;
  }

  #write(bytes: Uint8Array): void {
    this.#target.output.writeBytes(bytes);
    this.#position += bytes.length;
  }

  #release(blocks: readonly BlockHandle[]): void {
    for (const block of blocks) this.#target.context.scope.memory.release(block);
  }
}
