/** Goal: lanes are read beside each other in the order of time, each split once, and nothing while output waits. */
import { expect, test } from 'vitest';
import type { ReadResult, Split, SplitReader } from '../../../engine/contracts/source.ts';
import { MergedSourceOperator } from '../../../engine/operators/merged-source-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { sharedMomentBytes } from '../../../engine/time/shared-moment.ts';
import { SourceAlignment } from '../../../engine/time/source-alignment.ts';
import { SplitTimes } from '../../../engine/time/split-times.ts';
import { batchOf, CollectingOutbox, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));

/** Each split is a script of its reader; a number is a row, and its time. */
function scene(
  splits: Readonly<Record<string, (ReadResult | number | 'unanswered')[]>>,
  alignment: SourceAlignment | null = null,
) {
  const { memory, scope } = newContext('tested');
  const times = new SplitTimes({ outOfOrdernessMs: 0, idleAfterMs: 10 });
  const log: string[] = [];
  let nowMs = 0;
  let closed = 0;
  const newReader = (): SplitReader => {
    let script: (ReadResult | number | 'unanswered')[] = [];
    let hasNothing = true;
    return {
      get hasNothing() {
        return hasNothing;
      },
      open({ id }) {
        log.push(`open ${id}`);
        script = splits[id] ?? [];
      },
      read() {
        const next = script.shift() ?? 'end';
        hasNothing = next !== 'unanswered';
        if (next === 'unanswered') return 'waiting';
        if (typeof next !== 'number') return next;
        log.push(String(next));
        return batchOf(scope, schema, [{ n: next }]);
      },
      bytesRead: 3,
      position: () => 'somewhere',
      close: () => closed++,
    };
  };
  const source = new MergedSourceOperator({ newReader, times, mono: () => nowMs, alignment });
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

test('a lane whose other side does not answer is never idle, however long it takes', () => {
  const { source, times, give, end, outbox, setTime } = scene({
    a: [1, 'waiting', 'unanswered', 'unanswered', 'waiting', 7],
    b: [2, 4, 6, 8],
  });
  give('a', 0, 2);
  give('b', 1, 2);
  for (let step = 0; step < 3; step++) source.step(outbox);
  for (const nowMs of [100, 200]) {
    setTime(nowMs);
    source.step(outbox);
    expect(times.watermark(nowMs)).toBe(1);
  }
  // It counts from when the other side has said that there is nothing.
  expect(times.watermark(205)).toBe(1);
  source.offerSplit(null);
  while (source.step(outbox) !== 'done');
  end();
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

test('a lane that is ahead of another source is not asked, nor idle, until that one has come after', () => {
  const place = {
    buffer: new SharedArrayBuffer(2 * sharedMomentBytes),
    members: ['v1[0]', 'v2[0]'],
  };
  const alignment = new SourceAlignment({ ...place, own: 0, driftMs: 3 });
  const other = new SourceAlignment({ ...place, own: 1, driftMs: 3 });
  const { source, times, log, give, end, outbox, setTime } = scene(
    { a: [1, 'waiting', 'waiting', 'waiting', 5, 9], b: [2, 'waiting', 6, 20] },
    alignment,
  );
  give('a', 0, 2);
  give('b', 1, 2);
  other.tell({ watermarkMs: 2, isIdle: false });
  // A: 1, B: 2, both have nothing now, B: 6, which is too far ahead of 2; A is asked all the time.
  expect([source.step(outbox), source.step(outbox), source.step(outbox)]).toEqual([
    'more',
    'more',
    'waiting',
  ]);
  setTime(5);
  expect([source.step(outbox), source.step(outbox), outbox.rows]).toEqual([
    'more',
    'waiting',
    [1, 2, 6],
  ]);
  expect([source.dueAtMs, log.at(-1)]).toEqual([10, '6']);
  expect(source.inspect()).toMatchObject({
    state: 'held',
    waitsFor: { taskId: 'v2[0]', watermarkMs: 2, reachedMs: 6, driftMs: 3 },
  });
  // A has had nothing for 10 ms; B, which was not asked for longer, holds the watermark.
  expect([times.watermark(9), times.watermark(5_000), times.isIdle(5_000)]).toEqual([1, 6, false]);
  other.tell({ watermarkMs: 3, isIdle: false });
  source.offerSplit(null);
  // A again, up to 9: then both are ahead of 3.
  while (source.step(outbox) !== 'waiting');
  expect([outbox.rows, source.inspect().state]).toEqual([[1, 2, 6, 5, 9, 20], 'held']);
  other.end();
  while (source.step(outbox) !== 'done');
  expect(other.mustWait(99, 0)).toBe(false);
  end();
});

test('a source that nobody needs any more, and one that is closed, hold nobody', () => {
  for (const leave of ['stop', 'close'] as const) {
    const place = { buffer: new SharedArrayBuffer(2 * sharedMomentBytes), members: ['a', 'b'] };
    const other = new SourceAlignment({ ...place, own: 1, driftMs: 0 });
    const alignment = new SourceAlignment({ ...place, own: 0, driftMs: 0 });
    const { source, end } = scene({}, alignment);
    expect(other.mustWait(9, 0)).toBe(true);
    if (leave === 'stop') source.stop();
    end();
    expect(other.mustWait(9, 0)).toBe(false);
  }
});

test('a lane that has come to its end holds time until it is known that no more splits come, and no longer', () => {
  const { source, times, give, end, outbox } = scene({ a: [1], b: [5, 'waiting', 'waiting', 7] });
  give('a', 0, 2);
  give('b', 1, 2);
  for (let step = 0; step < 4; step++) source.step(outbox);
  expect([outbox.rows, times.watermark(0)]).toEqual([[1, 5], 1]);
  source.offerSplit(null);
  expect(times.watermark(0)).toBe(5);
  while (source.step(outbox) !== 'done');
  end();
});
