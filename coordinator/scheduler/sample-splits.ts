/**
 * Which splits a sample is taken from: some at even distances, for what lies together in the input is often
 * alike. A sample reads the first rows of each (engine/operators/sample-reader.ts).
 */
import type { Split } from '../../engine/contracts/source.ts';

/** Opening one and reading a batch takes about a millisecond. */
const splitsMax = 32;

export function sampleSplits(splits: readonly Split[]): readonly Split[] {
  const count = Math.min(splits.length, splitsMax);
  return Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * splits.length) / count))
    .map((index) => splits[index])
    .filter((split) => split !== undefined);
}
