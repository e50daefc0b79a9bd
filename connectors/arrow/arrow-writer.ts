/**
 * Writes Arrow IPC: a record batch for each batch, as it comes, and at the end of a file its footer.
 *
 * The body of a record batch is what a batch is between threads (engine/batch/wire.ts), whose buffers
 * are Arrow's: selected rows only, texts with offsets. The metadata of a batch takes some microseconds.
 *
 * Before: engine/batch/batch.ts · After: connectors/filesystem/file-sink-writer.ts
 */
import type { Batch } from '../../engine/batch/batch.ts';
import { bodyHeaderBytes, isView, readBodyLayout } from '../../engine/batch/body-layout.ts';
import { encodedSizeOf, encodeRows } from '../../engine/batch/wire.ts';
import { addressOf } from '../../engine/memory/slot-memory.ts';
import type { WriterTarget } from '../formats/file-format.ts';
import type { RowWriter } from '../formats/row-writer.ts';
import { nestedError } from './arrow-errors.ts';
import { batchMessage, footerOf, schemaMessage } from './arrow-message-writer.ts';
import {
  type BufferPlace,
  continuation,
  fileStart,
  type MessagePlace,
  magic,
} from './arrow-messages.ts';

export type ArrowContainer = 'file' | 'stream';

export class ArrowWriter implements RowWriter {
  readonly #target: WriterTarget;
  readonly #container: ArrowContainer;
  readonly #batches: MessagePlace[] = [];
  /** Bytes written so far. */
  #position = 0;

  /** @throws ARROW_TYPE_UNSUPPORTED */
  constructor(container: ArrowContainer, target: WriterTarget) {
    this.#container = container;
    this.#target = target;
    for (const { name, type } of target.schema.fields) {
      if (type.kind === 'list' || type.kind === 'struct') {
        throw nestedError('an Arrow file to write', name, type);
      }
    }
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
      const metadata = batchMessage({ rowCount, bodyBytes, ...described });
      this.#batches.push({ offset: this.#position, metadataBytes: metadata.length, bodyBytes });
      this.#write(metadata);
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

  #write(bytes: Uint8Array): void {
    this.#target.output.writeBytes(bytes);
    this.#position += bytes.length;
  }
}

/** Set bits among the first `count` of a bitmap. */
function countBits(uint32: Uint32Array, bitmap: number, count: number): number {
  let sum = 0;
  const whole = count >>> 5;
  const first = bitmap >>> 2;
  for (let word = 0; word < whole; word++) sum += bitsOf(uint32[first + word] ?? 0);
  const rest = count & 31;
  if (rest > 0) sum += bitsOf((uint32[first + whole] ?? 0) & (2 ** rest - 1));
  return sum;
}

function bitsOf(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
