/** Goal: the newest moment is that of the reference, with nulls, selections, and moments too far ahead. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newestMomentOf } from '../../../engine/kernels/event-time.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';

test('random moments', () => {
  const { memory, scope, kernels } = newContext('tested');
  const schema: Schema = {
    fields: [{ name: 'at', type: { kind: 'timestamp', unit: 'ms' }, nullable: true }],
  };
  const moment = fc.option(fc.integer({ min: -50, max: 50 }), { nil: null });
  fc.assert(
    fc.property(
      fc.array(moment, { maxLength: 40 }),
      fc.integer({ min: -60, max: 60 }),
      (moments, limit) => {
        const batch = batchOf(
          scope,
          schema,
          moments.map((at) => ({ at })),
        );
        const block = scope.allocate(8);
        const [column] = batch.columns;
        const newest = kernels.newestMoment(
          column?.values ?? 0,
          column?.validity ?? 0,
          0,
          batch.rowCount,
          limit,
          addressOf(block),
        );
        const beyond = memory.uint32[addressOf(block) >>> 2];
        const wanted = moments.map((at) => (at === null ? null : BigInt(at)));
        expect({ newest, beyond }).toEqual(newestMomentOf(wanted, limit));
        memory.release(block);
        batch.release();
        memory.assertEmpty();
      },
    ),
  );
});
