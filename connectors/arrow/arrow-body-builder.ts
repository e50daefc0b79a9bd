/**
 * The body of a record batch put together column by column, children behind their parents: lists and structs
 * are taken apart (engine/batch/nested-unpack.ts), texts get offsets, all else is written as it lies.
 */
import type { Column } from '../../engine/batch/batch.ts';
import { roundUp } from '../../engine/batch/body-layout.ts';
import { unpackLists, unpackStructs } from '../../engine/batch/nested-unpack.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { bitmapSizeOf, layoutOf, valuesSizeOf } from '../../engine/schema/field-type.ts';
import { countBits } from './arrow-bits.ts';
import { type ArrowCodec, type BodyPiece, pack } from './arrow-compression.ts';
import type { BatchDescription } from './arrow-message-writer.ts';
import type { BufferPlace } from './arrow-messages.ts';

export interface BuiltBody {
  readonly description: BatchDescription;
  /** In their order; each is followed by zeroes up to a multiple of 8. */
  readonly pieces: readonly BodyPiece[];
}

export interface BodyTarget {
  readonly context: SlotContext;
  /** Null: buffers are written as they are. */
  readonly codec: ArrowCodec | null;
  /** New blocks are added; the caller releases them when the pieces are written. */
  readonly blocks: BlockHandle[];
}

export function buildBody(
  target: BodyTarget,
  columns: readonly Column[],
  rowCount: number,
): BuiltBody {
  const builder = new BodyBuilder(target);
  for (const column of columns) builder.add(column, rowCount);
  return builder.finish(rowCount);
}

class BodyBuilder {
  readonly #target: BodyTarget;
  readonly #pieces: BodyPiece[] = [];
  readonly #buffers: BufferPlace[] = [];
  readonly #lengths: number[] = [];
  readonly #nullCounts: number[] = [];
  #position = 0;

  constructor(target: BodyTarget) {
    this.#target = target;
  }

  add(column: Column, rowCount: number): void {
    const { context, blocks } = this.#target;
    const { scope } = context;
    const { type, validity, values } = column;
    const target = { scope, blocks };
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
    const { context, blocks } = this.#target;
    const { kernels, scope } = context;
    const textBytes = kernels.utf8SizeOf(views, 0, rowCount);
    const offsetBytes = (rowCount + 1) * 4;
    const block = scope.allocate(roundUp(offsetBytes) + textBytes + utf8ViewSize);
    blocks.push(block);
    const offsets = addressOf(block);
    const text = offsets + roundUp(offsetBytes);
    kernels.utf8ToArrow(views, 0, rowCount, offsets, text);
    this.#buffer(offsets, offsetBytes);
    this.#buffer(text, textBytes);
  }

  #buffer(address: number, sizeBytes: number): void {
    const { context, codec, blocks } = this.#target;
    const piece = { address, sizeBytes };
    const stored = codec === null ? piece : pack(context, codec, piece, blocks);
    this.#buffers.push({ offset: this.#position, sizeBytes: stored.sizeBytes });
    this.#pieces.push(stored);
    this.#position += roundUp(stored.sizeBytes);
  }
}
