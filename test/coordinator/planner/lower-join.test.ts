/**
 * Goal: a stream that goes past a side input, a table that is there before its first row, keeps its event time: windows
 * behind the join come out, and are those of a loop over all rows, in both modes and with any number of tasks.
 */
import fc from 'fast-check';
import { agg, t, tumbling } from 'millrace';
import { expect, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource, textsOf } from '../../support/plan-runner.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const Bid = t.struct({ auction: t.int64().nullable(), price: t.int64(), at: t.timestampMs() });
const Name = t.struct({ key: t.int64().nullable(), weight: t.int64() });

type SideType = 'inner' | 'left' | 'semi' | 'anti';

interface Case {
  readonly type: SideType;
  readonly isBroadcast: boolean;
  readonly bids: readonly Row[];
  readonly names: readonly Row[];
}

const someKey = fc.option(fc.bigInt({ min: 0n, max: 4n }), { freq: 6 });

const cases: fc.Arbitrary<Case> = fc.record({
  type: fc.constantFrom<SideType>('inner', 'left', 'semi', 'anti'),
  isBroadcast: fc.boolean(),
  bids: fc
    .array(fc.record({ stepMs: fc.nat(9), behindMs: fc.nat(19), auction: someKey }), {
      maxLength: 50,
    })
    .map((drawn) => {
      let now = -40;
      return drawn.map(({ stepMs, behindMs, auction }, index): Row => {
        now += stepMs;
        return { auction, price: BigInt(index), at: BigInt(now - behindMs) };
      });
    }),
  names: fc.array(fc.record({ key: someKey, weight: fc.bigInt({ min: 1n, max: 9n }) }), {
    maxLength: 8,
  }),
});

type Columns = Record<string, { eq(other: unknown): unknown }>;
type Verb = (...args: unknown[]) => AnyStream;

/** A stream whose types depend on the case. */
interface AnyStream {
  readonly eventTime: Verb;
  readonly join: Verb;
  readonly keyBy: Verb;
  readonly window: Verb;
  readonly aggregate: Verb;
  readonly writeTo: Verb;
}

function jobOf({ type, isBroadcast }: Case, build: 'left' | 'right' = 'right') {
  const job = defineJob({
    name: 'side-input',
    build: (({ read }: { read: (source: unknown) => AnyStream }) => {
      const bids = read(tableSource('bids', Bid.schema)).eventTime((row: Columns) => row.at, {
        outOfOrdernessMs: 20,
      });
      return bids
        .join(read(tableSource('names', Name.schema)), {
          ...{ type, build, broadcast: isBroadcast },
          on: (bid: Columns, name: Columns) => bid.auction?.eq(name.key),
        })
        .keyBy((row: Columns) => row.auction)
        .window(tumbling({ sizeMs: 10 }))
        .aggregate({
          rows: agg.count(),
          sum: agg.sum((row: never) => (row as Columns).price as never),
        })
        .writeTo(rowsSink('out'));
    }) as never,
  });
  return buildJob(job, {});
}

/** A loop over all rows. */
function expectedRows({ type, bids, names }: Case): Row[] {
  const windows = new Map<string, { auction: unknown; start: bigint; rows: bigint; sum: bigint }>();
  for (const { auction, price, at } of bids) {
    const partners = names.filter(({ key }) => key !== null && key === auction).length;
    const alone = { inner: 0, left: 1, semi: 0, anti: 1 }[type];
    const paired = { inner: partners, left: partners, semi: 1, anti: 0 }[type];
    const count = partners > 0 ? paired : alone;
    if (count === 0) continue;
    const start = BigInt(Math.floor(Number(at) / 10) * 10);
    const text = `${auction} ${start}`;
    const window = windows.get(text) ?? { auction, start, rows: 0n, sum: 0n };
    window.rows += BigInt(count);
    window.sum += BigInt(count) * (price as bigint);
    windows.set(text, window);
  }
  return [...windows.values()].map(({ auction, start, rows, sum }) => {
    return { windowStart: start, windowEnd: start + 10n, auction, rows, sum };
  });
}

test('both modes give the windows of a loop over all rows', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 2, 3, 7), (one, parallelism) => {
      const { graph, functions } = jobOf(one);
      const tables = { bids: one.bids, names: one.names };
      const expected = textsOf(expectedRows(one));
      for (const mode of ['batch', 'streaming'] as const) {
        const physical = planJob(graph, { parallelism, mode });
        const found = runPlan(physical, { tables, functions });
        expect(textsOf(found.get('out')), mode).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

test('behind a join that keeps the stream itself its event time is not known', () => {
  const [one] = fc.sample(cases, { numRuns: 1, seed: 1 });
  const kept: Case = { ...(one as Case), type: 'inner', isBroadcast: false };
  expect(typedErrorOf(() => jobOf(kept, 'left'))?.info.code).toBe('PLAN_NO_EVENT_TIME');
});
