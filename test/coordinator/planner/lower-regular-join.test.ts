/**
 * Goal: a join that keeps rows of both sides gives the same rows whether all input is read first or rows meet as they
 * come, with any number of tasks; and they are those of a loop over all pairs. What it gives out as changes comes to the
 * same, also counted.
 */
import fc from 'fast-check';
import { agg, type JoinType, t } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Stream } from '../../../engine/api/stream.ts';
import type { SinkChanges } from '../../../engine/contracts/connector.ts';
import { becomesNull, isOneSided, joinTypes } from '../../../engine/plan/join-type.ts';
import { applied, sorted } from '../../support/changelog.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const Order = t.struct({ id: t.int32(), user: t.int64().nullable() });
const User = t.struct({ number: t.int32(), key: t.int64().nullable() });

interface Case {
  readonly type: JoinType;
  readonly isOdd: boolean;
  readonly orders: readonly Row[];
  readonly users: readonly Row[];
  /** Sides whose rows change while rows come: one of each key. */
  readonly changing?: { readonly left: boolean; readonly right: boolean };
}

const someKey = fc.option(fc.bigInt({ min: 0n, max: 5n }), { freq: 6 });
const rowsOf = (name: string, key: string) =>
  fc
    .array(someKey, { maxLength: 30 })
    .map((keys) => keys.map((value, at): Row => ({ [name]: at, [key]: value })));

const cases: fc.Arbitrary<Case> = fc.record({
  type: fc.constantFrom(...joinTypes),
  isOdd: fc.boolean(),
  orders: rowsOf('id', 'user'),
  users: rowsOf('number', 'key'),
});

interface Any {
  eq(other: unknown): Any;
  ne(other: unknown): Any;
  and(other: unknown): Any;
}

function jobOf(
  { type, isOdd, changing }: Case,
  sink: { changes?: SinkChanges; isCounted?: boolean } = {},
) {
  const job = defineJob({
    name: 'kept',
    build: (({ read }: { read: (source: unknown) => Stream<never> }) => {
      const [allOrders, allUsers] = [
        read(tableSource('orders', Order.schema)),
        read(tableSource('users', User.schema)),
      ];
      const orders = changing?.left === true ? lastOf(allOrders, 'user', 'id') : allOrders;
      const users = changing?.right === true ? lastOf(allUsers, 'key', 'number') : allUsers;
      const on = (order: Record<string, Any>, user: Record<string, Any>) => {
        const same = order.user?.eq(user.key);
        return isOdd ? same?.and(order.id?.ne(user.number)) : same;
      };
      const options = { on, type, keep: { ttlMs: 3_600_000 } };
      const pairs = orders?.join(users as never, options as never) as unknown as AnyStream;
      const rows =
        sink.isCounted === true
          ? pairs.keyBy((row: Record<string, unknown>) => row.user).aggregate({ n: agg.count() })
          : pairs;
      const out = rowsSink('out');
      return rows.writeTo(sink.changes === undefined ? out : { ...out, changes: sink.changes });
    }) as never,
  });
  return buildJob(job, {});
}

/** The largest number of each key, and the least of those of as many rows: rows that go, and come again. */
function lastOf(rows: unknown, key: string, number: string): Stream<never> {
  type Fields = Record<string, never>;
  return (rows as AnyStream)
    .keyBy((row: Fields) => row[key])
    .aggregate({ [number]: agg.max((row: Fields) => row[number] as never), n: agg.count() })
    .keyBy((row: Fields) => row['n'])
    .aggregate({
      [key]: agg.max((row: Fields) => row[key] as never),
      [number]: agg.min((row: Fields) => row[number] as never),
    })
    .select((row: Fields) => ({ [number]: row[number], [key]: row[key] })) as never;
}

interface AnyStream {
  readonly keyBy: (...args: unknown[]) => AnyStream;
  readonly aggregate: (...args: unknown[]) => AnyStream;
  readonly select: (...args: unknown[]) => AnyStream;
  readonly writeTo: (...args: unknown[]) => unknown;
}

/** A loop over all pairs. */
function expectedRows({ type, isOdd, orders, users }: Case): Row[] {
  const matched = new Set<Row>();
  const rows = orders.flatMap((order): Row[] => {
    const partners = users.filter(
      ({ key, number }) => key !== null && key === order.user && !(isOdd && order.id === number),
    );
    for (const partner of partners) matched.add(partner);
    if (isOneSided(type)) return partners.length > 0 === (type === 'semi') ? [order] : [];
    if (partners.length > 0) return partners.map((partner) => ({ ...order, ...partner }));
    return becomesNull(type, 'right') ? [{ ...order, number: null, key: null }] : [];
  });
  const alone = users.filter((user) => becomesNull(type, 'left') && !matched.has(user));
  return [...rows, ...alone.map((user) => ({ id: null, user: null, ...user }))];
}

test('both modes give the rows of a loop over all pairs', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 2, 3, 7), (one, parallelism) => {
      const { graph, functions } = jobOf(one);
      const tables = { orders: one.orders, users: one.users };
      const expected = textsOf(expectedRows(one));
      for (const mode of ['batch', 'streaming'] as const) {
        const physical = planJob(graph, { parallelism, mode });
        const kinds = physical.vertices.flatMap(({ chain }) => chain.map(({ kind }) => kind));
        // Other types take rows back as they go on: for who does not take changes they wait for the end.
        const isKept = mode === 'streaming' && (one.type === 'inner' || one.type === 'semi');
        expect(kinds.includes('regularJoin')).toBe(isKept);
        const found = runPlan(physical, { tables, functions });
        expect(textsOf(found.get('out')), mode).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

const changes: SinkChanges = { mode: 'retract', column: 'change', isAsked: true };

test('changes come to the rows of the batch job', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 2, 3, 7), fc.boolean(), (one, parallelism, isCounted) => {
      const tables = { orders: one.orders, users: one.users };
      const run = (sink: Parameters<typeof jobOf>[1], mode: 'batch' | 'streaming') => {
        const { graph, functions } = jobOf(one, sink);
        const physical = planJob(graph, { parallelism, mode });
        const kinds = physical.vertices.flatMap(({ chain }) => chain.map(({ kind }) => kind));
        if (sink?.changes !== undefined) expect(kinds).toContain('regularJoin');
        return (runPlan(physical, { tables, functions }).get('out') ?? []) as readonly Row[];
      };
      const expected = sorted(run({ isCounted }, 'batch'));
      expect(applied(run({ isCounted, changes }, 'streaming'), 'change')).toEqual(expected);
    }),
    { numRuns: 80 },
  );
});

test('rows that go, on either side, leave the rows of the batch job', { timeout: 120_000 }, () => {
  const sides = fc.record({ left: fc.boolean(), right: fc.boolean() });
  const rooms = fc.constantFrom(1, 2, 3, 7);
  fc.assert(
    fc.property(cases, sides, rooms, fc.boolean(), (drawn, changing, parallelism, isCounted) => {
      const one = { ...drawn, changing };
      const tables = { orders: one.orders, users: one.users };
      const run = (sink: Parameters<typeof jobOf>[1], mode: 'batch' | 'streaming') => {
        const { graph, functions } = jobOf(one, sink);
        const physical = planJob(graph, { parallelism, mode });
        return (runPlan(physical, { tables, functions }).get('out') ?? []) as readonly Row[];
      };
      const expected = sorted(run({ isCounted }, 'batch'));
      expect(sorted(run({ isCounted }, 'streaming')), 'final rows').toEqual(expected);
      expect(applied(run({ isCounted, changes }, 'streaming'), 'change')).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});

test('changes of a join are refused where a sink does not take them and there is no end', () => {
  const endless = (type: JoinType, keep?: object) => {
    const job = defineJob({
      name: 'endless',
      mode: 'streaming',
      build: (({ read }: { read: (source: unknown) => Stream<never> }) => {
        const [orders, users] = [
          read({ ...tableSource('orders', Order.schema), isUnbounded: true }),
          read({ ...tableSource('users', User.schema), isUnbounded: true }),
        ];
        const on = (order: Record<string, Any>, user: Record<string, Any>) =>
          order.user?.eq(user.key);
        const options = { on, type, ...(keep !== undefined && { keep }) };
        return orders?.join(users as never, options as never).writeTo(rowsSink('out') as never);
      }) as never,
    });
    const { graph } = buildJob(job, {});
    return typedErrorOf(() => planJob(graph, { parallelism: 1 }))?.info.code;
  };
  expect(endless('left', { ttlMs: 1000 })).toBe('PLAN_CHANGES_REFUSED');
  expect(endless('inner', { ttlMs: 1000 })).toBeUndefined();
  expect(endless('inner')).toBe('PLAN_NEEDS_END');
});
