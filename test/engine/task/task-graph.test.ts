/**
 * Goal: tasks joined as graphs, with several edges in and out, give every row its way exactly once and
 * come to an end, however small the rings are.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { columnExpr, compareExpr } from '../../../engine/expr/expr-factory.ts';
import type { Exchange, OperatorSpec } from '../../../engine/plan/physical-graph.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { readTaskMetrics, taskMetricsBytes } from '../../../engine/task/task-metrics.ts';
import type { Row } from '../../support/operator-harness.ts';
import { addTask, newRing, newTaskWorld, runTasks } from '../../support/task-world.ts';

const lines = schemaOf(fieldOf('key', utf8Type), fieldOf('n', int64Type));
const [key, n] = lines.fields.map(columnExpr) as [ReturnType<typeof columnExpr>, never];
const order = [{ column: 'n', isDescending: false, areNullsFirst: false }];

const spec = { id: 'tested', name: 'tested', output: lines };
const source: OperatorSpec = {
  ...spec,
  kind: 'source',
  source: { connector: 'rows', options: null, schema: lines },
};
const sink: OperatorSpec = {
  ...spec,
  kind: 'sink',
  sink: { connector: 'rows', options: null, isParallel: true },
};
const all: OperatorSpec = { ...spec, kind: 'filter', predicate: compareExpr('eq', n, n) };
const sort: OperatorSpec = { ...spec, kind: 'sort', order };

interface Sizes {
  readonly slotCount: number;
  readonly slotBytes: number;
  readonly messageBytes: number;
}

const sizes: fc.Arbitrary<Sizes> = fc.record({
  slotCount: fc.integer({ min: 1, max: 2 }),
  slotBytes: fc.constantFrom(32, 64, 256),
  messageBytes: fc.constantFrom(1, 64, 4096),
});

/** Both ends of an edge with one sender and `receivers` receivers. */
function edge({ slotCount, slotBytes, messageBytes }: Sizes, exchange: Exchange, receivers = 1) {
  const rings = Array.from({ length: receivers }, () => newRing(slotCount, slotBytes));
  const end = { output: 0, exchange, schema: lines };
  return {
    sent: { ...end, messageBytes, rings: rings.map(({ writer }) => writer) },
    received: rings.map(({ reader }) => ({ ...end, rings: [reader] })),
  };
}

const forward: Exchange = { kind: 'forward' };
const hash: Exchange = { kind: 'hash', columns: ['key'] };

const rowsOf = (keys: readonly string[]): Row[] =>
  keys.map((text, index) => ({ key: text, n: BigInt(index) }));
const keys = fc.array(fc.constantFrom('a', 'b', 'a text that is longer than a view'), {
  maxLength: 400,
});
const byNumber = (rows: readonly Row[]) => [...rows].sort((a, b) => Number(a.n) - Number(b.n));

test('a diamond: one source, two branches, one reader of both', () => {
  fc.assert(
    fc.property(sizes, keys, (size, texts) => {
      const rows = rowsOf(texts);
      const world = newTaskWorld({ only: rows });
      const [left, right] = [edge(size, forward), edge(size, forward)];
      const [leftEnd, rightEnd] = [edge(size, forward), edge(size, forward)];
      addTask(world, { id: 'a', chain: [source], outputs: [left.sent, right.sent] });
      addTask(world, { id: 'b', chain: [all], inputs: left.received, outputs: [leftEnd.sent] });
      addTask(world, { id: 'c', chain: [all], inputs: right.received, outputs: [rightEnd.sent] });
      const inputs = [...leftEnd.received, ...rightEnd.received];
      addTask(world, { id: 'd', chain: [sink], inputs });
      runTasks(world);
      expect(byNumber(world.written)).toEqual(rows.flatMap((row) => [row, row]));
    }),
    { numRuns: 60 },
  );
});

test('a diamond of hashes that is merged in order behind sorts', () => {
  fc.assert(
    fc.property(sizes, keys, (size, texts) => {
      const rows = rowsOf(texts);
      const world = newTaskWorld({ only: rows });
      const edges = [edge(size, hash, 2), edge(size, hash, 2)];
      addTask(world, { id: 'a', chain: [source], outputs: edges.map(({ sent }) => sent) });
      const merged = edges.flatMap(({ received }) =>
        received.map((input, index) => {
          const end = edge(size, { kind: 'merge', order });
          addTask(world, {
            id: `b${index}`,
            chain: [sort],
            inputs: [input],
            outputs: [end.sent],
          });
          return end.received;
        }),
      );
      addTask(world, { id: 'd', chain: [sink], inputs: merged.flat() });
      runTasks(world);
      expect(world.written.map((row) => row.n)).toEqual(rows.flatMap((row) => [row.n, row.n]));
    }),
    { numRuns: 40 },
  );
});

test('two readers of one stream get the columns that their edges carry', () => {
  const onlyKey: Schema = schemaOf(fieldOf('key', utf8Type));
  const size = { slotCount: 1, slotBytes: 64, messageBytes: 64 };
  const rows = rowsOf(Array.from({ length: 3000 }, (_, at) => `key ${at % 7}`));
  const world = newTaskWorld({ only: rows });
  const [whole, fewer] = [edge(size, forward), edge(size, hash, 2)];
  const metrics = new ArrayBuffer(taskMetricsBytes(1));
  const outputs = [whole.sent, { ...fewer.sent, schema: onlyKey }];
  addTask(world, { id: 'a', chain: [source], outputs, metrics });
  addTask(world, { id: 'b', chain: [sink], inputs: whole.received });
  const keyIs = compareExpr('eq', key, key);
  for (const [index, input] of fewer.received.entries()) {
    const chain: OperatorSpec[] = [
      { ...spec, output: onlyKey, kind: 'filter', predicate: keyIs },
      { ...sink, output: onlyKey },
    ];
    addTask(world, { id: `c${index}`, chain, inputs: [{ ...input, schema: onlyKey }] });
  }
  runTasks(world);
  const isWhole = (row: Row) => 'n' in row;
  expect(world.written.filter(isWhole)).toEqual(rows);
  const keysOf = (from: readonly Row[]) => from.map((row) => row.key).sort();
  expect(keysOf(world.written.filter((row) => !isWhole(row)))).toEqual(keysOf(rows));
  // A row that goes two ways is counted once.
  expect(readTaskMetrics(metrics).output.rowsIn).toBe(rows.length);
});

test('a task that is closed in the middle marks all its ways as failed', () => {
  const size = { slotCount: 1, slotBytes: 64, messageBytes: 64 };
  const rows = rowsOf(['a', 'b', 'c']);
  const world = newTaskWorld({ only: rows });
  const [left, right] = [edge(size, forward), edge(size, forward)];
  const task = addTask(world, { id: 'a', chain: [source], outputs: [left.sent, right.sent] });
  task.offerSplit({ id: 'only', sizeBytes: 1, payload: null });
  task.run();
  task.close();
  for (const { received } of [left, right]) {
    const reader = received[0]?.rings[0];
    let outcome: string | undefined = '';
    do outcome = reader?.tryRead((bytes) => new Uint8Array(bytes));
    while (outcome === 'message');
    expect(outcome).toBe('failed');
  }
  for (const memory of world.memories) memory.assertEmpty();
});
