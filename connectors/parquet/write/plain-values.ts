/** The plain values of the page that is being gathered, in the form that the file has. */
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { bitmapSizeOf } from '../../../engine/schema/field-type.ts';
import { GrowingBytes } from '../../formats/growing-bytes.ts';
import type { PhysicalColumn } from './physical-column.ts';

export class PlainValues {
  readonly #context: SlotContext;
  readonly #column: PhysicalColumn;
  readonly #bytes: GrowingBytes;
  /** Of bools. */
  #bits = 0;

  constructor(context: SlotContext, column: PhysicalColumn) {
    this.#context = context;
    this.#column = column;
    this.#bytes = new GrowingBytes(context.scope);
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  /** Appends values that are in their form. */
  add(values: number, count: number): void {
    const { kernels, scope } = this.#context;
    const { form, fileSize } = this.#column;
    const bytes = this.#bytes;
    switch (form) {
      case 'bits':
        bytes.length = (this.#bits + 7) >>> 3;
        bytes.reserve(bitmapSizeOf(count));
        kernels.copyBits(values, 0, count, bytes.start, this.#bits);
        this.#bits += count;
        bytes.length = (this.#bits + 7) >>> 3;
        return;
      case 'fixed': {
        const to = bytes.reserve(count * fileSize);
        scope.memory.bytes.copyWithin(to, values, values + count * fileSize);
        bytes.length += count * fileSize;
        return;
      }
      case 'int128':
        kernels.fixedFromDecimals(values, count, fileSize, bytes.reserve(count * fileSize));
        bytes.length += count * fileSize;
        return;
      default: {
        const sizeBytes = kernels.utf8SizeOf(values, 0, count) + count * 4;
        // Texts are copied in words.
        kernels.plainTexts(values, count, bytes.reserve(sizeBytes + 16));
        bytes.length += sizeBytes;
      }
    }
  }

  /** Appends them to the page and forgets them. */
  writeTo(page: GrowingBytes): void {
    const { bytes } = this.#context.scope.memory;
    const { start, length } = this.#bytes;
    bytes.copyWithin(page.reserve(length), start, start + length);
    page.length += length;
    this.#bytes.length = 0;
    this.#bits = 0;
  }

  close(): void {
    this.#bytes.close();
  }
}
