/**
 * Analytic: rows sorted by partition and order, each with what its functions say of others of its partition.
 *
 *     rows ─▶ external sorter ─▶ marks ─▶ ranks ─▶ shifts ─▶ frames ─▶ rows, in order
 *
 * Functions are computed in stages over the sorted rows (row-stage.ts), each with what it needs carried from
 * batch to batch. Where rows have to be held back, since a function looks ahead, they may hold a quarter of
 * the operator's share: those that wait for an aggregate go to disk then.
 *
 * Contract: rows of one partition are all in this task (not checked: the planner puts an exchange in front).
 * @see Leis et al. 2015, Efficient Processing of Window Functions in Analytical SQL Queries.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { type AnalyticColumn, type Frame, valuesIn } from '../../plan/analytic-functions.ts';
import { type Field, fieldIndexOf, type Schema } from '../../schema/schema.ts';
import type { OrderColumn } from '../../stream/row-order.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { FrameStage } from './frame-stage.ts';
import { RankStage } from './rank-stage.ts';
import type { RowStage } from './row-stage.ts';
import { ShiftStage } from './shift-stage.ts';
import { SortedDrain } from './sorted-drain.ts';
import { SortedRows } from './sorted-rows.ts';

export interface AnalyticOptions {
  readonly input: Schema;
  /** Columns of the input, and the results of functions. */
  readonly output: Schema;
  readonly partition: readonly string[];
  readonly order: readonly OrderColumn[];
  readonly functions: readonly AnalyticColumn[];
}

/** Of the share: what rows that are held back may take. */
const waitingPart = 1 / 4;
const frames: readonly Frame[] = ['rows', 'range', 'partition'];

export class AnalyticOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: AnalyticOptions;
  /** Indexes of the columns that are read. */
  readonly #read: readonly number[];
  readonly #sorted: SortedRows;
  readonly #drain: SortedDrain;
  readonly #stages: RowStage[] = [];
  #schema: Schema;

  constructor(context: OperatorContext, options: AnalyticOptions) {
    const { input, output, partition, order, functions } = options;
    const names = new Set([
      ...output.fields.map(({ name }) => name),
      ...partition,
      ...order.map(({ column }) => column),
      ...functions.flatMap(valuesIn),
    ]);
    this.#context = context;
    this.#options = options;
    this.#read = input.fields.flatMap(({ name }, index) => (names.has(name) ? [index] : []));
    this.#schema = { fields: input.fields.filter(({ name }) => names.has(name)) };
    const { spill } = context;
    const share = this.#looksAhead ? spill.share.part(1 - waitingPart) : spill.share;
    const sorting = { ...context, spill: { ...spill, share } };
    this.#sorted = new SortedRows(sorting, { schema: this.#schema, partition, order });
    this.#drain = new SortedDrain(context, { sorted: this.#sorted, make: () => this.#next() });
    try {
      this.#addStages();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  process(batch: Batch, fromRow: number): number {
    const columns = this.#read.map((index) => batch.columns[index]);
    const read = columns.filter((column) => column !== undefined);
    const { fields } = this.#options.input;
    const schema = { fields: this.#read.map((index) => fields[index] as Field) };
    const narrow = batch.derive({ schema, columns: read });
    try {
      return this.#sorted.offer(narrow) ? batch.rowCount : fromRow;
    } finally {
      narrow.release();
    }
  }

  finish(outbox: Outbox): boolean {
    return this.#drain.run(outbox);
  }

  close(): void {
    this.#drain.close();
    for (const stage of this.#stages.splice(0)) stage.close();
    this.#sorted.close();
  }

  get #looksAhead(): boolean {
    return this.#options.functions.some(
      (one) => one.kind === 'shift' || (one.kind === 'frame' && one.frame !== 'rows'),
    );
  }

  #next(): Batch | 'more' | 'end' {
    const last = this.#stages.at(-1);
    assert(last !== undefined, 'there is a function to compute');
    const rows = last.next();
    if (rows === 'more' || rows === 'end') return rows;
    const { output } = this.#options;
    const columns = output.fields.map(({ name }) => {
      const column = rows.batch.columns[fieldIndexOf(this.#schema, name)];
      assert(column !== undefined, 'what comes out was read or computed');
      return column;
    });
    const batch = rows.batch.derive({ schema: output, columns });
    rows.release();
    return batch;
  }

  /** A stage for each kind of function, which gives more columns than come in. */
  #addStages(): void {
    const { functions } = this.#options;
    const ranks = functions.filter((one) => one.kind === 'rank');
    const shifts = functions.filter((one) => one.kind === 'shift');
    const inFrames = functions.filter((one) => one.kind === 'frame');
    const waiting = [shifts, ...frames.slice(1).map((frame) => inFrames.filter(isIn(frame)))];
    const part = waitingPart / Math.max(1, waiting.filter(({ length }) => length > 0).length);
    const bytesMax = this.#context.spill.share.bytes * part;
    if (ranks.length > 0) {
      this.#add(ranks, (before, { output }) => {
        const kinds = ranks.map((one) => one.function);
        return new RankStage(this.#context, before, { functions: kinds, output });
      });
    }
    if (shifts.length > 0) {
      this.#add(shifts, (before, { input, output }) => {
        const places = shifts.map(({ shift, value, fallback }) => ({
          shift,
          column: fieldIndexOf(input, value),
          fallback: fallback === null ? null : fieldIndexOf(input, fallback),
        }));
        return new ShiftStage(this.#context, before, { shifts: places, output, bytesMax, part });
      });
    }
    for (const frame of frames) {
      const own = inFrames.filter(isIn(frame));
      if (own.length === 0) continue;
      const aggregates = own.map(({ name, function: kind, value }) => ({
        name,
        function: kind,
        columns: value === null ? [] : [value],
      }));
      this.#add(own, (before, schemas) => {
        return new FrameStage(this.#context, before, { ...schemas, frame, aggregates, bytesMax });
      });
    }
  }

  #add(
    functions: readonly AnalyticColumn[],
    make: (before: RowStage, schemas: { input: Schema; output: Schema }) => RowStage,
  ): void {
    const input = this.#schema;
    const fields = functions.map(({ name }): Field => {
      const { output } = this.#options;
      const field = output.fields[fieldIndexOf(output, name)];
      assert(field !== undefined, 'a function has a field in the output');
      return field;
    });
    const output = { fields: [...input.fields, ...fields] };
    const before = this.#stages.at(-1) ?? this.#source();
    this.#stages.push(make(before, { input, output }));
    this.#schema = output;
  }

  #source(): RowStage {
    return { next: () => this.#sorted.next() ?? 'end', close: () => {} };
  }
}

function isIn(frame: Frame) {
  return (one: AnalyticColumn & { readonly kind: 'frame' }) => one.frame === frame;
}
