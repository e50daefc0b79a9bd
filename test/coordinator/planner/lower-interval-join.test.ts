/**
 * Goal: a join of rows that are near in time gives the same rows whether all input is read first or rows meet as
 * they come, with any number of tasks; and they are those of a loop over all pairs.
 */
import fc from 'fast-check';
import { cumulating, type JoinType, sliding, t, tumbling, type Window } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Stream } from '../../../engine/api/stream.ts';
import { becomesNull, isOneSided, joinTypes } from '../../../engine/plan/join-type.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';

const Left = t.struct({ id: t.int32(), key: t.int64().nullable(), at: t.timestampMs() });
const Right = t.struct({ number: t.int32(), owner: t.int64().nullable(), at: t.timestampUs() });

interface Case {
  readonly type: JoinType;
  readonly near:
    | { readonly within: { readonly beforeMs: number; readonly afterMs: number } }
    | { readonly window: Window<true> };
  readonly isOdd: boolean;
  readonly left: readonly Row[];
  readonly right: readonly Row[];
}

/** Times go on by and by, out of order by less than 20 ms. */
function rowsOf(side: 'left' | 'right'): fc.Arbitrary<Row[]> {
  const row = fc.record({
    stepMs: fc.nat(9),
    behindMs: fc.nat(19),
    key: fc.option(fc.bigInt({ min: 0n, max: 3n }), { freq: 6 }),
  });
  return fc.array(row, { maxLength: 40 }).map((drawn) => {
    let now = -60;
    return drawn.map(({ stepMs, behindMs, key }, index): Row => {
      now += stepMs;
      const ms = now - behindMs;
      if (side === 'left') return { id: index, key, at: BigInt(ms) };
      return { number: index, owner: key, at: BigInt(ms * 1000 + (index % 3) * 300) };
    });
  });
}

const cases: fc.Arbitrary<Case> = fc.record({
  type: fc.constantFrom(...joinTypes),
  near: fc.oneof(
    fc
      .tuple(fc.integer({ min: -9, max: 20 }), fc.nat(30))
      .map(([beforeMs, span]) => ({ within: { beforeMs, afterMs: span - beforeMs } })),
    fc
      .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: -9, max: 9 }))
      .map(([sizeMs, offsetMs]) => ({ window: tumbling({ sizeMs, offsetMs }) })),
    fc
      .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(20), fc.integer({ min: -9, max: 9 }))
      .map(([slideMs, moreMs, offsetMs]) => ({
        window: sliding({ sizeMs: slideMs + moreMs, slideMs, offsetMs }),
      })),
    fc
      .tuple(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: -9, max: 9 }),
      )
      .map(([stepMs, count, offsetMs]) => ({
        window: cumulating({ sizeMs: stepMs * count, stepMs, offsetMs }),
      })),
  ),
  isOdd: fc.boolean(),
  left: rowsOf('left'),
  right: rowsOf('right'),
});

function jobOf({ type, near, isOdd }: Case) {
  const job = defineJob({
    name: 'near',
    build: (({ read }: { read: (source: unknown) => Stream<never> }) => {
      const time = (row: { at: never }) => row.at;
      const sides = [tableSource('left', Left.schema), tableSource('right', Right.schema)];
      const [left, right] = sides.map((source) =>
        read(source).eventTime(time as never, { outOfOrdernessMs: 20 }),
      );
      const on = (a: never, b: never) => pairCondition(a, b, isOdd);
      const select = 'window' in near ? pairInWindow : pairOf;
      const rest = isOneSided(type) ? {} : { select };
      return left
        ?.join(right as never, { on, type, ...near, ...rest } as never)
        .writeTo(rowsSink('out') as never);
    }) as never,
  });
  return buildJob(job, {});
}

type Columns = Record<string, unknown>;

const pairOf = (left: Columns, right: Columns) => ({
  ...{ id: left.id, at: left.at, number: right.number, time: right.at },
});

const pairInWindow = (left: Columns, right: Columns, window: Columns) => ({
  ...{ id: left.id, at: left.at, number: right.number, time: right.at },
  ...{ windowStart: window.windowStart, windowEnd: window.windowEnd },
});

/** Keys are equal; maybe another condition over both. */
function pairCondition(left: never, right: never, isOdd: boolean): never {
  const [a, b] = [left, right] as [Record<string, Any>, Record<string, Any>];
  const same = a.key?.eq(b.owner);
  return (isOdd ? same?.and(a.id?.ne(b.number)) : same) as never;
}

interface Any {
  eq(other: unknown): Any;
  ne(other: unknown): Any;
  and(other: unknown): Any;
}

/** Start and end of each window that a moment is in. */
function windowsOf({ spec }: Window<true>, ms: number): (readonly [number, number])[] {
  if (spec.kind !== 'tumbling' && spec.kind !== 'sliding' && spec.kind !== 'cumulating') {
    throw new Error('pairs are by windows of a size');
  }
  const { sizeMs, offsetMs } = spec;
  const startOf = (period: number) => Math.floor((ms - offsetMs) / period) * period + offsetMs;
  if (spec.kind === 'tumbling') return [[startOf(sizeMs), startOf(sizeMs) + sizeMs]];
  const found: [number, number][] = [];
  if (spec.kind === 'sliding') {
    const last = startOf(spec.slideMs);
    for (let start = last; start + sizeMs > ms; start -= spec.slideMs) {
      found.push([start, start + sizeMs]);
    }
    return found;
  }
  const start = startOf(sizeMs);
  for (let end = start + spec.stepMs; end <= start + sizeMs; end += spec.stepMs) {
    if (end > ms) found.push([start, end]);
  }
  return found;
}

type Bounds = readonly [number, number] | null;

/** A loop over all pairs, in each window that both are in. */
function expectedRows(one: Case): Row[] {
  const { type, near, isOdd } = one;
  const rowOf = (left: Row | null, right: Row | null, bounds: Bounds): Row => {
    const row = { id: left?.id ?? null, at: left?.at ?? null };
    const both = { ...row, number: right?.number ?? null, time: right?.at ?? null };
    if (bounds === null) return both;
    const [windowStart, windowEnd] = bounds.map(BigInt);
    return { ...both, windowStart, windowEnd };
  };
  const placesOf = (row: Row, unit: number): Bounds[] =>
    'window' in near ? windowsOf(near.window, Number(row.at) / unit) : [null];
  const areNear = (left: Row, right: Row, bounds: Bounds) => {
    const [a, b] = [Number(left.at), Number(right.at) / 1000];
    if (!('within' in near)) return bounds !== null && isIn(placesOf(right, 1000), bounds);
    return b >= a - near.within.beforeMs && b <= a + near.within.afterMs;
  };
  const isPair = (left: Row, right: Row) =>
    left.key !== null && left.key === right.owner && !(isOdd && left.id === right.number);
  const matched = new Set<string>();
  const nameOf = (right: Row, bounds: Bounds) => `${right.number} ${bounds?.join()}`;
  const rows = one.left.flatMap((left) =>
    placesOf(left, 1).flatMap((bounds): Row[] => {
      const partners = one.right.filter(
        (right) => isPair(left, right) && areNear(left, right, bounds),
      );
      for (const partner of partners) matched.add(nameOf(partner, bounds));
      if (isOneSided(type)) return partners.length > 0 === (type === 'semi') ? [left] : [];
      if (partners.length > 0) return partners.map((partner) => rowOf(left, partner, bounds));
      return becomesNull(type, 'right') ? [rowOf(left, null, bounds)] : [];
    }),
  );
  const alone = one.right.flatMap((right) =>
    placesOf(right, 1000)
      .filter((bounds) => becomesNull(type, 'left') && !matched.has(nameOf(right, bounds)))
      .map((bounds) => rowOf(null, right, bounds)),
  );
  return [...rows, ...alone];
}

function isIn(places: readonly Bounds[], bounds: Bounds): boolean {
  return places.some((place) => place?.[0] === bounds?.[0] && place?.[1] === bounds?.[1]);
}

test('both modes give the rows of a loop over all pairs', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 2, 3, 7), (one, parallelism) => {
      const { graph, functions } = jobOf(one);
      const tables = { left: one.left, right: one.right };
      const expected = textsOf(expectedRows(one));
      for (const mode of ['batch', 'streaming'] as const) {
        const physical = planJob(graph, { parallelism, mode });
        const kinds = physical.vertices.flatMap(({ chain }) => chain.map(({ kind }) => kind));
        expect(kinds.includes('intervalJoin')).toBe(mode === 'streaming');
        const found = runPlan(physical, { tables, functions });
        expect(textsOf(found.get('out')), mode).toEqual(expected);
      }
    }),
    { numRuns: 100 },
  );
});
