/**
 * The program's side of a source: rows of JavaScript, or of an apache-arrow table, become batches in a
 * memory of the program's own and go through a ring to the task that reads them.
 *
 *     array, iterable          batches as full as they get
 *     async iterable           the same; an item that is an array goes on at once, as it is
 *     apache-arrow table       its columns are copied, no row is made
 *
 * When the ring is full nothing more is taken from the rows: a slow job slows their producer down.
 *
 * Before: cli/program-ends.ts · After: connectors/program/program-reader.ts, in a slot thread
 */
import type * as arrow from 'apache-arrow';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import { ArrowDictionaries } from '../../engine/batch/arrow-dictionaries.ts';
import { importRows } from '../../engine/batch/arrow-import.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { encodedSizeOf, encodeRows } from '../../engine/batch/wire.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { type RingOptions, RingWriter } from '../../engine/memory/ring.ts';
import { addressOf, type MemoryScope } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { notARowError } from './program-errors.ts';

/** A row that a program gives: a property for each field. */
export type GivenRow = Readonly<Record<string, unknown>>;

/** Rows that a program gives to a job. */
export type RowsInput =
  | Iterable<GivenRow>
  | AsyncIterable<GivenRow | readonly GivenRow[]>
  | arrow.Table;

/** The program's end of a ring. */
export interface ProgramEnd {
  readonly name: string;
  readonly schema: Schema;
  readonly ring: RingOptions;
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  /** The program's own. */
  readonly bell: Doorbell;
  readonly wakeSlots: () => void;
  /** Aborted when the job has ended: nobody reads or writes any more. */
  readonly signal: AbortSignal;
}

/**
 * Sends all rows, and the mark of the end; resolves early when the job has ended.
 *
 * @throws What the rows' iterator throws; VALUE_TYPE_MISMATCH, VALUE_IS_NULL and others for a row that
 * does not fit. The job's task has been told then that no more comes.
 */
export async function feedRows(end: ProgramEnd, rows: RowsInput): Promise<void> {
  const feed = new RowFeed(end);
  try {
    if (isTable(rows)) await feed.sendTable(rows);
    else if (Symbol.asyncIterator in rows) await feed.sendStream(rows);
    else await feed.sendRows(rows);
    feed.end();
  } catch (error) {
    feed.fail();
    if (!end.signal.aborted) throw error;
  } finally {
    feed.close();
  }
}

class RowFeed {
  readonly #end: ProgramEnd;
  readonly #ring: RingWriter;
  readonly #builder: BatchBuilder;
  readonly #names: readonly string[];
  #rowCount = 0;

  constructor(end: ProgramEnd) {
    this.#end = end;
    this.#ring = new RingWriter(end.ring, end.wakeSlots);
    this.#builder = new BatchBuilder(end.scope, end.schema);
    this.#names = end.schema.fields.map(({ name }) => name);
  }

  async sendRows(rows: Iterable<GivenRow>): Promise<void> {
    for (const row of rows) {
      const sent = this.#sendRow(row);
      if (sent !== undefined) await sent;
      if (this.#isOver) return;
    }
    await this.#flush();
  }

  async sendStream(rows: AsyncIterable<GivenRow | readonly GivenRow[]>): Promise<void> {
    const iterator = rows[Symbol.asyncIterator]();
    let isDone = false;
    try {
      while (!this.#isOver) {
        const step = await unlessAborted(iterator.next(), this.#end.signal);
        if (step === null) return;
        isDone = step.done === true;
        if (isDone) break;
        if (Array.isArray(step.value)) await this.sendRows(step.value);
        else await this.#sendRow(step.value as GivenRow);
      }
      await this.#flush();
    } finally {
      // Told, not waited for: it may be in the middle of a wait of its own.
      if (!isDone) iterator.return?.()?.catch(() => undefined);
    }
  }

  async sendTable(table: arrow.Table): Promise<void> {
    const { kernels, scope, schema } = this.#end;
    const { matchingTable } = await import('./arrow-table.ts');
    const target = { kernels, scope };
    const dictionaries = new ArrowDictionaries(scope.memory);
    try {
      for (const source of matchingTable(table, this.#end).batches) {
        for (let row = 0; row < source.numRows && !this.#isOver; ) {
          const batch = importRows(target, { schema, source, dictionaries }, row);
          row += batch.rowCount;
          await this.#send(batch);
        }
      }
    } finally {
      dictionaries.release();
    }
  }

  end(): void {
    if (!this.#isOver) this.#ring.end();
  }

  fail(): void {
    this.#ring.fail();
  }

  close(): void {
    this.#builder.discard();
  }

  get #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  #append(row: GivenRow): void {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw notARowError(this.#end.name, this.#rowCount, row);
    }
    this.#builder.appendRow(this.#names.map((name) => row[name]));
    this.#rowCount++;
  }

  /** Not a promise where there is nothing to wait for: that is most rows. */
  #sendRow(row: GivenRow): Promise<void> | undefined {
    this.#append(row);
    return this.#builder.isFull ? this.#flush() : undefined;
  }

  async #flush(): Promise<void> {
    if (this.#builder.rowCount > 0) await this.#send(this.#builder.build());
  }

  /** Sends a batch, which it releases; waits while the ring is full. */
  async #send(batch: Batch): Promise<void> {
    const { scope, kernels, bell } = this.#end;
    const { rowCount } = batch;
    try {
      const sizeBytes = encodedSizeOf(kernels, batch, 0, rowCount);
      const block = scope.allocate(sizeBytes);
      try {
        const start = addressOf(block);
        encodeRows(kernels, batch, 0, rowCount, start);
        const message = scope.memory.bytes.subarray(start, start + sizeBytes);
        for (;;) {
          const seen = bell.count();
          if (this.#isOver || this.#ring.tryWrite(message)) return;
          await bell.wait(seen);
        }
      } finally {
        scope.memory.release(block);
      }
    } finally {
      batch.release();
    }
  }
}

/** The promise's value, or null when the signal comes first. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = Promise.withResolvers<null>();
  const onAbort = () => aborted.resolve(null);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function isTable(rows: RowsInput): rows is arrow.Table {
  return 'batches' in rows && 'schema' in rows && 'numRows' in rows;
}
