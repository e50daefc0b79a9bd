/**
 * Bad records: they end the job with an error, or become dead letters where the plan has a place for
 * them. The batches are made here, a row of `deadLetterSchema` per record.
 */
import type { TypedError } from '../../base/typed-error.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { deadLetterSchema } from '../../engine/contracts/dead-letters.ts';

export interface BadRecord {
  readonly path: string;
  /** Where in the file the record begins; of a topic, the record's offset. */
  readonly byteOffset: number;
  /** The record's bytes, or their beginning. They are read at once. */
  readonly bytes: Uint8Array;
  /** What is wrong, to be read after "the record …": `is no JSON object`. */
  readonly reason: string;
}

/** How places are named, where records are not those of files. */
export interface RecordNaming {
  /** For dead letters: where the record is. */
  originOf(record: BadRecord): string;
  /** What ends the job. */
  errorOf(record: BadRecord): TypedError;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class BadRecords {
  readonly #builder: BatchBuilder | null;
  readonly #naming: RecordNaming | null;
  #ready: Batch[] = [];

  /** @param naming - Null: of files. */
  constructor({ hasDeadLetters, scope }: SlotContext, naming: RecordNaming | null = null) {
    this.#naming = naming;
    this.#builder = hasDeadLetters ? new BatchBuilder(scope, deadLetterSchema) : null;
  }

  /** Whether bad records are collected. */
  get areCollected(): boolean {
    return this.#builder !== null;
  }

  /** Whether all dead letters were taken. */
  get isEmpty(): boolean {
    return this.#ready.length === 0 && (this.#builder?.rowCount ?? 0) === 0;
  }

  /** Collects the record, or throws the error. */
  add(record: BadRecord, errorOf: () => TypedError): void {
    const builder = this.#builder;
    if (builder === null) throw this.#naming?.errorOf(record) ?? errorOf();
    const { path, byteOffset, bytes, reason } = record;
    const text = textOf(bytes);
    const origin = this.#naming?.originOf(record) ?? `${path}, byte ${byteOffset}`;
    builder.appendRow([origin, reason, text, text === null ? bytes.slice() : null]);
    if (builder.isFull) this.#ready.push(builder.build());
  }

  /** Dead letters as a batch, which the caller owns; null when there are none left. */
  take(): Batch | null {
    const batch = this.#ready.shift();
    if (batch !== undefined) return batch;
    return this.#builder !== null && this.#builder.rowCount > 0 ? this.#builder.build() : null;
  }

  close(): void {
    for (const batch of this.#ready) batch.release();
    this.#ready = [];
    this.#builder?.discard();
  }
}

/** The text, or null where the bytes are not UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
