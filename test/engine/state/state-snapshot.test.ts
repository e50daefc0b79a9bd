/**
 * Goal: state and timers go on from a snapshot as they were at its barrier: whatever was done while it was written, in
 * however many tasks, and however many snapshots it stands on.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assert } from '../../../base/assert.ts';
import type { TaskSnapshot } from '../../../engine/checkpoint/task-snapshot.ts';
import { keyGroupCount, keyGroupOf, partitionOfKeyGroups } from '../../../engine/keys/key-group.ts';
import type { StateSpec, StateTtl } from '../../../engine/plan/state-spec.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf } from '../../../engine/schema/schema.ts';
import { KeyedState } from '../../../engine/state/keyed-state.ts';
import type { StateNote } from '../../../engine/state/state-snapshot.ts';
import { ownPartsIn } from '../../../worker/snapshot/own-parts.ts';
import { SnapshotFileReader } from '../../../worker/snapshot/snapshot-file-reader.ts';
import {
  SnapshotFileWriter,
  type WrittenSnapshot,
} from '../../../worker/snapshot/snapshot-file-writer.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import {
  applyCall,
  applyExpected,
  Expected,
  type StateCall,
  seenExpected,
  seenState,
  stateCall,
  stateFunctions,
  stateSpecs,
} from '../../support/state-calls.ts';
import { stateScene } from '../../support/state-scene.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const keyCount = 12;
type Queue = 'eventTimers' | 'processingTimers';
const queues = ['eventTimers', 'processingTimers'] as const;

type Step =
  | { readonly kind: 'call'; readonly call: StateCall; readonly key: number }
  | {
      readonly kind: 'set' | 'cancel' | 'fire';
      readonly queue: Queue;
      readonly key: number;
      readonly timeMs: number;
    }
  | { readonly kind: 'snapshot' | 'write' | 'abort' }
  | { readonly kind: 'restart'; readonly parallelism: number };

const anyKey = fc.nat(keyCount - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('call'), call: stateCall, key: anyKey }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('set', 'set', 'set', 'cancel', 'fire'),
      queue: fc.constantFrom(...queues),
      key: anyKey,
      timeMs: fc.integer({ min: -1, max: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('snapshot', 'snapshot', 'write', 'write', 'abort'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart'),
      parallelism: fc.constantFrom(1, 2, 3, 7),
    }),
  },
);

/** What all tasks together should have. */
interface Model {
  readonly nowMs: number;
  readonly keys: Map<number, Expected>;
  /** `time key` of those that are set. */
  readonly timers: Readonly<Record<Queue, Set<string>>>;
}

interface Finished {
  readonly model: Model;
  readonly tasks: readonly TaskSnapshot[];
}

type Scene = ReturnType<typeof stateScene>;

const statistics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 };

function hashOf(key: number): number {
  return Math.imul(key + 1, 0x9e37_79b1) >>> 0;
}

/** The tasks of an operator, and the snapshots that they write. */
class Tasks {
  readonly states: readonly KeyedState[];
  readonly #scene: Scene;
  readonly #disk: MemoryDisk;
  readonly #name: string;
  readonly #writers: readonly SnapshotFileWriter[];
  /** By task: what its next snapshot may come on top of. */
  readonly #written: readonly WrittenSnapshot[];
  readonly #partitions: Uint16Array;
  #checkpointId = 0;
  #pending: { readonly model: Model } | null = null;

  constructor(
    scene: Scene,
    disk: MemoryDisk,
    options: { name: string; specs: StateSpec[]; parallelism: number },
  ) {
    const { name, specs, parallelism } = options;
    const { scope, context } = scene;
    const { kernels, spill } = context;
    this.#scene = scene;
    this.#disk = disk;
    this.#name = name;
    this.#partitions = partitionOfKeyGroups(parallelism);
    const indexes = Array.from({ length: parallelism }, (_, index) => index);
    this.states = indexes.map(
      (index) =>
        new KeyedState(
          { ...context, spill: { ...spill, prefix: `${name}-${index}` } },
          {
            ...{ states: specs, functions: stateFunctions, canUndo: true, blockBytes: 512 },
            limits: { deltaBytesMax: 5000, baseBytesMax: 5000 },
          },
        ),
    );
    // A batch for each step.
    const pace = { clock: { mono: () => 0 }, stepMs: 0, partBytesMax: 20_000, bufferBytes: 512 };
    this.#written = indexes.map(() => ({ operators: [] }));
    this.#writers = this.#written.map(
      (written) =>
        new SnapshotFileWriter({ disk, scope, kernels, folder: '/chk', ...pace }, written),
    );
  }

  /** The state of a key's task, with the key in its cursor. */
  enter(key: number): KeyedState {
    const name = `key ${key}`;
    const { address, keySize } = this.#scene.load(name);
    const state = this.states[this.#partitions[keyGroupOf(hashOf(key))] ?? 0];
    assert(state !== undefined, 'each key group has a task');
    state.cursor.load(address, keySize, hashOf(key));
    return state;
  }

  get isWriting(): boolean {
    return this.#pending !== null;
  }

  snapshot(model: Model): void {
    const checkpointId = ++this.#checkpointId;
    this.#pending = { model: structuredClone(model) };
    for (const [index, writer] of this.#writers.entries()) {
      writer.begin(checkpointId, `${this.#name}-${checkpointId}/${index}`);
      const own = writer.writerOf('state', 'process');
      own.note(JSON.parse(JSON.stringify(this.states[index]?.snapshot(own) ?? null)));
    }
  }

  /** Writes a batch of each task; the snapshot when all is written. */
  write(): Finished | null {
    const pending = this.#pending;
    if (pending === null) return null;
    const areDone = this.#writers.map((writer) => writer.step());
    if (!areDone.every((isDone) => isDone)) return null;
    this.#pending = null;
    const tasks = this.#writers.map((writer, taskIndex): TaskSnapshot => {
      const outcome = writer.finish();
      assert(outcome.kind === 'written', 'the disk is whole');
      const task = { taskId: `t${taskIndex}`, vertexId: 'v', taskIndex };
      const { operators } = outcome;
      const parallelism = this.#writers.length;
      return { ...task, parallelism, operators, source: null, prepared: null, statistics };
    });
    return { model: pending.model, tasks: JSON.parse(JSON.stringify(tasks)) };
  }

  abort(): void {
    if (this.#pending !== null) for (const writer of this.#writers) writer.abort();
    this.#pending = null;
  }

  restore(tasks: readonly TaskSnapshot[]): void {
    const { scope, context } = this.#scene;
    for (const [taskIndex, state] of this.states.entries()) {
      const operators = ownPartsIn(tasks, { taskIndex, parallelism: this.states.length });
      for (const written of this.#written.slice(taskIndex, taskIndex + 1)) {
        written.operators = operators;
      }
      const reader = new SnapshotFileReader({
        isOwn: operators.length > 0,
        ...{ disk: this.#disk, scope, kernels: context.kernels, folder: '/chk' },
        ...{ operatorId: 'state', kind: 'process', tasks, taskIndex },
        parallelism: this.states.length,
      });
      const notes = reader.notes as unknown as StateNote[];
      for (let calls = 0; !state.restore(reader, notes); calls++) expect(calls).toBeLessThan(1e4);
      reader.close();
    }
  }

  close(): void {
    this.abort();
    for (const state of this.states) state.close();
  }
}

/** Timers of a queue up to a time, taken from all tasks, as the model has them. */
function fire(tasks: Tasks, queue: Queue, timeMs: number): string[] {
  const fired: string[] = [];
  for (const state of tasks.states) {
    const timers = state[queue];
    while (timers.take(state.cursor, timeMs)) {
      const { address, keySize } = state.cursor;
      const key = new TextDecoder().decode(memoryOf(state).slice(address, address + keySize));
      fired.push(`${timers.timeMs} ${key}`);
    }
    state.commit();
  }
  return fired.sort();
}

let memoryOf: (state: KeyedState) => Uint8Array = () => new Uint8Array();

function run(steps: readonly Step[], ttl: StateTtl | null): void {
  const scene = stateScene(512, 48 << 20);
  memoryOf = () => scene.memory.bytes;
  const disk = new MemoryDisk();
  const specs = stateSpecs(ttl);
  const afterMs = ttl?.afterMs ?? Number.POSITIVE_INFINITY;
  let attempts = 1;
  let tasks = new Tasks(scene, disk, { name: 'a1', specs, parallelism: 1 });
  let model: Model = {
    ...{ nowMs: 1000, keys: new Map() },
    timers: { eventTimers: new Set(), processingTimers: new Set() },
  };
  let last: Finished | null = null;

  const expectAll = () => {
    for (let key = 0; key < keyCount; key++) {
      const state = tasks.enter(key);
      expect(seenState(state)).toEqual(
        seenExpected(model.keys.get(key) ?? new Expected(), model.nowMs),
      );
      state.commit();
    }
  };
  const call = (key: number, one: StateCall) => {
    const nowMs = model.nowMs + one.ms;
    model = { ...model, nowMs };
    for (const state of tasks.states) state.setClock(nowMs);
    // Some texts are large: rows of a few keys fill a batch.
    const given = {
      ...one,
      at: one.verb === 'setText' && one.n % 3 === 0 ? one.at.repeat(9000) : one.at,
    };
    const own = model.keys.get(key) ?? new Expected();
    const before = structuredClone(own);
    model.keys.set(key, own);
    const state = tasks.enter(key);
    applyCall(state, given);
    applyExpected(own, given, nowMs, afterMs);
    if (one.isUndone) {
      state.undo();
      model.keys.set(key, before);
    } else state.commit();
    for (let calls = 0; !state.maintain(); calls++) {
      // What a snapshot holds back waits for it.
      if (calls > 100) take(tasks.write());
    }
    tasks.enter(key);
    expect(seenState(state)).toEqual(seenExpected(model.keys.get(key) ?? new Expected(), nowMs));
    state.commit();
  };
  const take = (finished: Finished | null) => {
    last = finished ?? last;
  };

  for (const one of steps) {
    switch (one.kind) {
      case 'call':
        call(one.key, one.call);
        break;
      case 'set': {
        const state = tasks.enter(one.key);
        state[one.queue].set(state.cursor, one.timeMs);
        state.commit();
        model.timers[one.queue].add(`${one.timeMs} key ${one.key}`);
        break;
      }
      case 'cancel': {
        const state = tasks.enter(one.key);
        const wasSet = state[one.queue].cancel(state.cursor, one.timeMs);
        expect(wasSet).toBe(model.timers[one.queue].delete(`${one.timeMs} key ${one.key}`));
        state.commit();
        break;
      }
      case 'fire': {
        const due = [...model.timers[one.queue]].filter(
          (text) => Number.parseInt(text, 10) <= one.timeMs,
        );
        expect(fire(tasks, one.queue, one.timeMs)).toEqual(due.sort());
        for (const text of due) model.timers[one.queue].delete(text);
        break;
      }
      case 'snapshot':
        while (tasks.isWriting) take(tasks.write());
        tasks.snapshot(model);
        break;
      case 'write':
        take(tasks.write());
        break;
      case 'abort':
        tasks.abort();
        break;
      case 'restart': {
        const from = last as Finished | null;
        if (from === null) break;
        tasks.close();
        const name = `a${++attempts}`;
        tasks = new Tasks(scene, disk, { name, specs, parallelism: one.parallelism });
        tasks.restore(from.tasks);
        model = structuredClone(from.model);
        for (const state of tasks.states) state.setClock(model.nowMs);
        expectAll();
        break;
      }
      default:
        one satisfies never;
    }
  }
  expectAll();
  for (const queue of queues) {
    expect(fire(tasks, queue, Number.POSITIVE_INFINITY)).toEqual([...model.timers[queue]].sort());
  }
  tasks.close();
  expect(disk.openFiles.size).toBe(0);
  scene.close();
}

const steps = fc.array(step, { minLength: 1, maxLength: 150, size: 'max' });

describe('state goes on from a snapshot as it was', () => {
  test.each([
    ['for ever', null],
    ['for a while', { afterMs: 100, renewedOn: 'write', time: 'processing' } as const],
  ])('kept %s', (_, ttl) => {
    fc.assert(
      fc.property(steps, (all) => run(all, ttl)),
      { numRuns: 60 },
    );
  });
});

/** One task that has a number by key, in tables that never go to disk. */
function numbers() {
  const scene = stateScene(512, 48 << 20);
  const disk = new MemoryDisk();
  const spec = { name: 'text', kind: 'value', key: null, ttl: null } as const;
  const specs: StateSpec[] = [{ ...spec, value: fieldOf('value', utf8Type) }];
  return {
    scene,
    disk,
    specs,
    tasks: new Tasks(scene, disk, { name: 'a', specs, parallelism: 1 }),
  };
}

const emptyModel: Model = {
  ...{ nowMs: 0, keys: new Map() },
  timers: { eventTimers: new Set(), processingTimers: new Set() },
};

test('a task that goes on with the same key groups writes what has changed since; with others all of it', () => {
  const { scene, disk, specs, tasks } = numbers();
  const set = (own: Tasks, key: number) => {
    const state = own.enter(key);
    (state.handles.text as { set(value: unknown): void }).set(`value ${key}`);
    state.commit();
    while (!state.maintain());
  };
  const finished = (own: Tasks): Finished => {
    own.snapshot(emptyModel);
    for (;;) {
      const done = own.write();
      if (done !== null) return done;
    }
  };
  const rowsIn = ({ tasks: all }: Finished) =>
    all.map(({ operators }) => {
      const entries = (operators[0]?.parts ?? []).filter(({ part }) => part === 'state-text');
      return entries.map(({ path, rowCount }) => `${path.slice(0, path.indexOf('-'))} ${rowCount}`);
    });
  for (let key = 0; key < keyCount; key++) set(tasks, key);
  const first = finished(tasks);
  expect(rowsIn(first)).toEqual([[`a ${keyCount}`]]);
  tasks.close();

  const same = new Tasks(scene, disk, { name: 'b', specs, parallelism: 1 });
  same.restore(first.tasks);
  set(same, 3);
  const second = finished(same);
  expect(rowsIn(second)).toEqual([[`a ${keyCount}`, 'b 1']]);
  same.close();

  const others = new Tasks(scene, disk, { name: 'c', specs, parallelism: 2 });
  others.restore(second.tasks);
  const parts = rowsIn(finished(others)).flat();
  expect(parts.every((text) => text.startsWith('c '))).toBe(true);
  expect(parts.reduce((sum, text) => sum + Number(text.slice(2)), 0)).toBe(keyCount);
  others.close();
  scene.close();
});

test.each([
  ['much has come on top of the first', 300, 5],
  ['eight stand on each other', 3000, 8],
])('what is written is what has changed, until %s', (_, textLength, snapshotsMax) => {
  const { scene, disk, tasks } = numbers();
  const sizes: number[] = [];
  const parts: number[] = [];
  for (let snapshot = 0; snapshot < 12; snapshot++) {
    const changed = snapshot === 0 ? keyCount : 1;
    for (let key = 0; key < changed; key++) {
      const state = tasks.enter(key);
      (state.handles.text as { set(value: unknown): void }).set('x'.repeat(textLength));
      state.commit();
      while (!state.maintain());
    }
    tasks.snapshot(emptyModel);
    let finished = tasks.write();
    while (finished === null) finished = tasks.write();
    const all = finished.tasks.flatMap(({ operators }) => operators.flatMap((one) => one.parts));
    parts.push(all.length);
    const path = `/chk/a-${snapshot + 1}/0`;
    sizes.push(disk.files.get(path)?.length ?? 0);
  }
  const [first = 0] = sizes;
  expect(parts).toEqual(sizes.map((_, at) => (at % snapshotsMax) + 1));
  for (const [at, size] of sizes.entries()) {
    if (at % snapshotsMax === 0) expect(size).toBe(first);
    else expect(size).toBeLessThan(first / 2);
  }
  tasks.close();
  scene.close();
});

test('a state that is declared otherwise than it was is refused, by its name', () => {
  const { scene, disk, specs, tasks } = numbers();
  tasks.snapshot(emptyModel);
  let finished = tasks.write();
  while (finished === null) finished = tasks.write();
  const { tasks: taken } = finished;
  tasks.close();
  const others = fieldOf('value', { kind: 'list', item: { type: utf8Type, nullable: false } });
  const now = specs.map((spec) => ({ ...spec, value: others }));
  const next = new Tasks(scene, disk, { name: 'b', specs: now, parallelism: 1 });
  const error = typedErrorOf(() => next.restore(taken));
  const text =
    'state "text" of operator "state" was value of utf8 and is now value of list<utf8>: utf8 is no list<utf8>';
  expect([error?.info.code, error?.message]).toEqual(['STATE_CHANGED', text]);
  next.close();
  scene.close();
});

test('key groups are many enough for the keys of these tests to be apart', () => {
  const groups = new Set(Array.from({ length: keyCount }, (_, key) => keyGroupOf(hashOf(key))));
  expect(groups.size).toBeGreaterThan(keyCount / 2);
  expect(Math.max(...groups)).toBeLessThan(keyGroupCount);
});
