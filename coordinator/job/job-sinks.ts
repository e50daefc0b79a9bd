/**
 * The sinks of a job attempt: makes their targets ready, and what was written visible: once, when the job has ended, or
 * at each checkpoint.
 *
 *     without checkpoints   prepare ─▶ (tasks write) ─▶ commit, or abort
 *     with them             prepare, with what the checkpoint had prepared ─▶ commit, commit, …
 *
 * Each sink appears whole or not at all. Several appear one after the other: when one fails, those before it are there.
 *
 * Before: coordinator/job/job-master.ts. After: engine/contracts/sink.ts.
 */
import { assert } from '../../base/assert.ts';
import type { RoleContext, SinkAttempt } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { OperatorSpec, PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { AttemptStore } from '../checkpoint/store/checkpoint-store.ts';
import { taskIndexOf, vertexIdOf } from '../protocol.ts';
import { type ConnectorLookup, noPart } from './connector-lookup.ts';
import type { RestoredJob } from './job-checkpoints.ts';

/** What the sink writer of a task has written. */
export interface SinkWrite {
  readonly taskId: string;
  readonly write: Json;
}

export interface JobSinksOptions {
  readonly graph: PhysicalGraph;
  readonly connectors: ConnectorLookup;
  readonly context: RoleContext;
  /** Null: the job has none. */
  readonly checkpoints: SinkCheckpoints | null;
}

/** What sinks are told of a job's checkpoints. */
export interface SinkCheckpoints {
  readonly store: Pick<AttemptStore, 'epoch' | 'root' | 'checkCurrent'>;
  /** What the job goes on from: what sinks had prepared up to there, by operator id. Null: it begins anew. */
  readonly restored: Pick<RestoredJob, 'pending' | 'root'> | null;
}

type SinkSpecOf = Extract<OperatorSpec, { kind: 'sink' }>;

interface Committer {
  prepare(): Promise<Json>;
  /** As in `CheckpointCommitter`; absent where tasks are not started again alone. */
  readonly restart?: (taskIndexes: readonly number[]) => Promise<Json>;
  commit(writes: readonly Json[]): Promise<void>;
  abort(): Promise<void>;
}

export class JobSinks {
  readonly #options: JobSinksOptions;
  readonly #committers = new Map<string, Committer>();
  readonly #prepared: Record<string, Json> = {};

  constructor(options: JobSinksOptions) {
    this.#options = options;
  }

  /** Sink operator id → what its committer prepared. */
  get prepared(): Readonly<Record<string, Json>> {
    return this.#prepared;
  }

  /** Makes all targets ready, beside each other. */
  prepare(): Promise<void>[] {
    return this.#options.graph.vertices.flatMap(({ chain, parallelism }) =>
      chain.flatMap((spec) => (spec.kind === 'sink' ? [this.#prepare(spec, parallelism)] : [])),
    );
  }

  /** Makes writes visible: one sink after the other, in the order of the plan; the first that fails ends it. */
  async commit(writes: readonly SinkWrite[]): Promise<void> {
    for (const [sinkId, committer] of this.#committers) {
      const own = writes.filter(({ taskId }) => this.sinkOf(vertexIdOf(taskId)) === sinkId);
      if (own.length > 0) await committer.commit(own.map(({ write }) => write));
    }
  }

  /** Whether the sinks of these tasks can go on with others in their places. */
  canRestart(taskIds: readonly string[]): boolean {
    return this.#sinksOf(taskIds).every(([id]) => this.#committers.get(id)?.restart !== undefined);
  }

  /** Tasks are gone, and others take their places: of what they have written behind the newest checkpoint nothing is left. */
  async restart(taskIds: readonly string[]): Promise<void> {
    for (const [id, indexes] of this.#sinksOf(taskIds)) {
      const prepared = await this.#committers.get(id)?.restart?.(indexes);
      if (prepared !== undefined) this.#prepared[id] = prepared;
    }
  }

  /** Sink operator id → indexes of those of these tasks that write to it. */
  #sinksOf(taskIds: readonly string[]): [string, number[]][] {
    const writing = taskIds.filter((id) => this.sinkOf(vertexIdOf(id)) !== undefined);
    const bySink = Map.groupBy(writing, (id) => this.sinkOf(vertexIdOf(id)) ?? '');
    return [...bySink].map(([id, tasks]) => [id, tasks.map(taskIndexOf)]);
  }

  /** Removes what was written and not committed. @param settle - Waits for one part of it, whatever comes of it. */
  async abort(settle: (part: Promise<void>) => Promise<void>): Promise<void> {
    for (const committer of this.#committers.values()) await settle(committer.abort());
  }

  /** The sink that a vertex ends with. */
  sinkOf(vertexId: string): string | undefined {
    const vertex = this.#options.graph.vertices.find(({ id }) => id === vertexId);
    const last = vertex?.chain.at(-1);
    return last?.kind === 'sink' ? last.id : undefined;
  }

  async #prepare(spec: SinkSpecOf, taskCount: number): Promise<void> {
    const committer = this.#committerOf(spec, taskCount);
    this.#committers.set(spec.id, committer);
    this.#prepared[spec.id] = await committer.prepare();
  }

  #committerOf({ id, sink }: SinkSpecOf, taskCount: number): Committer {
    const { connectors, checkpoints } = this.#options;
    const context = { ...this.#options.context, taskCount };
    const connector = connectors(sink.connector);
    if (checkpoints === null) {
      const committer = connector.committer?.(sink.options, context);
      if (committer === undefined) throw noPart(sink.connector, 'sink');
      return committer;
    }
    const attempt = sinkAttempt(checkpoints);
    const committer = connector.checkpointCommitter?.(sink.options, { ...context, attempt });
    assert(committer !== undefined, 'sinks of a job with checkpoints can commit at them');
    const pending = checkpoints.restored && (checkpoints.restored.pending[id] ?? []);
    return {
      prepare: () => committer.prepare(pending),
      ...(committer.restart && { restart: committer.restart.bind(committer) }),
      commit: (writes) => committer.commit(writes),
      abort: () => committer.abort(),
    };
  }
}

function sinkAttempt({ store, restored }: SinkCheckpoints): SinkAttempt {
  return {
    epoch: store.epoch,
    folder: store.root,
    restoredFrom: restored?.root ?? store.root,
    checkCurrent: () => store.checkCurrent(),
  };
}
