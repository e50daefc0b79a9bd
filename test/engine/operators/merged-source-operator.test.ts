/** Goal: lanes are read beside each other in the order of time, each split once, and nothing while output waits. */
import { expect, test } from 'vitest';
import type { ReadResult, Split, SplitReader } from '../../../engine/contracts/source.ts';
import { MergedSourceOperator } from '../../../engine/operators/merged-source-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { SplitTimes } from '../../../engine/time/split-times.ts';
import { batchOf, CollectingOutbox, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));

/** Each split is a script of its reader; a number is a row, and its time. */
function scene(splits: Readonly<Record<string, (ReadResult | number)[]>>) {
  const { memory, scope } = newContext('tested');
  const times = new SplitTimes({ outOfOrdernessMs: 0, idleAfterMs: 10 });
  const log: string[] = [];
  let nowMs = 0;
  let closed = 0;
  const newReader = (): SplitReader => {
    let script: (ReadResult | number)[] = [];
    return {
      open({ id }) {
        log.push(`open ${id}`);
        script = splits[id] ?? [];
      },
      read() {
        const next = script.shift() ?? 'end';
        if (typeof next !== 'number') return next;
        log.push(String(next));
        return batchOf(scope, schema, [{ n: next }]);
      },
      bytesRead: 3,
      position: () => 'somewhere',
      close: () => closed++,
    };
  };
  const source = new MergedSourceOperator({ newReader, times, mono: () => nowMs });
  const give = (id: string, number: number, count: number) =>
    source.offerSplit({ id, sizeBytes: 1, payload: null, lane: { number, count } } as Split);
  const end = () => {
    source.close();
    memory.assertEmpty();
    return closed;
  };
  /** Rows tell their time as soon as they are out, as `eventTime` does. */
  const outbox = {
    rows: [] as number[],
    isFull: false,
    offer(batch: Parameters<CollectingOutbox['offer']>[0]) {
      if (outbox.isFull) return false;
      const collecting = new CollectingOutbox();
      collecting.offer(batch);
      for (const { n } of collecting.rows) {
        outbox.rows.push(Number(n));
        times.observe(Number(n));
      }
      return true;
    },
  };
  return { source, times, log, give, end, outbox, setTime: (ms: number) => (nowMs = ms) };
}

test('two lanes are merged by time, their splits in their order', () => {
  const { source, times, log, give, end, outbox } = scene({
    a1: [1, 5, 9],
    a2: [20],
    b1: [2, 3, 30],
  });
  give('a1', 0, 2);
  give('b1', 1, 2);
  give('a2', 0, 2);
  expect(source.wantsSplit).toBe(true);
  source.offerSplit(null);
  expect(source.wantsSplit).toBe(false);
  while (source.step(outbox) !== 'done');
  expect(outbox.rows).toEqual(
    [1, 2, 3, 30, 5, 9, 20].sort((x, y) => outbox.rows.indexOf(x) - outbox.rows.indexOf(y)),
  );
  expect(log.filter((line) => line.startsWith('open'))).toEqual(['open a1', 'open b1', 'open a2']);
  // Whenever a row is read, its lane is the one that had come least far.
  const at = (n: number) => outbox.rows.indexOf(n);
  expect(at(3)).toBeLessThan(at(30));
  expect(at(5)).toBeLessThan(at(30));
  expect(at(9)).toBeGreaterThan(at(5));
  expect(source.rowCount).toBe(7);
  expect(times.lanes()).toEqual([]);
  expect(end()).toBe(2);
});

test('a lane without rows is asked again and again; the others go on, and it is idle after a while', () => {
  const { source, times, give, end, outbox, setTime } = scene({
    a: [1, 'waiting', 'waiting', 'waiting', 7],
    b: [2, 4, 6],
  });
  give('a', 0, 2);
  give('b', 1, 2);
  for (let step = 0; step < 4; step++) source.step(outbox);
  expect(outbox.rows).toEqual([1, 2, 4, 6]);
  expect(times.watermark(0)).toBe(1);
  setTime(10);
  source.step(outbox);
  expect(times.watermark(10)).toBe(6);
  source.offerSplit(null);
  while (source.step(outbox) !== 'done');
  expect(outbox.rows).toEqual([1, 2, 4, 6, 7]);
  end();
});

test('nothing is read while the outbox is full, and a batch is given out once', () => {
  const { source, log, give, end, outbox } = scene({ a: [1, 2] });
  give('a', 0, 1);
  outbox.isFull = true;
  expect([source.step(outbox), source.step(outbox)]).toEqual(['full', 'full']);
  expect(log).toEqual(['open a', '1']);
  outbox.isFull = false;
  source.offerSplit(null);
  while (source.step(outbox) !== 'done');
  expect(outbox.rows).toEqual([1, 2]);
  end();
});

test('without any split it is done as soon as that is known; stopped, it wants none', () => {
  const { source, give, end, outbox } = scene({ a: [1] });
  expect(source.step(outbox)).toBe('waiting');
  source.stop();
  expect(source.wantsSplit).toBe(false);
  give('a', 0, 1);
  expect([source.bytesRead, source.position()]).toEqual([0, 'before the first split']);
  expect(end()).toBe(0);
});

test('a source without an end: who has no lane is idle at once, a lane without more splits in time', () => {
  const { source, times, give, end, outbox, setTime } = scene({ a: [1], b: [5] });
  source.offerSplit('later');
  expect(source.wantsSplit).toBe(true);
  expect([source.step(outbox), times.isIdle(0)]).toEqual(['waiting', true]);
  give('a', 0, 1);
  expect(times.isIdle(0)).toBe(false);
  while (source.step(outbox) !== 'waiting');
  source.offerSplit('later');
  expect([source.step(outbox), times.watermark(0), times.isIdle(0)]).toEqual(['waiting', 1, false]);
  setTime(10);
  expect(times.isIdle(10)).toBe(true);
  give('b', 0, 1);
  while (source.step(outbox) !== 'waiting');
  expect([outbox.rows, times.watermark(10), times.isIdle(10)]).toEqual([[1, 5], 5, false]);
  end();
});
