/**
 * Hazard: rows larger than a block of a spill file. Each reader of a merge, and each writer, has one of them in
 * hand, so what a sort, a group-by or a join holds has to be counted by their bytes.
 */
import { expect, test } from 'vitest';
import {
  AggregateOperator,
  type AggregateOptions,
} from '../../engine/operators/aggregate-operator.ts';
import {
  HashJoinOperator,
  type HashJoinOperatorOptions,
} from '../../engine/operators/hash-join-operator.ts';
import type { OperatorContext } from '../../engine/operators/operator.ts';
import { SortOperator } from '../../engine/operators/sort-operator.ts';
import { int32Type, int64Type, utf8Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { ascending } from '../../engine/stream/row-order.ts';
import { runWithinShare } from '../engine/operators/within-share.ts';
import type { Row } from '../support/operator-harness.ts';
import { typedErrorOf } from '../support/typed-error-of.ts';

const schema = schemaOf(fieldOf('k', int32Type), fieldOf('text', utf8Type));

interface Texts {
  readonly count: number;
  readonly largeBytes: number;
  /** Of so many rows one is large. */
  readonly every: number;
}

function* textRows({ count, largeBytes, every }: Texts): Generator<Row> {
  for (let at = 0; at < count; at++) {
    const sizeBytes = at % every === 0 ? largeBytes - (at % 7) * 1000 : 30;
    yield { k: (at * 7919) % 1009, text: `${at} `.padEnd(sizeBytes, 'text') };
  }
}

function sortedWithin(shareBytes: number, texts: Texts, headroomBytes = 2 * texts.largeBytes) {
  const order = [ascending('k')];
  const build = (context: OperatorContext) => new SortOperator(context, { schema, order });
  const parts = { rows: textRows(texts), shareBytes, headroomBytes };
  return runWithinShare({ build, schema, ...parts });
}

function expectedOrder(texts: Texts): Row[] {
  return [...textRows(texts)].sort((a, b) => Number(a.k) - Number(b.k));
}

test.each([
  { count: 40, largeBytes: 2 << 20, every: 1, shareBytes: 14 << 20 },
  { count: 200, largeBytes: 500 << 10, every: 2, shareBytes: 6 << 20 },
  { count: 60_000, largeBytes: 1 << 20, every: 2_000, shareBytes: 8 << 20 },
])('sort: $count rows, one of $every with $largeBytes bytes', ({ shareBytes, ...texts }) => {
  const { found, spilledBytes } = sortedWithin(shareBytes, texts);
  expect(spilledBytes).toBeGreaterThan(0);
  expect(found).toEqual(expectedOrder(texts));
});

test('sort: a share too small for two of the rows says the least that would do, which does', () => {
  const texts = { count: 24, largeBytes: 2 << 20, every: 1 };
  const error = typedErrorOf(() => sortedWithin(6 << 20, texts));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  expect(error?.message).toMatch(
    /^"tested" needs [\d.]+ MB of memory to sort rows of up to 2.0 MB on disk, and has 6.0 MB$/,
  );
  const least = Number(error?.info.details?.leastBytes);
  expect(sortedWithin(least, texts).found).toEqual(expectedOrder(texts));
  expect(typedErrorOf(() => sortedWithin(least - 4096, texts))?.info.code).toBe('MEMORY_TOO_SMALL');
});

const counted = fieldOf('rows', int64Type);
const groupOptions: AggregateOptions = {
  ...{ input: schema, keys: ['text'], phase: 'whole' },
  output: schemaOf(fieldOf('text', utf8Type), counted),
  aggregates: [{ name: 'rows', function: 'count', columns: [] }],
};

/** Each text twice, far apart. */
function groupedWithin(shareBytes: number, texts: Texts) {
  const build = (context: OperatorContext) => new AggregateOperator(context, groupOptions);
  const rows = [...textRows(texts), ...textRows(texts)];
  return runWithinShare({ build, schema, rows, shareBytes, headroomBytes: 3 * texts.largeBytes });
}

function byText(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => (String(a.text) < String(b.text) ? -1 : 1));
}

function expectedGroups(texts: Texts): Row[] {
  return byText([...textRows(texts)].map(({ text = null }) => ({ text, rows: 2n })));
}

test.each([
  { count: 30, largeBytes: 2 << 20, every: 1, shareBytes: 16 << 20 },
  { count: 20_000, largeBytes: 1 << 20, every: 1_000, shareBytes: 12 << 20 },
])('group: $count rows, one of $every with $largeBytes bytes', ({ shareBytes, ...texts }) => {
  const { found, spilledBytes } = groupedWithin(shareBytes, texts);
  expect(spilledBytes).toBeGreaterThan(0);
  expect(byText(found)).toEqual(expectedGroups(texts));
});

test('group: a share too small for the rows says the least that would do, which does', () => {
  const texts = { count: 12, largeBytes: 2 << 20, every: 1 };
  const error = typedErrorOf(() => groupedWithin(6 << 20, texts));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  expect(error?.message).toContain(
    'of memory to group rows of up to 2.0 MB on disk, and has 6.0 MB',
  );
  const least = Number(error?.info.details?.leastBytes);
  expect(byText(groupedWithin(least, texts).found)).toEqual(expectedGroups(texts));
});

const right = schemaOf(fieldOf('rk', int32Type), fieldOf('rt', utf8Type));

/** Each row of the left side has the partner with its number. */
function joinedWithin(shareBytes: number, texts: Texts) {
  const options: HashJoinOperatorOptions = {
    ...{ type: 'inner', buildSide: 'right', probe: schema, build: right },
    ...{ probeKeys: ['k'], buildKeys: ['rk'], condition: null },
    output: { fields: [...schema.fields, ...right.fields] },
  };
  const numbered = [...textRows(texts)].map(({ text = null }, k) => ({ k, text }));
  const parts = { rows: numbered, shareBytes, headroomBytes: 4 * texts.largeBytes };
  return runWithinShare({
    ...{ schema, ...parts, build: (context) => new HashJoinOperator(context, options) },
    buildSide: { schema: right, rows: numbered.map(({ k, text }) => ({ rk: k, rt: text })) },
  });
}

function expectJoined(found: readonly Row[], texts: Texts): void {
  const rows = [...found].sort((a, b) => Number(a.k) - Number(b.k));
  expect(rows).toEqual(
    [...textRows(texts)].map(({ text = null }, k) => ({ k, text, rk: k, rt: text })),
  );
}

test.each([
  { count: 30, largeBytes: 2 << 20, every: 1, shareBytes: 16 << 20 },
  { count: 20_000, largeBytes: 1 << 20, every: 1_000, shareBytes: 12 << 20 },
])('join: $count rows, one of $every with $largeBytes bytes', ({ shareBytes, ...texts }) => {
  const { found, spilledBytes } = joinedWithin(shareBytes, texts);
  expect(spilledBytes).toBeGreaterThan(0);
  expectJoined(found, texts);
});

test('join: a share too small for the rows says the least that would do, which does', () => {
  const texts = { count: 12, largeBytes: 2 << 20, every: 1 };
  const error = typedErrorOf(() => joinedWithin(6 << 20, texts));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  expect(error?.message).toContain(
    'of memory to join rows of up to 2.0 MB on disk, and has 6.0 MB',
  );
  expectJoined(joinedWithin(Number(error?.info.details?.leastBytes), texts).found, texts);
});
