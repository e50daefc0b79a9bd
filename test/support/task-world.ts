/**
 * Tasks in one thread: a source connector over rows in memory, a sink connector that collects rows,
 * rings between tasks, and a loop that runs all tasks in turn until they are done.
 */
import { assert } from '../../base/assert.ts';
import type { SyncDisk } from '../../base/env/disk.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import type { ReadResult, SplitReader } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { RingReader, RingWriter, ringBytes } from '../../engine/memory/ring.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { OperatorSpec, Vertex } from '../../engine/plan/physical-graph.ts';
import type { UserFunctions } from '../../engine/plan/user-functions.ts';
import { Task } from '../../engine/task/task.ts';
import { taskMetricsBytes } from '../../engine/task/task-metrics.ts';
import type { TaskOptions } from '../../engine/task/task-parts.ts';
import { batchOf, type Row } from './operator-harness.ts';
import { shareOf } from './spill-space.ts';

export interface TaskWorld {
  /** Rows of a split, by the split's id. */
  readonly splits: ReadonlyMap<string, readonly Row[]>;
  /** Rows that sinks have got, in order. */
  readonly written: Row[];
  readonly functions: ReadonlyMap<string, UserFunctions>;
  readonly memories: SlotMemory[];
  readonly tasks: Task[];
}

export function newTaskWorld(
  splits: Record<string, readonly Row[]> = {},
  functions: Record<string, UserFunctions> = {},
): TaskWorld {
  return {
    splits: new Map(Object.entries(splits)),
    functions: new Map(Object.entries(functions)),
    written: [],
    memories: [],
    tasks: [],
  };
}

export type TaskInWorld = Partial<Pick<TaskOptions, 'inputs' | 'outputs'>> & {
  readonly id: string;
  readonly chain: readonly OperatorSpec[];
  readonly metrics?: ArrayBuffer;
};

/** Makes a task with a memory of its own. */
export function addTask(
  world: TaskWorld,
  { id, chain, inputs = [], outputs = [], metrics }: TaskInWorld,
): Task {
  const memory = new SlotMemory({ budgetBytes: 64 * 1024 * 1024, poison: true });
  const vertex: Vertex = { id, name: id, parallelism: 1, chain };
  let now = 0;
  world.memories.push(memory);
  const task = new Task({
    id,
    vertex,
    inputs,
    outputs,
    memory,
    kernels: instantiateKernels(memory.memory),
    taskIndex: 0,
    attempt: 1,
    // Every look at the clock takes a quarter of a millisecond, so slices do end.
    clock: { mono: () => (now += 0.25), wall: () => 1_800_000_000_000 + now },
    disk: noDisk,
    connectors: new Map([['rows', rowsConnector(world)]]),
    functions: world.functions,
    preparedSink: null,
    spillFolder: 'spill',
    memoryShare: shareOf(32 << 20),
    metrics: metrics ?? new ArrayBuffer(taskMetricsBytes(chain.length)),
  });
  world.tasks.push(task);
  return task;
}

/** The two ends of a ring. */
export function newRing(slotCount: number, slotBytes: number) {
  const buffer = new SharedArrayBuffer(ringBytes(slotCount, slotBytes));
  const options = { buffer, slotCount, slotBytes };
  return {
    writer: new RingWriter(options, () => {}),
    reader: new RingReader(options, () => {}),
  };
}

/** Runs all tasks in turn, hands out the splits, and closes everything. */
export function runTasks(world: TaskWorld): void {
  const waiting = [...world.splits.keys()];
  let open = world.tasks;
  try {
    for (let round = 0; open.length > 0; round++) {
      assert(round < 1_000_000, 'tasks come to an end');
      for (const task of open) {
        if (!task.wantsSplit) continue;
        const id = waiting.shift();
        task.offerSplit(id === undefined ? null : { id, sizeBytes: 1, payload: null });
      }
      open = open.filter((task) => task.run() !== 'done');
    }
  } finally {
    for (const task of world.tasks) task.close();
    for (const memory of world.memories) memory.assertEmpty();
  }
}

function rowsConnector(world: TaskWorld): Connector {
  return {
    name: 'rows',
    reader(_options, { scope, schema }): SplitReader {
      let left: Row[] = [];
      let bytesRead = 0;
      return {
        open({ id }) {
          left = [...(world.splits.get(id) ?? [])];
        },
        read(): ReadResult {
          if (left.length === 0) return 'end';
          bytesRead++;
          return batchOf(scope, schema, left.splice(0, 1 + (left.length % 300)));
        },
        get bytesRead() {
          return bytesRead;
        },
        position: () => `${left.length} rows before the end`,
        close() {},
      };
    },
    writer(): SinkWriter {
      let rowCount = 0;
      return {
        write(batch) {
          world.written.push(...readRows(batch));
          rowCount += batch.rowCount;
        },
        finish: () => ({ rowCount }),
        close() {},
      };
    },
  };
}

const noDisk = new Proxy({} as SyncDisk, {
  get() {
    throw new Error('these tasks use no disk');
  },
});
