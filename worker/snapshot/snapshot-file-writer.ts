/**
 * Snapshot file writer: what the operators of a task hand out at a barrier, into one file, beside the work.
 *
 *     begin ─▶ writerOf(operator) … operator.snapshot(writer) ─▶ step, step, … ─▶ finish ─▶ OperatorSnapshot[]
 *              at the barrier: rows are lined up, none is taken    1–2 ms each      on disk
 *
 * A part is an Arrow IPC stream. A long one goes on in the next stream, as another part of the same name, so that
 * each is read and checked in one piece.
 *
 * Rows that an operator adds to those of its last snapshot go into the new file alone; the parts that they come on top of
 * are named with them, in the files where they are. So a file is needed as long as a later checkpoint names it, also one
 * whose own checkpoint was never completed.
 *
 * A disk that is full or broken, and memory that is used up, fail the snapshot and not the task: `finish` says so, and the
 * caller declines the checkpoint. Nothing is left of the file then. All other errors are thrown, for they are the task's.
 *
 * Contract: one snapshot at a time (asserted); `abort` in whatever state.
 *
 * Before: engine/contracts/snapshot.ts. After: worker/snapshot/snapshot-output.ts, engine/checkpoint/task-snapshot.ts.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import { errorKinds } from '../../base/error-codes.ts';
import { codeOf, type TypedError } from '../../base/typed-error.ts';
import type { ArrowWriter } from '../../connectors/arrow/arrow-writer.ts';
import type { OperatorSnapshot } from '../../engine/checkpoint/task-snapshot.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SnapshotRows, SnapshotWriter } from '../../engine/contracts/snapshot.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { PartChain } from './part-chain.ts';
import { type SnapshotContext, SnapshotOutput } from './snapshot-output.ts';
import { openStreamWriter } from './snapshot-stream.ts';

export interface SnapshotFileWriterOptions extends SnapshotContext {
  readonly clock: { mono(): number };
  /** How long a step takes, but for the batch that it ends with. @defaultValue 1.5 ms */
  readonly stepMs?: number;
  /** From which size on a part goes on in the next one. @defaultValue 4 MiB; tests set it low */
  readonly partBytesMax?: number;
  /** @defaultValue 256 KiB; tests set it low */
  readonly bufferBytes?: number;
}

export type SnapshotOutcome =
  | {
      readonly kind: 'written';
      readonly operators: readonly OperatorSnapshot[];
      readonly sizeBytes: number;
    }
  | { readonly kind: 'failed'; readonly error: TypedError };

/** 4 MiB: read and checked in two milliseconds. */
const partBytesMaxDefault = 4 << 20;
const stepMsDefault = 1.5;

/** What an operator hands out. */
export interface OperatorParts {
  readonly operatorId: string;
  readonly kind: string;
  note: Json;
  readonly chains: Map<string, PartChain>;
}

/** Rows that wait to be written. */
interface PendingRows {
  readonly chain: PartChain;
  readonly part: string;
  readonly schema: Schema;
  readonly rows: SnapshotRows;
}

/** What a task has on disk: of its newest snapshot, for the writers of those that follow. */
export interface WrittenSnapshot {
  operators: readonly OperatorParts[];
}

export class SnapshotFileWriter {
  readonly #options: SnapshotFileWriterOptions;
  readonly #written: WrittenSnapshot;
  #checkpointId: number | null = null;
  #path = '';
  #operators: OperatorParts[] = [];
  #pending: PendingRows[] = [];
  #output: SnapshotOutput | null = null;
  /** Of the rows that are being written: the first of `pending`. */
  #stream: { readonly writer: ArrowWriter; rowCount: number } | null = null;
  #failure: TypedError | null = null;

  /** @param written - Shared by all writers of a task. @defaultValue this writer's own */
  constructor(options: SnapshotFileWriterOptions, written: WrittenSnapshot = { operators: [] }) {
    this.#options = options;
    this.#written = written;
  }

  /** Between `begin` and `finish` or `abort`. */
  get isWriting(): boolean {
    return this.#checkpointId !== null;
  }

  /** @param path - Of the file, below the folder of the job's checkpoints: one that nobody else uses. */
  begin(checkpointId: number, path: string): void {
    assert(!this.isWriting, 'one snapshot is written at a time');
    this.#checkpointId = checkpointId;
    this.#path = path;
  }

  /** What one operator is given at the barrier. */
  writerOf(operatorId: string, kind: string): SnapshotWriter {
    const checkpointId = this.#checkpointId;
    assert(checkpointId !== null, 'a snapshot has begun');
    const isOwn = (one: OperatorParts) => one.operatorId === operatorId && one.kind === kind;
    const before = this.#written.operators.find(isOwn)?.chains;
    const own = () => {
      assert(this.#checkpointId === checkpointId, 'an operator hands out its state at the barrier');
      return this.#operators.find(isOwn) ?? this.#addOperator(operatorId, kind);
    };
    return {
      checkpointId,
      note: (note) => {
        own().note = note;
      },
      rows: (part, schema, rows, isAdded = false) => {
        // Rows that were on their way may come when the disk has failed already.
        if (this.#failure !== null) return rows.close();
        const { chains } = own();
        assert(!chains.has(part), 'each part is given once');
        const onTopOf = isAdded ? (before?.get(part) ?? null) : null;
        assert(!isAdded || onTopOf !== null, 'rows are added to a part that is written');
        const chain = new PartChain(checkpointId, onTopOf);
        chains.set(part, chain);
        this.#pending.push({ chain, part, schema, rows });
      },
      written: (part) => before?.get(part) ?? null,
    };
  }

  /** Writes rows for a while; true when none are left, or the snapshot has failed. */
  step(): boolean {
    assert(this.isWriting, 'a snapshot has begun');
    const { clock, stepMs = stepMsDefault } = this.#options;
    const deadline = clock.mono() + stepMs;
    while (this.#pending.length > 0) {
      this.#try(() => this.#writeNext());
      if (clock.mono() >= deadline) break;
    }
    return this.#pending.length === 0;
  }

  /** When `step` has answered true: makes the file durable. */
  finish(): SnapshotOutcome {
    assert(this.isWriting && this.#pending.length === 0, 'all rows have been written');
    const output = this.#output;
    const sizeBytes = output?.sizeBytes ?? 0;
    this.#try(() => output?.finish());
    const error = this.#failure;
    const operators = this.#operators;
    this.#reset();
    if (error !== null) return { kind: 'failed', error };
    this.#written.operators = operators;
    return { kind: 'written', operators: operators.map(snapshotOf), sizeBytes };
  }

  /** Gives up: closes the rows and removes the file. @throws Errors of the disk. */
  abort(): void {
    try {
      this.#discard();
    } finally {
      this.#reset();
    }
  }

  #addOperator(operatorId: string, kind: string): OperatorParts {
    const added = { operatorId, kind, note: null, chains: new Map() };
    this.#operators.push(added);
    return added;
  }

  /** What the disk or the memory can't do is the snapshot's failure. */
  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      const code = codeOf(error);
      const kind = code === null ? 'internal' : errorKinds[code];
      // Of several errors the first one counts. A file that stays behind is removed with those of other checkpoints.
      try {
        this.#discard();
      } catch (second) {
        if (codeOf(second) === null) throw second;
      }
      if (kind !== 'external' && kind !== 'resource') throw error;
      this.#failure = error as TypedError;
    }
  }

  #writeNext(): void {
    const [pending] = this.#pending;
    if (pending === undefined) return;
    const batch = pending.rows.next();
    if (batch === null) {
      this.#endStream(pending);
      this.#pending.shift();
      pending.rows.close();
      return;
    }
    const { partBytesMax = partBytesMaxDefault, bufferBytes } = this.#options;
    try {
      if (batch.rowCount === 0) return;
      this.#output ??= new SnapshotOutput(this.#options, this.#path, bufferBytes);
      this.#stream ??= {
        writer: openStreamWriter(this.#options, pending.schema, this.#output.buffer),
        rowCount: 0,
      };
      this.#stream.writer.writeRows(batch);
      this.#stream.rowCount += batch.rowCount;
    } finally {
      batch.release();
    }
    if (this.#stream.writer.sizeBytes >= partBytesMax) this.#endStream(pending);
  }

  #endStream({ chain, part }: PendingRows): void {
    const stream = this.#stream;
    if (stream === null || this.#output === null) return;
    stream.writer.writeFooter();
    stream.writer.close();
    this.#stream = null;
    const { path } = this.#output;
    chain.add({ part, path, ...this.#output.cut(), rowCount: stream.rowCount });
  }

  #discard(): void {
    const [stream, output] = [this.#stream, this.#output];
    const rows = this.#pending.splice(0).map((pending) => pending.rows);
    this.#stream = null;
    this.#output = null;
    closeAll([...rows, stream?.writer ?? null, output && { close: () => output.abort() }]);
  }

  #reset(): void {
    this.#checkpointId = null;
    this.#operators = [];
    this.#output = null;
    this.#failure = null;
  }
}

function snapshotOf({ operatorId, kind, note, chains }: OperatorParts): OperatorSnapshot {
  const parts = [...chains.values()].flatMap((chain) => chain.parts);
  return { operatorId, kind, note, parts };
}
