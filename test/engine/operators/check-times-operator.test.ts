/** Goal: rows whose time is missing, or further ahead than the limit, are put aside as they came; all others go on. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CheckTimesOperator } from '../../../engine/operators/check-times-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  newContext,
  type Row,
} from '../../support/operator-harness.ts';
import { checkSnapshots } from '../../support/snapshot-harness.ts';

const schemaOf = (unit: 'ms' | 'us'): Schema => ({
  fields: [
    { name: 'id', type: { kind: 'int64', js: 'bigint' }, nullable: false },
    { name: 'at', type: { kind: 'timestamp', unit }, nullable: true },
  ],
});
const wallMs = 1_000_000;
const futureLimitMs = 500;

function build(input: Schema) {
  return (context: OperatorContext) =>
    new CheckTimesOperator(context, { input, column: 'at', futureLimitMs, wall: () => wallMs });
}

test.each(['ms', 'us'] as const)('rows go one way or the other, times in %s', (unit) => {
  const units = unit === 'ms' ? 1n : 1000n;
  const limit = BigInt(wallMs + futureLimitMs) * units;
  const time = fc.oneof(
    fc.constantFrom(null, limit, limit + 1n, limit - 1n, 0n, -1n, 2n ** 62n, -(2n ** 62n)),
    fc.bigInt({ min: limit - 3n, max: limit + 3n }),
  );
  const input = schemaOf(unit);
  fc.assert(
    fc.property(fc.array(time, { maxLength: 40 }), (times) => {
      const rows: Row[] = times.map((at, id) => ({ id: BigInt(id), at }));
      const isGood = ({ at }: Row) => at !== null && (at as bigint) <= limit;
      checkOperator({
        input,
        rows,
        build: build(input),
        expected: rows.filter(isGood),
        expectedLate: rows.filter((row) => !isGood(row)),
      });
    }),
    { numRuns: 30 },
  );
});

test('both kinds are counted, also where nobody takes them', () => {
  const { memory, scope, context } = newContext('tested');
  const input = schemaOf('us');
  const operator = build(input)(context);
  const outbox = new CollectingOutbox();
  const rows = [1n, null, 2n ** 60n, null, 5n].map((at, id) => ({ id: BigInt(id), at }));
  const batch = batchOf(scope, input, rows);
  expect(operator.process(batch, 0, outbox)).toBe(5);
  batch.release();
  expect(operator.notedRows).toEqual({ future: 1, untimed: 2 });
  expect(outbox.rows.map(({ id }) => id)).toEqual([0n, 4n]);
  operator.close();
  memory.assertEmpty();
});

test('counts go on as the sum of all tasks', () => {
  const input = schemaOf('ms');
  const times = [5n, null, 2_000_000n, 7n, 3_000_000n, null, 9n];
  const rows = times.map((at, id) => ({ id: BigInt(id), at }));
  checkSnapshots({ input, rows, keys: ['id'], build: build(input) });
});
