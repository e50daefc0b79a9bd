/** Goal: rows get the time of the clock, watermarks follow it, and no row is older than one before it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IngestionTimeOperator } from '../../../engine/operators/ingestion-time-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  newContext,
} from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('n', int32Type));
const output = schemaOf(...input.fields, fieldOf('at', { kind: 'timestamp', unit: 'ms' }));
const startMs = 1_800_000_000_000;

test('each row gets the time', () => {
  const rows = [1, 2, 3].map((n) => ({ n }));
  const clock = { mono: () => 5, wall: () => startMs };
  checkOperator({
    input,
    rows,
    build: (context) =>
      new IngestionTimeOperator(context, { output, makesWatermarks: true, ...clock }),
    expected: rows.map((row) => ({ ...row, at: BigInt(startMs) })),
  });
});

function scene(makesWatermarks = true) {
  const { memory, scope, context } = newContext('tested');
  const host = { monoMs: 0, wallMs: startMs };
  const clock = { mono: () => host.monoMs, wall: () => host.wallMs };
  const operator = new IngestionTimeOperator(context, { output, makesWatermarks, ...clock });
  const outbox = new CollectingOutbox();
  const add = () => {
    const batch = batchOf(scope, input, [{ n: 1 }]);
    operator.process(batch, 0, outbox);
    batch.release();
  };
  const mark = () => {
    const found = operator.takeMark(host.monoMs);
    return found?.kind === 'watermark' ? found.timeMs - startMs : null;
  };
  const end = () => {
    operator.close();
    memory.assertEmpty();
  };
  return { operator, host, outbox, add, mark, end };
}

test('watermarks follow the clock every 20 ms, though no row comes', () => {
  const { operator, host, mark, end } = scene();
  const marks = [0, 19, 20, 60].map((ms) => {
    Object.assign(host, { monoMs: ms, wallMs: startMs + ms });
    return mark();
  });
  expect(marks).toEqual([0, null, 20, 60]);
  expect(operator.wakeAtMs).toBe(80);
  expect(operator.idle()).toBe('hold');
  end();
});

test('in batch there are none', () => {
  const { operator, mark, end } = scene(false);
  expect([mark(), operator.wakeAtMs]).toEqual([null, Number.POSITIVE_INFINITY]);
  end();
});

test('no row is older than a row or a watermark before it, whatever is done to the clock of the host', () => {
  const step = fc.record({
    monoMs: fc.nat(50),
    wallMs: fc.integer({ min: -5_000, max: 5_000 }),
    isRow: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { host, outbox, add, mark, end } = scene();
      let latest = Number.NEGATIVE_INFINITY;
      for (const { monoMs, wallMs, isRow } of steps) {
        host.monoMs += monoMs;
        host.wallMs += wallMs;
        if (isRow) add();
        const time = isRow ? Number(outbox.rows.at(-1)?.at) - startMs : mark();
        if (time === null) continue;
        expect(time).toBeGreaterThanOrEqual(latest);
        latest = time;
      }
      end();
    }),
    { numRuns: 50 },
  );
});
