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
const third = schemaOf(fieldOf('key_3', utf8Type), fieldOf('n_3', int64Type));
const all: Schema = { fields: [...both.fields, ...third.fields] };

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
  ...{ probeKeys: ['key'], buildKeys: ['key_2'], hasHint: false, isProbeBuffered },
});
/** What a projection is that gives columns the names of a schema. */
const renamed = (output: Schema, ending: string) => ({
  output,
  columns: output.fields.map(({ name, type, nullable }) => {
    const own = name.replace(ending, '');
    return { name, expr: { kind: 'column' as const, name: own, type, nullable } };
  }),
});
const rename: OperatorSpec = { ...spec, kind: 'project', ...renamed(right, '_2') };

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

/** Two joins in the task of a source, whose build sides come from one sender through one ring each. */
test('a source waits for the build sides of all joins of its chain, which come as they like', () => {
  world = newTaskWorld({ only: rows });
  const [one, other] = [edge(right, 1), edge(third, 2)];
  const second: OperatorSpec = {
    ...{ ...spec, output: all, kind: 'join', type: 'inner', buildSide: 'right', condition: null },
    ...{ probeKeys: ['n_2'], buildKeys: ['n_3'], hasHint: false, isProbeBuffered: false },
  };
  const renameAgain: OperatorSpec = { ...spec, kind: 'project', ...renamed(third, '_3') };
  const source2 = addTask(world, { id: 'a', chain: [source, rename], outputs: [one.sent] });
  const source3 = addTask(world, { id: 'b', chain: [source, renameAgain], outputs: [other.sent] });
  const last: OperatorSpec = { ...sink, output: all };
  const chain = [source, join(false), second, last];
  const task = addTask(world, { id: 'c', chain, inputs: [one.received, other.received] });
  expect([source2, source3, task].map(({ wantsSplit }) => wantsSplit)).toEqual([true, true, false]);
  for (const giver of [source2, source3]) {
    giver.offerSplit({ id: 'only', sizeBytes: 1, payload: null });
  }
  for (let round = 0; !task.wantsSplit; round++) {
    expect(round).toBeLessThan(100_000);
    for (const each of world.tasks) {
      if (each.wantsSplit && each !== task) each.offerSplit(null);
      if (each.state !== 'finished') each.run();
    }
  }
  for (const done of world.tasks.splice(0, 2)) done.close();
  runTasks(world);
  expect(world.written).toEqual(
    rows.map(({ key, n }) => ({ key, n, key_2: key, n_2: n, key_3: key, n_3: n })),
  );
});
