/** Goal: the ranges of all splits tile every file once, and are of a size that suits the tasks. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rangesOf } from '../../../connectors/filesystem/file-range.ts';
import { planSplits } from '../../../connectors/filesystem/split-planner.ts';

const mib = 1 << 20;

test.each`
  sizesMib           | parallelism | splitCount
  ${[]}              | ${2}        | ${0}
  ${[0]}             | ${2}        | ${0}
  ${[0.1]}           | ${2}        | ${1}
  ${[1]}             | ${8}        | ${1}
  ${[3]}             | ${2}        | ${3}
  ${[1024]}          | ${2}        | ${32}
  ${[1024]}          | ${16}       | ${256}
  ${[100_000]}       | ${1}        | ${3125}
  ${[0.4, 0.4, 0.4]} | ${2}        | ${2}
`('$sizesMib MiB for $parallelism tasks are $splitCount splits', (row) => {
  const files = row.sizesMib.map((size: number, index: number) => ({
    path: `f${index}`,
    sizeBytes: Math.round(size * mib),
  }));
  expect(planSplits(files, row.parallelism)).toHaveLength(row.splitCount);
});

test('thousands of small files are a few splits, each with many of them', () => {
  const files = Array.from({ length: 5000 }, (_, index) => ({
    path: `f${index}`,
    sizeBytes: 5000,
  }));
  const splits = planSplits(files, 2);
  expect(splits.length).toBeGreaterThanOrEqual(32);
  expect(splits.length).toBeLessThan(64);
});

test('any files: every byte is in exactly one range, in order', () => {
  const sizes = fc.array(fc.oneof(fc.nat(100), fc.nat(80 * mib)), { maxLength: 30 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 64 }), (all, parallelism) => {
      const files = all.map((sizeBytes, index) => ({ path: `f${index}`, sizeBytes }));
      const splits = planSplits(files, parallelism);
      const ends = new Map<string, number>();
      for (const split of splits) {
        const ranges = rangesOf(JSON.parse(JSON.stringify(split.payload)));
        expect(split.sizeBytes).toBe(ranges.reduce((sum, { start, end }) => sum + end - start, 0));
        expect(split.sizeBytes).toBeLessThanOrEqual(32 * mib);
        for (const { path, start, end } of ranges) {
          expect(start).toBe(ends.get(path) ?? 0);
          expect(end).toBeGreaterThan(start);
          ends.set(path, end);
        }
      }
      expect(files.map(({ path }) => ends.get(path) ?? 0)).toEqual(all);
      expect(new Set(splits.map(({ id }) => id)).size).toBe(splits.length);
    }),
  );
});

test('a compressed file is one split, and so is any file that is not to be cut', () => {
  const files = ['a.csv.gz', 'b.zst', 'c.csv'].map((path) => ({ path, sizeBytes: 8 * mib }));
  const rangeCounts = (isCut: boolean) =>
    planSplits(files, 2, { isCut })
      .flatMap(({ payload }) => rangesOf(payload))
      .reduce((counts, { path }) => counts.set(path, (counts.get(path) ?? 0) + 1), new Map());
  expect(Object.fromEntries(rangeCounts(true))).toEqual({ 'a.csv.gz': 1, 'b.zst': 1, 'c.csv': 8 });
  expect(Object.fromEntries(rangeCounts(false))).toEqual({ 'a.csv.gz': 1, 'b.zst': 1, 'c.csv': 1 });
});
