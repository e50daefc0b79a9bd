/** Goal: `deduplicate` keeps the first or the last row of a key by event time or by a column, in batch and streams alike. */
import { t } from 'millrace';
import { expect, expectTypeOf, test } from 'vitest';
import { planJob } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { DeduplicateOptions } from '../../../engine/api/deduplicate.ts';
import { defineJob } from '../../../engine/api/define-job.ts';
import type { Stream } from '../../../engine/api/stream.ts';
import { applied, appliedByKey, sorted } from '../../support/changelog.ts';
import type { Row } from '../../support/operator-harness.ts';
import { rowsSink, runPlan, tableSource } from '../../support/plan-runner.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { bids } from './bids.ts';

const Order = t.struct({ id: t.int64(), at: t.timestampMs(), version: t.int64().nullable() });
const order = (id: bigint, at: bigint, version: bigint | null) => ({ id, at, version });
const rows = [
  order(1n, 30n, 1n),
  order(2n, 20n, null),
  order(1n, 10n, 5n),
  order(1n, 20n, 9n),
  order(2n, 40n, 7n),
  order(3n, 5n, null),
];

/** Rows of a job with the verb, as batch; then as a stream, whose changes are applied by row and by key. */
function found(options: DeduplicateOptions<never>): readonly Row[][] {
  const run = (mode: 'batch' | 'streaming', changes?: 'retract' | 'upsert') => {
    const job = defineJob({
      name: 'orders',
      build: (({ read }: { read: (source: unknown) => Stream<never> }) => {
        const kept = read(tableSource('rows', Order.schema))
          .eventTime((row: Record<string, never>) => row.at as never)
          .keyBy((row: Record<string, never>) => row.id as never)
          .deduplicate(options);
        const taken = changes && { mode: changes, column: 'change', isAsked: true };
        return kept.writeTo({ ...rowsSink('out'), ...(taken && { changes: taken }) } as never);
      }) as never,
    });
    const physical = planJob(buildJob(job, {}).graph, { parallelism: 2, mode });
    const inputs = { tables: { rows }, functions: new Map() };
    return (runPlan(physical, inputs).get('out') ?? []) as readonly Row[];
  };
  return [
    sorted(run('batch')),
    sorted(run('streaming')),
    applied(run('streaming', 'retract'), 'change'),
    appliedByKey(run('streaming', 'upsert'), 'change', ['id']),
  ];
}

test.each([
  ['the first by event time', { keep: 'first' }, [rows[2], rows[1], rows[5]]],
  ['the last by event time', { keep: 'last' }, [rows[0], rows[4], rows[5]]],
  [
    'the first by a column, nulls last',
    { keep: 'first', by: (row: { version: never }) => row.version },
    [rows[0], rows[4], rows[5]],
  ],
  [
    'the last by a column, nulls last',
    { keep: 'last', by: (row: { version: never }) => row.version },
    [rows[3], rows[4], rows[5]],
  ],
] as const)('%s', (_, options, expected) => {
  for (const one of found(options as never)) expect(one).toEqual(sorted(expected as never));
});

test('the rows keep their types', () => {
  const kept = bids()
    .keyBy((bid) => bid.auction)
    .deduplicate({ keep: 'last', by: (bid) => bid.price });
  expectTypeOf(kept).toEqualTypeOf(bids());
});

test('what is missing is refused, with what to write', () => {
  const keyed = bids().keyBy((bid) => bid.auction);
  expect(typedErrorOf(() => keyed.deduplicate({ keep: 'first' }))).toMatchObject({
    info: {
      code: 'PLAN_NO_EVENT_TIME',
      hint: expect.stringContaining("deduplicate({ keep: 'last', by:"),
    },
  });
  expect(typedErrorOf(() => keyed.deduplicate({ keep: 'any' } as never))).toMatchObject({
    info: { code: 'JOB_ARGUMENT_INVALID' },
    message: expect.stringContaining('keep of deduplicate is the string "any"'),
  });
  expect(typedErrorOf(() => keyed.deduplicate(undefined as never))).toMatchObject({
    info: { code: 'JOB_ARGUMENT_INVALID' },
  });
});
