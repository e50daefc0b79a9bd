/**
 * Goal: what a finished join tells its source is right: it selects the rows whose keys the build side has, and
 * its condition is true for all of them.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { selectRows } from '../../../engine/expr/evaluate.ts';
import { exprText } from '../../../engine/expr/expr-text.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import type { HashJoinOperator } from '../../../engine/operators/hash-join-operator.ts';
import type { JoinKeyFilter } from '../../../engine/operators/join-key-filter.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, newContext, type Row } from '../../support/operator-harness.ts';
import { textsOf } from '../../support/plan-runner.ts';
import { type JoinCase, joinCaseOf, joinCases } from './join-cases.ts';

interface Asked {
  readonly filter: JoinKeyFilter | null;
  /** Those of the left side. */
  readonly selected: readonly Row[];
  readonly holding: readonly Row[];
}

/** Builds the right side and asks the filter, and its condition, of the left side's rows. */
function ask(one: JoinCase, tableBytes?: number): Asked {
  const { memory, context, scope } = newContext('join');
  const { left, right, keys } = one;
  // What the join itself gives is not asked for.
  const none = { ...one, left: { ...left, rows: [] } };
  const operator = joinCaseOf(none, tableBytes).build(context) as HashJoinOperator;
  const sizes = 8192;
  try {
    for (let from = 0; from < right.rows.length; from += sizes) {
      const batch = batchOf(scope, right.schema, right.rows.slice(from, from + sizes));
      for (let row = 0; row < batch.rowCount; ) row = operator.build(batch, row);
      batch.release();
    }
    while (!operator.buildEnded());
    const names = keys.map(([name]) => name);
    const filter = operator.keyFilter(left.schema, names);
    if (filter === null) return { filter, selected: left.rows, holding: left.rows };
    const batch = batchOf(scope, { fields: filter.fields }, left.rows);
    const { predicate } = filter;
    const rowsOf = ({ selection, rowCount }: ReturnType<JoinKeyFilter['select']>) => {
      if (selection === 0) return rowCount === 0 ? [] : left.rows;
      const first = addressOf(selection) >>> 2;
      const numbers = [...memory.uint32.slice(first, first + rowCount)];
      memory.release(selection);
      return numbers.map((number) => left.rows[number] as Row);
    };
    const selected = rowsOf(filter.select(batch));
    // It answers the same when it is asked again.
    expect(rowsOf(filter.select(batch))).toEqual(selected);
    const holding = predicate === null ? left.rows : rowsOf(selectRows(predicate, batch, scope));
    batch.release();
    return { filter, selected, holding };
  } finally {
    operator.close();
    memory.assertEmpty();
  }
}

test('rows are selected that have a partner, whatever the keys are', { timeout: 60_000 }, () => {
  let boundCount = 0;
  fc.assert(
    fc.property(joinCases, fc.constantFrom(1, 5), (drawn, copies) => {
      fc.pre(drawn.keys.length > 0);
      const rows = Array.from({ length: copies }, () => drawn.right.rows).flat();
      const right = { ...drawn.right, rows };
      const one: JoinCase = { ...drawn, right, type: 'semi', buildSide: 'right', condition: null };
      const { filter, selected, holding } = ask(one);
      const expected = textsOf(joinCaseOf(one).expected);
      expect(textsOf(filter?.isEmpty ? [] : selected)).toEqual(expected);
      const held = new Set(textsOf(holding));
      if (!filter?.isEmpty) expect(expected.every((row) => held.has(row))).toBe(true);
      if (filter?.predicate) boundCount++;
    }),
    { numRuns: 120 },
  );
  expect(boundCount).toBeGreaterThan(40);
});

const numbers = (name: string, count: number, of: (row: number) => bigint | null) => ({
  schema: schemaOf(fieldOf(name, int64Type, true)),
  rows: Array.from({ length: count }, (_, row) => ({ [name]: of(row) })),
});

const onNumbers = (right: JoinCase['right']): JoinCase => ({
  ...{ type: 'inner', buildSide: 'right', condition: null, keys: [['l', 'r']] },
  left: numbers('l', 8192, (row) => BigInt(row)),
  right,
});

test.each`
  title                           | count     | of                                                 | condition                                          | found
  ${'few keys, each by itself'}   | ${3}      | ${(row: number) => BigInt(row * 2)}                | ${'l in (0, 2, 4)'}                                | ${3}
  ${'many, by their bounds'}      | ${20_000} | ${(row: number) => BigInt(row + 4096)}             | ${'l >= 4096 and l <= 24095'}                      | ${4096}
  ${'bounds beyond exact floats'} | ${100}    | ${(row: number) => 2n ** 60n + BigInt(row)}        | ${`l >= ${2n ** 60n} and l <= ${2n ** 60n + 99n}`} | ${0}
  ${'nulls, which are no keys'}   | ${100}    | ${(row: number) => (row % 2 ? null : BigInt(row))} | ${'l >= 0 and l <= 98'}                            | ${50}
`('$title', ({ count, of, condition, found }) => {
  const { filter, selected } = ask(onNumbers(numbers('r', count, of)));
  expect(filter?.predicate && exprText(filter.predicate)).toBe(condition);
  expect(selected).toHaveLength(found);
});

test.each`
  title           | count  | of
  ${'no row'}     | ${0}   | ${() => 1n}
  ${'only nulls'} | ${3}   | ${() => null}
  ${'many nulls'} | ${100} | ${() => null}
`('a build side of $title has no partner for anything', ({ count, of }) => {
  expect(ask(onNumbers(numbers('r', count, of))).filter?.isEmpty).toBe(true);
});

test('a build side that is on disk says nothing', () => {
  const { filter } = ask(onNumbers(numbers('r', 20_000, (row) => BigInt(row))), 1);
  expect(filter).toBeNull();
});

test('a text that no literal holds bounds nothing', () => {
  const [l, r] = [schemaOf(fieldOf('l', utf8Type)), schemaOf(fieldOf('r', utf8Type))];
  const texts = Array.from({ length: 100 }, (_, row) => ({ r: `${row}`.padStart(2000, '0') }));
  const { filter, selected } = ask({
    ...{ type: 'inner', buildSide: 'right', condition: null, keys: [['l', 'r']] },
    left: { schema: l, rows: [{ l: 'short' }, { l: '7'.padStart(2000, '0') }] },
    right: { schema: r, rows: texts },
  });
  expect(filter?.predicate).toBeNull();
  expect(selected).toHaveLength(1);
});

test('the join finds what it found, whether its table was asked before or not', () => {
  const { memory, context, scope } = newContext('join');
  const right = numbers('r', 20_000, (row) => BigInt(row * 4));
  const one = onNumbers(right);
  const none = { ...one, left: { ...one.left, rows: [] } };
  const operator = joinCaseOf(none).build(context) as HashJoinOperator;
  for (const from of [0, 8192, 16_384]) {
    const batch = batchOf(scope, right.schema, right.rows.slice(from, from + 8192));
    operator.build(batch, 0);
    batch.release();
  }
  while (!operator.buildEnded());
  const filter = operator.keyFilter(one.left.schema, ['l']);
  const left = batchOf(scope, one.left.schema, one.left.rows);
  let found = 0;
  // More rows than the table's own filter is tried on.
  for (let round = 0; round < 12; round++) {
    const { selection, rowCount } = filter?.select(left) ?? { selection: 0, rowCount: 0 };
    expect(rowCount).toBe(2048);
    const chosen = left.derive({
      ...{ rowCount, selection: addressOf(selection), blocks: [selection] },
    });
    const offer = (batch: { readonly rowCount: number; release(): void }) => {
      found += readRows(batch as never).length;
      batch.release();
      return true;
    };
    for (let row = 0; row < rowCount; ) row = operator.process(chosen, row, { offer });
    chosen.release();
  }
  expect(found).toBe(12 * 2048);
  left.release();
  operator.close();
  memory.assertEmpty();
});
