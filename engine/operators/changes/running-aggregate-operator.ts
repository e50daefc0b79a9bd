/**
 * Running aggregate: groups rows by key columns for ever, and gives out what has changed of their results.
 *
 *     rows ─▶ new groups, of a while ──everyMs, or full──▶ merged into all groups ─▶ changes (running-groups.ts)
 *
 * Why two tables: a key that comes a thousand times in a while changes once, and then its groups before and after
 * the merge are all there is to compare. The first table is as small as a partial aggregate's.
 *
 * In the `final` phase rows are parts, which are merged; where rows are taken back they are negative. A group
 * without rows is gone: its row is given out as deleted. Without keys there is one group for ever, given out at
 * the end at the latest.
 *
 * Invariants:
 * - Between two calls every row is in one of the two tables, or none.
 * - A key's changes come in order: the row before is the row after of the change before.
 * Before: coordinator/planner/lower-running-aggregate.ts
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { BatchBuilder } from '../../batch/batch-builder.ts';
import { aggregatePartsOf } from '../../plan/aggregate-parts.ts';
import { partialMemoryWeight } from '../../plan/memory-weight.ts';
import type { RunningAggregateSpec } from '../../plan/physical-graph.ts';
import { rowKinds } from '../../plan/row-kind.ts';
import { int64Type } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { type AggregatePlan, planAggregates } from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { Operator, OperatorContext, Outbox } from '../operator.ts';
import { partialSlotsFirst } from '../partial-limit.ts';
import { RunningGroups } from './running-groups.ts';

export interface RunningAggregateOptions extends RunningAggregateSpec {
  readonly input: Schema;
  /** Keys, results, the row kind. */
  readonly output: Schema;
  /** Of the groups of a while; a power of two. @defaultValue 262,144 */
  readonly slotsMax?: number;
  /** As of `RunningGroups`. */
  readonly goneMax?: number;
}

export class RunningAggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RunningAggregateOptions;
  /** Of the groups of a while. */
  readonly #plan: AggregatePlan;
  readonly #parts: Schema;
  readonly #recent: AggregateTable;
  readonly #groups: RunningGroups;
  #isGiving = false;
  /** Whether the one group of no rows is given out, or about to be. */
  #hasGivenNothing = false;
  /** Recent groups on their way into all groups. */
  #batch: Batch | null = null;
  #row = 0;
  #pending: Batch | null = null;
  wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(context: OperatorContext, options: RunningAggregateOptions) {
    const { input, output, phase, keys, slotsMax = partialSlotsFirst } = options;
    this.#context = context;
    this.#options = options;
    const aggregates = [...options.aggregates, rowsAggregate(options)];
    const fields = output.fields.slice(0, -1);
    const rows = fieldOf(aggregates.at(-1)?.name ?? '', int64Type);
    const groups = { fields: [...fields, rows] };
    const parts = aggregatePartsOf({ keys, aggregates, output: groups }, input);
    this.#parts = parts.schema;
    this.#plan = planAggregates(input, phase, aggregates);
    const bytesMax = context.spill.share.bytes * partialMemoryWeight;
    this.#recent = new AggregateTable(context, {
      input,
      keys,
      plan: this.#plan,
      slotsMax,
      bytesMax,
    });
    const plan = planAggregates(parts.schema, 'final', parts.aggregates);
    const { givesBefore, ttlMs, goneMax } = options;
    const kept = { givesBefore, ttlMs, ...(goneMax !== undefined && { goneMax }) };
    const all = { parts: parts.schema, keys, plan, groups, output, ...kept };
    try {
      this.#groups = new RunningGroups(context, all);
    } catch (error) {
      this.#recent.close();
      throw error;
    }
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#isGiving && !this.#give(outbox)) return row;
      this.#expectWake();
      row = this.#recent.add(batch, row);
      if (this.#recent.groups.isFull) this.#isGiving = true;
      if (row < batch.rowCount && this.#context.shouldYield()) return row;
    }
    return row;
  }

  wake(nowMs: number, outbox: Outbox): boolean {
    if (nowMs < this.wakeAtMs && !this.#isGiving) return true;
    this.#isGiving = true;
    return this.#give(outbox);
  }

  finish(outbox: Outbox): boolean {
    this.#isGiving = true;
    if (!this.#give(outbox)) return false;
    const isThere = this.#options.keys.length > 0 || this.#groups.hasGiven;
    if (isThere || this.#hasGivenNothing) return true;
    this.#hasGivenNothing = true;
    this.#pending = groupOfNothing(this.#context, this.#options.output);
    return this.#give(outbox);
  }

  close(): void {
    this.#pending?.release();
    this.#batch?.release();
    this.#pending = null;
    this.#batch = null;
    this.#recent.close();
    this.#groups.close();
  }

  /** The first row of a while says when it ends. */
  #expectWake(): void {
    if (this.wakeAtMs !== Number.POSITIVE_INFINITY) return;
    this.wakeAtMs = (this.#context.nowMs?.() ?? 0) + this.#options.everyMs;
  }

  /** Merges recent groups into all groups, and gives out what changes; false asks to be called again. */
  #give(outbox: Outbox): boolean {
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#batch === null) {
        if (!this.#recent.settle()) return false;
        if (this.#recent.isReadOut) break;
        this.#batch = this.#recent.next(this.#plan.parts, this.#parts);
        this.#row = 0;
      } else this.#merge(this.#batch);
      if (this.#context.shouldYield()) return false;
    }
    if (!this.#groups.settle()) return false;
    this.#recent.clear();
    this.#isGiving = false;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    return true;
  }

  #merge(batch: Batch): void {
    const { changes, nextRow } = this.#groups.merge(batch, this.#row);
    this.#pending = changes;
    this.#row = nextRow;
    if (nextRow < batch.rowCount) return;
    batch.release();
    this.#batch = null;
  }
}

/** How many rows a group has: a group without rows is gone. */
function rowsAggregate({ aggregates, keys, input, output, weight }: RunningAggregateOptions) {
  const taken = [...aggregates, ...input.fields, ...output.fields].map(({ name }) => name);
  const name = freeName('rows', new Set([...taken, ...keys]));
  if (weight === null) return { name, function: 'count', columns: [] } as const;
  return { name, function: 'sum', columns: [weight] } as const;
}

/** The one group of an aggregate without keys that had no row. */
function groupOfNothing({ scope }: OperatorContext, output: Schema): Batch {
  const builder = new BatchBuilder(scope, output);
  const kind = output.fields.length - 1;
  assert(kind >= 0, 'a stream of changes has the row kind behind its columns');
  builder.appendRow(
    output.fields.map(({ nullable }, at) => {
      if (at === kind) return rowKinds.insert;
      return nullable ? null : 0n;
    }),
  );
  return builder.build();
}
