/** Goal: marks go through a chain behind the rows that they speak of, and hold where operators hold rows. */
import { expect, test } from 'vitest';
import { summarizeLatency } from '../../../base/latency-histogram.ts';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { Operator, Outbox } from '../../../engine/operators/operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import type { StreamMark } from '../../../engine/stream/stream-element.ts';
import { OperatorChain } from '../../../engine/task/operator-chain.ts';
import {
  readTaskLatency,
  TaskLatency,
  taskLatencyBytes,
} from '../../../engine/task/task-latency.ts';
import { TaskMetrics, taskMetricsBytes } from '../../../engine/task/task-metrics.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));

/** Hands rows on, and logs what it is told. */
function passing(log: string[], name: string, more: Partial<Operator> = {}): Operator {
  return {
    process(batch, fromRow, outbox) {
      batch.retain();
      if (outbox.offer(batch)) return batch.rowCount;
      batch.release();
      return fromRow;
    },
    advance(timeMs) {
      log.push(`${name} ${timeMs}`);
      return true;
    },
    finish: () => true,
    close() {},
    ...more,
  };
}

function scene(
  make: (log: string[], batchOfRow: (n: number) => Batch) => readonly Operator[],
  holding: readonly number[] = [],
  taken: StreamMark[] = [],
) {
  const { memory, scope } = newContext('tested');
  const log: string[] = [];
  const row = (n: number) => batchOf(scope, schema, [{ n }]);
  const operators = make(log, row);
  const out = { isFull: false, nowMs: 0 };
  const latency = new ArrayBuffer(taskLatencyBytes(operators.length));
  const last: Outbox = {
    offer(batch) {
      if (out.isFull) return false;
      log.push(...readRows(batch).map(({ n }) => `row ${n}`));
      batch.release();
      return true;
    },
  };
  const chain = new OperatorChain({
    operators,
    last,
    lastMark(mark: StreamMark) {
      if (out.isFull) return false;
      taken.push(mark);
      log.push(mark.kind === 'watermark' ? `mark ${mark.timeMs}` : mark.kind);
      return true;
    },
    holdsTime: new Set(operators.filter((_, index) => holding.includes(index))),
    metrics: new TaskMetrics(new ArrayBuffer(taskMetricsBytes(operators.length)), () => 0),
    latency: new TaskLatency(latency, () => out.nowMs),
    firstIndex: 0,
    mono: () => out.nowMs,
  });
  const end = () => {
    chain.close();
    memory.assertEmpty();
  };
  return { chain, log, out, row, end, latency };
}

const mark = (timeMs: number): StreamMark => ({ kind: 'watermark', timeMs });

test('a mark comes to each operator in turn, behind what the one before gave out', () => {
  const { chain, log, row, end } = scene((own, newRow) => [
    passing(own, 'a', {
      advance(timeMs, outbox) {
        own.push(`a ${timeMs}`);
        return outbox.offer(newRow(timeMs));
      },
    }),
    passing(own, 'b'),
  ]);
  chain.offer(row(1));
  chain.offerMark(mark(10));
  expect(chain.pump()).toBe(true);
  expect(log).toEqual(['row 1', 'a 10', 'row 10', 'b 10', 'mark 10']);
  end();
});

test('a full output stops a mark, which goes on where it was', () => {
  const { chain, log, out, end } = scene((own) => [passing(own, 'a')]);
  out.isFull = true;
  chain.offerMark(mark(5));
  expect([chain.pump(), chain.pump()]).toEqual([false, false]);
  out.isFull = false;
  expect(chain.pump()).toBe(true);
  expect(log).toEqual(['a 5', 'mark 5']);
  end();
});

test('behind a restart no mark begins ahead of rows that come in behind it, and those rows bring theirs', () => {
  const { chain, log, row, end } = scene((own) => [
    passing(own, 'a', { wakeAtMs: 0, takeMark: once(mark(50)) }),
    passing(own, 'b'),
  ]);
  for (const timeMs of [10, 20]) {
    chain.offerWatermarkAt(1, timeMs);
    expect(chain.pump(false)).toBe(true);
    chain.offerAt(1, row(timeMs));
    expect(chain.pump(false)).toBe(true);
  }
  expect(log).toEqual(['b 10', 'mark 10', 'row 10', 'b 20', 'mark 20', 'row 20']);
  expect(chain.pump()).toBe(true);
  expect(log.slice(6)).toEqual(['b 50', 'mark 50']);
  end();
});

/** The mark, and then none. */
function once(first: StreamMark): () => StreamMark | null {
  const left = [first];
  return () => left.shift() ?? null;
}

test('an operator that stops short is called again with the same time', () => {
  let calls = 0;
  const { chain, log, end } = scene((own) => [passing(own, 'a', { advance: () => ++calls > 2 })]);
  chain.offerMark(mark(5));
  expect([chain.pump(), chain.pump(), chain.pump()]).toEqual([false, false, true]);
  expect(log).toEqual(['mark 5']);
  end();
});

test('one that gathers rows holds time; one that promises less lets that through, once', () => {
  const gathering = scene((own) => [passing(own, 'a'), passing(own, 'b')], [0]);
  gathering.chain.offerMark(mark(5));
  expect(gathering.chain.pump()).toBe(true);
  expect(gathering.log).toEqual(['a 5']);
  gathering.end();
  const { chain, log, end } = scene((own) => [
    passing(own, 'a', { watermarkBehind: (timeMs) => Math.floor(timeMs / 10) * 10 }),
    passing(own, 'b'),
  ]);
  for (const timeMs of [15, 18, 21]) {
    chain.offerMark(mark(timeMs));
    chain.pump();
  }
  expect(log).toEqual(['a 15', 'b 10', 'mark 10', 'a 18', 'a 21', 'b 20', 'mark 20']);
  end();
});

test('idleness passes an operator that gives out what it holds', () => {
  const { chain, log, end } = scene((own, newRow) => [
    passing(own, 'a', { idle: (outbox) => (outbox.offer(newRow(3)) ? 'pass' : 'again') }),
  ]);
  chain.offerMark({ kind: 'idle' });
  expect(chain.pump()).toBe(true);
  expect(log).toEqual(['row 3', 'idle']);
  end();
});

test('idleness ends at an operator that knows time and holds rows until it comes', () => {
  const { chain, log, end } = scene((own) => [passing(own, 'a')]);
  chain.offerMark({ kind: 'idle' });
  expect(chain.pump()).toBe(true);
  expect(log).toEqual([]);
  end();
});

test('a mark that begins in the chain goes on behind its operator only', () => {
  const marks = [mark(7), null];
  const { chain, log, end } = scene((own) => [
    passing(own, 'a'),
    passing(own, 'b', { wakeAtMs: 0, takeMark: () => marks.shift() ?? null }),
    passing(own, 'c'),
  ]);
  expect(chain.pump()).toBe(true);
  expect(log).toEqual(['c 7', 'mark 7']);
  end();
});

test('no mark comes behind the end', () => {
  const marks = [mark(7), mark(8)];
  const { chain, log, end } = scene((own) => [
    passing(own, 'a', { wakeAtMs: 0, takeMark: () => marks.shift() ?? null }),
  ]);
  marks.shift();
  expect(chain.finish()).toBe(true);
  marks.push(mark(9));
  expect(chain.pump()).toBe(true);
  expect(log).toEqual(['mark 8']);
  end();
});

test('operators are woken when their time has come', () => {
  let wakeAtMs = 20;
  const { chain, log, out, end } = scene((own, newRow) => {
    const operator = passing(own, 'a', {
      wake(nowMs, outbox) {
        wakeAtMs = Number.POSITIVE_INFINITY;
        return outbox.offer(newRow(nowMs));
      },
    });
    return [Object.defineProperty(operator, 'wakeAtMs', { get: () => wakeAtMs })];
  });
  chain.pump();
  expect([log, chain.wakeAtMs]).toEqual([[], 20]);
  out.nowMs = 20;
  expect(chain.pump()).toBe(true);
  expect([log, chain.wakeAtMs]).toEqual([['row 20'], Number.POSITIVE_INFINITY]);
  end();
});

test('a second stream goes to the first operator by its port', () => {
  const { chain, log, row, end } = scene((own) => [
    passing(own, 'a', {
      processRight(batch) {
        own.push(`right ${readRows(batch)[0]?.n}`);
        return batch.rowCount;
      },
    }),
  ]);
  chain.offer(row(1), 0);
  chain.offer(row(2), 1);
  expect(log).toEqual(['row 1', 'right 2']);
  end();
});

test('a latency mark passes operators that hold time, and is noted at each when its rows have gone through', () => {
  const { chain, log, out, row, end, latency } = scene(
    (own) => [passing(own, 'a', { watermarkBehind: () => 0 }), passing(own, 'b')],
    [0],
  );
  out.isFull = true;
  chain.offer(row(1));
  chain.offerMark({ kind: 'latency', fromMs: 0, toMs: 0, count: 3 });
  expect(chain.pump()).toBe(false);
  expect(readTaskLatency(latency).map(({ rows }) => rows)).toEqual([[], []]);
  out.isFull = false;
  out.nowMs = 8;
  expect(chain.pump()).toBe(true);
  expect(log).toEqual(['row 1', 'latency']);
  const counts = readTaskLatency(latency).map(({ rows }) => summarizeLatency([rows]));
  expect(counts.map((one) => [one?.count, one?.p50Ms])).toEqual([
    [3, 8.064],
    [3, 8.064],
  ]);
  end();
});

test('an operator that promises less says that event time came there sooner', () => {
  const taken: StreamMark[] = [];
  const behind: Partial<Operator> = { watermarkBehind: (timeMs) => timeMs - 10 };
  const { chain, end } = scene((own) => [passing(own, 'a', behind)], [], taken);
  chain.offerMark({ kind: 'watermark', timeMs: 100, clock: { atMs: 500, perMs: 2 } });
  expect(chain.pump()).toBe(true);
  expect(taken).toEqual([{ kind: 'watermark', timeMs: 90, clock: { atMs: 480, perMs: 2 } }]);
  end();
});

test('marks go through a chain without operators, too: a source may be alone in its task', () => {
  const { chain, log, end } = scene(() => []);
  for (const fromMs of [1, 2]) {
    chain.offerMark({ kind: 'latency', fromMs, toMs: fromMs, count: 1 });
    expect(chain.pump()).toBe(true);
  }
  expect(log).toEqual(['latency', 'latency']);
  end();
});
