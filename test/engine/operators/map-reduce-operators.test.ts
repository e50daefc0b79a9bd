/** Goal: map, combine and reduce together give what a Map of arrays gives, and alone keep their word. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { mapDriver } from '../../../engine/compile/map-driver.ts';
import { CombineOperator } from '../../../engine/operators/combine-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import { ReduceOperator } from '../../../engine/operators/reduce-operator.ts';
import { RowFunctionOperator } from '../../../engine/operators/row-function-operator.ts';
import {
  binaryType,
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { ascending } from '../../../engine/stream/row-order.ts';
import { checkOperator, type Row, runModes, runOperator } from '../../support/operator-harness.ts';

const lines = schemaOf(fieldOf('line', utf8Type));
const pairs = schemaOf(fieldOf('key', utf8Type, true), fieldOf('value', int32Type, true));
const results = schemaOf(fieldOf('key', utf8Type, true), fieldOf('values', utf8Type));
/** What a reduce has that is not told otherwise. */
const byKey = { pairs, output: results, group: ['key'], order: [ascending('key')] };
const pairsOf = fc.array(
  fc.record({
    key: fc.option(fc.string({ unit: fc.constantFrom('a', 'b', 'a longer part '), maxLength: 3 })),
    value: fc.option(fc.integer()),
  }),
  { maxLength: 40 },
);
const anyMode = runModes.find(({ name }) => name === 'random batches');
if (anyMode === undefined) throw new Error('the mode exists');
const mode = anyMode;

/** The map of mapReduce over lines. */
function mapOf(
  context: OperatorContext,
  map: (row: Row, emit: (key: unknown, value: unknown) => void) => void,
) {
  return new RowFunctionOperator(context, {
    input: lines,
    output: pairs,
    driver: (inputs) => mapDriver({ ...inputs, pairs, map }),
  });
}

function keysInOrder(rows: readonly Row[]): unknown[] {
  return [...new Set(rows.map(({ key }) => key))].sort((a, b) => {
    if (a === null || b === null) return a === null ? 1 : -1;
    return String(a) < String(b) ? -1 : 1;
  });
}

test('map emits pairs, also more than a batch from one row', () => {
  const rows = [{ line: 'b a' }, { line: '' }, { line: 'x '.repeat(9_000) }, { line: 'c' }];
  const wordsOf = (row: Row) => String(row.line).split(' ').filter(Boolean);
  checkOperator({
    input: lines,
    rows,
    expected: rows.flatMap((row) => wordsOf(row).map((key, value) => ({ key, value }))),
    build: (context) =>
      mapOf(context, (row, emit) => {
        for (const [place, word] of wordsOf(row).entries()) emit(word, place);
      }),
  });
});

test('an emit that fails ends the job even when the function catches it', () => {
  const build = (context: OperatorContext) =>
    mapOf(context, (_row, emit) => {
      try {
        emit('a', 'no number');
      } catch {
        // Swallowed on purpose.
      }
    });
  const run = () => runOperator({ input: lines, rows: [{ line: 'a' }], build, expected: [] }, mode);
  expect(run).toThrow('user function "map" of operator "tested" gave out a row that does not fit');
});

test('reduce sees each key once, ascending, with its values in order of arrival', () => {
  fc.assert(
    fc.property(pairsOf, (rows) =>
      checkOperator({
        input: pairs,
        rows,
        expected: keysInOrder(rows).map((key) => {
          const values = rows.filter((row) => row.key === key).map(({ value }) => value);
          return { key, values: values.join() };
        }),
        build: (context) =>
          new ReduceOperator(context, {
            ...byKey,
            *reduce(key: string | null, values: Iterable<number | null>) {
              yield { key, values: [...values].join() };
            },
          }),
      }),
    ),
    { numRuns: 40 },
  );
});

test('reduce of more pairs than its share of the memory holds', () => {
  const rows = Array.from({ length: 1500 }, (_, value): Row => {
    const key = value % 7 === 0 ? null : `${(value * 31) % 40} `.padEnd(6000, 'x');
    return { key, value };
  });
  const build = (context: OperatorContext) =>
    new ReduceOperator(context, {
      ...byKey,
      *reduce(key: string | null, values: Iterable<number | null>) {
        yield { key: key?.slice(0, 3) ?? null, values: [...values].join() };
      },
    });
  const expected = keysInOrder(rows).map((key) => {
    const values = rows.filter((row) => row.key === key).map(({ value }) => value);
    return { key: key === null ? null : String(key).slice(0, 3), values: values.join() };
  });
  for (const one of [mode, ...runModes.slice(-1)]) {
    const small = { ...one, batchRows: () => 60 };
    const found = runOperator({ input: pairs, rows, build, expected, shareBytes: 7 << 19 }, small);
    expect(found).toEqual(expected);
  }
});

const wide = schemaOf(
  fieldOf('key', utf8Type, true),
  fieldOf('value', int32Type, true),
  fieldOf('tens', int32Type),
  fieldOf('size', int32Type),
);
const wideOf = fc.array(
  fc.record({
    key: fc.option(fc.constantFrom('a', 'b', 'a longer one')),
    value: fc.option(fc.integer({ min: 0, max: 9 })),
    tens: fc.constantFrom(10, 20),
    size: fc.constantFrom(1, 2, 3),
  }),
  { maxLength: 60 },
);

test('reduce by other columns than the key, in an order of groups and within them', () => {
  const order = [
    { column: 'tens', isDescending: true, areNullsFirst: false },
    ascending('size'),
    { column: 'value', isDescending: true, areNullsFirst: true },
  ];
  fc.assert(
    fc.property(wideOf, (rows) => {
      const groups = new Map<string, typeof rows>();
      const inOrder = rows.toSorted((a, b) => {
        if (a.tens !== b.tens) return b.tens - a.tens;
        if (a.size !== b.size) return a.size - b.size;
        return (b.value ?? 10) - (a.value ?? 10);
      });
      for (const row of inOrder) {
        const group = `${row.tens} ${row.size}`;
        groups.set(group, [...(groups.get(group) ?? []), row]);
      }
      checkOperator({
        input: wide,
        rows,
        expected: [...groups.values()].map((group) => ({
          key: group[0]?.key ?? null,
          values: group.map(({ value }) => value).join(),
        })),
        build: (context) =>
          new ReduceOperator(context, {
            pairs: wide,
            output: results,
            group: ['tens', 'size'],
            order,
            *reduce(key: string | null, values: Iterable<number | null>) {
              yield { key, values: [...values].join() };
            },
          }),
      });
    }),
    { numRuns: 40 },
  );
});

test.each<[string, FieldType, unknown]>([
  ['bytes', binaryType, Uint8Array.of(1, 2, 3)],
  ['long bytes', binaryType, new Uint8Array(40).fill(7)],
  ['a text', utf8Type, 'some longer text'],
  ['a number that is none', float64Type, Number.NaN],
  ['null', utf8Type, null],
])('a group of %s goes on over the border of two batches', (_, type, key) => {
  const given = schemaOf(fieldOf('key', type, true), fieldOf('value', int32Type));
  const counts = schemaOf(fieldOf('count', int32Type));
  const rows = Array.from({ length: 20_000 }, (__, value) => ({ key, value }));
  const found = runOperator(
    {
      input: given,
      rows,
      expected: [],
      build: (context) =>
        new ReduceOperator(context, {
          ...byKey,
          pairs: given,
          output: counts,
          reduce: (__: unknown, values: Iterable<number>) => [{ count: [...values].length }],
        }),
    },
    mode,
  );
  expect(found).toEqual([{ count: 20_000 }]);
});

test('reduce may take none or some of the values, and give many rows', () => {
  const rows = Array.from({ length: 30_000 }, (_, n) => ({ key: `key ${n % 3}`, value: n }));
  const found = runOperator(
    {
      input: pairs,
      rows,
      expected: [],
      build: (context) =>
        new ReduceOperator(context, {
          ...byKey,
          *reduce(key: string, values: Iterable<number>) {
            if (key === 'key 1') return;
            for (const value of values) {
              yield { key, values: String(value) };
              if (key === 'key 2' && value > 100) break;
            }
          },
        }),
    },
    mode,
  );
  expect(found.filter(({ key }) => key === 'key 0').length).toBe(10_000);
  expect(found.filter(({ key }) => key === 'key 1').length).toBe(0);
  expect(found.filter(({ key }) => key === 'key 2').length).toBe(34);
});

test.each([
  ['twice', (values: Iterable<number>) => [...values, ...values].length],
  [
    'later',
    (values: Iterable<number>, kept: Iterable<number>[]) => {
      kept.push(values);
      return [...(kept[0] ?? [])].length;
    },
  ],
])('the values of a key cannot be read %s', (_, read) => {
  const kept: Iterable<number>[] = [];
  const build = (context: OperatorContext) =>
    new ReduceOperator(context, {
      ...byKey,
      reduce: (key: string, values: Iterable<number>) => [
        { key, values: String(read(values, kept)) },
      ],
    });
  const rows = ['a', 'b'].map((key) => ({ key, value: 1 }));
  let code: unknown = null;
  try {
    runOperator({ input: pairs, rows, build, expected: [] }, mode);
  } catch (error) {
    code = codeOf(error);
  }
  expect(code).toBe('ROW_EXPIRED');
});

test('combine in small rounds, then reduce, is reduce alone', () => {
  const sums = schemaOf(fieldOf('key', utf8Type, true), fieldOf('value', int64Type, true));
  const sum = (values: Iterable<bigint | null>) =>
    [...values].reduce((total: bigint, value) => total + (value ?? 0n), 0n);
  fc.assert(
    fc.property(pairsOf, (given) => {
      const rows = given.map(({ key, value }) => ({ key, value: BigInt(value ?? 0) }));
      for (const each of runModes) {
        const combined = runOperator(
          {
            input: sums,
            rows,
            expected: [],
            build: (context) =>
              new CombineOperator(context, {
                pairs: sums,
                pairsMax: 5,
                combine: (_key: string, values: Iterable<bigint | null>) => sum(values),
              }),
          },
          each,
        );
        const totals = new Map<unknown, bigint>();
        for (const { key, value } of combined) {
          totals.set(key, (totals.get(key) ?? 0n) + (value as bigint));
        }
        const expected = keysInOrder(rows).map((key) => [
          key,
          sum(rows.filter((row) => row.key === key).map(({ value }) => value)),
        ]);
        expect(keysInOrder(combined).map((key) => [key, totals.get(key)])).toEqual(expected);
      }
    }),
    { numRuns: 25 },
  );
});

/** A combine whose result lists the values of a key. */
const listing = (schema: typeof results, pairsMax?: number) => (context: OperatorContext) =>
  new CombineOperator(context, {
    pairs: schema,
    ...(pairsMax !== undefined && { pairsMax }),
    combine: (_key: never, values: Iterable<unknown>) => [...values].join('|'),
  });

/** One round: keys by first arrival, values by arrival. */
function groupsInOrder(rows: readonly Row[]): Row[] {
  const groups = new Map<unknown, unknown[]>();
  for (const { key, value } of rows) {
    const values = groups.get(key);
    if (values === undefined) groups.set(key, [value]);
    else values.push(value);
  }
  return [...groups].map(([key, values]) => ({ key, value: values.join('|') }));
}

const keyValues: [string, FieldType, unknown[]][] = [
  ['utf8', utf8Type, ['a', '', null, 'b\0', 'b', 'longer than a view holds', 'é']],
  ['int32', int32Type, [0, -1, null, 2 ** 31 - 1, -(2 ** 31)]],
  ['int64', int64Type, [0n, -1n, null, 2n ** 63n - 1n, -(2n ** 63n)]],
  ['float64', float64Type, [0, 1.5, Number.NaN, null, Infinity, -Infinity]],
  ['bool', boolType, [true, null, false]],
];

test.each(keyValues)(
  'combine groups keys of %s by arrival, with all their values',
  (_, type, keys) => {
    const schema = schemaOf(fieldOf('key', type, true), fieldOf('value', utf8Type, true));
    const rows = Array.from({ length: 60 }, (_, n) => ({
      key: keys[(n * n) % keys.length],
      value: n % 9 === 0 ? null : `value ${n}`,
    }));
    checkOperator({ input: schema, rows, expected: groupsInOrder(rows), build: listing(schema) });
  },
);

test('combine takes -0 and 0 for one key, as it came first', () => {
  const schema = schemaOf(fieldOf('key', float64Type), fieldOf('value', utf8Type));
  const rows = [-0, 1, 0].map((key) => ({ key, value: 'x' }));
  const expected = [
    { key: -0, value: 'x|x' },
    { key: 1, value: 'x' },
  ];
  checkOperator({ input: schema, rows, expected, build: listing(schema) });
});

test('combine loses no pair when pairs, groups or batches end a round', () => {
  const schema = schemaOf(fieldOf('key', int32Type), fieldOf('value', utf8Type));
  const rows = Array.from({ length: 1000 }, (_, n) => ({ key: n % 300, value: String(n) }));
  const build = listing(schema, 40);
  for (const each of runModes) {
    const found = runOperator({ input: schema, rows, build, expected: [] }, each);
    const valuesOf = (key: number, all: readonly Row[]) =>
      all.flatMap((row) => (row.key === key ? String(row.value).split('|') : []));
    for (let key = 0; key < 300; key++) expect(valuesOf(key, found)).toEqual(valuesOf(key, rows));
  }
});

test.each([
  ['twice', (values: Iterable<number>) => [...values, ...values].length],
  [
    'later',
    (values: Iterable<number>, kept: Iterable<number>[]) => {
      kept.push(values);
      return [...(kept[0] ?? [])].length;
    },
  ],
])('the values that combine got cannot be read %s', (_, read) => {
  const kept: Iterable<number>[] = [];
  const build = (context: OperatorContext) =>
    new CombineOperator(context, {
      pairs,
      combine: (_key: string, values: Iterable<number>) => read(values, kept),
    });
  const rows = ['a', 'b'].map((key) => ({ key, value: 1 }));
  let code: unknown = null;
  try {
    runOperator({ input: pairs, rows, build, expected: [] }, mode);
  } catch (error) {
    code = codeOf(error);
  }
  expect(code).toBe('ROW_EXPIRED');
});

test('combine may take none or some of the values', () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ key: `key ${n % 3}`, value: n }));
  const firstOf = (values: Iterable<number>) => {
    for (const value of values) return value;
    return null;
  };
  checkOperator({
    input: pairs,
    rows,
    expected: [
      { key: 'key 0', value: 0 },
      { key: 'key 1', value: -1 },
      { key: 'key 2', value: 2 },
    ],
    build: (context) =>
      new CombineOperator(context, {
        pairs,
        combine: (key: string, values: Iterable<number>) =>
          key === 'key 1' ? -1 : firstOf(values),
      }),
  });
});
