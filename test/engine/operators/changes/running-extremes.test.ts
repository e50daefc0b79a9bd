/**
 * Goal: the least and largest values of rows that come and go are those of the rows that are there, after each update and
 * however batches come, of numbers, texts and nulls; values that are gone do not stay, and those that were not touched go
 * with their time to live.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunningAggregateOperator } from '../../../../engine/operators/changes/running-aggregate-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { rowKindType } from '../../../../engine/plan/row-kind.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { applied, sorted } from '../../../support/changelog.ts';
import { type Row, runModes, runOperator, type Step } from '../../../support/operator-harness.ts';

const key = fieldOf('k', { kind: 'int32' }, true);
const input: Schema = {
  fields: [
    ...[key, fieldOf('weight', int64Type), fieldOf('has', int64Type)],
    ...[fieldOf('v', { kind: 'int32' }, true), fieldOf('text', { kind: 'utf8' })],
  ],
};
const output: Schema = {
  fields: [
    ...[key, fieldOf('least', { kind: 'int32' }, true), fieldOf('most', { kind: 'int32' }, true)],
    ...[fieldOf('last', { kind: 'utf8' }), fieldOf('values', int64Type)],
    fieldOf('kind', rowKindType),
  ],
};

function build(context: OperatorContext, more: { ttlMs?: number; slotsMax?: number } = {}) {
  return new RunningAggregateOperator(context, {
    ...{ input, output, phase: 'final' as const, keys: ['k'], weight: 'weight' },
    aggregates: [
      { name: 'least', function: 'last', columns: ['v'] },
      { name: 'most', function: 'last', columns: ['v'] },
      { name: 'last', function: 'last', columns: ['text'] },
      { name: 'values', function: 'sum', columns: ['has'] },
    ],
    extremes: [
      { name: 'least', function: 'min', column: 'v' },
      { name: 'most', function: 'max', column: 'v' },
      { name: 'last', function: 'max', column: 'text' },
    ],
    ...{ kindColumn: 'kind', givesBefore: true, everyMs: 100, ttlMs: null, ...more },
  });
}

interface Value {
  readonly k: number | null;
  readonly v: number | null;
  readonly text: string;
}

const rowOf = (value: Value, weight: number): Step => {
  return { row: { ...value, weight, has: value.v === null ? 0 : weight } };
};

/** What is there of rows, by key; values where there are none are left out. */
function groupsOf(values: readonly Value[]): Row[] {
  return [...Map.groupBy(values, ({ k }) => k)].map(([k, own]) => {
    const present = own.flatMap(({ v }) => (v === null ? [] : [v]));
    const last = own.map(({ text }) => text).sort();
    return {
      ...{ k, values: BigInt(present.length), last: last.at(-1) },
      ...(present.length > 0 && { least: Math.min(...present), most: Math.max(...present) }),
    };
  });
}

/** An extreme of no values is whatever was there: who reads it looks at how many there are. */
function known({ least, most, ...row }: Row): Row {
  return row['values'] === 0n ? row : { ...row, least, most };
}

const value = fc.record({
  k: fc.option(fc.integer({ min: 0, max: 3 })),
  v: fc.option(fc.integer({ min: -4, max: 4 })),
  text: fc.constantFrom('', 'b', 'a text of more than twelve bytes', 'zebra in the garden'),
});
/** Rows that come, or the row at that place of those that are there, which goes. */
const moves = fc.array(fc.tuple(value, fc.boolean(), fc.nat(), fc.boolean()), { maxLength: 60 });

test('they are those of the rows that are there', () => {
  fc.assert(
    fc.property(moves, fc.constantFrom(64, 262_144), (drawn, slotsMax) => {
      const there: Value[] = [];
      const steps: Step[] = [];
      let now = 0;
      for (const [come, goes, place, isUpdate] of drawn) {
        const [gone] = goes && there.length > 0 ? there.splice(place % there.length, 1) : [];
        if (gone === undefined) there.push(come);
        steps.push(gone === undefined ? rowOf(come, 1) : rowOf(gone, -1));
        if (isUpdate) {
          now += 1000;
          steps.push({ wake: now });
        }
      }
      for (const mode of runModes) {
        const given = { input, steps, expected: [] };
        const found = runOperator(
          { ...given, build: (context) => build(context, { slotsMax }) },
          mode,
        );
        expect(sorted(applied(found, 'kind').map(known)), mode.name).toEqual(
          sorted(groupsOf(there).map(known)),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('values of many keys, of which most have gone, are found behind a sweep', () => {
  const values = Array.from({ length: 90_000 }, (_, at): Value => {
    return { k: at % 1000, v: at, text: `${at % 7}` };
  });
  const goes = (at: number) => at % 30 !== 1;
  const steps = [
    ...values.map((one) => rowOf(one, 1)),
    { wake: 1000 },
    ...values.filter((_, at) => goes(at)).map((one) => rowOf(one, -1)),
    { wake: 2000 },
    rowOf({ k: 1, v: -5, text: '' }, 1),
  ];
  const left = values.filter((_, at) => !goes(at)).concat({ k: 1, v: -5, text: '' });
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  const found = runOperator(
    { input, steps, expected: [], build: (context) => build(context) },
    mode,
  );
  expect(sorted(applied(found, 'kind').map(known))).toEqual(sorted(groupsOf(left).map(known)));
});

test('values that were not touched for their time to live are forgotten', () => {
  const steps = [
    rowOf({ k: 1, v: 1, text: 'a' }, 1),
    { wake: 100 },
    ...[2, 3, 4, 5, 6].flatMap((v) => [rowOf({ k: 1, v, text: 'b' }, 1), { wake: v * 600 }]),
  ];
  for (const mode of runModes) {
    const found = runOperator(
      { input, steps, expected: [], build: (context) => build(context, { ttlMs: 1000 }) },
      mode,
    );
    const [last] = applied(found, 'kind');
    expect([last?.['most'], Number(last?.['least']) > 1], mode.name).toEqual([6, true]);
  }
});
