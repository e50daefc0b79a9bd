/**
 * Frozen rows: rows of state as they were at a barrier, copied then, and given to the snapshot beside the work.
 *
 *     append ─▶ body │ body │ … in memory, up to a part of the share     then  ─▶ a file of the spill space
 *     appendRun ─▶ a run that is on disk anyway: read when its turn comes
 *
 * Copies, because groups change in place; as bodies (engine/batch/wire.ts), which hold on to nothing but themselves. An
 * operator appends in slices, and answers `snapshot` with false until it has appended all.
 *
 * After: engine/contracts/snapshot.ts
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import { type Body, decodeBody, encodedSizeOf, encodeRows } from '../batch/wire.ts';
import type { SnapshotRows } from '../contracts/snapshot.ts';
import { addressOf } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { SpillFiles } from '../spill/spill-files.ts';
import type { SpillReader } from '../spill/spill-reader.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import type { OperatorContext } from './operator.ts';

/** Rows on disk that somebody else wrote: they stay until `close`. */
export interface FrozenRun {
  /** Begins to read them. */
  open(): SpillReader;
  /** Makes of a batch of theirs one of the snapshot's; takes it over. */
  read(batch: Batch): Batch;
  /** Called once: nothing is read any more. */
  close(): void;
}

/** Of an operator's share that copies in memory may take. */
const memoryPart = 1 / 8;

export class FrozenRows implements SnapshotRows {
  readonly #context: OperatorContext;
  readonly #schema: Schema;
  readonly #bodies: Body[] = [];
  readonly #runs: FrozenRun[] = [];
  #reader: SpillReader | null = null;
  #heldBytes = 0;
  #files: SpillFiles | null = null;
  #writer: SpillWriter | null = null;

  constructor(context: OperatorContext, schema: Schema) {
    this.#context = context;
    this.#schema = schema;
  }

  /** Copies the rows of a batch, which is still the caller's. @throws MEMORY_EXHAUSTED, SPILL_DISK_FULL */
  append(batch: Batch): void {
    if (batch.rowCount === 0) return;
    assert(batch.schema.fields.length === this.#schema.fields.length, 'rows have the schema');
    const { scope, kernels, spill } = this.#context;
    const sizeBytes = encodedSizeOf(kernels, batch, 0, batch.rowCount);
    if (this.#heldBytes + sizeBytes > spill.share.bytes * memoryPart) {
      this.#toDisk(batch);
      return;
    }
    const block = scope.allocate(sizeBytes);
    encodeRows(kernels, batch, 0, batch.rowCount, addressOf(block));
    this.#bodies.push({ block, sizeBytes });
    this.#heldBytes += sizeBytes;
  }

  /** Rows behind those appended so far, and behind those before them. */
  appendRun(run: FrozenRun): void {
    this.#runs.push(run);
  }

  /** All have been appended. */
  seal(): this {
    const [writer, files] = [this.#writer, this.#files];
    this.#writer = null;
    if (writer !== null && files !== null) this.#runs.push(this.#ownRun(files, writer.finish()));
    return this;
  }

  next(): Batch | null {
    const { scope, kernels } = this.#context;
    const body = this.#bodies.shift();
    if (body !== undefined) return decodeBody(kernels, scope, this.#schema, body);
    for (let run = this.#runs[0]; run !== undefined; run = this.#runs[0]) {
      this.#reader ??= run.open();
      const batch = this.#reader.read();
      if (batch !== 'end') return run.read(batch);
      this.#reader.close();
      this.#reader = null;
      this.#runs.shift()?.close();
    }
    return null;
  }

  close(): void {
    this.#reader?.close();
    this.#reader = null;
    for (const { block } of this.#bodies.splice(0)) this.#context.scope.memory.release(block);
    for (const run of this.#runs.splice(0)) run.close();
    this.#writer = null; // The files close it.
    this.#files?.close();
    this.#files = null;
  }

  #toDisk(batch: Batch): void {
    this.#files ??= new SpillFiles({
      ...this.#context,
      spill: { ...this.#context.spill, prefix: `${this.#context.spill.prefix}-frozen` },
    });
    this.#writer ??= this.#files.create();
    this.#writer.append(batch);
  }

  #ownRun(files: SpillFiles, run: SpillRun): FrozenRun {
    const open = () => files.open(run, this.#schema);
    return { open, read: (batch) => batch, close: () => files.remove(run) };
  }
}
