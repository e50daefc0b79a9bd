/**
 * Lookup: each row asks a user's function by its key, and waits for the answer; columns of the answer follow
 * its own.
 *
 *     rows ─▶ held: key asked ─▶ … answers … ─▶ rows beside their answers
 *               │ rows of one call, with the watermark they came behind
 *               └ process stops short when too many questions, or rows, are under way
 *
 * Rows keep their order, or come as they are answered. The watermark behind the operator never passes a row that
 * is held: it follows when the row has gone.
 *
 * An operator never awaits: answers change entries between two calls, and the doorbell makes the task run.
 * A row here costs objects, which is little beside a question to another system.
 *
 * Before: engine/operators/lookup/lookup-requests.ts · After: engine/stream/outbox.ts
 */
import { assert } from '../../../base/assert.ts';
import { codeOf } from '../../../base/typed-error.ts';
import type { Batch } from '../../batch/batch.ts';
import { BatchBuilder } from '../../batch/batch-builder.ts';
import { readValue } from '../../batch/row-reader.ts';
import { userFunctionResult } from '../../compile/user-error.ts';
import type { SnapshotWriter } from '../../contracts/snapshot.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { LookupSpec } from '../../plan/lookup-spec.ts';
import { fieldIndexOf, type Schema } from '../../schema/schema.ts';
import type { StreamMark } from '../../stream/stream-element.ts';
import { takeColumn } from '../../stream/take-column.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { type Lookup, type LookupEntry, LookupRequests } from './lookup-requests.ts';

export interface LookupOperatorOptions extends LookupSpec {
  readonly input: Schema;
  /** The columns of the input, then those of answers. */
  readonly output: Schema;
  readonly lookup: Lookup;
}

/** Rows of one call, those that have not gone yet. */
interface Held {
  readonly batch: Batch;
  /** Stored rows, and the answers that they wait for. */
  rows: number[];
  entries: LookupEntry[];
  /** The last watermark before them. */
  readonly behindMs: number;
}

/** Rows that wait for answers, at most. */
const heldRowsMax = 16_384;

const noKey: LookupEntry = { key: null, isAnswered: true, row: null, expiresAtMs: 0 };

export class LookupOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: LookupOperatorOptions;
  readonly #keyIndex: number;
  readonly #found: Schema;
  readonly #builder: BatchBuilder;
  readonly #requests: LookupRequests;
  #held: Held[] = [];
  #heldRows = 0;
  #waiting: Batch | null = null;
  /** Whether rows of a batch could not be asked for. */
  #isFull = false;
  /** Whether no rows come until all have been given out. */
  #isEnding = false;
  #watermarkMs = Number.NEGATIVE_INFINITY;
  #promisedMs = Number.NEGATIVE_INFINITY;

  constructor(context: OperatorContext, options: LookupOperatorOptions) {
    const { input, output, key, lookup } = options;
    this.#context = context;
    this.#options = options;
    this.#keyIndex = fieldIndexOf(input, key);
    this.#found = { fields: output.fields.slice(input.fields.length) };
    this.#builder = new BatchBuilder(context.scope, this.#found);
    this.#requests = new LookupRequests({
      ...{ operator: context.name, spec: options, lookup },
      nowMs: context.nowMs ?? (() => 0),
      onAnswer: () => context.ring?.(),
    });
  }

  /** Whether only answers can let it go on. */
  get isWaiting(): boolean {
    if (this.#waiting !== null || this.#canGive()) return false;
    if (this.#isEnding) return this.#held.length > 0;
    return this.#isFull && (this.#requests.isFull || this.#heldRows >= heldRowsMax);
  }

  get wakeAtMs(): number {
    if (this.#waiting !== null || this.#canGive()) return Number.NEGATIVE_INFINITY;
    return this.#requests.wakeAtMs;
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    this.#isEnding = false;
    this.#requests.turn();
    if (!this.#give(outbox)) return fromRow;
    const next = this.#ask(batch, fromRow);
    this.#isFull = next < batch.rowCount;
    return next;
  }

  advance(timeMs: number): boolean {
    this.#watermarkMs = timeMs;
    return true;
  }

  watermarkBehind(timeMs: number): number {
    this.#promisedMs = Math.max(this.#promisedMs, this.#behind(timeMs));
    return this.#promisedMs;
  }

  takeMark(): StreamMark | null {
    const timeMs = this.#behind(this.#watermarkMs);
    if (timeMs <= this.#promisedMs || this.#waiting !== null) return null;
    this.#promisedMs = timeMs;
    return { kind: 'watermark', timeMs };
  }

  wake(_nowMs: number, outbox: Outbox): boolean {
    this.#requests.turn();
    return this.#give(outbox);
  }

  /** All answers are waited for, and given out before the barrier. */
  snapshot(_writer: SnapshotWriter, outbox: Outbox): boolean {
    this.#isEnding = !this.#giveAll(outbox);
    return !this.#isEnding;
  }

  restore(): boolean {
    return true;
  }

  finish(outbox: Outbox): boolean {
    this.#isEnding = true;
    return this.#giveAll(outbox);
  }

  close(): void {
    this.#requests.close();
    this.#waiting?.release();
    this.#waiting = null;
    for (const { batch } of this.#held.splice(0)) batch.release();
    this.#builder.discard();
  }

  /** Gives out what has its answer; true when nothing is left. */
  #giveAll(outbox: Outbox): boolean {
    this.#requests.turn();
    return this.#give(outbox) && this.#held.length === 0;
  }

  #behind(timeMs: number): number {
    return this.#held.reduce((least, { behindMs }) => Math.min(least, behindMs), timeMs);
  }

  /** Asks for rows from `fromRow` on; answers the first one that can't be asked for now. */
  #ask(batch: Batch, fromRow: number): number {
    const column = batch.columns[this.#keyIndex];
    assert(column !== undefined, 'the key of a lookup is in its input');
    const rows: number[] = [];
    const entries: LookupEntry[] = [];
    let row = fromRow;
    for (; row < batch.rowCount && this.#heldRows + rows.length < heldRowsMax; row++) {
      const stored = batch.storedRowOf(row);
      const key = readValue(batch.memory, column, stored, this.#options.key);
      const entry = key === null ? noKey : this.#requests.ask(key);
      if (entry === null) break;
      rows.push(stored);
      entries.push(entry);
    }
    if (rows.length === 0) return row;
    this.#held.push({ batch: batch.retain(), rows, entries, behindMs: this.#watermarkMs });
    this.#heldRows += rows.length;
    return row;
  }

  #canGive(): boolean {
    const { isOrdered } = this.#options;
    const isReady = ({ isAnswered }: LookupEntry) => isAnswered;
    const [first] = this.#held;
    if (isOrdered) return first?.entries.every(isReady) === true;
    return this.#held.some(({ entries }) => entries.some(isReady));
  }

  /** Gives out rows that have their answers; false when the outbox is full. */
  #give(outbox: Outbox): boolean {
    for (;;) {
      if (this.#waiting !== null && !outbox.offer(this.#waiting)) return false;
      this.#waiting = null;
      const held = this.#held.find((one) => this.#readyIn(one).length > 0);
      if (held === undefined) return true;
      this.#waiting = this.#take(held, this.#readyIn(held));
    }
  }

  /** Places of rows that may go: of the first rows only where order matters, and then all of them. */
  #readyIn(held: Held): number[] {
    const { isOrdered } = this.#options;
    if (isOrdered && (held !== this.#held[0] || !held.entries.every((one) => one.isAnswered))) {
      return [];
    }
    return held.entries.flatMap(({ isAnswered }, place) => (isAnswered ? [place] : []));
  }

  /** Takes rows out of what is held, as many as a batch of answers has room for; a batch of them, if any. */
  #take(held: Held, ready: readonly number[]): Batch | null {
    const taken = new Set<number>();
    const rows: number[] = [];
    for (const place of ready) {
      if (this.#builder.isFull) break;
      taken.add(place);
      const entry = held.entries[place];
      assert(entry !== undefined, 'each row that is held has an answer to come');
      if (entry.row === null && this.#options.type === 'inner') continue;
      this.#append(entry);
      rows.push(held.rows[place] ?? 0);
    }
    const made = rows.length === 0 ? null : this.#batchOf(held.batch, rows);
    held.rows = held.rows.filter((_, place) => !taken.has(place));
    held.entries = held.entries.filter((_, place) => !taken.has(place));
    this.#heldRows -= taken.size;
    if (held.rows.length === 0) {
      this.#held = this.#held.filter((one) => one !== held);
      held.batch.release();
    }
    return made;
  }

  #append({ key, row }: LookupEntry): void {
    const name = { operator: this.#context.name, function: 'lookup' };
    const subject = { key };
    if (row !== null && typeof row !== 'object') {
      throw userFunctionResult(name, { problem: `answered ${typeof row}, not a row`, subject });
    }
    try {
      this.#builder.appendRow(this.#found.fields.map((field) => row?.[field.name] ?? null));
    } catch (error) {
      if (codeOf(error) === 'MEMORY_EXHAUSTED') throw error;
      const problem = 'answered a row that does not fit its fields';
      throw userFunctionResult(name, { problem, subject, cause: error });
    }
  }

  #batchOf(batch: Batch, rows: readonly number[]): Batch {
    const { scope, kernels } = this.#context;
    const found = this.#builder.build();
    const blocks: BlockHandle[] = [];
    try {
      const list = scope.allocate(rows.length * 4);
      blocks.push(list);
      scope.memory.uint32.set(rows, addressOf(list) >>> 2);
      const target = { scope, kernels, blocks };
      const own = batch.columns.map((column) =>
        takeColumn(target, column, addressOf(list), rows.length),
      );
      return batch.derive({
        ...{ schema: this.#options.output, rowCount: rows.length, storedRows: rows.length },
        ...{ selection: 0, columns: [...own, ...found.columns], blocks, holds: [found] },
      });
    } catch (error) {
      for (const block of blocks) scope.memory.release(block);
      found.release();
      throw error;
    }
  }
}
