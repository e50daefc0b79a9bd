/** Goal: every row reaches the channel it belongs to, once and in order, through rings that are always full. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { boolType, float64Type, int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { ChannelOutput } from '../../../engine/shuffle/channel-output.ts';
import { ChannelReader } from '../../../engine/shuffle/channel-reader.ts';
import { ChannelWriter } from '../../../engine/shuffle/channel-writer.ts';
import {
  FunctionPartitioner,
  HashPartitioner,
  type Partitioner,
  type PartitionerOptions,
  RebalancePartitioner,
} from '../../../engine/shuffle/partitioner.ts';
import { isMark, type LatencyMark } from '../../../engine/stream/stream-element.ts';
import { batchOf, newContext, type Row } from '../../support/operator-harness.ts';
import { newRing } from '../../support/task-world.ts';

const schema = schemaOf(
  fieldOf('text', utf8Type, true),
  fieldOf('n', int32Type),
  fieldOf('f', float64Type, true),
  fieldOf('b', boolType, true),
);

interface Shape {
  readonly channelCount: number;
  readonly slotCount: number;
  readonly slotBytes: number;
}
type Build = (options: PartitionerOptions) => Partitioner;

function newExchange({ channelCount, slotCount, slotBytes }: Shape, build: Build) {
  const { memory, scope, kernels } = newContext('tested');
  const rings = Array.from({ length: channelCount }, () => newRing(slotCount, slotBytes));
  const clock = { now: 0 };
  const writer = new ChannelWriter({
    partitioner: build({ scope, kernels, schema, channelCount }),
    mono: () => clock.now,
    channels: rings.map(
      (ring) =>
        new ChannelOutput({ scope, kernels, schema, writer: ring.writer, messageBytes: slotBytes }),
    ),
  });
  const received: Row[][] = rings.map(() => []);
  const readers = rings.map(
    ({ reader }) => new ChannelReader({ scope, kernels, schema, ring: reader }),
  );
  /** Reads one element of each channel; true when all have ended. */
  const receive = () => {
    let endedCount = 0;
    readers.forEach((reader, index) => {
      const element = reader.read();
      if (element === 'end') endedCount++;
      if (typeof element !== 'object' || isMark(element)) return;
      received[index]?.push(...readRows(element));
      element.release();
    });
    return endedCount === readers.length;
  };
  const close = () => {
    writer.close();
    for (const reader of readers) reader.close();
    memory.assertEmpty();
  };
  return { scope, writer, receive, received, close, clock };
}

function send(shape: Shape, build: Build, batches: Row[][]): Row[][] {
  const { scope, writer, receive, received, close } = newExchange(shape, build);
  for (const rows of batches) {
    const batch = batchOf(scope, schema, rows);
    while (!writer.offer(batch)) receive();
  }
  while (!writer.finish()) receive();
  while (!receive());
  close();
  return received;
}

const shapes = fc.record({
  channelCount: fc.integer({ min: 1, max: 4 }),
  slotCount: fc.integer({ min: 1, max: 3 }),
  slotBytes: fc.constantFrom(32, 128, 4096),
});
const batches = fc.array(
  fc.array(
    fc.record({
      text: fc.option(
        fc.string({ unit: fc.constantFrom('a', 'b', 'ü', 'some longer '), maxLength: 4 }),
      ),
      f: fc.option(fc.double()),
      b: fc.option(fc.boolean()),
    }),
    { maxLength: 30 },
  ),
  { maxLength: 6 },
);
const numbered = batches.map((given) => {
  let n = 0;
  return given.map((rows) => rows.map((row): Row => ({ ...row, n: n++ })));
});

const byNumber = (rows: Row[]) => [...rows].sort((a, b) => Number(a.n) - Number(b.n));

test.each(['text', 'n', 'f', 'b'])('by hash of %s equal keys meet, in order', (column) => {
  fc.assert(
    fc.property(shapes, numbered, (shape, given) => {
      const received = send(shape, (options) => new HashPartitioner(options, [column]), given);
      expect(byNumber(received.flat())).toEqual(given.flat());
      for (const rows of received) expect(rows).toEqual(byNumber(rows));
      const channelsOf = new Map<unknown, Set<number>>();
      received.forEach((rows, channel) => {
        for (const row of rows) {
          const key = row[column] === 0 ? 0 : row[column];
          channelsOf.set(key, (channelsOf.get(key) ?? new Set()).add(channel));
        }
      });
      for (const channels of channelsOf.values()) expect(channels.size).toBe(1);
    }),
    { numRuns: 40 },
  );
});

test('by a function of the row', () => {
  fc.assert(
    fc.property(shapes, numbered, (shape, given) => {
      const { channelCount } = shape;
      const build: Build = (options) =>
        new FunctionPartitioner(options, (batch, row) => {
          const n = batch.memory.int32[(batch.columns[1]?.values ?? 0) / 4 + row] ?? 0;
          return n % channelCount;
        });
      const received = send(shape, build, given);
      received.forEach((rows, channel) => {
        expect(rows).toEqual(given.flat().filter(({ n }) => Number(n) % channelCount === channel));
      });
    }),
    { numRuns: 40 },
  );
});

test('in turn, batch by batch', () => {
  fc.assert(
    fc.property(shapes, numbered, (shape, given) => {
      const { channelCount } = shape;
      const received = send(shape, () => new RebalancePartitioner(channelCount), given);
      received.forEach((rows, channel) => {
        expect(rows).toEqual(given.filter((_, turn) => turn % channelCount === channel).flat());
      });
    }),
    { numRuns: 40 },
  );
});

test('large batches, whole and in parts', () => {
  const rows = Array.from({ length: 8000 }, (_, n) => ({
    text: `text number ${n}`,
    n,
    f: null,
    b: n % 2 === 0,
  }));
  const shape = { channelCount: 3, slotCount: 2, slotBytes: 4096 };
  const received = send(shape, (options) => new HashPartitioner(options, ['n']), [
    rows,
    rows,
    rows,
  ]);
  expect(received.flat().length).toBe(24_000);
  for (const part of received) expect(part.length).toBeGreaterThan(6000);
});

test('a full ring refuses the next batch, and what is held stays bounded', () => {
  const shape = { channelCount: 1, slotCount: 1, slotBytes: 128 };
  const { scope, writer, close } = newExchange(shape, () => new RebalancePartitioner(1));
  const rows = Array.from({ length: 5000 }, (_, n) => ({ text: 'x', n, f: 1, b: true }));
  let takenCount = 0;
  for (let offers = 0; offers < 10; offers++) {
    const batch = batchOf(scope, schema, rows);
    if (writer.offer(batch)) takenCount++;
    else batch.release();
  }
  expect(takenCount).toBeLessThanOrEqual(2);
  expect(writer.isBlocked).toBe(true);
  writer.fail();
  close();
});

test('few rows go out when the input is idle, or after 2 ms', () => {
  const shape = { channelCount: 1, slotCount: 4, slotBytes: 4096 };
  const exchange = newExchange(shape, () => new RebalancePartitioner(1));
  const { scope, writer, receive, received, clock, close } = exchange;
  const offer = (n: number) => {
    writer.offer(batchOf(scope, schema, [{ text: 'x', n, f: 1, b: true }]));
    writer.flush(false);
    receive();
  };
  offer(1);
  clock.now = 1.9;
  offer(2);
  expect(received[0]?.length).toBe(0);
  clock.now = 2;
  offer(3);
  expect(received[0]?.map(({ n }) => n)).toEqual([1, 2, 3]);
  offer(4);
  writer.flush(true);
  receive();
  expect(received[0]?.length).toBe(4);
  close();
});

const markOf = (fromMs: number, count = 1): LatencyMark => {
  return { kind: 'latency', fromMs, toMs: fromMs + count - 1, count };
};

function latencyScene(slotCount: number) {
  const { memory, scope, kernels } = newContext('tested');
  const ring = newRing(slotCount, 4096);
  const options = { scope, kernels, schema, writer: ring.writer, messageBytes: 4096 };
  const partitioner = new RebalancePartitioner(1);
  const channels = [new ChannelOutput(options)];
  const writer = new ChannelWriter({ partitioner, mono: () => 0, channels });
  const reader = new ChannelReader({ scope, kernels, schema, ring: ring.reader });
  const offer = (n: number) => {
    expect(writer.offer(batchOf(scope, schema, [{ text: 'x', n, f: 1, b: true }]))).toBe(true);
  };
  const read = () => {
    const element = reader.read();
    if (typeof element !== 'object' || isMark(element)) return element;
    const numbers = readRows(element).map(({ n }) => n);
    element.release();
    return numbers;
  };
  const end = () => {
    writer.close();
    reader.close();
    memory.assertEmpty();
  };
  return { writer, offer, read, end };
}

test('a latency mark sends nothing sooner, and goes out behind the rows that were before it', () => {
  const { writer, offer, read, end } = latencyScene(8);
  expect(writer.mark(markOf(1))).toBe(true);
  expect(read()).toEqual(markOf(1)); // No rows were before it.
  offer(1);
  expect(writer.mark(markOf(2))).toBe(true);
  expect(read()).toBe('waiting');
  offer(2);
  writer.flush(true);
  expect([read(), read(), read()]).toEqual([[1, 2], markOf(2), 'waiting']);
  end();
});

test('latency marks that wait for room become one, which counts for both and holds nothing back', () => {
  const { writer, offer, read, end } = latencyScene(1);
  expect(writer.mark(markOf(1))).toBe(true); // Fills the ring.
  for (const fromMs of [2, 3, 4]) expect(writer.mark(markOf(fromMs, 10))).toBe(true);
  expect(read()).toEqual(markOf(1));
  writer.pump();
  expect(read()).toEqual(markOf(2, 10)); // It was a message already.
  writer.pump();
  expect(read()).toEqual({ kind: 'latency', fromMs: 3, toMs: 13, count: 20 });
  offer(1);
  writer.flush(true);
  expect(read()).toEqual([1]);
  end();
});

test('watermarks keep when event time came to them', () => {
  const { writer, read, end } = latencyScene(8);
  const mark = { kind: 'watermark', timeMs: 5, clock: { atMs: 7.5, perMs: 0.5 } } as const;
  writer.mark(mark);
  writer.mark({ kind: 'watermark', timeMs: 6 });
  expect([read(), read()]).toEqual([mark, { kind: 'watermark', timeMs: 6 }]);
  end();
});

test.each([
  [
    'without a list of rows',
    (options: PartitionerOptions) => new RebalancePartitioner(options.channelCount),
  ],
  ['by hash', (options: PartitionerOptions) => new HashPartitioner(options, ['n'])],
] as const)('a batch that shows more text than there is memory goes in parts, %s', (_, build) => {
  const shape = { channelCount: 1, slotCount: 2, slotBytes: 64 << 10 };
  const { scope, writer, receive, received, close } = newExchange(shape, build);
  const text = 'a row with many partners '.repeat(4_000);
  const one = batchOf(scope, schema, [{ text, n: 1, f: null, b: null }]);
  const rowCount = 5_000;
  const views = scope.allocate(rowCount * 16);
  const { bytes, uint32 } = scope.memory;
  const from = one.columns[0]?.values ?? 0;
  for (let row = 0; row < rowCount; row++) {
    bytes.copyWithin(addressOf(views) + row * 16, from, from + 16);
  }
  const numbers = scope.allocate(rowCount * 8);
  for (let row = 0; row < rowCount; row++) uint32[(addressOf(numbers) >>> 2) + row] = row;
  const nulls = scope.allocate(rowCount * 8);
  bytes.fill(0, addressOf(nulls), addressOf(nulls) + rowCount * 8);
  const many = one.derive({
    ...{ rowCount, storedRows: rowCount, blocks: [views, numbers, nulls] },
    columns: one.columns.map(({ type }, index) => {
      if (index === 0) return { type, values: addressOf(views), validity: 0 };
      if (index === 1) return { type, values: addressOf(numbers), validity: 0 };
      return { type, values: addressOf(nulls), validity: addressOf(nulls) };
    }),
  });
  one.release();
  const seen: number[] = [];
  const take = () => {
    const isEnded = receive();
    for (const row of received[0]?.splice(0) ?? []) {
      expect(row.text).toBe(text);
      seen.push(Number(row.n));
    }
    return isEnded;
  };
  while (!writer.offer(many)) take();
  while (!writer.finish()) take();
  while (!take());
  expect(seen).toEqual(Array.from({ length: rowCount }, (__, row) => row));
  close();
});
