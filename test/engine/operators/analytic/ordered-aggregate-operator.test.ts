/** Goal: groups of sorted rows are what a list of their rows in order gives, whatever the batches and the memory. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  OrderedAggregateOperator,
  type OrderedAggregateOptions,
} from '../../../../engine/operators/analytic/ordered-aggregate-operator.ts';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { float64Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { ascending } from '../../../../engine/stream/row-order.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
} from '../../../support/operator-harness.ts';

const input = schemaOf(
  fieldOf('user', utf8Type, true),
  fieldOf('at', int64Type),
  fieldOf('text', utf8Type, true),
  fieldOf('n', float64Type),
);
const aggregates: OrderedAggregateOptions['aggregates'] = [
  { name: 'texts', function: 'stringAgg', input: 'text', separator: ', ' },
  { name: 'count', function: 'count', columns: [] },
  { name: 'first', function: 'first', columns: ['text'] },
  { name: 'users', function: 'stringAgg', input: 'user', separator: '' },
  { name: 'last', function: 'last', columns: ['n'] },
  { name: 'most', function: 'max', columns: ['text'] },
];
const results = [
  fieldOf('texts', utf8Type, true),
  fieldOf('count', int64Type),
  fieldOf('first', utf8Type, true),
  fieldOf('users', utf8Type, true),
  fieldOf('last', float64Type, true),
  fieldOf('most', utf8Type, true),
];
const rowsOf = fc
  .array(
    fc.record({
      user: fc.option(fc.constantFrom('', 'ann', 'a user with a long name')),
      at: fc.bigInt({ min: 0n, max: 3n }),
      text: fc.option(fc.constantFrom('', 'x', 'a text of some bytes', 'ä')),
    }),
    { maxLength: 24 },
  )
  .map((rows): Row[] => rows.map((row, n) => ({ ...row, n })));

/** The reference. */
function groupsOf(rows: readonly Row[], keys: readonly string[]): Row[] {
  const keyOf = (row: Row) => (keys.length === 0 ? null : (row.user as string | null));
  const found = keys.length === 0 ? [null] : [...new Set(rows.map(keyOf))];
  const users = found.sort((a, b) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
  return users.map((user) => {
    const own = rows.filter((row) => keyOf(row) === user);
    own.sort((a, b) => Number((a.at as bigint) - (b.at as bigint)));
    const textsOf = (name: string) => own.flatMap((row) => row[name] ?? []) as string[];
    const joined = (name: string, separator: string) =>
      textsOf(name).length === 0 ? null : textsOf(name).join(separator);
    return {
      ...(keys.length === 0 ? {} : { user }),
      texts: joined('text', ', '),
      count: BigInt(own.length),
      first: textsOf('text')[0] ?? null,
      users: joined('user', ''),
      last: own.at(-1)?.n ?? null,
      most: textsOf('text').sort().at(-1) ?? null,
    };
  });
}

function optionsOf(keys: readonly string[]): OrderedAggregateOptions {
  const output = schemaOf(
    ...(keys.length === 0 ? [] : [fieldOf('user', utf8Type, true)]),
    ...results,
  );
  return { input, output, keys, order: [ascending('at')], aggregates };
}

test('any rows, by a key or all together', () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom([], ['user']), (rows, keys) => {
      checkOperator({
        input,
        rows,
        expected: groupsOf(rows, keys),
        build: (context) => new OrderedAggregateOperator(context, optionsOf(keys)),
      });
    }),
    { numRuns: 100 },
  );
});

test('more rows than memory holds, and texts of many batches', () => {
  const rows = Array.from({ length: 4_000 }, (_, n): Row => {
    return {
      user: n % 9 === 0 ? 'few' : 'many',
      at: BigInt((n * 7_919) % 4_001),
      n,
      text: `${n}`.repeat(400),
    };
  });
  const build = (context: OperatorContext) =>
    new OrderedAggregateOperator(context, optionsOf(['user']));
  const shareBytes = 5 << 20;
  for (const mode of runModes.slice(-1)) {
    const ran = { ...mode, batchRows: () => 60 };
    const found = runOperator({ input, rows, build, expected: [], shareBytes }, ran);
    expect(found).toEqual(groupsOf(rows, ['user']));
  }
});
