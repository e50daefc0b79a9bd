/**
 * The sources of a job attempt: finds their splits, or goes on with those of a checkpoint, and hands them out.
 *
 *     at first          discover ─▶ splits ─▶ tasks, one after the other
 *     from a checkpoint           its splits, those that were open at their positions, without what was read
 *     without an end              discoverMore, again and again, behind them
 *
 * A bounded source that goes on from a checkpoint reads what was there when the job began: what has come since is not
 * looked at, as it would not have been without the failure.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/scheduler/split-assigner.ts, coordinator/scheduler/restored-splits.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { TaskSourceSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { RoleContext } from '../../engine/contracts/connector.ts';
import type { SourceSnapshot } from '../../engine/contracts/snapshot.ts';
import type { Skipped, Split, SplitEnumerator } from '../../engine/contracts/source.ts';
import type { OperatorSpec, PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import { type SplitAnswer, vertexIdOf } from '../protocol.ts';
import { GrowingSplits } from '../scheduler/growing-splits.ts';
import { lanesOf } from '../scheduler/lanes.ts';
import { restoredSplits } from '../scheduler/restored-splits.ts';
import { sampleSplits } from '../scheduler/sample-splits.ts';
import { FixedSplits, SplitAssigner, type SplitSupply } from '../scheduler/split-assigner.ts';
import { type ConnectorLookup, noPart } from './connector-lookup.ts';
import { SplitWatch } from './split-watch.ts';

type SourceSpecOf = Extract<OperatorSpec, { kind: 'source' }>;

/** A split that is known, with the position at which this attempt began with it. */
// A type alias, not an interface: only those are assignable to `Json`.
export type KnownSplit = Split & {
  /** Whether it had been read to its end when this attempt began. @defaultValue false */
  readonly isRead?: boolean;
};

/** What a source goes on from. */
export interface RestoredSource {
  /** In their order. */
  readonly splits: readonly KnownSplit[];
  /** Where its tasks were. */
  readonly snapshots: readonly SourceSnapshot[];
}

export interface JobSourcesOptions {
  readonly graph: PhysicalGraph;
  readonly connectors: ConnectorLookup;
  readonly context: RoleContext;
  /** By operator id of the source; null: the job begins anew. */
  readonly restored: ReadonlyMap<string, RestoredSource> | null;
  /** Is told what was left out. */
  readonly onSkipped: (skipped: Skipped) => void;
  /** Looking for more has failed. */
  readonly onFailure: (error: unknown) => void;
}

export class JobSources {
  readonly #options: JobSourcesOptions;
  readonly #watch: SplitWatch;
  readonly #supplies = new Map<string, SplitSupply>();
  /** By operator id; splits that are found later are added. */
  readonly #known = new Map<string, KnownSplit[]>();
  #inputCount = 0;
  #bytesTotal = 0;

  constructor(env: Pick<Env, 'timers'>, options: JobSourcesOptions) {
    this.#options = options;
    this.#watch = new SplitWatch(env.timers, options.onFailure);
  }

  /** Files, topics, tables. */
  get inputCount(): number {
    return this.#inputCount;
  }

  /** Bytes of all splits; 0 until they are known. */
  get bytesTotal(): number {
    return this.#bytesTotal;
  }

  /** Finds the splits of all sources, beside each other. */
  prepare(): Promise<void>[] {
    return this.#options.graph.vertices.flatMap(({ id, parallelism, chain }) => {
      const [first] = chain;
      return first?.kind === 'source' ? [this.#prepare(id, parallelism, first)] : [];
    });
  }

  /** The next split for a task; the vertex of the task has one source. */
  next(taskId: string, attempt: number): SplitAnswer {
    const supply = this.#supplies.get(vertexIdOf(taskId));
    const split = supply?.next(taskId, attempt) ?? null;
    const againAfterMs = split === null ? supply?.againAfterMs : undefined;
    return { split, ...(againAfterMs !== undefined && { againAfterMs }) };
  }

  /** What is known of the splits of all sources, by operator id. */
  known(): Readonly<Record<string, readonly KnownSplit[]>> {
    return Object.fromEntries([...this.#known].map(([id, splits]) => [id, [...splits]] as const));
  }

  /**
   * Tasks run again, from the newest complete checkpoint, while others read on: each is given again what it has not read
   * by then. What it has read is known to be so from now on, for what runs now does not say so any more.
   *
   * @param tasks - Task id → what the checkpoint has of it; null: it begins as it began in this attempt.
   */
  restart(tasks: ReadonlyMap<string, TaskSourceSnapshot | null>): void {
    for (const [taskId, snapshot] of tasks) {
      this.#supplies.get(vertexIdOf(taskId))?.restart(taskId, snapshot);
      if (snapshot === null) continue;
      const { finished, open, operatorId } = snapshot;
      const read = new Set(finished);
      const positions = new Map(open.map(({ splitId, position }) => [splitId, position]));
      const known = this.#known.get(operatorId) ?? [];
      for (const [at, split] of known.entries()) {
        const position = positions.get(split.id);
        if (read.has(split.id)) known[at] = { ...split, isRead: true };
        else if (position !== undefined) known[at] = { ...split, position };
      }
    }
  }

  /** Nothing is looked for any more. */
  stop(): void {
    this.#watch.stop();
  }

  async #prepare(vertexId: string, taskCount: number, spec: SourceSpecOf): Promise<void> {
    const { graph, restored } = this.#options;
    const enumerator = this.#enumeratorOf(spec);
    const from = restored?.get(spec.id) ?? null;
    if (from !== null) {
      this.#goOn(from, { vertexId, taskCount, spec, enumerator });
      return;
    }
    const found = await enumerator.discover(graph.parallelism);
    if (spec.isSample) {
      // The same splits are read whole, and counted, elsewhere.
      this.#supplies.set(vertexId, new SplitAssigner(sampleSplits(found.splits)));
      return;
    }
    this.#inputCount += found.inputCount;
    this.#known.set(spec.id, [...found.splits]);
    this.#supply(found.splits, { vertexId, taskCount, spec, enumerator });
    if (enumerator.discoverMore !== undefined) return;
    this.#bytesTotal += found.sizeBytes;
    if (found.skipped !== undefined) this.#options.onSkipped(found.skipped);
  }

  #goOn({ splits, snapshots }: RestoredSource, source: PreparedSource): void {
    const read = splits.flatMap(({ id, isRead }) => (isRead === true ? [id] : []));
    const { unread } = restoredSplits(splits, [...snapshots, { finished: read, open: [] }]);
    const rest = new Map(unread.map((split) => [split.id, split]));
    const known = splits.map((split) => rest.get(split.id) ?? { ...split, isRead: true });
    this.#inputCount += splits.length;
    this.#bytesTotal += unread.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#known.set(source.spec.id, known);
    source.enumerator.restore?.(known);
    this.#supply(unread, source);
  }

  #supply(splits: readonly Split[], source: PreparedSource): void {
    const { vertexId, taskCount, spec, enumerator } = source;
    if (enumerator.discoverMore !== undefined) {
      const supply = new GrowingSplits(lanesOf(splits, taskCount));
      this.#supplies.set(vertexId, supply);
      const onFound = (more: readonly Split[], inputCount: number) => {
        this.#known.get(spec.id)?.push(...more);
        this.#inputCount += inputCount;
      };
      this.#watch.add({ enumerator, supply, onFound });
      return;
    }
    // A split of a sequence is read beside the others, and not behind one of them.
    const isFixed =
      spec.isOrdered === true || splits.some(({ sequence }) => sequence !== undefined);
    const supply = isFixed
      ? new FixedSplits(lanesOf(splits, taskCount))
      : new SplitAssigner(splits);
    this.#supplies.set(vertexId, supply);
  }

  #enumeratorOf(spec: SourceSpecOf): SplitEnumerator {
    const { connectors, context } = this.#options;
    const { connector, options, predicate = null } = spec.source;
    const isOrdered = spec.isOrdered === true;
    const filteredColumns = spec.filters?.flatMap(({ columns }) => columns) ?? [];
    const own = { ...context, predicate, isOrdered, filteredColumns };
    const enumerator = connectors(connector).enumerator?.(options, own);
    if (enumerator === undefined) throw noPart(connector, 'source');
    return enumerator;
  }
}

interface PreparedSource {
  readonly vertexId: string;
  readonly taskCount: number;
  readonly spec: SourceSpecOf;
  readonly enumerator: SplitEnumerator;
}
