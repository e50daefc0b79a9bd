/**
 * The checkpoints of a task: from a barrier to the word that the task's part is on disk, or that it can't be.
 *
 *     restore, before the first row
 *     source: triggered ─┐
 *     others: barrier ───┴─▶ begin ─▶ each operator hands out its snapshot ─▶ passed ─▶ written beside the work ─▶ told
 *
 * A snapshot that can't be written is no failure of the task: the checkpoint is given up, and the next one may do.
 *
 * Before: engine/task/task.ts. After: engine/checkpoint/snapshot-files.ts, engine/task/mark-passage.ts.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { toWire, type WireError } from '../../base/typed-error.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { RestoredOperator, SnapshotFiles, SnapshotRun } from '../checkpoint/snapshot-files.ts';
import type { TaskSnapshot } from '../checkpoint/task-snapshot.ts';
import type { Json } from '../contracts/json.ts';
import type { SnapshotWriter, SourceSnapshot } from '../contracts/snapshot.ts';
import type { Operator } from '../operators/operator.ts';
import { keptAs } from '../plan/kept-as.ts';
import type { Vertex } from '../plan/physical-graph.ts';

/** What is told of a checkpoint: the task's part, or why there is none. */
export type CheckpointReport =
  | { readonly checkpointId: number; readonly snapshot: TaskSnapshot }
  /** What the sink has prepared counts all the same. */
  | { readonly checkpointId: number; readonly error: WireError; readonly prepared: Json };

export interface TaskCheckpointsOptions {
  readonly taskId: string;
  readonly taskIndex: number;
  readonly vertex: Vertex;
  readonly files: SnapshotFiles;
  readonly mono: () => number;
}

interface Taken {
  readonly checkpointId: number;
  readonly alignmentMs: number;
  readonly run: SnapshotRun;
  readonly source: SourceSnapshot | null;
  readonly beganAtMs: number;
  prepared: Json;
  passedAtMs: number;
}

export class TaskCheckpoints {
  readonly #options: TaskCheckpointsOptions;
  /** Asked for, and not begun; only of tasks with a source. */
  #triggered: number[] = [];
  /** That whose barrier goes through the chain. */
  #passing: Taken | null = null;
  #begunId = 0;
  /** The barrier behind which the source gives out nothing; null where it reads on. */
  #haltsAt: number | null = null;
  #writing: Taken[] = [];
  #reports: CheckpointReport[] = [];
  /** Operators, by place, that have taken in what they go on from; and what the next one reads it from. */
  #restoredCount = 0;
  #restored: RestoredOperator | null = null;

  constructor(options: TaskCheckpointsOptions) {
    this.#options = options;
  }

  /**
   * Takes in what operators of earlier tasks have kept.
   *
   * @param places - Operators by place in the chain.
   * @returns False asks to be called again, before anything is read: time is up.
   * @throws Errors of the disk, and of what is damaged there.
   */
  restore(places: readonly (Operator | null)[], isOver: () => boolean): boolean {
    const { files, vertex } = this.#options;
    for (; this.#restoredCount < places.length; this.#restoredCount++) {
      const operator = places[this.#restoredCount];
      const spec = vertex.chain[this.#restoredCount];
      if (spec === undefined || operator?.restore === undefined) continue;
      this.#restored ??= files.readerOf({ id: spec.id, kind: keptAs(spec) });
      if (this.#restored === null) continue;
      while (!operator.restore(this.#restored)) if (isOver()) return false;
      this.#restored.close();
      this.#restored = null;
    }
    return true;
  }

  /** Whether a snapshot has not been written. */
  get isWriting(): boolean {
    return this.#writing.length > 0;
  }

  /** The checkpoint that the source is to begin next; null when there is none. */
  get triggered(): number | null {
    return this.#triggered[0] ?? null;
  }

  /** Whether the source gives out nothing until it is told to go on. */
  get isHalted(): boolean {
    return this.#haltsAt !== null && this.#begunId >= this.#haltsAt;
  }

  /** Triggered twice is triggered once. @param halts - The source gives out nothing behind the barrier. */
  trigger(checkpointId: number, halts = false): void {
    const last = this.#triggered.at(-1) ?? this.#begunId;
    if (checkpointId <= last) return;
    this.#triggered.push(checkpointId);
    if (halts) this.#haltsAt = checkpointId;
  }

  /** The source gives out rows again. */
  goOn(): void {
    this.#haltsAt = null;
  }

  /** All rows so far are in front of the barrier. @param source - Where the task's source is. */
  begin({ checkpointId, alignmentMs = 0 }: Barrier, source: SourceSnapshot | null = null): void {
    assert(this.#passing === null, 'one barrier goes through a chain at a time');
    this.#begunId = checkpointId;
    this.#triggered = this.#triggered.filter((id) => id > checkpointId);
    const { files, mono } = this.#options;
    const run = files.begin(checkpointId);
    const beganAtMs = mono();
    const times = { beganAtMs, passedAtMs: beganAtMs };
    this.#passing = { checkpointId, alignmentMs, run, source, prepared: null, ...times };
  }

  /** Where the operator at a place of the chain hands its snapshot. */
  writerOf(place: number): SnapshotWriter {
    const spec = this.#options.vertex.chain[place];
    assert(spec !== undefined && this.#passing !== null, 'a barrier goes through the chain');
    return this.#passing.run.writerOf({ id: spec.id, kind: keptAs(spec) });
  }

  /** The barrier has gone through. @param prepared - What the task's sink has prepared for commit. */
  passed(prepared: Json): void {
    const taken = this.#passing;
    assert(taken !== null, 'a barrier goes through the chain');
    this.#passing = null;
    taken.prepared = prepared;
    taken.passedAtMs = this.#options.mono();
    this.#writing.push(taken);
  }

  /** Writes for a moment; true when there is nothing left to write. */
  step(): boolean {
    const [taken] = this.#writing;
    if (taken === undefined) return true;
    if (!taken.run.step()) return false;
    this.#writing.shift();
    this.#reports.push(this.#reportOf(taken));
    return this.#writing.length === 0;
  }

  /** The next report, or null. */
  takeReport(): CheckpointReport | null {
    return this.#reports.shift() ?? null;
  }

  close(): void {
    const open = [...this.#writing, ...(this.#passing === null ? [] : [this.#passing])];
    this.#writing = [];
    this.#passing = null;
    closeAll([this.#restored, ...open.map(({ run }) => ({ close: () => run.abort() }))]);
  }

  #reportOf({ checkpointId, run, source, prepared, ...times }: Taken): CheckpointReport {
    const { taskId, taskIndex, vertex, mono } = this.#options;
    const outcome = run.finish();
    if (outcome.kind === 'failed') {
      return { checkpointId, error: toWire(outcome.error), prepared };
    }
    const { operators, sizeBytes } = outcome;
    const { alignmentMs, beganAtMs, passedAtMs } = times;
    return {
      checkpointId,
      snapshot: {
        ...{ taskId, taskIndex, operators, prepared },
        source: source && { ...source, operatorId: vertex.chain[0]?.id ?? '' },
        vertexId: vertex.id,
        parallelism: vertex.parallelism,
        statistics: {
          alignmentMs,
          syncMs: passedAtMs - beganAtMs,
          asyncMs: mono() - passedAtMs,
          sizeBytes,
        },
      },
    };
  }
}
