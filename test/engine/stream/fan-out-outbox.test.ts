/** Goal: every outbox gets every batch once and in order, whoever is full when; references add up. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { FanOutOutbox } from '../../../engine/stream/fan-out-outbox.ts';
import type { Outbox } from '../../../engine/stream/outbox.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));

/** Refuses when its script says so, over and over. */
class ScriptedOutbox implements Outbox {
  readonly taken: unknown[] = [];
  readonly #accepts: readonly boolean[];
  #calls = 0;

  constructor(accepts: readonly boolean[]) {
    this.#accepts = accepts;
  }

  offer(batch: Batch): boolean {
    const accepts = this.#accepts[this.#calls++ % this.#accepts.length] ?? true;
    if (!accepts) return false;
    this.taken.push(...readRows(batch).map(({ n }) => n));
    batch.release();
    return true;
  }
}

const scripts = fc.array(
  fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }).map((script) => [...script, true]),
  { minLength: 1, maxLength: 4 },
);

test('each outbox takes all batches in order, and none is more than one ahead', () => {
  fc.assert(
    fc.property(scripts, fc.integer({ min: 0, max: 12 }), (accepts, count) => {
      const { memory, scope } = newContext('tested');
      const outboxes = accepts.map((script) => new ScriptedOutbox(script));
      const fan = new FanOutOutbox(outboxes);
      for (let n = 0; n < count; n++) {
        const batch = batchOf(scope, schema, [{ n }]);
        for (let calls = 0; !fan.offer(batch); calls++) expect(calls).toBeLessThan(100);
        const lengths = outboxes.map(({ taken }) => taken.length);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }
      while (!fan.pump());
      const all = Array.from({ length: count }, (_, n) => n);
      for (const { taken } of outboxes) expect(taken).toEqual(all);
      memory.assertEmpty();
    }),
  );
});

test('a batch that one outbox owes is released by close', () => {
  const { memory, scope } = newContext('tested');
  const fan = new FanOutOutbox([new ScriptedOutbox([true]), new ScriptedOutbox([false])]);
  expect(fan.offer(batchOf(scope, schema, [{ n: 1 }]))).toBe(true);
  const second = batchOf(scope, schema, [{ n: 2 }]);
  expect([fan.pump(), fan.offer(second)]).toEqual([false, false]);
  second.release();
  fan.close();
  memory.assertEmpty();
});

test('a batch whose offer throws stays the caller’s', () => {
  const { memory, scope } = newContext('tested');
  const failing: Outbox = {
    offer() {
      throw new Error('no luck');
    },
  };
  const fan = new FanOutOutbox([new ScriptedOutbox([true]), failing]);
  const batch = batchOf(scope, schema, [{ n: 1 }]);
  expect(() => fan.offer(batch)).toThrow('no luck');
  expect(fan.pump()).toBe(true);
  batch.release();
  memory.assertEmpty();
});
