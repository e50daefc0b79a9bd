/**
 * Goal: a source that stops after any batch, and others in its place that go on from what it said, at another
 * parallelism, give out each row once, those of a split in their order; dead letters as well. The contract of
 * `TaskSource.snapshot`, engine/operators/source-operator.ts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lanesOf } from '../../coordinator/scheduler/lanes.ts';
import { restoredSplits } from '../../coordinator/scheduler/restored-splits.ts';
import { FixedSplits } from '../../coordinator/scheduler/split-assigner.ts';
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Split, SplitReader } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { MergedSourceOperator } from '../../engine/operators/merged-source-operator.ts';
import { PacedReader } from '../../engine/operators/paced-reader.ts';
import { SourceOperator, type TaskSource } from '../../engine/operators/source-operator.ts';
import { int32Type } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { RowPace, rowPaceBytes } from '../../engine/time/row-pace.ts';
import { SplitTimes } from '../../engine/time/split-times.ts';
import { batchOf, CollectingOutbox, newContext } from '../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));
const rowsPerBatch = 2;
/** One record of so many can't be read. */
const badEvery = 5;

/** A split of `size` records, numbered from its own thousand on. */
function splitOf(number: number, size: number, sequence: string): Split {
  return { id: `s${number}`, sizeBytes: size, payload: { from: number * 1_000, size }, sequence };
}

function newReader(scope: ReturnType<typeof newContext>['scope']): SplitReader {
  let at = 0;
  let end = 0;
  const letters: number[] = [];
  return {
    open({ payload, position }) {
      const { from, size } = payload as { from: number; size: number };
      at = position === undefined ? from : Number(position);
      end = from + size;
    },
    read() {
      if (at === end) return 'end';
      const rows: { n: number }[] = [];
      while (at < end && rows.length < rowsPerBatch) {
        if (at % badEvery === 0) letters.push(at);
        else rows.push({ n: at });
        at++;
      }
      return rows.length === 0 ? 'more' : batchOf(scope, schema, rows);
    },
    takeDeadLetters() {
      const n = letters.shift();
      return n === undefined ? null : batchOf(scope, schema, [{ n }]);
    },
    bytesRead: 0,
    position: () => String(at),
    snapshot: () => at,
    close() {},
  };
}

type Scope = ReturnType<typeof newContext>['scope'];
const kinds: Readonly<Record<string, (scope: Scope) => TaskSource>> = {
  'one split after the other': (scope) => new SourceOperator(newReader(scope)),
  'a row at a time, by the clock': (scope) => new SourceOperator(pacedReader(scope)),
  'lanes by time': (scope) =>
    new MergedSourceOperator({
      newReader: () => newReader(scope),
      times: new SplitTimes({ outOfOrdernessMs: 0, idleAfterMs: null }),
      mono: () => 0,
    }),
};

/** So slow that a batch is given out in parts, a row at a time. */
function pacedReader(scope: Scope): SplitReader {
  let nowMs = 0;
  return new PacedReader({
    ...{ reader: newReader(scope), scope, kernels: instantiateKernels(scope.memory.memory) },
    pace: new RowPace({ rate: 1_000, buffer: new ArrayBuffer(rowPaceBytes) }),
    mono: () => (nowMs += 0.6),
  });
}

interface Attempt {
  readonly tasks: number;
  /** Which task makes a step, one after the other; then all stop. */
  readonly steps: readonly number[];
}

/** What all tasks gave out up to their snapshots. */
interface Given {
  readonly rows: CollectingOutbox;
  readonly letters: CollectingOutbox;
}

function stepTask(source: TaskSource, ask: () => Split | null, { rows, letters }: Given) {
  if (source.wantsSplit) source.offerSplit(ask());
  return source.step(rows, letters);
}

/** A snapshot, with as many more steps as it takes. */
function snapshotOf(source: TaskSource, step: () => void): SourceSnapshot {
  for (let more = 0; more < 20; more++) {
    const snapshot = source.snapshot();
    if (snapshot !== null) return snapshot;
    step();
  }
  throw new Error('a source comes to a snapshot within a few steps');
}

function run(
  make: (scope: Scope) => TaskSource,
  splits: readonly Split[],
  plan: readonly Attempt[],
) {
  const { memory, scope } = newContext('tested');
  const given = { rows: new CollectingOutbox(true), letters: new CollectingOutbox(true) };
  let unread = splits;
  const untilDone = { tasks: 2, steps: Array.from({ length: 300 }, (_, at) => at) };
  for (const { tasks, steps } of [...plan, untilDone]) {
    const supply = new FixedSplits(lanesOf(unread, tasks));
    const sources = Array.from({ length: tasks }, () => make(scope));
    const stepOf = (task: number) => {
      const source = sources[task];
      return source && stepTask(source, () => supply.next(`v[${task}]`, 1), given);
    };
    for (const step of steps) stepOf(step % tasks);
    const snapshots = sources.map((source, task) => snapshotOf(source, () => stepOf(task)));
    ({ unread } = restoredSplits(unread, snapshots));
    for (const source of sources) source.close();
  }
  memory.assertEmpty();
  expect(unread).toEqual([]);
  return {
    rows: given.rows.rows.map(({ n }) => Number(n)),
    letters: given.letters.rows.map(({ n }) => Number(n)),
  };
}

test.each(Object.entries(kinds))('%s', (_name, make) => {
  const attempt = fc.record({
    tasks: fc.integer({ min: 1, max: 4 }),
    steps: fc.array(fc.nat(3), { maxLength: 25 }),
  });
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 7 });
  fc.assert(
    fc.property(sizes, fc.array(attempt, { maxLength: 6 }), (wanted, plan) => {
      const splits = wanted.map((size, at) => splitOf(at, size, `sequence ${at % 3}`));
      const { rows, letters } = run(make, splits, plan);
      const all = wanted.flatMap((size, at) =>
        Array.from({ length: size }, (_, n) => at * 1_000 + n),
      );
      expect([...rows].sort((a, b) => a - b)).toEqual(all.filter((n) => n % badEvery !== 0));
      expect([...letters].sort((a, b) => a - b)).toEqual(all.filter((n) => n % badEvery === 0));
      for (const at of wanted.keys()) {
        const own = rows.filter((n) => Math.floor(n / 1_000) === at);
        expect(own).toEqual([...own].sort((a, b) => a - b));
      }
    }),
    { numRuns: 50 },
  );
});

test('while something that was read has not been given out there is no snapshot', () => {
  const { memory, scope } = newContext('tested');
  for (const [kind, make] of Object.entries(kinds)) {
    const isPaced = kind.includes('clock');
    const position = isPaced ? { before: 1_003, given: 0 } : 1_003;
    const source = make(scope);
    expect(source.snapshot()).toEqual({ finished: [], open: [] });
    source.offerSplit(splitOf(1, 4, 'a'));
    expect(source.snapshot()).toEqual({ finished: [], open: [] });
    const outbox = new CollectingOutbox(true);
    expect([source.step(outbox), source.snapshot()]).toEqual(['full', null]);
    source.step(outbox);
    expect(source.snapshot()).toEqual({ finished: [], open: [{ splitId: 's1', position }] });
    source.offerSplit(null);
    while (source.step(outbox) !== 'done');
    expect(source.snapshot()).toEqual({ finished: ['s1'], open: [] });
    source.close();
  }
  memory.assertEmpty();
});
