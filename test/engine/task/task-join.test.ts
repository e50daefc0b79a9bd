/**
 * Goal: a task that joins reads its build side first, comes to an end when both sides come from one sender
 * through rings that hold next to nothing, and fails with either side.
 */
import { afterEach, expect, test } from 'vitest';
import type { OperatorSpec } from '../../../engine/plan/physical-graph.ts';
import { int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import type { Row } from '../../support/operator-harness.ts';
import { addTask, newRing, newTaskWorld, runTasks } from '../../support/task-world.ts';

const left = schemaOf(fieldOf('key', utf8Type), fieldOf('n', int64Type));
const right = schemaOf(fieldOf('key_2', utf8Type), fieldOf('n_2', int64Type));
const both: Schema = { fields: [...left.fields, ...right.fields] };

const spec = { id: 'tested', name: 'tested' };
const source: OperatorSpec = {
  ...{ ...spec, output: left, kind: 'source' },
  source: { connector: 'rows', options: null, schema: left },
};
const sink: OperatorSpec = {
  ...{ ...spec, output: both, kind: 'sink' },
  sink: { connector: 'rows', options: null, isParallel: true },
};
const join = (isProbeBuffered: boolean): OperatorSpec => ({
  ...{ ...spec, output: both, kind: 'join', type: 'inner', buildSide: 'right', condition: null },
  ...{ probeKeys: ['key'], buildKeys: ['key_2'], isProbeBuffered },
});
const rename: OperatorSpec = {
  ...{ ...spec, output: right, kind: 'project' },
  columns: right.fields.map(({ name, type, nullable }) => {
    const own = name.replace('_2', '');
    return { name, expr: { kind: 'column', name: own, type, nullable } };
  }),
};

const forward = { kind: 'forward' } as const;
const rows: Row[] = Array.from({ length: 2_000 }, (_, at) => ({
  key: `a key longer than its view ${at}`,
  n: BigInt(at),
}));

function edge(schema: Schema, port: number) {
  const { writer, reader } = newRing(1, 64);
  const end = { output: 0, exchange: forward, schema };
  const sent = { ...end, messageBytes: 64, rings: [writer] };
  return { sent, received: { ...end, port, rings: [reader] } };
}

let world = newTaskWorld();
afterEach(() => {
  for (const task of world.tasks) task.close();
  for (const memory of world.memories) memory.assertEmpty();
});

/** A stream joined with itself: source ─┬─▶ probe side, and ─▶ rename ─▶ build side. */
function joinItself(isProbeBuffered: boolean) {
  world = newTaskWorld({ only: rows });
  const [probe, renamed, build] = [edge(left, 0), edge(left, 0), edge(right, 1)];
  addTask(world, { id: 'a', chain: [source], outputs: [probe.sent, renamed.sent] });
  addTask(world, {
    id: 'b',
    chain: [rename],
    inputs: [renamed.received],
    outputs: [build.sent],
  });
  const inputs = [build.received, probe.received];
  return addTask(world, { id: 'c', chain: [join(isProbeBuffered), sink], inputs });
}

test('a stream joined with itself comes to an end', () => {
  joinItself(true);
  runTasks(world);
  expect(world.written).toEqual(rows.map(({ key, n }) => ({ key, n, key_2: key, n_2: n })));
});

test('without the buffer it would not', () => {
  const task = joinItself(false);
  const [first] = world.tasks;
  for (let round = 0; round < 5_000; round++) {
    if (first?.wantsSplit === true) first.offerSplit({ id: 'only', sizeBytes: 1, payload: null });
    for (const one of world.tasks) expect(one.run()).not.toBe('done');
  }
  expect(task.state).toBe('running');
  expect(world.written).toEqual([]);
});

test.each([0, 1])('when the sender to port %i fails, the join does', (port) => {
  world = newTaskWorld();
  const [probe, build] = [edge(left, 0), edge(right, 1)];
  const task = addTask(world, {
    id: 'c',
    chain: [join(true), sink],
    inputs: [probe.received, build.received],
  });
  expect(task.run()).toBe('idle');
  [probe, build][port]?.sent.rings[0]?.fail();
  expect(() => task.run()).toThrow('an input of task "c" has failed');
});
