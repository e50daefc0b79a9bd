/**
 * The frame: the memory through which a compiled program is given what it works on. Its only argument
 * is the frame's address.
 *
 *     0    u32 rows of the batch         12   u32 selected rows so far (filter)
 *     4    u32 address of the selection  16   u32 room for texts: next byte
 *     8    u32 place to go on from       20   u32                 end
 *                                        24   u32                 bytes that one row needs; 0: no lack
 *     32   columns, outputs, literals, each 8 or 16 bytes, as they were met
 */
import type { Expr } from '../../expr/expr.ts';

/** Byte offsets of what every frame has. */
export const frameLayout = {
  rowCount: 0,
  selection: 4,
  fromIndex: 8,
  selectedCount: 12,
  textAt: 16,
  textEnd: 20,
  textNeeded: 24,
  size: 32,
} as const;

export type Literal = Expr & { readonly kind: 'literal' };

/** A column at `offset`: u32 address of its values, u32 of its validity bitmap. */
export interface ColumnSlot {
  readonly offset: number;
  readonly name: string;
}

/** An output, at `offset` as a column is. */
export interface OutputSlot {
  readonly offset: number;
  /** Whether the program writes the validity bitmap: no value is null otherwise. */
  hasValidity: boolean;
}

/** What a frame holds behind its head, in order of first use. */
export class FrameBuilder {
  readonly columns: ColumnSlot[] = [];
  readonly outputs: OutputSlot[] = [];
  /** By index in the literals of the expressions. */
  readonly literalOffsets = new Map<number, number>();
  #size: number = frameLayout.size;

  get size(): number {
    return this.#size;
  }

  columnOffset(name: string): number {
    const found = this.columns.find((column) => column.name === name);
    if (found !== undefined) return found.offset;
    const offset = this.#take(8);
    this.columns.push({ name, offset });
    return offset;
  }

  output(index: number): OutputSlot {
    const found = this.outputs[index];
    if (found !== undefined) return found;
    const slot = { offset: this.#take(8), hasValidity: false };
    this.outputs[index] = slot;
    return slot;
  }

  literalOffset(index: number): number {
    const found = this.literalOffsets.get(index);
    if (found !== undefined) return found;
    // 16 bytes hold every type: a view, a decimal, or 8 bytes of a number.
    const offset = this.#take(16);
    this.literalOffsets.set(index, offset);
    return offset;
  }

  #take(sizeBytes: number): number {
    const offset = this.#size;
    this.#size += sizeBytes;
    return offset;
  }
}
