/**
 * Goal: `match` knows the types of rows by stage, of keys and of the output, also of plain JavaScript's mistakes. Most of
 * this file is checked by tsc: a wrong line that is accepted makes its `@ts-expect-error` an error.
 */
import { type Stream, t } from 'millrace';
import { expectTypeOf, test } from 'vitest';
import type { Column } from '../../../engine/api/column.ts';
import { bids } from './bids.ts';

const output = t.struct({ auction: t.int64(), rise: t.float64() });
const timed = () => bids().eventTime((bid) => bid.at);

test('functions see the rows of the stages before them, and a match those of all', () => {
  const found = timed()
    .keyBy((bid) => bid.auction)
    .match(
      (pattern) =>
        pattern
          .begin('first', { where: (bid) => bid.price.gt(1) })
          .followedBy('more', {
            test: (bid, rows) => {
              expectTypeOf(rows.first[0]?.price).toEqualTypeOf<number | undefined>();
              // @ts-expect-error: the stage itself is not matched yet
              expectTypeOf(rows.more).not.toBeNever();
              return bid.price > (rows.first[0]?.price ?? 0);
            },
            oneOrMore: true,
          })
          .notFollowedBy('end', { where: (bid) => bid.user.isNull() })
          .within(60_000),
      {
        output,
        select({ first, more }, { key, timeMs }) {
          expectTypeOf(key.auction).toEqualTypeOf<bigint>();
          expectTypeOf(timeMs).toEqualTypeOf<number>();
          expectTypeOf(first[0]?.user).toEqualTypeOf<string | null | undefined>();
          return { ...key, rise: (more.at(-1)?.price ?? 0) - (first[0]?.price ?? 0) };
        },
        timedOut: (rows, { key }) => ({ ...key, rise: rows.more.length }),
        after: { toLast: 'more' },
      },
    );
  type Row = typeof found extends Stream<infer C> ? C : never;
  expectTypeOf<Row['auction']>().toExtend<Column<'int64', bigint, false>>();
  expectTypeOf<Row['rise']>().toExtend<Column<'float64', number, false>>();
});

test('what is no match of the pattern is a mistake', () => {
  const keyed = timed().keyBy((bid) => bid.auction);
  keyed.match((pattern) => pattern.begin('a'), {
    output,
    // @ts-expect-error: there is no such stage
    select: ({ b }, { key }) => ({ ...key, rise: b.length }),
  });
  // @ts-expect-error: rise is missing
  keyed.match((pattern) => pattern.begin('a'), { output, select: (_, { key }) => key });
  keyed.match((pattern) => pattern.begin('a').next('b'), {
    output,
    select: (_, { key }) => ({ ...key, rise: 1 }),
    after: 'pastLast',
  });
});
