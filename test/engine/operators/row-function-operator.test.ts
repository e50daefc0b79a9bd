/** Goal: a user's map or flatMap runs as it would over plain objects; what goes wrong in it is told clearly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TypedError } from '../../../base/typed-error.ts';
import { flatMapDriver } from '../../../engine/compile/flat-map-driver.ts';
import { mapRowDriver } from '../../../engine/compile/map-row-driver.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import {
  type RowFunctionInputs,
  RowFunctionOperator,
} from '../../../engine/operators/row-function-operator.ts';
import {
  boolType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  newContext,
  type Row,
  runModes,
  runOperator,
} from '../../support/operator-harness.ts';

const input = schemaOf(
  fieldOf('text', utf8Type, true),
  fieldOf('n', int64Type, true),
  fieldOf('i', int32Type, true),
  fieldOf('f', float64Type, true),
  fieldOf('b', boolType, true),
);
const output = schemaOf(...input.fields, fieldOf('copyNumber', int32Type));

const rowsOf = fc.array(
  fc.record({
    text: fc.option(
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.toWellFormed()),
    ),
    n: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    i: fc.option(fc.integer()),
    f: fc.option(fc.double()),
    b: fc.option(fc.boolean()),
  }),
  { maxLength: 15 },
);

interface FlatMapCase {
  readonly input: Schema;
  readonly output: Schema;
  readonly flatMap: (row: Input) => Iterable<Row>;
}

function flatMapOf(context: OperatorContext, { input, output, flatMap }: FlatMapCase) {
  const driver = (inputs: RowFunctionInputs) => flatMapDriver({ ...inputs, flatMap });
  return new RowFunctionOperator(context, { input, output, driver });
}

function mapOf(context: OperatorContext, map: (row: Input) => unknown) {
  const driver = (inputs: RowFunctionInputs) => mapRowDriver({ ...inputs, map });
  return new RowFunctionOperator(context, { input, output, driver });
}

interface Input extends Row {
  copy(): Row;
}
const repeated = (row: Row, count: number): Row[] =>
  Array.from({ length: count }, (_, copyNumber) => ({ ...row, copyNumber }));
const countOf = (row: Row) => String(row.text).length % 4;

const functions: [string, (row: Input) => Iterable<Row>][] = [
  ['an array', (row) => repeated(row.copy(), countOf(row))],
  [
    'a generator that reads the row between its outputs',
    function* (row) {
      for (let copyNumber = 0; copyNumber < countOf(row); copyNumber++) {
        const { text, n, i, f, b } = row;
        yield { text, n, i, f, b, copyNumber };
      }
    },
  ],
];

test.each(functions)('outputs of %s', (_, flatMap) => {
  fc.assert(
    fc.property(rowsOf, (rows) =>
      checkOperator({
        input,
        rows,
        expected: rows.flatMap((row) => repeated(row, countOf(row))),
        build: (context) => flatMapOf(context, { input, output, flatMap }),
      }),
    ),
    { numRuns: 30 },
  );
});

test('a map gives one row per row', () => {
  const mapped = (row: Row) => ({ ...row, copyNumber: String(row.text).length });
  fc.assert(
    fc.property(rowsOf, (rows) =>
      checkOperator({
        input,
        rows,
        expected: rows.map(mapped),
        build: (context) => mapOf(context, (row) => mapped(row.copy())),
      }),
    ),
    { numRuns: 30 },
  );
});

test('a watermark comes behind the rows before it, though their batch is not full', () => {
  const row = { text: 'a', n: 1n, i: 1, f: 0.5, b: true };
  checkOperator({
    input,
    steps: [{ row }, { watermark: 5 }, { row }, { row }, { watermark: 7 }],
    hasMarks: true,
    build: (context) => mapOf(context, (given) => ({ ...given.copy(), copyNumber: 1 })),
    expected: [
      { ...row, copyNumber: 1 },
      { watermark: 5 },
      { ...row, copyNumber: 1 },
      { ...row, copyNumber: 1 },
      { watermark: 7 },
    ],
  });
});

test('a map of more rows than a batch has', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => ({
    text: null,
    n: BigInt(n),
    i: n,
    f: n,
    b: null,
  }));
  checkOperator({
    input,
    rows,
    expected: rows.map((row) => ({ ...row, copyNumber: row.i % 7 })),
    build: (context) => mapOf(context, (row) => ({ ...row.copy(), copyNumber: Number(row.i) % 7 })),
  });
});

test.each([
  [() => undefined, 'gave out undefined where a row is due'],
  [async () => ({}), 'the value of column "copyNumber" is null or missing'],
])('a result of map of the wrong form is told: %s', (map, text) => {
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  const rows = [{ text: 'a', n: 1n, i: 1, f: 1, b: true }];
  const build = (context: OperatorContext) => mapOf(context, map);
  const run = () => runOperator({ input, rows, build, expected: [] }, mode);
  expect(run).toThrow('user function "map" of operator "tested"');
  expect(run).toThrow(text);
});

test('one row that gives more than a batch goes on where it stopped', () => {
  const numbers = schemaOf(fieldOf('n', int32Type));
  const rows = [{ n: 20_000 }, { n: 3 }];
  function* flatMap(row: Row) {
    for (let n = 0; n < Number(row.n); n++) yield { n };
  }
  checkOperator({
    input: numbers,
    rows,
    expected: rows.flatMap((row) => [...flatMap(row)]),
    build: (context) => flatMapOf(context, { input: numbers, output: numbers, flatMap }),
  });
});

const words = schemaOf(fieldOf('word', utf8Type), fieldOf('count', int64Type));

function errorOf(flatMap: (row: Row) => unknown, times = 1, word = 'a "word"'): TypedError {
  const rows = Array.from({ length: times }, () => ({ word, count: 3n }));
  const build = (context: OperatorContext) =>
    flatMapOf(context, {
      input: words,
      output: words,
      flatMap: flatMap as (row: Row) => Iterable<Row>,
    });
  const [mode] = runModes;
  if (mode === undefined) throw new Error('there are modes');
  try {
    runOperator({ input: words, rows, build, expected: [] }, mode);
  } catch (error) {
    if (error instanceof TypedError) return error;
    throw error;
  }
  throw new Error('the function fails');
}

test('a throw names function, operator and row, and keeps the stack of the user only', () => {
  const error = errorOf(function explode() {
    throw new Error('no luck');
  });
  expect(error.info.code).toBe('USER_FUNCTION_FAILED');
  expect(error.message).toBe('user function "flatMap" of operator "tested" failed: no luck');
  expect(error.info.details?.row).toBe('{"word":"a \\"word\\"","count":"3"}');
  const stack = (error.cause as Error).stack ?? '';
  expect(stack).toContain('row-function-operator.test.ts');
  expect(stack).not.toContain('millrace-driver');
  expect(stack.split('\n').length).toBe(2);
});

test('a long row is cut in the error', () => {
  const fail = () => {
    throw new Error('no luck');
  };
  const error = errorOf(fail, 1, 'x'.repeat(100_000));
  expect(String(error.info.details?.row)).toMatch(/^\{"word":"x{490}x*…$/);
  expect(String(error.info.details?.row).length).toBe(501);
});

test.each([
  [() => 5, 'returned 5 where an iterable of rows is due'],
  [() => undefined, 'returned undefined where an iterable of rows is due'],
  [async () => [], 'returned a promise where an iterable of rows is due: it must be synchronous'],
  [() => 'text', 'returned "text" where an iterable of rows is due'],
  [() => ['x'], 'gave out "x" where a row is due, with "word", "count"'],
  [() => [{ word: 'a' }], 'the value of column "count" is null or missing'],
  [() => [{ word: 7, count: 1 }], 'the value of column "word" (utf8) should be a string'],
  [() => [{ word: 'a', count: 1.5 }], 'the value 1.5 of column "count" does not fit int64'],
])('a result of the wrong form is told: %s', (flatMap, text) => {
  const error = errorOf(flatMap);
  expect(error.info.code).toBe('USER_FUNCTION_RESULT');
  expect(error.message).toContain('user function "flatMap" of operator "tested"');
  expect(error.message).toContain(text);
});

test('a row kept after its call has expired; a copy has not', () => {
  const kept: Row[] = [];
  const copies: Row[] = [];
  const error = errorOf((row) => {
    copies.push((row as Input).copy());
    kept.push(row);
    return [{ word: String(kept[0]?.word), count: 1 }];
  }, 2);
  expect(error.info.code).toBe('ROW_EXPIRED');
  expect(error.message).toContain('field "word" was read after the call that the row belongs to');
  expect({ ...copies[0] }).toEqual({ word: 'a "word"', count: 3n });
});

test('an int64 that is read as a number must fit', () => {
  const counts = schemaOf(fieldOf('n', { kind: 'int64', js: 'number' }));
  const run = (n: bigint) => {
    const seen: unknown[] = [];
    const build = (context: OperatorContext) =>
      flatMapOf(context, {
        input: counts,
        output: counts,
        flatMap: (row: Row) => {
          seen.push(row.n);
          return [];
        },
      });
    const [mode] = runModes;
    if (mode !== undefined)
      runOperator({ input: counts, rows: [{ n }], build, expected: [] }, mode);
    return seen;
  };
  expect(run(2n ** 53n - 1n)).toEqual([Number.MAX_SAFE_INTEGER]);
  expect(run(-(2n ** 53n) + 1n)).toEqual([Number.MIN_SAFE_INTEGER]);
  expect(run(-1n)).toEqual([-1]);
  expect(() => run(2n ** 53n)).toThrow('value 9007199254740992 of field "n" does not fit a number');
});

test('rows that fill no batch wait for 10 ms at most, though nothing more comes', () => {
  const { memory, scope, context } = newContext('tested');
  let nowMs = 100;
  const operator = mapOf({ ...context, nowMs: () => nowMs }, (row) => ({ ...row, copyNumber: 0 }));
  const outbox = new CollectingOutbox();
  expect(operator.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  const batch = batchOf(scope, input, [{ text: 'a', n: 1n, i: 1, f: 1, b: true }]);
  for (const at of [100, 105]) {
    nowMs = at;
    operator.process(batch, 0, outbox);
    expect(operator.wakeAtMs).toBe(110);
  }
  expect(outbox.rows).toHaveLength(0);
  expect(operator.wake(110, outbox)).toBe(true);
  expect(outbox.rows).toHaveLength(2);
  expect(operator.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  batch.release();
  operator.close();
  memory.assertEmpty();
});
