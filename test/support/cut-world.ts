/**
 * Cut world: the tasks of a job with checkpoints in one thread, run in a random order, with rings so small that they are always full and
 * a sink that often has no room. Its checkpoints are kept, and another attempt goes on from one of them at another parallelism.
 *
 *     attempt 1 (2 tasks)   rows … ┃1 … ┃2 … killed         what a sink had prepared up to a checkpoint is visible
 *     attempt 2 (3 tasks)            rows … ┃ … end         with that of the attempt that went on from it
 *
 * Files of checkpoints are the real ones, on a disk in memory. The coordinator's part is a few lines: all tasks have answered.
 */
import { planJob } from '../../coordinator/planner/planner.ts';
import { lanesOf } from '../../coordinator/scheduler/lanes.ts';
import { restoredSplits } from '../../coordinator/scheduler/restored-splits.ts';
import { FixedSplits, SplitAssigner } from '../../coordinator/scheduler/split-assigner.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type { CheckpointTrigger } from '../../engine/checkpoint/barrier.ts';
import type { TaskSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Connector } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { Split } from '../../engine/contracts/source.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { channelRefsOf, edgeChannelsOf } from '../../engine/plan/channel-ref.ts';
import { channelsOf } from '../../engine/plan/channels.ts';
import { keptAs } from '../../engine/plan/kept-as.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { Edge, PhysicalGraph, Vertex } from '../../engine/plan/physical-graph.ts';
import type { UserFunctions } from '../../engine/plan/user-functions.ts';
import { Task } from '../../engine/task/task.ts';
import { taskMetricsBytes } from '../../engine/task/task-metrics.ts';
import { TaskSnapshotFiles } from '../../worker/snapshot/task-snapshot-files.ts';
import type { MemoryDisk } from './memory-disk.ts';
import { batchOf, lehmer, type Row } from './operator-harness.ts';
import { shareOf } from './spill-space.ts';
import { newRing } from './task-world.ts';

export interface CutJob {
  readonly graph: LogicalGraph;
  readonly functions: ReadonlyMap<string, UserFunctions>;
  /** By table: its splits, each with its rows. */
  readonly tables: Readonly<Record<string, readonly (readonly Row[])[]>>;
}

/** A checkpoint that is complete. */
export interface Cut {
  readonly checkpointId: number;
  readonly tasks: readonly TaskSnapshot[];
  /** By operator id of the source. */
  readonly splits: ReadonlyMap<string, readonly Split[]>;
  /** Rows that are visible with it. */
  readonly written: readonly Row[];
}

export interface CutOptions {
  readonly parallelism: number;
  readonly seed: number;
  readonly disk: MemoryDisk;
  /** Null: the job begins anew. */
  readonly from: Cut | null;
  readonly epoch: number;
  /** Slots of a ring, and their bytes. @defaultValue one of 64 */
  readonly ring?: readonly [number, number];
  /** How often a sink has room. @defaultValue every third time */
  readonly room?: number;
}

interface Pending {
  readonly missing: Set<string>;
  readonly tasks: TaskSnapshot[];
}

/** Kept between attempts that leave it empty: memories are dear. */
let kept: { memory: SlotMemory; kernels: Kernels } | null = null;

export class CutAttempt {
  readonly cuts: Cut[] = [];
  /** Checkpoints that came to nothing, and why. */
  readonly declined: { readonly checkpointId: number; readonly reason: string }[] = [];
  readonly #options: CutOptions;
  readonly #graph: PhysicalGraph;
  readonly #memory: SlotMemory;
  readonly #random: () => number;
  readonly #tasks: { readonly task: Task; readonly vertex: Vertex; readonly taskIndex: number }[];
  readonly #supplies: ReadonlyMap<string, FixedSplits | SplitAssigner>;
  readonly #splits = new Map<string, readonly Split[]>();
  readonly #pending = new Map<number, Pending>();
  readonly #ended = new Map<string, TaskSnapshot>();
  /** What sinks have prepared, by checkpoint; that of the end stands last. */
  readonly #prepared: { readonly checkpointId: number; readonly rows: readonly Row[] }[] = [];
  #lastId: number;
  /** Whether sinks have no room at all. */
  isStuck = false;
  #now = 0;

  constructor(job: CutJob, options: CutOptions) {
    this.#options = options;
    this.#random = lehmer(options.seed + 1);
    this.#lastId = options.from?.checkpointId ?? 0;
    const { parallelism } = options;
    this.#graph = planJob(job.graph, {
      ...{ parallelism, mode: 'streaming', latencyIntervalMs: null, keepsPhases: true },
    });
    const { memory, kernels } = kept ?? newMemory();
    kept = null;
    this.#memory = memory;
    this.#supplies = this.#newSupplies(job);
    this.#tasks = this.#newTasks(job, kernels);
  }

  get isOver(): boolean {
    return this.#ended.size === this.#tasks.length;
  }

  /** Rows that are visible when the job has ended. */
  get written(): readonly Row[] {
    const before = this.#options.from?.written ?? [];
    return [...before, ...this.#prepared.flatMap(({ rows }) => rows)];
  }

  /** Triggers the next checkpoint; answers its number. */
  trigger(way: Pick<CheckpointTrigger, 'mode' | 'timeoutMs'>): number {
    const checkpointId = ++this.#lastId;
    const running = this.#tasks.filter(({ task }) => !this.#ended.has(task.id));
    const missing = new Set(running.map(({ task }) => task.id));
    this.#pending.set(checkpointId, { missing, tasks: [...this.#ended.values()] });
    for (const { task } of running) task.triggerCheckpoint({ checkpointId, ...way });
    return checkpointId;
  }

  /** Gives the checkpoint up, as the coordinator does. */
  cancel(checkpointId: number): void {
    this.#pending.delete(checkpointId);
    for (const { task } of this.#tasks) {
      if (!this.#ended.has(task.id)) task.cancelCheckpoint(checkpointId);
    }
  }

  /** One slice of a task that has not ended. */
  step(): void {
    const open = this.#tasks.filter(({ task }) => !this.#ended.has(task.id));
    const chosen = open[Math.floor(this.#random() * open.length)];
    if (chosen === undefined) return;
    const { task, vertex } = chosen;
    if (task.wantsSplit) {
      const split = this.#supplies.get(vertex.id)?.next(task.id, 1) ?? null;
      task.offerSplit(split);
    }
    const progress = task.run();
    for (let one = task.takeCheckpoint(); one !== null; one = task.takeCheckpoint()) {
      if ('snapshot' in one) this.#acked(one.checkpointId, one.snapshot);
      else {
        this.#pending.delete(one.checkpointId);
        this.#keep(one.checkpointId, one.prepared);
        this.declined.push({ checkpointId: one.checkpointId, reason: one.error.message });
      }
    }
    if (progress === 'done') this.#end(chosen);
  }

  close(): void {
    for (const { task } of this.#tasks) task.close();
    this.#memory.assertEmpty();
    kept = { memory: this.#memory, kernels: kernelsOf(this.#memory) };
  }

  #end({ task, vertex, taskIndex }: { task: Task; vertex: Vertex; taskIndex: number }): void {
    const { sourceSnapshot: source, commit } = task;
    const waiting = [...this.#pending].filter(([, { missing }]) => missing.has(task.id));
    this.#keep(waiting[0]?.[0] ?? this.#lastId + 1, commit);
    const snapshot: TaskSnapshot = {
      ...{ taskId: task.id, vertexId: vertex.id, taskIndex, parallelism: vertex.parallelism },
      ...{ operators: [], prepared: null },
      source: source && { ...source, operatorId: vertex.chain[0]?.id ?? '' },
      statistics: { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes: 0 },
    };
    this.#ended.set(task.id, snapshot);
    for (const [checkpointId] of waiting) this.#answer(checkpointId, snapshot);
    task.close();
  }

  #acked(checkpointId: number, snapshot: TaskSnapshot): void {
    this.#keep(checkpointId, snapshot.prepared);
    this.#answer(checkpointId, snapshot);
  }

  #keep(checkpointId: number, prepared: Json): void {
    if (prepared === null) return;
    this.#prepared.push({ checkpointId, rows: decoded(prepared) });
  }

  #answer(checkpointId: number, snapshot: TaskSnapshot): void {
    const pending = this.#pending.get(checkpointId);
    if (pending === undefined || !pending.missing.delete(snapshot.taskId)) return;
    pending.tasks.push(snapshot);
    if (pending.missing.size > 0) return;
    this.#pending.delete(checkpointId);
    const { from } = this.#options;
    const written = this.#prepared.filter((one) => one.checkpointId <= checkpointId);
    this.cuts.push({
      checkpointId,
      tasks: structuredClone(pending.tasks),
      splits: this.#splits,
      written: [...(from?.written ?? []), ...written.flatMap(({ rows }) => rows)],
    });
  }

  #newSupplies({ tables }: CutJob) {
    const { from } = this.#options;
    const supplies = new Map<string, FixedSplits | SplitAssigner>();
    for (const { id, chain, parallelism } of this.#graph.vertices) {
      const [first] = chain;
      if (first?.kind !== 'source') continue;
      const table = String(first.source.options);
      const known = (tables[table] ?? []).map((_, at): Split => {
        return { id: `${table}-${at}`, sizeBytes: 1, payload: [table, at], position: 0 } as never;
      });
      const snapshots = (from?.tasks ?? []).flatMap(({ source }) =>
        source?.operatorId === first.id ? [source] : [],
      );
      const before = from?.splits.get(first.id) ?? known;
      const { unread } = restoredSplits(before, snapshots);
      this.#splits.set(first.id, unread);
      const isFixed = first.isOrdered === true;
      const supply = isFixed
        ? new FixedSplits(lanesOf(unread, parallelism))
        : new SplitAssigner(unread);
      supplies.set(id, supply);
    }
    return supplies;
  }

  #newTasks(job: CutJob, kernels: Kernels) {
    const graph = this.#graph;
    const { ring: [slotCount, slotBytes] = [1, 64] } = this.#options;
    const rings = new Map(
      graph.edges.map((edge) => {
        const made = channelsOf(graph, edge).map((channel) => {
          return { ...channel, ...newRing(slotCount, slotBytes) };
        });
        return [edge.id, made] as const;
      }),
    );
    const connectors = new Map([['rows', this.#connector(job)]]);
    const refs = channelRefsOf(graph);
    const channels = edgeChannelsOf(graph);
    return graph.vertices.flatMap((vertex) =>
      Array.from({ length: vertex.parallelism }, (_, taskIndex) => {
        const ends = (edge: Edge) => ({
          ...{ output: edge.output, port: edge.port, exchange: edge.exchange, schema: edge.schema },
          channels: channels.get(edge.id),
        });
        const task = new Task({
          ...{ id: `${vertex.id}[${taskIndex}]`, taskIndex, attempt: 1, vertex },
          ...{ memory: this.#memory, kernels, connectors, functions: job.functions },
          disk: this.#options.disk,
          inputs: graph.edges
            .filter(({ to }) => to === vertex.id)
            .map((edge) => {
              const own =
                rings.get(edge.id)?.filter(({ receiver }) => receiver === taskIndex) ?? [];
              return { ...ends(edge), rings: own.map(({ reader }) => reader) };
            }),
          outputs: graph.edges
            .filter(({ from }) => from === vertex.id)
            .map((edge) => {
              const own = rings.get(edge.id)?.filter(({ sender }) => sender === taskIndex) ?? [];
              return { ...ends(edge), messageBytes: 32, rings: own.map(({ writer }) => writer) };
            }),
          // Every look at the clock takes a quarter of a millisecond, so slices do end.
          clock: {
            mono: () => (this.#now += 0.25),
            wall: () => 1_800_000_000_000 + this.#now,
          },
          channelRefs: refs.get(vertex.id) ?? [],
          snapshots: this.#filesOf(vertex, taskIndex, kernels),
          ...{ preparedSink: null, spillFolder: 'spill', memoryShare: shareOf(32 << 20) },
          metrics: new ArrayBuffer(taskMetricsBytes(vertex.chain.length)),
        });
        return { task, vertex, taskIndex };
      }),
    );
  }

  #filesOf(vertex: Vertex, taskIndex: number, kernels: Kernels): TaskSnapshotFiles {
    const { disk, from, epoch } = this.#options;
    const { chain, parallelism } = vertex;
    const refs = channelRefsOf(this.#graph).get(vertex.id) ?? [];
    const isHere = ({ operatorId, kind }: { operatorId: string; kind: string }) =>
      chain.some((spec) => spec.id === operatorId && keptAs(spec) === kind) ||
      refs.some((ref) => ref.id === operatorId && ref.kind === kind);
    return new TaskSnapshotFiles({
      ...{ disk, kernels, folder: 'chk', restoredFrom: 'chk', epoch, attempt: 1 },
      ...{ taskId: `${vertex.id}[${taskIndex}]`, taskIndex, parallelism },
      scope: this.#memory.scope('snapshots'),
      clock: { mono: () => (this.#now += 0.25) },
      restored: (from?.tasks ?? []).filter(({ operators }) => operators.some(isHere)),
    });
  }

  #connector({ tables }: CutJob): Connector {
    return {
      name: 'rows',
      isReplayable: true,
      reader: (_options, { scope, schema }) => {
        let rows: readonly Row[] = [];
        let next = 0;
        return {
          open({ payload, position = 0 }) {
            const [table, at] = payload as [string, number];
            rows = tables[table]?.[at] ?? [];
            next = position as number;
          },
          read: () => {
            if (next >= rows.length) return 'end';
            const count = 1 + Math.floor(this.#random() * 5);
            const batch = batchOf(scope, schema, rows.slice(next, next + count));
            next += batch.rowCount;
            return batch;
          },
          snapshot: () => next,
          bytesRead: 0,
          position: () => 'nowhere',
          close() {},
        };
      },
      writer: () => {
        let rows: Row[] = [];
        const take = () => {
          const taken = rows;
          rows = [];
          return taken.length === 0 ? null : encoded(taken);
        };
        const { room = 1 / 3 } = this.#options;
        return {
          isReady: () => !this.isStuck && this.#random() < room,
          write: (batch) => void rows.push(...readRows(batch)),
          prepareCommit: take,
          finish: take,
          close() {},
        };
      },
    };
  }
}

function newMemory() {
  const memory = new SlotMemory({ budgetBytes: 256 << 20, poison: true });
  return { memory, kernels: kernelsOf(memory) };
}

const allKernels = new WeakMap<SlotMemory, Kernels>();

function kernelsOf(memory: SlotMemory): Kernels {
  const kernels = allKernels.get(memory) ?? instantiateKernels(memory.memory);
  allKernels.set(memory, kernels);
  return kernels;
}

function encoded(rows: readonly Row[]): Json {
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

function decoded(prepared: Json): readonly Row[] {
  return JSON.parse(String(prepared));
}
