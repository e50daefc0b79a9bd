/**
 * The Bloom filter of a column chunk: says of a value that it is surely not in the chunk, or that it may be.
 *
 *     values ──▶ hash ──▶ a block of 256 bits, one bit in each of its 8 words
 *
 * How many different values a row group will have is known at its end only. So the filter starts with room for
 * as many as a row group has rows, and is folded at the end, half onto half, for as long as few enough other
 * values would be found in it. A value's block is chosen by the upper bits of its hash: those of two blocks
 * side by side fall together.
 *
 * @see https://github.com/apache/parquet-format/blob/master/BloomFilter.md
 */
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { bloomBlockBytes } from '../../../engine/kernels/bloom.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import { i32, struct, thriftBytes } from '../thrift-writer.ts';
import type { PhysicalColumn } from './physical-column.ts';
import type { WriteRoom } from './write-room.ts';

/** 4 Mi values at one false answer in a hundred are 5 MiB; beyond this answers are more often false. */
const filterBytesMax = 4 << 20;
const blockWords = bloomBlockBytes / 4;

export interface BloomOptions {
  /** Different values at most, as far as that is known. */
  readonly valuesMax: number;
  /** The share of other values that may be found. */
  readonly falsePositiveRate: number;
}

export class BloomWriter {
  readonly #context: SlotContext;
  readonly #room: WriteRoom;
  readonly #column: PhysicalColumn;
  readonly #options: BloomOptions;
  readonly #blockCount: number;
  #block: BlockHandle = 0;

  constructor(
    { context, room }: { readonly context: SlotContext; readonly room: WriteRoom },
    column: PhysicalColumn,
    options: BloomOptions,
  ) {
    this.#context = context;
    this.#room = room;
    this.#column = column;
    this.#options = options;
    this.#blockCount = blockCountFor(options);
  }

  /** Takes values in their form; the same ones may come again. */
  add(values: number, count: number): void {
    const { kernels } = this.#context;
    const { form, fileSize, formSize } = this.#column;
    const [blocks, blockCount] = [this.#blocks(), this.#blockCount];
    switch (form) {
      case 'text':
        kernels.bloomAddTexts(values, count, blocks, blockCount);
        return;
      case 'int128': {
        const { wide, valuesMax } = this.#room;
        for (let done = 0; done < count; done += valuesMax) {
          const some = Math.min(valuesMax, count - done);
          kernels.fixedFromDecimals(values + done * formSize, some, fileSize, wide);
          kernels.bloomAddFixed(wide, some, fileSize, blocks, blockCount);
        }
        return;
      }
      default:
        kernels.bloomAddFixed(values, count, fileSize, blocks, blockCount);
    }
  }

  /** The filter as the file has it; what comes next is of another one. */
  finish(): Uint8Array {
    const start = this.#blocks();
    const { bytes, uint32 } = this.#context.scope.memory;
    const words = uint32.subarray(start >>> 2, (start >>> 2) + this.#blockCount * blockWords);
    const sizeBytes = foldedCount(words, this.#options.falsePositiveRate) * bloomBlockBytes;
    // Blocks, XXH64, and no compression: the only ones that there are.
    const only = struct({ 1: struct({}) });
    const header = thriftBytes({ 1: i32(sizeBytes), 2: only, 3: only, 4: only });
    const filter = new Uint8Array(header.length + sizeBytes);
    filter.set(header);
    filter.set(bytes.subarray(start, start + sizeBytes), header.length);
    this.close();
    return filter;
  }

  close(): void {
    const block = this.#block;
    this.#block = 0;
    if (block !== 0) this.#context.scope.memory.release(block);
  }

  #blocks(): number {
    if (this.#block === 0) {
      const { scope } = this.#context;
      const sizeBytes = this.#blockCount * bloomBlockBytes;
      this.#block = scope.allocate(sizeBytes);
      const start = addressOf(this.#block);
      scope.memory.bytes.fill(0, start, start + sizeBytes);
    }
    return addressOf(this.#block);
  }
}

/** A power of two, so that it can be folded. */
function blockCountFor({ valuesMax, falsePositiveRate }: BloomOptions): number {
  const bitsPerValue = -8 / Math.log(1 - falsePositiveRate ** (1 / 8));
  const blocks = (valuesMax * bitsPerValue) / (bloomBlockBytes * 8);
  const power = 2 ** Math.ceil(Math.log2(Math.max(1, blocks)));
  return Math.min(power, filterBytesMax / bloomBlockBytes);
}

/** Folds the filter within the words; answers with its blocks. */
function foldedCount(words: Uint32Array, falsePositiveRate: number): number {
  let count = words.length / blockWords;
  while (count > 1 && rateWhenFolded(words, count) <= falsePositiveRate) {
    count /= 2;
    for (let block = 0; block < count; block++) {
      for (let word = 0; word < blockWords; word++) {
        words[block * blockWords + word] = foldedWord(words, block, word);
      }
    }
  }
  return count;
}

/** Both of the blocks that fall together. */
function foldedWord(words: Uint32Array, block: number, word: number): number {
  const at = block * 2 * blockWords + word;
  return (words[at] ?? 0) | (words[at + blockWords] ?? 0);
}

/** The share of other values that would be found: those whose bit is set in each word of their block. */
function rateWhenFolded(words: Uint32Array, blockCount: number): number {
  let sum = 0;
  for (let block = 0; block < blockCount / 2; block++) {
    let share = 1;
    for (let word = 0; word < blockWords && share > 0; word++) {
      share *= countOnes(foldedWord(words, block, word)) / 32;
    }
    sum += share;
  }
  return sum / (blockCount / 2);
}

function countOnes(word: number): number {
  let ones = word - ((word >>> 1) & 0x5555_5555);
  ones = (ones & 0x3333_3333) + ((ones >>> 2) & 0x3333_3333);
  ones = (ones + (ones >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(ones, 0x0101_0101) >>> 24;
}
