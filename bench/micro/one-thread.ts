/**
 * A whole job in the thread that calls: all of its tasks in turn, each with a memory of its own, over real files
 * and the rings that slot threads use. For what can't be measured from outside of a thread, such as its heap.
 */
import { createRealDisk } from '../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../base/env/real-sync-disk.ts';
import { connectors } from '../../connectors/registry.ts';
import { planJob } from '../../coordinator/planner/planner.ts';
import type { RoleContext, SinkSpec } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { MemoryShare } from '../../engine/memory/memory-share.ts';
import { RingReader, RingWriter, ringBytes } from '../../engine/memory/ring.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { Edge, PhysicalGraph, Vertex } from '../../engine/plan/physical-graph.ts';
import { Task } from '../../engine/task/task.ts';
import { taskMetricsBytes } from '../../engine/task/task-metrics.ts';

const budgetBytes = 256 << 20;
const ringOptions = { slotCount: 8, slotBytes: 1 << 20 };
const role: RoleContext = { disk: createRealDisk(), attemptId: 'bench' };

export interface OneThreadRun {
  /** Runs all tasks to their ends; nothing but this is the job's steady state. */
  run(): void;
  /** Gives everything back; what was written is not made visible. */
  close(): Promise<void>;
}

/** A job that is ready to run, its splits found. */
export async function openInOneThread(logical: LogicalGraph): Promise<OneThreadRun> {
  const graph = planJob(logical, { parallelism: 1 });
  const rings = new Map(graph.edges.map((edge) => [edge, newRing()]));
  const parts = await Promise.all(
    graph.vertices.map(async (vertex) => ({
      vertex,
      splits: await splitsOf(vertex),
      prepared: await preparedOf(vertex),
    })),
  );
  const tasks = parts.map(({ vertex, splits, prepared }) => ({
    splits,
    task: newTask(graph, vertex, { rings, prepared }),
  }));
  return {
    run() {
      let open = tasks;
      while (open.length > 0) {
        for (const { task, splits } of open) {
          if (task.wantsSplit) task.offerSplit(splits.shift() ?? null);
        }
        open = open.filter(({ task }) => task.run() !== 'done');
      }
    },
    async close() {
      for (const { task } of tasks) task.close();
      for (const { vertex } of parts) {
        const sink = sinkOf(vertex);
        if (sink !== null) await committerOf(sink)?.abort();
      }
    },
  };
}

type Rings = ReadonlyMap<Edge, ReturnType<typeof newRing>>;

function newRing() {
  const { slotCount, slotBytes } = ringOptions;
  const options = {
    ...ringOptions,
    buffer: new SharedArrayBuffer(ringBytes(slotCount, slotBytes)),
  };
  return {
    writer: new RingWriter(options, () => {}),
    reader: new RingReader(options, () => {}),
  };
}

function newTask(
  graph: PhysicalGraph,
  vertex: Vertex,
  { rings, prepared }: { readonly rings: Rings; readonly prepared: Json },
): Task {
  const memory = new SlotMemory({ budgetBytes });
  const ends = (edges: readonly Edge[]) =>
    edges.flatMap((edge) => {
      const ring = rings.get(edge);
      return ring === undefined ? [] : [{ ...edge, ring }];
    });
  const inputs = ends(graph.edges.filter(({ to }) => to === vertex.id));
  const outputs = ends(graph.edges.filter(({ from }) => from === vertex.id));
  return new Task({
    id: vertex.id,
    taskIndex: 0,
    attempt: 1,
    vertex,
    memory,
    kernels: instantiateKernels(memory.memory),
    connectors,
    functions: new Map(),
    inputs: inputs.map(({ ring, ...edge }) => ({ ...edge, rings: [ring.reader] })),
    outputs: outputs.map(({ ring, ...edge }) => {
      return { ...edge, messageBytes: ringOptions.slotBytes, rings: [ring.writer] };
    }),
    clock: { mono: () => performance.now(), wall: () => Date.now() },
    disk: createRealSyncDisk(),
    preparedSink: prepared,
    spillFolder: 'spill',
    memoryShare: new MemoryShare({ budgetBytes, weight: 1, slotCount: 1 }),
    metrics: new ArrayBuffer(taskMetricsBytes(vertex.chain.length)),
  });
}

async function splitsOf({ chain: [first] }: Vertex): Promise<Split[]> {
  if (first?.kind !== 'source') return [];
  const { connector, options } = first.source;
  const enumerator = connectors.get(connector)?.enumerator?.(options, role);
  return [...((await enumerator?.discover(1))?.splits ?? [])];
}

function sinkOf({ chain }: Vertex): SinkSpec | null {
  const last = chain.at(-1);
  return last?.kind === 'sink' ? last.sink : null;
}

function committerOf({ connector, options }: SinkSpec) {
  return connectors.get(connector)?.committer?.(options, role);
}

async function preparedOf(vertex: Vertex): Promise<Json> {
  const sink = sinkOf(vertex);
  return sink === null ? null : ((await committerOf(sink)?.prepare()) ?? null);
}
