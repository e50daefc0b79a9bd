/**
 * Goal: `process` knows the types of rows, keys, states and output. Most of this file is checked by tsc: a wrong line
 * that is accepted makes its `@ts-expect-error` an error.
 */
import { type Stream, state, t } from 'millrace';
import { expect, expectTypeOf, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { Column } from '../../../engine/api/column.ts';
import { bids } from './bids.ts';

const nothing = (): void => {};
const rules = state.broadcast(t.utf8(), t.int64());
const output = t.struct({ user: t.utf8().nullable(), count: t.int64() });

test('functions are given the types that were declared', () => {
  const found = bids()
    .keyBy((bid) => ({ user: bid.user, auction: bid.auction }))
    .process({
      state: {
        count: state.value(t.int64()),
        note: state.value(t.utf8().nullable()),
        prices: state.list(t.float64()),
        seen: state.map(t.utf8(), t.date()),
        sum: state.reducing(t.float64(), (left, right) => left + right),
        mean: state.aggregating({
          accumulator: t.struct({ sum: t.float64(), count: t.int32() }),
          create: () => ({ sum: 0, count: 0 }),
          add: ({ sum, count }, price: number) => ({ sum: sum + price, count: count + 1 }),
          result: ({ sum, count }) => (count === 0 ? null : sum / count),
        }),
      },
      output,
      onRow(bid, { key, state: { count, note, prices, seen, sum, mean }, emit, timeMs }) {
        expectTypeOf(key.user).toEqualTypeOf<string | null>();
        expectTypeOf(key.auction).toEqualTypeOf<bigint>();
        expectTypeOf(count.get()).toEqualTypeOf<bigint | null>();
        expectTypeOf(note.get()).toEqualTypeOf<string | null>();
        expectTypeOf(prices.get()).toEqualTypeOf<number[]>();
        expectTypeOf(seen.entries()).toEqualTypeOf<[string, string][]>();
        expectTypeOf(sum.get()).toEqualTypeOf<number | null>();
        expectTypeOf(mean.get()).toEqualTypeOf<number | null>();
        expectTypeOf(timeMs).toEqualTypeOf<number | null>();
        count.set((count.get() ?? 0n) + 1n);
        note.set(null);
        seen.set('a', new Date(0));
        mean.add(bid.price);
        // @ts-expect-error a value of another type
        prices.add('12');
        // @ts-expect-error not nullable
        count.set(null);
        // @ts-expect-error no such state
        expect(() => state.missing).not.toBeNull();
        emit({ user: bid.user, count: 1 });
        // @ts-expect-error a field is missing
        emit({ user: bid.user });
        // @ts-expect-error no such key
        expect(key.page).toBeUndefined();
      },
      onTimer(timeMs, { timers, watermarkMs }) {
        timers.eventTime(timeMs + 1);
        expectTypeOf(watermarkMs).toEqualTypeOf<number>();
        // @ts-expect-error times are numbers
        timers.processingTime(new Date());
      },
    });
  expectTypeOf(found).toEqualTypeOf<
    Stream<{
      readonly user: Column<'utf8', string, true, 'user'>;
      readonly count: Column<'int64', bigint, false, 'count'>;
    }>
  >();
});

test('state and timers may be left out', () => {
  const keyed = bids().keyBy((bid) => bid.user);
  const found = keyed.process({ output, onRow: ({ user }, { emit }) => emit({ user, count: 1 }) });
  expectTypeOf(found).not.toBeAny();
});

test('functions of rows read broadcast states, the function of control rows writes them', () => {
  const control = bids().where((bid) => bid.price.gt(1000));
  bids()
    .keyBy((bid) => bid.user)
    .process({
      state: {
        count: state.value(t.int64()),
        limits: state.broadcast(t.utf8(), t.struct({ most: t.float64(), since: t.date() })),
      },
      output,
      control,
      onControl(bid, { state: { limits, ...others }, timeMs, watermarkMs, ...rest }) {
        expectTypeOf(bid.price).toEqualTypeOf<number>();
        expectTypeOf(timeMs).toEqualTypeOf<number | null>();
        expectTypeOf(watermarkMs).toEqualTypeOf<number>();
        expectTypeOf<keyof typeof others>().toEqualTypeOf<never>();
        expectTypeOf<keyof typeof rest>().toEqualTypeOf<'nowMs'>();
        limits.set('all', { most: bid.price, since: new Date(0) });
        expectTypeOf(limits.delete('all')).toEqualTypeOf<boolean>();
        // @ts-expect-error a value of another type
        limits.set('all', 5);
      },
      onRow(_, { state: { limits, count } }) {
        type Limit = { readonly most: number; readonly since: string };
        expectTypeOf(limits.get('all')).toMatchTypeOf<Limit | null>();
        expectTypeOf(limits.keys()).toEqualTypeOf<string[]>();
        expectTypeOf(limits.size).toEqualTypeOf<number>();
        expectTypeOf(count.get()).toEqualTypeOf<bigint | null>();
        // @ts-expect-error rows do not write it
        limits.set('all', { most: 1, since: new Date(0) });
        // @ts-expect-error a key of another type
        limits.get(5);
      },
    });
});

test.each([
  ['no output', { onRow: nothing }],
  ['no onRow', { output }],
  ['onTimer is no function', { output, onRow: nothing, onTimer: 5 }],
  ['a state that is none', { output, onRow: nothing, state: { count: 5 } }],
  ['a broadcast state without control', { output, onRow: nothing, state: { rules } }],
  ['control without a function', { output, onRow: nothing, state: { rules }, control: bids() }],
  ['control without a state', { output, onRow: nothing, control: bids(), onControl: nothing }],
  [
    'control that is no stream',
    { output, onRow: nothing, state: { rules }, control: [], onControl: nothing },
  ],
])('%s is refused where it is written', (_, options) => {
  const call = () =>
    bids()
      .keyBy((bid) => bid.user)
      .process(options as never);
  expect(codeFrom(call)).toBe('JOB_ARGUMENT_INVALID');
});

test.each([
  ['a type that is none', () => state.value('int64' as never)],
  ['a map without values', () => state.map(t.utf8(), undefined as never)],
  ['a broadcast without values', () => state.broadcast(t.utf8(), undefined as never)],
  ['a function that is none', () => state.reducing(t.int64(), 5 as never)],
  ['a life of nothing', () => state.value(t.int64(), { ttl: { afterMs: 0 } })],
  [
    'a life by another time',
    () => state.list(t.int64(), { ttl: { afterMs: 1, time: 'my' as never } }),
  ],
])('a state with %s is refused', (_, call) => {
  expect(codeFrom(call)).toBe('JOB_ARGUMENT_INVALID');
});

function codeFrom(call: () => unknown): string | null {
  try {
    call();
  } catch (error) {
    return codeOf(error);
  }
  return null;
}
