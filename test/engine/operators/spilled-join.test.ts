/**
 * Goal: joins whose build side goes to disk give what comparing all rows gives, of every type, with keys that
 * differ and with one key for most rows; within the share; with its least, and with disks that fail or lie.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnExpr, compareExpr } from '../../../engine/expr/expr-factory.ts';
import {
  HashJoinOperator,
  type HashJoinOperatorOptions,
} from '../../../engine/operators/hash-join-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { type JoinType, joinRowsOf, joinTypes } from '../../../engine/plan/join-type.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row } from '../../support/operator-harness.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { joinCaseOf, joinCases } from './join-cases.ts';
import { expectDiskErrors, runWithinShare, TearingDisk, type WithinShare } from './within-share.ts';

test('joins on disk give what comparing all rows gives', { timeout: 240_000 }, () => {
  fc.assert(
    fc.property(joinCases, fc.constantFrom(1, 400_000), (one, tableBytes) =>
      checkOperator(joinCaseOf(one, tableBytes)),
    ),
    { numRuns: 80 },
  );
});

const probe = schemaOf(fieldOf('l', utf8Type, true), fieldOf('ln', int32Type));
const build = schemaOf(fieldOf('r', utf8Type, true), fieldOf('rn', int32Type));
const bothNull: Schema = {
  fields: [...probe.fields, ...build.fields].map((field) => ({ ...field, nullable: true })),
};

interface Side {
  readonly count: number;
  /** Null: a row without a key. */
  readonly keyOf: (row: number) => number | null;
  /** @defaultValue 40 */
  readonly textLength?: number;
}

function* rowsOf(prefix: 'l' | 'r', { count, keyOf, textLength = 40 }: Side): Generator<Row> {
  for (let row = 0; row < count; row++) {
    const key = keyOf(row);
    const text = key === null ? null : `key ${key}`.padEnd(textLength, '.');
    yield { [prefix]: text, [`${prefix}n`]: row };
  }
}

interface Scene {
  readonly type: JoinType;
  readonly left: Side;
  readonly right: Side;
  /** Rows of equal keys are partners only where their numbers are equal as well. */
  readonly comparesNumbers?: boolean;
  readonly join?: Partial<HashJoinOperatorOptions>;
}

const equalNumbers = compareExpr(
  'eq',
  columnExpr(fieldOf('ln', int32Type)),
  columnExpr(fieldOf('rn', int32Type)),
);

/** A join that keeps its right side, unless told otherwise. */
function sceneOf({ type, left, right, join, comparesNumbers = false }: Scene) {
  const isOneSided = type === 'semi' || type === 'anti';
  const options: HashJoinOperatorOptions = {
    ...{ type, buildSide: 'right', probe, build, probeKeys: ['l'], buildKeys: ['r'] },
    ...{ condition: comparesNumbers ? equalNumbers : null, output: isOneSided ? probe : bothNull },
    ...join,
  };
  return {
    schema: probe,
    rows: rowsOf('l', left),
    buildSide: { schema: build, rows: rowsOf('r', right) },
    build: (context: OperatorContext) => new HashJoinOperator(context, options),
  } satisfies WithinShare;
}

/** Numbers of the rows of both sides, -1 for none; sorted. */
function pairsOf(found: readonly Row[]): string[] {
  return found.map(({ ln, rn }) => `${ln ?? -1} ${rn ?? -1}`).sort();
}

/** The same by a Map. */
function expectedPairs({ type, left, right, comparesNumbers = false }: Scene): string[] {
  const rights = numbersByKey(right);
  const rows = joinRowsOf(type, 'right');
  const matched = new Set<number>();
  const found = numbers(left).flatMap((row): string[] => {
    const key = left.keyOf(row);
    const hasSame = row < right.count && key !== null && right.keyOf(row) === key;
    const partners = comparesNumbers ? (hasSame ? [row] : []) : (rights.get(key) ?? []);
    for (const partner of partners) matched.add(partner);
    const isAlone = rows.probe === (partners.length > 0 ? 'matched' : 'unmatched');
    const pairs = rows.hasPairs ? partners.map((partner) => `${row} ${partner}`) : [];
    return isAlone ? [...pairs, `${row} -1`] : pairs;
  });
  if (rows.build === 'none') return found.sort();
  const alone = numbers(right).filter((row) => !matched.has(row));
  return [...found, ...alone.map((row) => `-1 ${row}`)].sort();
}

function numbers({ count }: Side): number[] {
  return Array.from({ length: count }, (_, row) => row);
}

function numbersByKey(side: Side): Map<number | null, number[]> {
  const byKey = Map.groupBy(numbers(side), (row) => side.keyOf(row));
  byKey.delete(null);
  return byKey;
}

/** Keys that come once or twice, some not on the other side, some missing. */
const distinctKeys = (count: number, distinct: number): Side => ({
  count,
  keyOf: (row) => (row % 50 === 0 ? null : (row * 7919) % distinct),
});

test.each(joinTypes)('a %s join of many times the share', { timeout: 60_000 }, (type) => {
  const scene = {
    type,
    left: distinctKeys(90_000, 160_000),
    right: distinctKeys(300_000, 200_003),
  };
  const { found, spilledBytes } = runWithinShare({ ...sceneOf(scene), shareBytes: 5 << 20 });
  expect(spilledBytes).toBeGreaterThan(0);
  expect(pairsOf(found)).toEqual(expectedPairs(scene));
});

test.each(joinTypes)('a %s join in which most rows have one key', { timeout: 60_000 }, (type) => {
  // Both sides of that key, and rows without one, are larger than the share.
  const oneKey = (count: number, others: number): Side => ({
    ...{ count, textLength: 500 },
    keyOf: (row) => (row % 100 === 7 ? row % others : row % 3 === 0 ? null : -1),
  });
  const scene = {
    type,
    left: oneKey(16_000, 1000),
    right: oneKey(15_000, 1500),
    comparesNumbers: true,
  };
  const { found, spilledBytes } = runWithinShare({ ...sceneOf(scene), shareBytes: 5 << 20 });
  expect(spilledBytes).toBeGreaterThan(0);
  expect(pairsOf(found)).toEqual(expectedPairs(scene));
});

test.each(joinTypes)('a %s join of everything with everything', { timeout: 60_000 }, (type) => {
  const side = (count: number): Side => ({ count, keyOf: (row) => row % 5, textLength: 500 });
  const scene = { type, left: side(6_000), right: side(7_000), comparesNumbers: true };
  const join = { probeKeys: [], buildKeys: [] };
  const { found, spilledBytes } = runWithinShare({
    ...sceneOf({ ...scene, join }),
    shareBytes: 5 << 20,
  });
  expect(spilledBytes).toBeGreaterThan(0);
  expect(pairsOf(found)).toEqual(expectedPairs(scene));
});

test('what fits in the share goes to no disk', () => {
  const scene = {
    type: 'full',
    left: distinctKeys(20_000, 9_000),
    right: distinctKeys(9_000, 9_000),
  } as const;
  const { found, spilledBytes } = runWithinShare({ ...sceneOf(scene), shareBytes: 16 << 20 });
  expect(spilledBytes).toBe(0);
  expect(pairsOf(found)).toEqual(expectedPairs(scene));
});

const large = {
  type: 'full',
  left: distinctKeys(60_000, 80_000),
  right: distinctKeys(70_000, 80_000),
} as const;

test('a share that is too small: the least memory that would do, which does', () => {
  const run = (shareBytes: number) => () => runWithinShare({ ...sceneOf(large), shareBytes });
  const error = typedErrorOf(run(1 << 20));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  expect(error?.message).toMatch(
    /^"tested" needs [\d.]+ MB of memory to join on disk, and has 1.0 MB$/,
  );
  const least = Number(error?.info.details?.leastBytes);
  expect(pairsOf(run(least)().found)).toEqual(expectedPairs(large));
  expect(typedErrorOf(run(least - 4096))?.info.code).toBe('MEMORY_TOO_SMALL');
});

test('each call of the disk may fail: a typed error, and nothing is left', () => {
  const sidesOf: Side[] = [
    distinctKeys(4_100, 3_000),
    { count: 600, keyOf: (row) => row % 2, textLength: 500 },
  ];
  for (const side of sidesOf) {
    const sides = { left: side, right: side, comparesNumbers: true };
    const scene = { type: 'left', ...sides, join: { tableBytes: 1 } } as const;
    expectDiskErrors((plan) => runWithinShare({ ...sceneOf(scene), shareBytes: 5 << 20, plan }));
  }
});

test('a block that is torn is told', () => {
  const disk = new TearingDisk();
  const error = typedErrorOf(() =>
    runWithinShare({ ...sceneOf(large), shareBytes: 5 << 20, disk }),
  );
  expect(error?.info.code).toBe('SPILL_DAMAGED');
});
