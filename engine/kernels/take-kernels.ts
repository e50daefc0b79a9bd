/**
 * The take kernels as TypeScript sees them: rows by number, of one batch or of many. Conventions:
 * engine/kernels/kernels.ts. A kernel knows the size of a value, not its type; `takeOf` and `gatherOf` choose.
 */
import { assertNever } from '../../base/assert.ts';
import { type FieldType, valueSizeOf } from '../schema/field-type.ts';

/** Copies values of the rows whose u32 numbers lie at `rows` (0: the first `rowCount`). */
type Take = (values: number, rows: number, rowCount: number, out: number) => void;

/** Copies the rows with the u32 `numbers`; `bases` has the u32 address of the column in each batch. */
export type GatherAcross = (bases: number, numbers: number, rowCount: number, out: number) => void;

/** Rows by number. Of many batches, a row has the number index of its batch × 8,192 + stored row. */
export interface TakeKernels {
  /** Takes bits: bool values and validity bitmaps. */
  take1Bit: Take;
  take1: Take;
  take2: Take;
  take4: Take;
  take8: Take;
  /** Takes decimals, and views; long ones keep pointing at the same bytes. */
  take16: Take;
  /** @returns Sum of the lengths of the views, exact up to 2^53. */
  utf8SizeOf(views: number, rows: number, rowCount: number): number;
  /**
   * Writes views as Arrow utf8: `rowCount + 1` int32 offsets from 0, and the bytes, exactly
   * `utf8SizeOf` of them (below 2 GiB, not checked).
   * @returns Count of bytes.
   */
  utf8ToArrow(
    views: number,
    rows: number,
    rowCount: number,
    outOffsets: number,
    outBytes: number,
  ): number;
  /** Makes views of Arrow utf8; long ones point into `bytes`. */
  utf8FromArrow(offsets: number, bytes: number, rowCount: number, outViews: number): void;
  /** Zeroes the views of nulls, as the rule for views asks; `validity` is not 0. */
  zeroNullViews(views: number, validity: number, rowCount: number): void;

  /** @returns Sum of the lengths of the texts over 8 bytes: what `copyLongTexts` needs. */
  longTextSizeOf(views: number, rowCount: number): number;
  /** Copies the texts over 8 bytes to `out`, one after the other, and points their views there. */
  copyLongTexts(views: number, rowCount: number, out: number): void;
  /** Gathers bits; a bitmap at 0 is all ones. */
  gatherAcross1Bit: GatherAcross;
  gatherAcross1: GatherAcross;
  gatherAcross2: GatherAcross;
  gatherAcross4: GatherAcross;
  gatherAcross8: GatherAcross;
  /** Gathers decimals, and views; long ones keep pointing at the same bytes. */
  gatherAcross16: GatherAcross;
  /**
   * How many of the rows have up to `bytesMax` of text together. `bases` has the views of all
   * `columnCount` text columns, column by column, `batchCount` addresses each.
   */
  rowsWithTexts(
    bases: number,
    batchCount: number,
    columnCount: number,
    numbers: number,
    rowCount: number,
    bytesMax: number,
  ): number;
}

/** The kernel that takes values of a type. */
export function takeOf(kernels: TakeKernels, type: FieldType): Take {
  const size = valueSizeOf(type);
  switch (size) {
    case 0:
      return kernels.take1Bit;
    case 1:
      return kernels.take1;
    case 2:
      return kernels.take2;
    case 4:
      return kernels.take4;
    case 8:
      return kernels.take8;
    case 16:
      return kernels.take16;
    default:
      return assertNever(size);
  }
}

/** The kernel that gathers values of a type. */
export function gatherOf(kernels: TakeKernels, type: FieldType): GatherAcross {
  const size = valueSizeOf(type);
  switch (size) {
    case 0:
      return kernels.gatherAcross1Bit;
    case 1:
      return kernels.gatherAcross1;
    case 2:
      return kernels.gatherAcross2;
    case 4:
      return kernels.gatherAcross4;
    case 8:
      return kernels.gatherAcross8;
    case 16:
      return kernels.gatherAcross16;
    default:
      return assertNever(size);
  }
}
