/**
 * Goal: joins of rows that come and go leave the join of the rows that are there, for all types, whatever turn rows come
 * in; nothing goes that has not come; state does not grow where as many rows go as come, and what is over changes nothing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../../engine/batch/batch.ts';
import { columnExpr, compareExpr } from '../../../../engine/expr/expr-factory.ts';
import { ChangingJoinOperator } from '../../../../engine/operators/stream-join/changing-join-operator.ts';
import type { RegularJoinOptions } from '../../../../engine/operators/stream-join/regular-join-options.ts';
import {
  becomesNull,
  isOneSided,
  type JoinType,
  joinTypes,
} from '../../../../engine/plan/join-type.ts';
import { rowKinds, rowKindType } from '../../../../engine/plan/row-kind.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../../engine/schema/schema.ts';
import { applied, sorted } from '../../../support/changelog.ts';
import {
  batchOf,
  checkOperator,
  feed,
  isMark,
  newContext,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';
import { checkSnapshots, checkSnapshotsOnce } from '../../../support/snapshot-harness.ts';

const kind = fieldOf('rowKind', rowKindType);
const left = [
  fieldOf('key', int64Type, true),
  fieldOf('n', { kind: 'int32' }),
  fieldOf('text', { kind: 'utf8' }, true),
];
const right = [fieldOf('other', int64Type, true), fieldOf('m', { kind: 'int32' })];

interface Case {
  readonly type: JoinType;
  readonly hasCondition: boolean;
  /** Whether rows of the right side go as well. */
  readonly isRightChanging: boolean;
  readonly ttlMs?: number;
}

function optionsOf({ type, hasCondition, isRightChanging, ttlMs }: Case): RegularJoinOptions {
  const optional = (fields: typeof left, side: 'left' | 'right') =>
    fields.map((one) => ({ ...one, nullable: one.nullable || becomesNull(type, side) }));
  const pairs = isOneSided(type) ? left : [...optional(left, 'left'), ...optional(right, 'right')];
  const [n, m] = [left[1], right[1]];
  if (n === undefined || m === undefined) throw new Error('both sides have a number');
  return {
    ...{ type, kindColumn: 'rowKind', ttlMs: ttlMs ?? null, sliceMs: 1 },
    left: { schema: { fields: [...left, kind] }, keys: ['key'] },
    right: { schema: { fields: isRightChanging ? [...right, kind] : right }, keys: ['other'] },
    condition: hasCondition ? compareExpr('ne', columnExpr(n), columnExpr(m)) : null,
    output: { fields: [...pairs, kind] },
  };
}

/** The join of rows that are there. */
function joined(
  { type, hasCondition }: Case,
  lefts: readonly Row[],
  rights: readonly Row[],
): Row[] {
  const matched = new Set<Row>();
  const rows = lefts.flatMap((one): Row[] => {
    const partners = rights.filter((other) => {
      const isSame = one['key'] !== null && one['key'] === other['other'];
      return isSame && !(hasCondition && one['n'] === other['m']);
    });
    for (const partner of partners) matched.add(partner);
    if (isOneSided(type)) return partners.length > 0 === (type === 'semi') ? [one] : [];
    if (partners.length > 0) return partners.map((partner) => ({ ...one, ...partner }));
    return becomesNull(type, 'right') ? [{ ...one, other: null, m: null }] : [];
  });
  const alone = rights.filter((one) => becomesNull(type, 'left') && !matched.has(one));
  return [...rows, ...alone.map((one) => ({ key: null, n: null, text: null, ...one }))];
}

const someKey = fc.option(fc.bigInt({ min: 0n, max: 2n }), { freq: 6 });
const someText = fc.constantFrom(
  null,
  '',
  'a text that is behind its view',
  'another text, not short',
);
const number = fc.integer({ min: 0, max: 1 });
const move = fc.record({
  isRight: fc.boolean(),
  goes: fc.boolean(),
  place: fc.nat(),
  isUpdate: fc.boolean(),
  leftRow: fc.record({ key: someKey, n: number, text: someText }),
  rightRow: fc.record({ other: someKey, m: number }),
});
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;
const cases = fc.record({
  type: fc.constantFrom(...joinTypes),
  hasCondition: fc.boolean(),
  isRightChanging: fc.boolean(),
});

/** Steps of a case, and the rows that are there in the end. */
function stepsOf({ isRightChanging }: Case, moves: readonly Move[]) {
  const there = { left: [] as Row[], right: [] as Row[] };
  const steps = moves.map(({ isRight, goes, place, isUpdate, leftRow, rightRow }): Step => {
    const rows = isRight ? there.right : there.left;
    const canGo = goes && rows.length > 0 && (!isRight || isRightChanging);
    const [gone] = canGo ? rows.splice(place % rows.length, 1) : [];
    const row: Row = gone ?? { ...(isRight ? rightRow : leftRow) };
    if (gone === undefined) rows.push(row);
    const added = isUpdate ? rowKinds.updateAfter : rowKinds.insert;
    const taken = isUpdate ? rowKinds.updateBefore : rowKinds.delete;
    const given = { ...row, rowKind: gone === undefined ? added : taken };
    return isRight ? { right: given } : { row: given };
  });
  return { steps, there };
}

function caseOf(one: Case, steps: readonly Step[]) {
  const options = optionsOf(one);
  return {
    ...{ input: options.left.schema, rightInput: options.right.schema, steps, expected: [] },
    build: (context: ConstructorParameters<typeof ChangingJoinOperator>[0]) =>
      new ChangingJoinOperator(context, options),
  };
}

test('they leave the join of the rows that are there', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, fc.array(move, { maxLength: 40 }), (one, moves) => {
      const { steps, there } = stepsOf(one, moves);
      const expected = sorted(joined(one, there.left, there.right));
      for (const mode of runModes) {
        const found = runOperator(caseOf(one, steps), mode);
        expect(applied(found, 'rowKind'), mode.name).toEqual(expected);
      }
    }),
    { numRuns: 150 },
  );
});

test('rows and their partners go on in other tasks, and go again there', {
  timeout: 120_000,
}, () => {
  const seeds = fc.integer({ min: 1, max: 1_000_000 });
  const moves = fc.array(move, { maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(cases, moves, seeds, (one, drawn, seed) => {
      const { steps, there } = stepsOf(one, drawn);
      const { expected: _, ...given } = caseOf(one, steps);
      const outcomeOf = (rows: readonly Row[]) => applied(rows.filter(isRow), 'rowKind');
      checkSnapshotsOnce(
        {
          ...{ ...given, keys: ['key'], rightKeys: ['other'], outcomeOf },
          expected: joined(one, there.left, there.right),
        },
        seed,
      );
    }),
    { numRuns: 60 },
  );
});

test('what is left of their time goes on in other tasks', () => {
  const keyOf = (at: number) => BigInt(at % 4);
  const steps = Array.from({ length: 40 }, (_, at): Step[] => {
    const row = { key: keyOf(at), n: at, text: 'x', rowKind: rowKinds.insert };
    const other = { other: keyOf(at * 3), m: at, rowKind: rowKinds.insert };
    return [at % 2 === 0 ? { row } : { right: other }, { wake: (at + 1) * 100 }];
  }).flat();
  const { expected: _, ...given } = caseOf({ ...full, ttlMs: 450 }, steps);
  const outcomeOf = (rows: readonly Row[]) => applied(rows.filter(isRow), 'rowKind');
  checkSnapshots({ ...given, keys: ['key'], rightKeys: ['other'], outcomeOf });
});

function isRow(row: Row): boolean {
  return !isMark(row);
}

const full: Case = { type: 'full', hasCondition: false, isRightChanging: true };

test('a row comes alone again when its last partner goes', () => {
  const row = { key: 1n, n: 1, text: 'x' };
  const [first, second] = [0, 1].map((m) => ({ other: 1n, m }));
  const [alone, pair, other] = [
    { ...row, other: null, m: null },
    { ...row, ...first },
    { ...row, ...second },
  ];
  const steps: Step[] = [
    { row: { ...row, rowKind: rowKinds.insert } },
    { wake: 1 },
    { right: { ...first, rowKind: rowKinds.insert } },
    { wake: 2 },
    { right: { ...second, rowKind: rowKinds.updateAfter } },
    { wake: 3 },
    { right: { ...first, rowKind: rowKinds.updateBefore } },
    { wake: 4 },
    { right: { ...second, rowKind: rowKinds.delete } },
  ];
  const [insert, gone] = [rowKinds.insert, rowKinds.delete];
  checkOperator({
    ...{ ...caseOf(full, steps), isOrdered: true },
    expected: [
      { ...alone, rowKind: insert },
      ...[
        { ...alone, rowKind: gone },
        { ...pair, rowKind: insert },
      ],
      { ...other, rowKind: insert },
      { ...pair, rowKind: gone },
      ...[
        { ...other, rowKind: gone },
        { ...alone, rowKind: insert },
      ],
    ],
  });
});

test('a row that goes when its time is over, or that never came, changes nothing', () => {
  const row = { key: 1n, n: 1, text: 'x' };
  const steps: Step[] = [
    { row: { ...row, rowKind: rowKinds.insert } },
    { wake: 1000 },
    { right: { other: 1n, m: 0, rowKind: rowKinds.insert } },
    { row: { ...row, rowKind: rowKinds.delete } },
    { row: { ...row, n: 7, rowKind: rowKinds.delete } },
  ];
  for (const mode of runModes) {
    const found = runOperator(caseOf({ ...full, ttlMs: 100 }, steps), mode);
    expect(sorted(applied(found, 'rowKind')), mode.name).toEqual(
      sorted([
        { ...row, other: null, m: null },
        { key: null, n: null, text: null, other: 1n, m: 0 },
      ]),
    );
  }
});

test('rows that are replaced do not stay', () => {
  const { memory, context, scope } = newContext('join');
  const options = optionsOf(full);
  const operator = new ChangingJoinOperator(context, options);
  const outbox = { offer: (batch: Batch) => batch.release() === undefined };
  const text = 'a text that is behind its view';
  const give = (rows: readonly Row[]) => {
    const batch = batchOf(scope, options.left.schema, rows);
    feed(operator, batch, outbox);
    batch.release();
  };
  const held: number[] = [];
  const rowOf = (key: number, round: number, rowKind: number): Row => {
    return { key: BigInt(key), n: round, text, rowKind };
  };
  for (let round = 0; round < 60; round++) {
    give(
      Array.from({ length: 1000 }, (_, at) => at).flatMap((key) => [
        ...(round > 0 ? [rowOf(key, round - 1, rowKinds.updateBefore)] : []),
        rowOf(key, round, rowKinds.updateAfter),
      ]),
    );
    held.push(memory.usedBytes);
  }
  expect(Math.max(...held.slice(30))).toBeLessThanOrEqual(Math.max(...held.slice(0, 30)));
  operator.close();
  memory.assertEmpty();
});
