/** Goal: versions of keys are found by time as the references find them, whatever order they came in. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { versionTreesLayout as layout, noNumber } from '../../../engine/kernels/version-kernels.ts';
import { liveVersionsOf, type Version, versionAt } from '../../../engine/kernels/versions.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());
const { kernels } = arena;

const groupCount = 4;
const someVersions = fc.array(
  fc.record({
    group: fc.nat(groupCount - 1),
    time: fc.bigInt({ min: -20n, max: 20n }),
    tie: fc.nat(2),
  }),
  { maxLength: 60 },
);
const someTolerance = fc.option(fc.bigInt({ min: 0n, max: 12n }));
const numberOf = (tolerance: bigint | null) => (tolerance === null ? -1 : Number(tolerance));

/** Puts versions into trees, a few at a time. */
function treesOf(versions: readonly Version[], atOnce: number) {
  const groups = arena.putUint32(versions.map(({ group }) => group));
  const table = arena.putUint32([
    arena.putInt64s(versions.map(({ time }) => time)).values,
    arena.putUint32(versions.map(({ tie }) => tie)),
    arena.room(versions.length * 8 + 8),
    arena.putUint32(Array.from({ length: groupCount }, () => 0)),
  ]);
  for (let first = 0; first < versions.length; first += atOnce) {
    const count = Math.min(atOnce, versions.length - first);
    kernels.insertVersions(table, groups + first * 4, first, count);
  }
  return { table, groups };
}

test('a row finds the last version at its time or before', () => {
  const rows = fc.array(
    fc.record({ group: fc.nat(groupCount - 1), time: fc.bigInt({ min: -25n, max: 25n }) }),
    { maxLength: 40 },
  );
  const inputs = fc.tuple(
    someVersions,
    rows,
    someTolerance,
    fc.boolean(),
    fc.integer({ min: 1, max: 9 }),
  );
  fc.assert(
    fc.property(inputs, ([versions, asked, tolerance, keepsAll, atOnce]) => {
      arena.reset();
      const { table } = treesOf(versions, atOnce);
      const [outRows, outNumbers] = [arena.room(400), arena.room(400)];
      const nullNumber = 8192;
      const count = kernels.findVersions(
        table,
        arena.putUint32(asked.map(({ group }) => group)),
        arena.putUint32(asked.map((_, at) => at * 3)),
        arena.putInt64s(asked.map(({ time }) => time)).values,
        asked.length,
        numberOf(tolerance),
        keepsAll ? nullNumber : noNumber,
        outRows,
        outNumbers,
      );
      const wanted = asked
        .map((query, at) => ({ row: at * 3, number: versionAt(versions, query, tolerance) }))
        .filter(({ number }) => keepsAll || number >= 0);
      expect(arena.uint32s(outRows, count)).toEqual(wanted.map(({ row }) => row));
      const found = arena.uint32s(outNumbers, count);
      // Versions that differ in nothing but their number are one and the same to who asks.
      const shown = (number: number) => versions[number] ?? null;
      expect(found.map(shown)).toEqual(wanted.map(({ number }) => shown(number)));
      if (keepsAll)
        expect(
          found
            .filter((number) => number >= versions.length)
            .every((number) => number === nullNumber),
        ).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('versions that nobody can find any more are not among the live ones', () => {
  const inputs = fc.tuple(someVersions, fc.bigInt({ min: -25n, max: 25n }), someTolerance);
  fc.assert(
    fc.property(inputs, ([versions, bound, tolerance]) => {
      arena.reset();
      const { table, groups } = treesOf(versions, 7);
      const out = arena.room(400);
      const args = [
        table,
        groups,
        0,
        versions.length,
        Number(bound),
        numberOf(tolerance),
        out,
      ] as const;
      const count = kernels.liveVersions(...args);
      const shown = (row: number) => {
        const { group = 0, time = 0n, tie = 0 } = versions[row] ?? {};
        return `${group} ${time} ${tie}`;
      };
      const found = arena.uint32s(out, count).map(shown);
      expect(found.sort()).toEqual(liveVersionsOf(versions, bound, tolerance).map(shown).sort());
    }),
    { numRuns: 300 },
  );
});

test('a key with many versions in order is found in few steps', () => {
  const versions = Array.from({ length: 5000 }, (_, at) => ({
    group: 0,
    time: BigInt(at),
    tie: 0,
  }));
  const { table } = treesOf(versions, 1000);
  const words = arena.uint32s(table + layout.children, 1);
  const depthOf = (link: number): number => {
    if (link === 0) return 0;
    const [left = 0, right = 0] = arena.uint32s((words[0] ?? 0) + (link - 1) * 8, 2);
    return 1 + Math.max(depthOf(left), depthOf(right));
  };
  const [roots = 0] = arena.uint32s(table + layout.roots, 1);
  const [root = 0] = arena.uint32s(roots, 1);
  expect(depthOf(root)).toBeLessThan(60);
});
