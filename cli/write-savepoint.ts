/**
 * `writeSavepoint`: state for a job that has not run yet, out of rows of a program: of a batch job that has read the past, say.
 * `millrace run … --from-savepoint` starts from it as from any other.
 *
 *     rows ─▶ key of each ─▶ put(row, state) ─▶ keyed state ─▶ a snapshot of one task ─▶ manifest
 *
 * The state is kept, hashed and written by what a task keeps, hashes and writes it with, so key groups are the same, and so is
 * the file. One task has all key groups; those of the job take theirs. What does not fit into memory goes to disk meanwhile.
 *
 * Before: cli/program-run.ts. After: engine/state/keyed-state.ts, worker/snapshot/snapshot-file-writer.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { assert } from '../base/assert.ts';
import { createRealEnv } from '../base/env/real-env.ts';
import { createRealSyncDisk } from '../base/env/real-sync-disk.ts';
import { createWholeFile, folderOf } from '../base/env/whole-files.ts';
import { packageVersion } from '../base/package-version.ts';
import { typedError } from '../base/typed-error.ts';
import {
  type CheckpointManifest,
  encodeManifest,
} from '../coordinator/checkpoint/checkpoint-manifest.ts';
import { targetTakenError } from '../coordinator/checkpoint/store/checkpoint-errors.ts';
import { manifestName } from '../coordinator/checkpoint/store/checkpoint-paths.ts';
import type { RowInputOf } from '../engine/api/row.ts';
import { type HandlesOf, type StateDeclarations, statesIn } from '../engine/api/state.ts';
import type { ColumnsOf, StructType } from '../engine/api/value-type.ts';
import { BatchBuilder } from '../engine/batch/batch-builder.ts';
import type { OperatorSnapshot } from '../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../engine/contracts/json.ts';
import { instantiateKernels } from '../engine/kernels/kernels.ts';
import { keyGroupCount } from '../engine/keys/key-group.ts';
import { MemoryShare } from '../engine/memory/memory-share.ts';
import { SlotMemory } from '../engine/memory/slot-memory.ts';
import type { DeclaredOperator } from '../engine/plan/declared-state.ts';
import type { StateSpec } from '../engine/plan/state-spec.ts';
import type { Schema } from '../engine/schema/schema.ts';
import { KeyedState } from '../engine/state/keyed-state.ts';
import { RowKeys } from '../engine/state/row-keys.ts';
import { SnapshotFileWriter } from '../worker/snapshot/snapshot-file-writer.ts';

/** Whose state is written, and from what. */
export interface SavepointState<Row, F, S extends StateDeclarations> {
  /** The name of the job that is to start from it. */
  readonly job: string;
  /** The id of its operator, a `process`: as `millrace explain` shows it. */
  readonly operator: string;
  /** The columns of its key, with their types. */
  readonly key: StructType<F>;
  /** The states that it declares. */
  readonly state: S;
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  /** The key that a row is of. */
  readonly keyOf: (row: Row) => RowInputOf<ColumnsOf<F>>;
  /** Puts into the states of the key what the row says. */
  readonly put: (row: Row, state: HandlesOf<S>) => void;
  /** The event time of a row, where entries live by it. @defaultValue there is none */
  readonly timeOf?: (row: Row) => number;
}

const env = createRealEnv();

/** 512 MiB: what is held in memory; the rest of the state is on disk until it is written. */
const memoryBytes = 512 << 20;

/**
 * Writes the state of one operator as a savepoint into a folder that is empty, or not there.
 *
 * @throws JOB_ARGUMENT_INVALID, SAVEPOINT_TARGET_TAKEN, and errors of the disk.
 * @see docs/upgrade.md
 */
export async function writeSavepoint<Row, F, const S extends StateDeclarations>(
  folder: string,
  given: SavepointState<Row, F, S>,
): Promise<void> {
  const path = resolve(folder);
  const { disk } = env;
  const isThere = (await disk.stat(path)) !== null;
  if (isThere && (await disk.list(path)).length > 0) throw targetTakenError(path);
  const states = specsOf(given);
  await disk.makeDir(path);
  const spill = mkdtempSync(join(tmpdir(), 'millrace-savepoint-'));
  const writing = new StateWriting(path, { ...given, states, spill });
  let snapshots: readonly OperatorSnapshot[];
  try {
    await writing.take(given as never);
    snapshots = writing.write();
  } finally {
    writing.close();
    rmSync(spill, { recursive: true, force: true });
  }
  const manifest = encodeManifest(manifestOf(given, states, snapshots));
  await createWholeFile(disk, `${path}/${manifestName}`, manifest);
  await disk.syncDir(folderOf(path));
}

function specsOf<Row, F, S extends StateDeclarations>({
  state,
  timeOf,
}: SavepointState<Row, F, S>): readonly StateSpec[] {
  const { specs, broadcast } = statesIn(state);
  const [shared] = broadcast;
  if (shared !== undefined) {
    throw typedError('JOB_ARGUMENT_INVALID', `state "${shared.name}" is no state of a key`, {
      hint: 'Leave broadcast states out: their control stream fills them.',
    });
  }
  const timed = specs.find(({ ttl }) => ttl?.time === 'event');
  if (timed === undefined || timeOf !== undefined) return specs;
  throw typedError('JOB_ARGUMENT_INVALID', `entries of state "${timed.name}" live by event time`, {
    hint: 'Say when rows were: timeOf: (row) => row.at.',
  });
}

interface WritingOptions {
  readonly operator: string;
  readonly key: { readonly schema: Schema };
  readonly state: unknown;
  readonly states: readonly StateSpec[];
  readonly spill: string;
}

/** State in memory, and on its way to the file. */
class StateWriting {
  readonly #options: WritingOptions;
  readonly #memory = new SlotMemory({ budgetBytes: memoryBytes });
  readonly #state: KeyedState;
  readonly #keys: RowKeys;
  readonly #builder: BatchBuilder;
  readonly #writer: SnapshotFileWriter;

  constructor(folder: string, options: WritingOptions) {
    const { operator, key, states, state } = options;
    const { schema } = key;
    this.#options = options;
    const scope = this.#memory.scope(operator);
    const kernels = instantiateKernels(this.#memory.memory);
    const disk = createRealSyncDisk();
    const share = new MemoryShare({ budgetBytes: memoryBytes, weight: 1, slotCount: 1 });
    const spill = { disk, folder: options.spill, prefix: '0', share, onWritten: () => undefined };
    const { functions } = statesIn(state);
    const context = { name: operator, scope, kernels, spill };
    this.#state = new KeyedState(context, { states, functions, canUndo: false });
    const columns = schema.fields.map(({ name }) => name);
    this.#keys = new RowKeys({ scope, kernels, schema }, columns);
    this.#builder = new BatchBuilder(scope, schema);
    const clock = { mono: () => env.clock.mono() };
    this.#writer = new SnapshotFileWriter({ disk, scope, kernels, folder, clock });
  }

  /** Puts all rows into the state. */
  async take(given: SavepointState<unknown, never, never>): Promise<void> {
    const { rows, keyOf } = given;
    this.#state.setClock(env.clock.wall());
    let waiting: unknown[] = [];
    for await (const row of rows) {
      const key = keyOf(row) as Readonly<Record<string, unknown>>;
      this.#builder.appendRow(this.#options.key.schema.fields.map(({ name }) => key[name]));
      waiting.push(row);
      if (!this.#builder.isFull) continue;
      this.#putAll(waiting, given);
      waiting = [];
    }
    if (waiting.length > 0) this.#putAll(waiting, given);
  }

  /** What is on disk then. */
  write(): readonly OperatorSnapshot[] {
    const state = this.#state;
    this.#writer.begin(1, '0001.arrow');
    try {
      const own = this.#writer.writerOf(this.#options.operator, 'process');
      own.note({ watermarkMs: null, nowMs: env.clock.wall(), state: state.snapshot(own) });
      while (!this.#writer.step());
    } catch (error) {
      this.#writer.abort();
      throw error;
    }
    const outcome = this.#writer.finish();
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.operators;
  }

  close(): void {
    this.#builder.discard();
    this.#keys.close();
    this.#state.close();
  }

  /** The keys of the rows are in the builder. */
  #putAll(rows: readonly unknown[], { put, timeOf }: SavepointState<unknown, never, never>): void {
    const batch = this.#builder.build();
    const state = this.#state;
    assert(batch.rowCount === rows.length, 'each row has a key');
    this.#keys.read(batch);
    for (const [at, row] of rows.entries()) {
      while (!state.maintain());
      if (timeOf !== undefined) state.setEventTime(timeOf(row));
      this.#keys.load(state.cursor, at, batch.storedRowOf(at));
      put(row, state.handles as never);
      state.commit();
      state.cursor.leave();
    }
    this.#keys.release();
    batch.release();
  }
}

function manifestOf<Row, F, S extends StateDeclarations>(
  { job, operator, key }: SavepointState<Row, F, S>,
  specs: readonly StateSpec[],
  operators: readonly OperatorSnapshot[],
): CheckpointManifest {
  const keys = key.schema.fields;
  const states = specs.map(({ name, kind, key: of, value, ttl }) => ({
    name,
    kind,
    key: of,
    value,
    ttl,
  }));
  const declared: DeclaredOperator = {
    ...{ operatorId: operator, name: operator, kind: 'process', idOrigin: null, reads: [], keys },
    ...{ settings: [], results: [], states, hasTimers: false },
  };
  const sizeBytes = operators
    .flatMap(({ parts }) => parts)
    .reduce((sum, one) => sum + one.sizeBytes, 0);
  const none = { alignmentMs: 0, syncMs: 0, asyncMs: 0, sizeBytes };
  const task = { taskId: 'savepoint[0]', vertexId: 'savepoint', taskIndex: 0, parallelism: 1 };
  return {
    ...{ writtenBy: packageVersion, jobName: job, jobFingerprint: '', epoch: 0, checkpointId: 1 },
    ...{
      kind: 'savepoint',
      createdMs: env.clock.wall(),
      keyGroupCount,
      parallelism: { savepoint: 1 },
    },
    operators: [{ operatorId: operator, name: operator, kind: 'process', fingerprint: '', keys }],
    declared: [declared],
    tasks: [{ ...task, operators, source: null, prepared: null as Json, statistics: none }],
    ...{ splits: {}, writes: {}, pathsFrom: 'manifest' },
    statistics: {
      checkpointId: 1,
      kind: 'savepoint',
      durationMs: 0,
      sizeBytes,
      missing: [],
      tasks: [],
    },
  };
}
