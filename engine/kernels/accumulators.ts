/**
 * Accumulators: what a group of a table keeps per aggregate, and which kernel adds to it.
 *
 *     slot    hash · flags · key · [more flags] · cell · cell · …
 *
 *     count, sum, min, max, first, last of 8 bytes     8 bytes
 *     the same of int128                              16
 *     min, max, first, last of texts                  24: a view, and the room of its bytes
 *     moments                                         24: count, mean, m2
 *
 * After: engine/kernels/group-table.ts
 */
import { assert } from '../../base/assert.ts';
import type { Accumulate, AccumulateKernels, AccumulateText } from './accumulate-kernels.ts';

export interface AccumulatorSpec {
  /** `count` counts rows, `countValid` those whose input is not null. */
  readonly function:
    | 'count'
    | 'countValid'
    | 'sum'
    | 'min'
    | 'max'
    | 'first'
    | 'last'
    | 'moments'
    | 'mergeMoments';
  /**
   * Of the input, and of the result but for: the counts and `moments`; a sum of `int64Wide`, which adds
   * int64 values up in an int128; `mergeMoments`, whose input has 24 bytes per row.
   */
  readonly type: 'int64' | 'int64Wide' | 'float64' | 'int128' | 'text';
}

/** An accumulator's place in a slot. */
export interface Cell {
  readonly spec: AccumulatorSpec;
  readonly offset: number;
  /** Where its u32 of flags is, and its bit there. */
  readonly flags: number;
  readonly flag: number;
  /** Bytes of its results: 8, 16, or 8 for each of three. */
  readonly resultSizes: readonly number[];
}

/** The first flags of a slot have 24 bits, of which the null key has one; further ones have words. */
const firstFlags = 4;
const firstFlagCount = 24;

/**
 * Where the accumulators of a table are, and the size of its slots.
 * @param headBytes - Of hash, flags and key.
 */
export function cellsOf(
  specs: readonly AccumulatorSpec[],
  headBytes: number,
): { readonly cells: readonly Cell[]; readonly sizeBytes: number } {
  const further = Math.max(0, specs.length + 1 - firstFlagCount);
  let offset = headBytes + Math.ceil(further / 64) * 8;
  const cells = specs.map((spec, index): Cell => {
    const resultSizes = resultSizesOf(spec);
    const bit = index + 1 - firstFlagCount;
    const flags = bit < 0 ? firstFlags : headBytes + (bit >>> 5) * 4;
    const flag = bit < 0 ? 1 << (index + 1) : (1 << (bit & 31)) >>> 0;
    const cell = { spec, offset, flags, flag, resultSizes };
    const room = spec.type === 'text' ? 8 : 0;
    offset += room + resultSizes.reduce((sum, size) => sum + size, 0);
    return cell;
  });
  return { cells, sizeBytes: offset };
}

/** Bytes per group of each column of an accumulator's results. */
export function resultSizesOf({ function: kind, type }: AccumulatorSpec): number[] {
  if (kind === 'moments' || kind === 'mergeMoments') return [8, 8, 8];
  if (kind === 'count' || kind === 'countValid') return [8];
  return [type === 'int64' || type === 'float64' ? 8 : 16];
}

/** The kernel of an accumulator; null for counts and texts, which are called differently. */
export function accumulateOf(kernels: AccumulateKernels, spec: AccumulatorSpec): Accumulate | null {
  if (spec.function === 'moments') return kernels.accumulateMoments;
  if (spec.function === 'mergeMoments') return kernels.mergeMoments;
  switch (spec.type) {
    case 'int64':
      return int64Kernel(kernels, spec);
    case 'float64':
      return float64Kernel(kernels, spec);
    case 'int64Wide':
    case 'int128':
      return int128Kernel(kernels, spec);
    default:
      return null;
  }
}

/** The kernel of an accumulator of texts. */
export function accumulateTextOf(
  kernels: AccumulateKernels,
  { function: kind }: AccumulatorSpec,
): AccumulateText {
  switch (kind) {
    case 'min':
      return kernels.accumulateMinText;
    case 'max':
      return kernels.accumulateMaxText;
    case 'first':
      return kernels.accumulateFirstText;
    case 'last':
      return kernels.accumulateLastText;
    default:
      assert(false, 'texts have no sum and no moments');
  }
}

function int64Kernel(kernels: AccumulateKernels, { function: kind }: AccumulatorSpec) {
  switch (kind) {
    case 'sum':
      return kernels.accumulateSumInt64;
    case 'min':
      return kernels.accumulateMinInt64;
    case 'max':
      return kernels.accumulateMaxInt64;
    default:
      return keep8Kernel(kernels, kind);
  }
}

function float64Kernel(kernels: AccumulateKernels, { function: kind }: AccumulatorSpec) {
  switch (kind) {
    case 'sum':
      return kernels.accumulateSumFloat64;
    case 'min':
      return kernels.accumulateMinFloat64;
    case 'max':
      return kernels.accumulateMaxFloat64;
    default:
      return keep8Kernel(kernels, kind);
  }
}

function keep8Kernel(kernels: AccumulateKernels, kind: AccumulatorSpec['function']) {
  if (kind === 'first') return kernels.accumulateFirst8;
  return kind === 'last' ? kernels.accumulateLast8 : null;
}

function int128Kernel(kernels: AccumulateKernels, { function: kind, type }: AccumulatorSpec) {
  switch (kind) {
    case 'sum':
      return type === 'int128' ? kernels.accumulateSumInt128 : kernels.accumulateSumInt64Wide;
    case 'min':
      return kernels.accumulateMinInt128;
    case 'max':
      return kernels.accumulateMaxInt128;
    case 'first':
      return kernels.accumulateFirst16;
    case 'last':
      return kernels.accumulateLast16;
    default:
      return null;
  }
}
