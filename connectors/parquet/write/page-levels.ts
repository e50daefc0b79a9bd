/**
 * Levels of the page that is being gathered. Columns without nesting have one bit for each row; all
 * others have words: levels of up to 255 would do, but runs are written from words.
 */
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { runsBytesMax } from '../../../engine/kernels/parquet-write-kernels.ts';
import { bitmapSizeOf } from '../../../engine/schema/field-type.ts';
import { GrowingBytes } from '../../formats/growing-bytes.ts';

/** Where levels go: words, or bits from `bit` on. */
export interface LevelRoom {
  readonly start: number;
  readonly bit: number;
  readonly isBits: boolean;
}

export class PageLevels {
  readonly #context: SlotContext;
  readonly #isBits: boolean;
  readonly #width: number;
  readonly #bytes: GrowingBytes;
  #count = 0;

  /** @param most - The highest level. @param isBits - Whether levels are bits; `most` is 1 then. */
  constructor(context: SlotContext, most: number, isBits: boolean) {
    this.#context = context;
    this.#isBits = isBits;
    this.#width = 32 - Math.clz32(most);
    this.#bytes = new GrowingBytes(context.scope);
  }

  /** Room for so many more levels, which `commit` keeps. */
  reserve(count: number): LevelRoom {
    const isBits = this.#isBits;
    if (!isBits) return { start: this.#bytes.reserve(count * 4), bit: 0, isBits };
    this.#bytes.length = this.#count >>> 3;
    // The byte of the last bits is kept when the bytes move.
    const start = this.#bytes.reserve(bitmapSizeOf(count + 8)) - this.#bytes.length;
    return { start, bit: this.#count, isBits };
  }

  commit(count: number): void {
    this.#count += count;
    this.#bytes.length = this.#isBits ? bitmapSizeOf(this.#count) : this.#count * 4;
  }

  /** Appends the levels of the page as runs, behind the count of their bytes, and forgets them. */
  writeTo(page: GrowingBytes): void {
    const { kernels, scope } = this.#context;
    const from = this.#bytes.start;
    const room = page.reserve(4 + runsBytesMax(this.#count));
    const size = this.#isBits
      ? kernels.writeBitRuns(from, this.#count, room + 4)
      : kernels.writeRuns(from, this.#count, this.#width, room + 4);
    scope.memory.view.setUint32(room, size, true);
    page.length += 4 + size;
    this.#count = 0;
    this.#bytes.length = 0;
  }

  close(): void {
    this.#bytes.close();
  }
}
