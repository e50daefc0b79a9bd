/**
 * Writes Arrow IPC: a record batch for each batch, as it comes, and at the end of a file its footer.
 *
 * The body of a record batch is what a batch is between threads (engine/batch/wire.ts), whose buffers
 * are Arrow's: selected rows only, texts with offsets. The metadata of a batch takes some microseconds.
 *
 * Before: engine/batch/batch.ts · After: connectors/filesystem/file-sink-writer.ts
 */
import type { Batch } from '../../engine/batch/batch.ts';
import {
  bodyHeaderBytes,
  isView,
  readBodyLayout,
  roundUp,
} from '../../engine/batch/body-layout.ts';
import { encodedSizeOf, encodeRows } from '../../engine/batch/wire.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { WriterTarget } from '../formats/file-format.ts';
import type { RowWriter } from '../formats/row-writer.ts';
import { countBits } from './arrow-bits.ts';
import { buildBody } from './arrow-body-builder.ts';
import {
  type BatchDescription,
  batchMessage,
  footerOf,
  schemaMessage,
} from './arrow-message-writer.ts';
import {
  type BufferPlace,
  continuation,
  fileStart,
  type MessagePlace,
  magic,
} from './arrow-messages.ts';

const zeroes = new Uint8Array(8);

export type ArrowContainer = 'file' | 'stream';

export class ArrowWriter implements RowWriter {
  readonly #target: WriterTarget;
  readonly #container: ArrowContainer;
  readonly #isNested: boolean;
  readonly #batches: MessagePlace[] = [];
  /** Bytes written so far. */
  #position = 0;

  constructor(container: ArrowContainer, target: WriterTarget) {
    this.#container = container;
    this.#target = target;
    this.#isNested = target.schema.fields.some(
      ({ type }) => type.kind === 'list' || type.kind === 'struct',
    );
  }

  writeHeader(): void {
    if (this.#container === 'file') {
      const start = new Uint8Array(fileStart);
      start.set(magic);
      this.#write(start);
    }
    this.#write(schemaMessage(this.#target.schema));
  }

  writeRows(batch: Batch): void {
    if (this.#isNested) this.#writeNested(batch);
    else this.#writeFlat(batch);
  }

  #writeNested(batch: Batch): void {
    const { context, output } = this.#target;
    const blocks: BlockHandle[] = [];
    try {
      const { description, pieces } = buildBody(context, batch, blocks);
      this.#writeMetadata(description);
      for (const { address, sizeBytes } of pieces) {
        output.copyFrom(address, sizeBytes);
        output.writeBytes(zeroes.subarray(0, roundUp(sizeBytes) - sizeBytes));
      }
      this.#position += description.bodyBytes;
    } finally {
      for (const block of blocks) context.scope.memory.release(block);
    }
  }

  #writeFlat(batch: Batch): void {
    const { kernels, scope } = this.#target.context;
    const { rowCount, memory } = batch;
    const sizeBytes = encodedSizeOf(kernels, batch, 0, rowCount);
    const block = scope.allocate(sizeBytes);
    try {
      const start = addressOf(block);
      encodeRows(kernels, batch, 0, rowCount, start);
      const bodyStart = start + bodyHeaderBytes(batch.columns.length);
      const bodyBytes = start + sizeBytes - bodyStart;
      const described = this.#describe(memory.uint32, { start, sizeBytes }, bodyStart);
      const lengths = described.nullCounts.map(() => rowCount);
      this.#writeMetadata({ rowCount, bodyBytes, lengths, ...described });
      this.#target.output.copyFrom(bodyStart, bodyBytes);
      this.#position += bodyBytes;
    } finally {
      scope.memory.release(block);
    }
  }

  writeFooter(): void {
    const end = new Uint8Array(8);
    new DataView(end.buffer).setUint32(0, continuation, true);
    this.#write(end);
    if (this.#container === 'stream') return;
    const footer = footerOf(this.#target.schema, this.#batches);
    this.#write(footer);
    const trailer = new Uint8Array(4 + magic.length);
    new DataView(trailer.buffer).setInt32(0, footer.length, true);
    trailer.set(magic, 4);
    this.#write(trailer);
  }

  /** Where the body's buffers are, and how many nulls each column has. */
  #describe(
    uint32: Uint32Array,
    body: { readonly start: number; readonly sizeBytes: number },
    bodyStart: number,
  ): { readonly nullCounts: readonly number[]; readonly buffers: readonly BufferPlace[] } {
    const { schema } = this.#target;
    const { rowCount, parts } = readBodyLayout(uint32, schema, body);
    const buffers: BufferPlace[] = [];
    const nullCounts = parts.map(({ validity, values, valuesBytes, text, textBytes }, index) => {
      const hasNulls = validity !== 0;
      const offset = hasNulls ? validity - bodyStart : 0;
      buffers.push({ offset, sizeBytes: hasNulls ? values - validity : 0 });
      buffers.push({ offset: values - bodyStart, sizeBytes: valuesBytes });
      const type = schema.fields[index]?.type;
      if (type !== undefined && isView(type)) {
        buffers.push({ offset: text - bodyStart, sizeBytes: textBytes });
      }
      return hasNulls ? rowCount - countBits(uint32, validity, rowCount) : 0;
    });
    return { nullCounts, buffers };
  }

  #writeMetadata(batch: BatchDescription): void {
    const { bodyBytes } = batch;
    const metadata = batchMessage(batch);
    this.#batches.push({ offset: this.#position, metadataBytes: metadata.length, bodyBytes });
    this.#write(metadata);
  }

  #write(bytes: Uint8Array): void {
    this.#target.output.writeBytes(bytes);
    this.#position += bytes.length;
  }
}
