/** Goal: rows pass as they are, and the watermark follows the newest that can be believed, not too often. */
import { expect, test } from 'vitest';
import { EventTimeOperator } from '../../../engine/operators/event-time-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { SplitTimes } from '../../../engine/time/split-times.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  newContext,
  type Row,
} from '../../support/operator-harness.ts';

const input: Schema = {
  fields: [{ name: 'at', type: { kind: 'timestamp', unit: 'us' }, nullable: true }],
};
const wallMs = 1_000_000;

function newOperator(context: OperatorContext, { idleAfterMs = null as number | null } = {}) {
  let nowMs = 0;
  const times = new SplitTimes({ outOfOrdernessMs: 5, idleAfterMs });
  times.expect(1);
  times.begin(0, 'a');
  times.enter(0);
  const clock = { mono: () => nowMs, wall: () => wallMs };
  const options = {
    input,
    column: 'at',
    outOfOrdernessMs: 5,
    futureLimitMs: 1000,
    times,
    ...clock,
  };
  const operator = new EventTimeOperator(context, options);
  return { operator, times, setTime: (ms: number) => (nowMs = ms) };
}

test('rows pass as they are', () => {
  const rows = [3000n, null, 1000n, 2_000_000_000_000n].map((at) => ({ at }));
  checkOperator({
    input,
    rows,
    build: (context) => newOperator(context).operator,
    expected: rows,
  });
});

test('watermarks follow another field where that is asked for, and rows without it say nothing', () => {
  const { memory, scope, context } = newContext('tested');
  const schema: Schema = {
    fields: [
      { name: 'at', type: { kind: 'timestamp', unit: 'us' }, nullable: false },
      { name: 'mark', type: { kind: 'timestamp', unit: 'ms' }, nullable: true },
    ],
  };
  const times = new SplitTimes({ outOfOrdernessMs: 0, idleAfterMs: null });
  times.expect(1);
  times.begin(0, 'a');
  times.enter(0);
  const clock = { mono: () => 0, wall: () => wallMs };
  const options = { input: schema, column: 'at', watermarkColumn: 'mark', outOfOrdernessMs: 0 };
  const operator = new EventTimeOperator(context, {
    ...{ ...options, futureLimitMs: 1000, times },
    ...clock,
  });
  const outbox = new CollectingOutbox();
  const marks = [null, 40n, 30n, null].map((mark, at) => {
    const batch = batchOf(scope, schema, [{ at: BigInt(at) * 100_000n, mark }]);
    operator.process(batch, 0, outbox);
    batch.release();
    return operator.takeMark(at * 10);
  });
  expect(marks.map((mark) => (mark?.kind === 'watermark' ? mark.timeMs : null))).toEqual([
    ...[null, 40, null, null],
  ]);
  operator.close();
  memory.assertEmpty();
});

function scene(options: { idleAfterMs?: number } = {}) {
  const { memory, scope, context } = newContext('tested');
  const made = newOperator(context, options);
  const outbox = new CollectingOutbox();
  const add = (...rows: Row[]) => {
    const batch = batchOf(scope, input, rows);
    expect(made.operator.process(batch, 0, outbox)).toBe(rows.length);
    batch.release();
  };
  const end = () => {
    made.operator.close();
    memory.assertEmpty();
  };
  return { ...made, add, end };
}

test('a watermark is the newest time less the out-of-orderness, in whole milliseconds', () => {
  const { operator, add, end } = scene();
  expect(operator.takeMark(0)).toBeNull();
  add({ at: 100_999n }, { at: null }, { at: 50_000n });
  expect(operator.takeMark(0)).toMatchObject({ kind: 'watermark', timeMs: 95 });
  end();
});

test('the next one waits for 10 ms, and asks to be woken then', () => {
  const { operator, add, setTime, end } = scene();
  add({ at: 100_000n });
  operator.takeMark(0);
  expect(operator.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  add({ at: 200_000n });
  expect(operator.takeMark(9)).toBeNull();
  expect(operator.wakeAtMs).toBe(10);
  setTime(10);
  expect(operator.takeMark(10)).toMatchObject({ kind: 'watermark', timeMs: 195 });
  end();
});

test('a time that is far ahead of the clock is counted and not followed', () => {
  const { operator, add, end } = scene();
  add({ at: BigInt(wallMs + 1001) * 1000n }, { at: 7000n });
  expect(operator.takeMark(0)).toMatchObject({ kind: 'watermark', timeMs: 2 });
  expect(operator.futureRowCount).toBe(1);
  add({ at: BigInt(wallMs + 1000) * 1000n });
  expect(operator.takeMark(20)).toMatchObject({ kind: 'watermark', timeMs: wallMs + 995 });
  end();
});

test('idleness is told once, and ended by rows', () => {
  const { operator, times, add, setTime, end } = scene({ idleAfterMs: 30 });
  add({ at: 100_000n });
  operator.takeMark(0);
  times.foundEmpty(0, 5);
  expect(operator.wakeAtMs).toBe(35);
  setTime(35);
  expect(operator.takeMark(35)).toEqual({ kind: 'idle' });
  expect(operator.takeMark(40)).toBeNull();
  times.enter(0);
  add({ at: 200_000n });
  expect(operator.takeMark(50)).toMatchObject({ kind: 'watermark', timeMs: 195 });
  end();
});

test('what others promised of other columns ends here', () => {
  const { operator, end } = scene();
  expect(operator.watermarkBehind()).toBe(Number.NEGATIVE_INFINITY);
  end();
});

test('a watermark says when event time came to it: before the row that it follows, by the pace of the clock', () => {
  const { operator, times, add, end } = scene();
  times.setDue(1_000);
  add({ at: 100_000n });
  expect(operator.takeMark(0)).toEqual({
    ...{ kind: 'watermark', timeMs: 95, clock: { atMs: 1_000, perMs: 0 } },
  });
  times.setDue(1_200);
  add({ at: 200_000n });
  expect(operator.takeMark(20)).toEqual({
    ...{ kind: 'watermark', timeMs: 195, clock: { atMs: 1_190, perMs: 2 } },
  });
  end();
});
