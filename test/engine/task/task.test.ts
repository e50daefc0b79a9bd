/** Goal: tasks joined by tiny rings give what a Map gives, under backpressure, and leave no memory. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { Exchange, OperatorSpec } from '../../../engine/plan/physical-graph.ts';
import type { FlatMapFunction } from '../../../engine/plan/user-functions.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { readTaskMetrics, taskMetricsBytes } from '../../../engine/task/task-metrics.ts';
import type { Row } from '../../support/operator-harness.ts';
import {
  addTask,
  newRing,
  newTaskWorld,
  runTasks,
  type TaskWorld,
} from '../../support/task-world.ts';

const words = schemaOf(fieldOf('word', utf8Type, true));
const counts = schemaOf(fieldOf('word', utf8Type, true), fieldOf('count', int64Type));

const source: OperatorSpec = {
  kind: 'source',
  id: 'read',
  name: 'read',
  output: words,
  source: { connector: 'rows', options: null, schema: words },
};
const sink: OperatorSpec = {
  kind: 'sink',
  id: 'write',
  name: 'write',
  output: counts,
  sink: { connector: 'rows', options: null, isParallel: true },
};
const aggregate = (phase: 'partial' | 'final'): OperatorSpec => ({
  kind: 'aggregate',
  id: 'count',
  name: 'count',
  output: counts,
  phase,
  keys: ['word'],
  aggregates: [
    phase === 'partial'
      ? { name: 'count', function: 'count', columns: [] }
      : { name: 'count', function: 'sum', columns: ['count'] },
  ],
});
const order = [
  { column: 'count', isDescending: true, areNullsFirst: false },
  { column: 'word', isDescending: false, areNullsFirst: false },
];
const sort: OperatorSpec = { kind: 'sort', id: 'sort', name: 'sort', output: counts, order };

interface Shape {
  readonly senders: number;
  readonly receivers: number;
  readonly slotCount: number;
  readonly slotBytes: number;
}

/** source → partial ═hash═▶ final → sort ═merge═▶ sink. */
function wordCount(world: TaskWorld, { senders, receivers, slotCount, slotBytes }: Shape): void {
  const ring = () => newRing(slotCount, slotBytes);
  const hash: Exchange = { kind: 'hash', columns: ['word'] };
  const merge: Exchange = { kind: 'merge', order };
  const messageBytes = slotBytes;
  const first = Array.from({ length: senders }, () => Array.from({ length: receivers }, ring));
  const second = Array.from({ length: receivers }, ring);
  first.forEach((rings, index) => {
    const writers = rings.map(({ writer }) => writer);
    const edge = { output: 0, exchange: hash, schema: counts, rings: writers, messageBytes };
    addTask(world, { id: `a${index}`, chain: [source, aggregate('partial')], outputs: [edge] });
  });
  second.forEach(({ writer }, index) => {
    const rings = first.flatMap((row) => row[index]?.reader ?? []);
    addTask(world, {
      id: `b${index}`,
      chain: [aggregate('final'), sort],
      inputs: [{ exchange: hash, schema: counts, rings }],
      outputs: [{ output: 0, exchange: merge, schema: counts, rings: [writer], messageBytes }],
    });
  });
  addTask(world, {
    id: 'c',
    chain: [sink],
    inputs: [{ exchange: merge, schema: counts, rings: second.map(({ reader }) => reader) }],
  });
}

/** The reference. */
function countWords(rows: readonly Row[]): Row[] {
  const found = new Map<unknown, bigint>();
  for (const { word } of rows) found.set(word, (found.get(word) ?? 0n) + 1n);
  return [...found]
    .map(([word, count]) => ({ word, count }))
    .sort((a, b) => Number(b.count - a.count) || compareWords(a.word, b.word));
}

function compareWords(a: unknown, b: unknown): number {
  if (a === null || b === null) return a === null ? 1 : -1;
  return String(a) < String(b) ? -1 : 1;
}

const shapes = fc.record({
  senders: fc.integer({ min: 1, max: 3 }),
  receivers: fc.integer({ min: 1, max: 3 }),
  slotCount: fc.integer({ min: 1, max: 3 }),
  slotBytes: fc.constantFrom(32, 64, 512, 4096),
});
const word = fc.option(
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'some-more'), maxLength: 4 }),
);

test('counting words through two exchanges is counting them in a Map', () => {
  fc.assert(
    fc.property(
      shapes,
      fc.array(fc.array(word, { maxLength: 60 }), { maxLength: 5 }),
      (shape, splits) => {
        const rows = splits.map((split) => split.map((text) => ({ word: text })));
        const world = newTaskWorld(
          Object.fromEntries(rows.map((split, n) => [`split ${n}`, split])),
        );
        wordCount(world, shape);
        runTasks(world);
        expect(world.written).toEqual(countWords(rows.flat()));
      },
    ),
    { numRuns: 40 },
  );
});

test('many distinct words through one small slot', () => {
  const rows = Array.from({ length: 40_000 }, (_, n) => ({ word: `word number ${n % 30_000}` }));
  const world = newTaskWorld({ only: rows });
  wordCount(world, { senders: 1, receivers: 2, slotCount: 2, slotBytes: 4096 });
  runTasks(world);
  expect(world.written.length).toBe(30_000);
  expect(world.written).toEqual(countWords(rows));
});

test('a source stops when the limit behind it has its rows', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ word: `w${n}` }));
  const world = newTaskWorld({ first: rows, second: rows });
  const limit: OperatorSpec = {
    kind: 'limit',
    id: 'limit',
    name: 'limit',
    output: words,
    count: 5,
  };
  const chain: OperatorSpec[] = [source, limit, { ...sink, output: words }];
  const metrics = new ArrayBuffer(taskMetricsBytes(chain.length));
  const task = addTask(world, { id: 'a', chain, metrics });
  runTasks(world);
  expect(world.written).toEqual(rows.slice(0, 5));
  expect(readTaskMetrics(metrics).operators[0]?.rowsOut).toBeLessThanOrEqual(300); // One batch.
  task.offerSplit(null); // An answer that was under way when it stopped does no harm.
});

const failing: FlatMapFunction = {
  kind: 'flatMap',
  flatMap: () => {
    throw new Error('no luck');
  },
};
const flatMap: OperatorSpec = { kind: 'flatMap', id: 'map', name: 'map', output: counts };

test('a failed task marks its outputs, and the next one says so', () => {
  const world = newTaskWorld({ only: [{ word: 'a' }] }, { map: failing });
  const { reader, writer } = newRing(2, 64);
  const exchange: Exchange = { kind: 'gather' };
  const outputs = [{ output: 0, exchange, schema: counts, rings: [writer] }];
  const inputs = [{ exchange, schema: counts, rings: [reader] }];
  const upstream = addTask(world, { id: 'a', chain: [source, flatMap], outputs });
  const downstream = addTask(world, { id: 'b', chain: [sink], inputs });
  upstream.offerSplit({ id: 'only', sizeBytes: 1, payload: null });
  expect(downstream.run()).toBe('idle');
  expect(() => upstream.run()).toThrow('user function "flatMap" of operator "map" failed: no luck');
  expect(upstream.state).toBe('failed');
  let code: unknown = null;
  try {
    downstream.run();
  } catch (error) {
    code = codeOf(error);
  }
  expect(code).toBe('TASK_INPUT_FAILED');
  for (const task of world.tasks) task.close();
  for (const memory of world.memories) memory.assertEmpty();
});

test('a task that is closed in the middle leaves no memory and does not end its outputs', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ word: `word number ${n}` }));
  for (const slices of [0, 1, 2, 5, 20]) {
    const world = newTaskWorld({ only: rows });
    const { reader, writer } = newRing(2, 64);
    const exchange: Exchange = { kind: 'hash', columns: ['word'] };
    const outputs = [{ output: 0, exchange, schema: counts, rings: [writer] }];
    const task = addTask(world, { id: 'a', chain: [source, aggregate('partial')], outputs });
    for (let slice = 0; slice < slices; slice++) {
      if (task.wantsSplit) {
        task.offerSplit(slice === 0 ? { id: 'only', sizeBytes: 1, payload: null } : null);
      }
      task.run();
    }
    task.close();
    expect(task.state).toBe('cancelled');
    for (const memory of world.memories) memory.assertEmpty();
    let outcome = '';
    do outcome = reader.tryRead((size) => new Uint8Array(size));
    while (outcome === 'message');
    expect(outcome).toBe('failed');
  }
});

test('rows, busy time and the commit are there in the end', () => {
  const rows = Array.from({ length: 1000 }, (_, n) => ({ word: `w${n % 10}` }));
  const world = newTaskWorld({ first: rows, second: rows });
  const metrics = new ArrayBuffer(taskMetricsBytes(3));
  const whole: OperatorSpec = { ...aggregate('partial'), phase: 'whole' } as OperatorSpec;
  const chain = [source, whole, sink];
  const task = addTask(world, { id: 'a', chain, metrics });
  runTasks(world);
  const found = readTaskMetrics(metrics);
  expect(task.commit).toEqual({ rowCount: 10 });
  expect(found.state).toBe('finished');
  expect(found.operator).toBe(-1);
  expect(found.bytesIn).toBeGreaterThan(0);
  expect(found.operators.map(({ rowsIn, rowsOut }) => [rowsIn, rowsOut])).toEqual([
    [2000, 2000],
    [2000, 10],
    [10, 0],
  ]);
  expect(found.operators.every(({ busyMs }) => busyMs > 0)).toBe(true);
});

test('a row that fills no message waits for some milliseconds, however busy its task is', () => {
  let calls = 0;
  const rare: FlatMapFunction = {
    kind: 'flatMap',
    flatMap: () => (calls++ === 0 ? [{ word: 'first', count: 1n }] : []),
  };
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ word: `w${n}` }));
  const world = newTaskWorld({ only: rows }, { map: rare });
  const { reader, writer } = newRing(2, 4096);
  const exchange: Exchange = { kind: 'gather' };
  const outputs = [{ output: 0, exchange, schema: counts, rings: [writer] }];
  const task = addTask(world, { id: 'a', chain: [source, flatMap], outputs });
  task.offerSplit({ id: 'only', sizeBytes: 1, payload: null });
  // Ten milliseconds in the function's batch, at most, then two in the message; slices are of five.
  for (let slices = 0; slices < 5; slices++) expect(task.run()).toBe('busy');
  expect(calls).toBeLessThan(rows.length);
  expect(reader.tryRead((size) => new Uint8Array(size))).toBe('message');
  task.close();
  for (const memory of world.memories) memory.assertEmpty();
});
