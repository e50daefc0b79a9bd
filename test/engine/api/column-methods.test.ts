/**
 * Goal: the methods of columns have the types that the compiler says, compute what their names say,
 * and refuse, at run time as well, what the compiler refuses. Wrong lines that are accepted make
 * their `@ts-expect-error` an error.
 */
import {
  type AnyColumn,
  type Column,
  defineJob,
  lit,
  type SourceOf,
  type Stream,
  t,
} from 'millrace';
import { expect, expectTypeOf, test } from 'vitest';
import { buildJob } from '../../../engine/api/build-job.ts';
import { Column as ColumnClass } from '../../../engine/api/column.ts';
import type { ListKind, Typed } from '../../../engine/api/column-kind.ts';
import type { ColumnsOf } from '../../../engine/api/value-type.ts';
import { exprText } from '../../../engine/expr/expr-text.ts';
import { typeText } from '../../../engine/schema/field-type.ts';
import { errorOf } from '../../support/expressions.ts';

const Item = t.struct({
  tiny: t.int8(),
  count: t.int32(),
  ids: t.uint32(),
  big: t.int64(),
  safe: t.int64({ js: 'number' }),
  ratio: t.float32(),
  price: t.float64().nullable(),
  fee: t.decimal(6, 2),
  name: t.utf8(),
  note: t.utf8().nullable(),
  day: t.date(),
  at: t.timestampMs(),
  exact: t.timestampUs().nullable(),
  bytes: t.binary(),
  isOpen: t.bool(),
  tags: t.list(t.utf8()),
  counts: t.list(t.int64().nullable()).nullable(),
  address: t.struct({ city: t.utf8(), zip: t.int32().nullable() }).nullable(),
});
type Items = ColumnsOf<typeof Item.fields>;

/** Calls a lambda as `select` does. */
function onRow<T>(lambda: (row: Items) => T): T {
  const found: T[] = [];
  const source: SourceOf<Items> = { connector: 'items', options: {}, schema: Item.schema };
  const job = defineJob({
    name: 'items',
    build: ({ read }) => {
      const stream: Stream<Items> = read(source);
      return stream
        .select((row) => {
          found.push(lambda(row));
          return { count: row.count };
        })
        .writeTo({ connector: 'none', options: {}, isParallel: true });
    },
  });
  buildJob(job, {});
  const [result] = found;
  if (result === undefined) throw new Error('the lambda was not called');
  return result;
}

/** How the expression prints, with its type as the plan has it. */
function shown(column: AnyColumn): string {
  const expr = ColumnClass.exprIn(column);
  if (expr === null) return 'no column';
  return `${exprText(expr)}: ${typeText(expr.type)}${expr.nullable ? '?' : ''}`;
}

test('arithmetic has one type for the compiler and the plan', () => {
  onRow((row) => {
    const sums = [
      [row.tiny.add(row.tiny), 'tiny + tiny: int32'],
      [row.tiny.add(1), 'tiny + 1: int32'],
      [row.ids.add(row.count), 'ids + count: int64'],
      [row.big.add(row.count), 'big + count: int64'],
      [row.count.mul(row.ratio), 'count * ratio: float64'],
      [row.ratio.mul(row.ratio), 'ratio * ratio: float32'],
      [row.fee.mul(row.count), 'fee * count: decimal(17,2)'],
      [row.fee.add('0.005'), 'fee + 0.005: decimal(8,3)'],
      [row.fee.sub(row.price), 'fee - price: float64?'],
      [row.count.div(2), 'count / 2: float64'],
      [row.fee.div(row.count), 'fee / count: decimal(17,13)'],
      [row.fee.div(row.ratio), 'fee / ratio: float64'],
      [row.big.intDiv(7), 'big div 7: int64'],
      [row.count.mod(row.ids), 'count % ids: int64'],
      [row.at.add(1000), 'at + 1000: timestamp(ms)'],
      [row.at.sub(row.at), 'at - at: int64'],
      [row.at.sub(new Date(0)), 'at - timestamp(ms) 0: int64'],
      [row.day.add(7), 'day + 7: date'],
      [row.day.sub('2026-01-01'), 'day - date 2026-01-01: int32'],
      [row.ids.neg(), '-ids: int64'],
      [row.tiny.abs(), 'abs(tiny): int32'],
      [row.fee.round(1), 'round(fee, 1): decimal(6,1)'],
      [row.fee.floor(), 'floor(fee): decimal(5,0)'],
      [row.price.ceil(), 'ceil(price): float64?'],
      [row.count.sqrt(), 'sqrt(count): float64'],
      [row.count.pow(row.price), 'pow(count, price): float64?'],
      [row.count.add(1).neg(), '-(count + 1): int32'],
    ] as const;
    for (const [column, text] of sums) expect(shown(column)).toBe(text);
    return 0;
  });
  onRow((row) => {
    expectTypeOf(row.tiny.add(1)).toExtend<Column<'int32', number, false>>();
    expectTypeOf(row.ids.add(row.ids)).toExtend<Column<'int64', number, false>>();
    expectTypeOf(row.big.add(row.count)).toExtend<Column<'int64', bigint, false>>();
    expectTypeOf(row.safe.add(row.count)).toExtend<Column<'int64', number, false>>();
    expectTypeOf(row.ratio.mul(row.ratio)).toExtend<Column<'float32', number, false>>();
    expectTypeOf(row.count.mul(row.ratio)).toExtend<Column<'float64', number, false>>();
    expectTypeOf(row.fee.mul(row.count)).toExtend<Column<'decimal', string, false>>();
    expectTypeOf(row.fee.sub(row.price)).toExtend<Column<'float64', number, true>>();
    expectTypeOf(row.fee.div(2)).toExtend<Column<'decimal', string, false>>();
    expectTypeOf(row.big.div(row.big)).toExtend<Column<'float64', number, false>>();
    expectTypeOf(row.day.sub(row.day)).toExtend<Column<'int32', number, false>>();
    expectTypeOf(row.day.add(1)).toExtend<Column<'date', string, false>>();
    expectTypeOf(row.exact.sub(row.exact)).toExtend<Column<'int64', bigint, true>>();
    expectTypeOf(row.ids.neg()).toExtend<Column<'int64', number, false>>();
    expectTypeOf(row.fee.abs()).toExtend<Column<'decimal', string, false>>();
    expectTypeOf(row.price.floor()).toExtend<Column<'float64', number, true>>();
    expectTypeOf(row.count.pow(row.price)).toExtend<Column<'float64', number, true>>();
    return 0;
  });
});

test('text, dates, lists and structs have the types of their parts', () => {
  onRow((row) => {
    const columns = [
      [row.name.length(), 'length(name): int32'],
      [row.bytes.length(), 'length(bytes): int32'],
      [row.tags.length(), 'length(tags): int32'],
      [row.note.upper(), 'upper(note): utf8?'],
      [row.name.contains(row.note), 'contains(name, note): bool?'],
      [row.tags.contains('a'), 'contains(tags, "a"): bool'],
      [row.counts.contains(7), 'contains(counts, 7): bool?'],
      [row.name.like('/a%').not(), 'not (name like "/a%"): bool'],
      [row.name.matches(/^a+$/i), 'matches(name, /^a+$/i): bool'],
      [row.name.extract(/(?<id>\d+)/, 'id'), 'extract(name, /(?<id>\\d+)/, 1): utf8?'],
      [row.name.substring(row.count), 'substring(name, count): utf8'],
      [row.name.padStart(5), 'padStart(name, 5, " "): utf8'],
      [row.name.split(',').at(0), 'split(name, ",")[0]: utf8?'],
      [row.name.concat('-', row.note), 'concat(name, "-", note): utf8?'],
      [row.day.truncate('month'), 'truncate(day, month): date'],
      [row.at.truncate('hour'), 'truncate(at, hour): timestamp(ms)'],
      [row.at.addMonths(row.count), 'addUnits(at, month, count): timestamp(ms)'],
      [row.exact.hour(), 'hour(exact): int32?'],
      [row.day.week(), 'week(day): int32'],
      [row.at.toDate(), 'cast(at as date): date'],
      [row.exact.epochSeconds(), 'epoch(exact, second): int64?'],
      [row.counts.at(row.count), 'counts[count]: int64?'],
      [row.counts.slice(1, -1), 'slice(counts, 1, -1): list<int64?>?'],
      [row.tags.slice(row.count), 'slice(tags, count): list<utf8>'],
      [row.tags.concat(row.name.split(',')), 'concat(tags, split(name, ",")): list<utf8>'],
      [row.tags.join(row.note), 'join(tags, note): utf8?'],
      [row.tags.eq(row.name.split(',')), 'tags = split(name, ","): bool'],
      [row.address.ne(row.address), 'address != address: bool?'],
      [row.address.field('city'), 'address.city: utf8?'],
      [row.address.field('zip').add(1), 'address.zip + 1: int32?'],
      [row.name.in('a', 'b'), 'name in ("a", "b"): bool'],
      [row.big.in(1n, 2, null), 'big in (1, 2, null): bool?'],
      [
        row.day.between('2026-01-01', new Date(0)),
        'day >= date 2026-01-01 and day <= date 1970-01-01: bool',
      ],
      [row.fee.gt('1.5'), 'fee > 1.5: bool'],
      [row.price.cast(t.decimal(9, 3)), 'cast(price as decimal(9,3)): decimal(9,3)?'],
      [row.name.tryCast(t.int64({ js: 'number' })), 'try_cast(name as int64): int64?'],
    ] as const;
    for (const [column, text] of columns) expect(shown(column)).toBe(text);
    return 0;
  });
  onRow((row) => {
    expectTypeOf(row.name.length()).toExtend<Column<'int32', number, false>>();
    expectTypeOf(row.counts.length()).toExtend<Column<'int32', number, true>>();
    expectTypeOf(row.note.lower()).toExtend<Column<'utf8', string, true>>();
    expectTypeOf(row.name.contains(row.note)).toExtend<Column<'bool', boolean, true>>();
    expectTypeOf(row.tags.contains('a')).toExtend<Column<'bool', boolean, false>>();
    expectTypeOf(row.name.extract(/a/)).toExtend<Column<'utf8', string, true>>();
    expectTypeOf(row.name.split(',')).toExtend<
      Column<ListKind<Typed<'utf8', string, false>>, readonly string[], false>
    >();
    expectTypeOf(row.tags.at(0)).toExtend<Column<'utf8', string, true>>();
    expectTypeOf(row.counts.at(0)).toExtend<Column<'int64', bigint, true>>();
    expectTypeOf(row.counts.slice(1)).toExtend<
      Column<ListKind, readonly (bigint | null)[], true>
    >();
    expectTypeOf(row.tags.concat(row.tags)).toExtend<Column<ListKind, readonly string[], false>>();
    expectTypeOf(row.tags.join('-')).toExtend<Column<'utf8', string, false>>();
    expectTypeOf(row.address.eq(row.address)).toExtend<Column<'bool', boolean, true>>();
    expectTypeOf(row.address.field('city')).toExtend<Column<'utf8', string, true>>();
    expectTypeOf(row.day.truncate('week')).toExtend<Column<'date', string, false>>();
    expectTypeOf(row.exact.addDays(1)).toExtend<Column<'timestampUs', bigint, true>>();
    expectTypeOf(row.at.epochUs()).toExtend<Column<'int64', bigint, false>>();
    expectTypeOf(row.at.epochMs()).toExtend<Column<'int64', number, false>>();
    expectTypeOf(row.big.in(1, null)).toExtend<Column<'bool', boolean, true>>();
    expectTypeOf(row.name.in('a')).toExtend<Column<'bool', boolean, false>>();
    expectTypeOf(row.name.cast(t.date())).toExtend<Column<'date', string, false>>();
    expectTypeOf(row.name.tryCast(t.int64())).toExtend<Column<'int64', bigint, true>>();
    return 0;
  });
});

test('what the compiler refuses is refused at run time too, with column and types', () => {
  onRow((row) => {
    const refusals: [() => unknown, string][] = [
      // @ts-expect-error a text is not added
      [() => row.name.add(1), `1 can't be calculated with "name", which is utf8`],
      // @ts-expect-error numbers and texts
      [() => row.count.mul(row.name), 'mul does not take "count" (int32) and "name" (utf8)'],
      // @ts-expect-error whole numbers only
      [() => row.price.intDiv(2), 'intDiv does not take "price" (float64) and 2 (float64)'],
      // @ts-expect-error a moment is not multiplied
      [() => row.at.mul(2), 'mul does not take "at" (timestamp(ms)) and 2 (int64)'],
      // @ts-expect-error a number has no case
      [() => row.count.upper(), 'upper takes a text, "count" is int32'],
      // @ts-expect-error a number is not like a text
      [() => row.count.like('1%'), 'like takes a text, "count" is int32'],
      // @ts-expect-error a part is a text
      [() => row.name.contains(1), `1 can't stand beside a value of type utf8`],
      // @ts-expect-error items are texts
      [() => row.tags.contains(1), `1 can't stand beside "tags", which is utf8`],
      // @ts-expect-error a date has no hour
      [() => row.day.hour(), 'hour takes a timestamp, "day" is date'],
      [
        // @ts-expect-error a date is not cut to hours
        () => row.day.truncate('hour'),
        'truncate does not take "day" (date) and "hour" (utf8)',
      ],
      // @ts-expect-error a text has no field
      [() => row.name.field('x'), 'field takes a struct, "name" is utf8'],
      [
        // @ts-expect-error no such field
        () => row.address.field('street'),
        'no field named "street" in "address"; fields are "city", "zip"',
      ],
      // @ts-expect-error numbers are not joined
      [() => row.counts.join('-'), 'listJoin takes a list of texts, "counts" is list<int64?>'],
      // @ts-expect-error lists of other items
      [() => row.tags.eq(row.counts), 'eq does not take "tags" (list<utf8>)'],
      // @ts-expect-error a struct has no order
      [() => row.address.lt(row.address), 'lt does not take "address"'],
      // @ts-expect-error not one of texts
      [() => row.name.in(1), `1 can't stand beside "name", which is utf8`],
      [() => row.isOpen.cast(t.date()), 'cast makes no date of "isOpen", which is bool'],
      // A variable of type number may be a fraction.
      [() => row.count.add(0.5), `0.5 can't be calculated with "count", which is int32`],
      [() => row.tiny.add(2 ** 40), `1099511627776 can't be calculated with "tiny", which is int8`],
    ];
    for (const [run, message] of refusals) {
      expect(errorOf(run), message).toMatch(/^EXPR_(?:TYPE_MISMATCH|NO_COLUMN): /);
      expect(errorOf(run)).toContain(message);
    }
    return 0;
  });
});

test('arguments that make no sense are refused with what would', () => {
  onRow((row) => {
    const refusals: [() => unknown, string][] = [
      [
        () => row.at.truncate('decade' as 'year'),
        'JOB_ARGUMENT_INVALID: truncate knows no unit "decade"',
      ],
      [() => row.name.cast(7 as never), 'JOB_ARGUMENT_INVALID: cast needs a type of fields'],
      [() => row.name.extract(/a/, 1), 'JOB_ARGUMENT_INVALID: extract: /a/ has no group 1'],
      [() => row.name.extract(/(a)/, 'b'), 'JOB_ARGUMENT_INVALID: extract: /(a)/ has no group b'],
      [
        () => row.name.matches(7 as never),
        'EXPR_TYPE_MISMATCH: matches needs a regular expression',
      ],
      [() => row.name.matches(/(?=a)/), 'EXPR_REGEX: the regular expression /(?=a)/ has lookahead'],
      [() => row.name.matches(/a/g), 'EXPR_REGEX: the regular expression /a/ has the flag "g"'],
      [() => row.price.round(-1), 'EXPR_TYPE_MISMATCH: round does not take "price"'],
      [() => lit('x', t.int32() as never), 'EXPR_TYPE_MISMATCH: "x" is no int32'],
      [() => lit(null as never), 'JOB_ARGUMENT_INVALID: lit was given null'],
    ];
    for (const [run, message] of refusals) expect(errorOf(run), message).toContain(message);
    return 0;
  });
});

test('a method that is torn off its column says so', () => {
  const { upper } = lit('a');
  expect(errorOf(() => upper.call({} as never))).toContain(
    'EXPR_TYPE_MISMATCH: a method of a column was called on something else',
  );
});
