/**
 * The body of a record batch put together column by column, children behind their parents: for batches
 * with lists and structs, whose parts have to be taken apart first (engine/batch/nested-unpack.ts). Flat
 * batches have their body in one piece already (arrow-writer.ts).
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { roundUp } from '../../engine/batch/body-layout.ts';
import { unpackLists, unpackStructs } from '../../engine/batch/nested-unpack.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../../engine/schema/field-type.ts';
import { takeColumn } from '../../engine/stream/take-column.ts';
import { countBits } from './arrow-bits.ts';
import type { BatchDescription } from './arrow-message-writer.ts';
import type { BufferPlace } from './arrow-messages.ts';

/** Bytes in the slot's memory. */
export interface BodyPiece {
  readonly address: number;
  readonly sizeBytes: number;
}

export interface BuiltBody {
  readonly description: BatchDescription;
  /** In their order; each is followed by zeroes up to a multiple of 8. */
  readonly pieces: readonly BodyPiece[];
}

/** @param blocks - New blocks are added; the caller releases them when the pieces are written. */
export function buildBody(context: SlotContext, batch: Batch, blocks: BlockHandle[]): BuiltBody {
  const builder = new BodyBuilder(context, blocks);
  const { rowCount, selection } = batch;
  for (const column of batch.columns) {
    const { scope, kernels } = context;
    const taken =
      selection === 0
        ? column
        : takeColumn({ scope, kernels, blocks }, column, selection, rowCount);
    builder.add(taken, rowCount);
  }
  return builder.finish(rowCount);
}

class BodyBuilder {
  readonly #context: SlotContext;
  readonly #blocks: BlockHandle[];
  readonly #pieces: BodyPiece[] = [];
  readonly #buffers: BufferPlace[] = [];
  readonly #lengths: number[] = [];
  readonly #nullCounts: number[] = [];
  #position = 0;

  constructor(context: SlotContext, blocks: BlockHandle[]) {
    this.#context = context;
    this.#blocks = blocks;
  }

  add(column: Column, rowCount: number): void {
    const { scope } = this.#context;
    const { type, validity, values } = column;
    const target = { scope, blocks: this.#blocks };
    const hasBitmap = validity !== 0;
    this.#lengths.push(rowCount);
    const validCount = hasBitmap ? countBits(scope.memory.uint32, validity, rowCount) : rowCount;
    this.#nullCounts.push(rowCount - validCount);
    this.#buffer(validity, hasBitmap ? bitmapSizeOf(rowCount) : 0);
    if (type.kind === 'list') {
      const { offsets, itemCount, items } = unpackLists(target, type.item, column, rowCount);
      this.#buffer(offsets, (rowCount + 1) * 4);
      this.add(items, itemCount);
    } else if (type.kind === 'struct') {
      for (const part of unpackStructs(target, type.fields, column, rowCount)) {
        this.add(part, rowCount);
      }
    } else if (layoutOf(type) === 'view') {
      this.#addTexts(values, rowCount);
    } else {
      this.#buffer(values, valuesSizeOf(type, rowCount));
    }
  }

  finish(rowCount: number): BuiltBody {
    const bodyBytes = this.#position;
    return {
      description: {
        rowCount,
        lengths: this.#lengths,
        nullCounts: this.#nullCounts,
        buffers: this.#buffers,
        bodyBytes,
      },
      pieces: this.#pieces,
    };
  }

  #addTexts(views: number, rowCount: number): void {
    const { kernels, scope } = this.#context;
    const textBytes = kernels.utf8SizeOf(views, 0, rowCount);
    const offsetBytes = (rowCount + 1) * 4;
    const block = scope.allocate(roundUp(offsetBytes) + textBytes + utf8ViewSize);
    this.#blocks.push(block);
    const offsets = addressOf(block);
    const text = offsets + roundUp(offsetBytes);
    kernels.utf8ToArrow(views, 0, rowCount, offsets, text);
    this.#buffer(offsets, offsetBytes);
    this.#buffer(text, textBytes);
  }

  #buffer(address: number, sizeBytes: number): void {
    this.#buffers.push({ offset: this.#position, sizeBytes });
    this.#pieces.push({ address, sizeBytes });
    this.#position += roundUp(sizeBytes);
  }
}
