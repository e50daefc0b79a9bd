/**
 * Goal: a record that a function throws on in each of five calls is a dead letter, all others give what they
 * give without it; without a place for dead letters, and for errors of other kinds, the first one ends the job.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { typedError } from '../../../base/typed-error.ts';
import { flatMapDriver } from '../../../engine/compile/flat-map-driver.ts';
import { mapRowDriver } from '../../../engine/compile/map-row-driver.ts';
import { FilterRowsOperator } from '../../../engine/operators/filter-rows-operator.ts';
import type { Operator, OperatorContext } from '../../../engine/operators/operator.ts';
import { RowFunctionOperator } from '../../../engine/operators/row-function-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  CollectingOutbox,
  checkOperator,
  type Row,
  runModes,
  runOperator,
} from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));

/** Throws this many times for the record, then gives it back. */
interface Failing {
  readonly n: number;
  readonly failures: number;
}

type Work = (row: Row) => Row;

const kinds: Readonly<Record<string, (context: OperatorContext, work: Work) => Operator>> = {
  map: (context, map) =>
    new RowFunctionOperator(context, {
      ...{ input: schema, output: schema },
      driver: (inputs) => mapRowDriver({ ...inputs, map }),
    }),
  flatMap: (context, work) =>
    new RowFunctionOperator(context, {
      ...{ input: schema, output: schema },
      driver: (inputs) => flatMapDriver({ ...inputs, flatMap: (row: Row) => [work(row)] }),
    }),
  'generator flatMap': (context, work) =>
    new RowFunctionOperator(context, {
      ...{ input: schema, output: schema },
      driver: (inputs) =>
        flatMapDriver({
          ...inputs,
          *flatMap(row: Row) {
            yield work(row);
          },
        }),
    }),
  filter: (context, work) =>
    new FilterRowsOperator(context, { input: schema, filter: (row: Row) => Boolean(work(row)) }),
};

/** The function, which counts its calls anew in every run. */
function workOf(records: readonly Failing[]): Work {
  const left = records.map(({ failures }) => failures);
  return ({ n }) => {
    const at = Number(n);
    const count = left[at] ?? 0;
    left[at] = count - 1;
    if (count > 0) throw new Error(`no ${at}`);
    return { n: at };
  };
}

const failures = fc.constantFrom(0, 0, 0, 1, 4, 5, 100);

test.each(Object.keys(kinds))('%s: five calls decide', (kind) => {
  fc.assert(
    fc.property(fc.array(failures, { maxLength: 20 }), (counts) => {
      const records = counts.map((count, n) => ({ n, failures: count }));
      const rows = records.map(({ n }) => ({ n }));
      let letters = new CollectingOutbox(true);
      const isPoison = (one: Failing) => one.failures >= 5;
      for (const mode of runModes) {
        letters = new CollectingOutbox(mode.isOutboxSlow);
        const build = (context: OperatorContext) =>
          kinds[kind]?.({ ...context, deadLetters: letters }, workOf(records)) as Operator;
        const expected = records.filter((one) => !isPoison(one)).map(({ n }) => ({ n }));
        expect(runOperator({ input: schema, rows, build, expected }, mode)).toEqual(expected);
        const told = records.filter(isPoison).map(({ n }) => ({
          origin: 'operator "tested"',
          reason: expect.stringMatching(
            new RegExp(`^user function .* failed: no ${n} \\(5 calls\\)$`),
          ),
          text: `{"n":${n}}`,
          bytes: null,
        }));
        expect(letters.rows).toEqual(told);
      }
    }),
    { numRuns: 15 },
  );
});

test.each(Object.keys(kinds))(
  '%s: without a place for dead letters the first one ends it',
  (kind) => {
    const build = (context: OperatorContext) =>
      kinds[kind]?.(context, workOf([{ n: 0, failures: 1 }])) as Operator;
    const run = () => checkOperator({ input: schema, rows: [{ n: 0 }], build, expected: [] });
    expect(run).toThrow('failed: no 0');
  },
);

test('errors of the engine, and what a generator throws behind a row, end the job', () => {
  const outOf = (kind: string, work: Work) => () => {
    const build = (context: OperatorContext) =>
      kinds[kind]?.({ ...context, deadLetters: new CollectingOutbox() }, work) as Operator;
    checkOperator({ input: schema, rows: [{ n: 0 }], build, expected: [] });
  };
  const full = () => {
    throw typedError('MEMORY_EXHAUSTED', 'no memory is left');
  };
  expect(outOf('map', full)).toThrow('no memory is left');
  const build = (context: OperatorContext) =>
    new RowFunctionOperator(
      { ...context, deadLetters: new CollectingOutbox() },
      {
        ...{ input: schema, output: schema },
        driver: (inputs) =>
          flatMapDriver({
            ...inputs,
            *flatMap(row: Row) {
              yield { n: row.n };
              throw new Error('too late');
            },
          }),
      },
    );
  const run = () => checkOperator({ input: schema, rows: [{ n: 0 }], build, expected: [] });
  expect(run).toThrow('failed: too late');
});
