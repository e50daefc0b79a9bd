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
 * The least and largest values of rows that are taken back are found among all that are there (`RunningExtremes`).
 *
 * Invariants:
 * - Between two calls every row is in one of the two tables, or none.
 * - A key's changes come in order: the row before is the row after of the change before.
 * Before: coordinator/planner/lower-running-aggregate.ts
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import type { Batch } from '../../batch/batch.ts';
import { BatchBuilder } from '../../batch/batch-builder.ts';
import type { SnapshotReader, SnapshotWriter } from '../../contracts/snapshot.ts';
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
import { notesOf } from '../snapshot-notes.ts';
import type { TableSnapshot } from '../table-snapshot.ts';
import { readOut, type Work } from './counted-rows.ts';
import { RunningExtremes } from './running-extremes.ts';
import { RunningGroups } from './running-groups.ts';

export interface RunningAggregateOptions extends RunningAggregateSpec {
  readonly input: Schema;
  /** Keys, results, the row kind. */
  readonly output: Schema;
  /** Of the groups of a while; a power of two. @defaultValue 262,144 */
  readonly slotsMax?: number;
  /** As of `RunningGroups`. */
  readonly goneMax?: number;
  readonly tableBytes?: number;
}

/** Of the time, the part that is not spent on looking at values, by theirs. */
const restShare = 4;

export class RunningAggregateOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #options: RunningAggregateOptions;
  /** Of the groups of a while. */
  readonly #plan: AggregatePlan;
  readonly #parts: Schema;
  readonly #recent: AggregateTable;
  readonly #groups: RunningGroups;
  /** Null where no values have to be kept. */
  readonly #extremes: RunningExtremes | null;
  /** Merges parts. */
  readonly #merges: AggregatePlan;
  /** How long the last update took, where values are kept. */
  #tookMs = 0;
  #beganMs: number | null = null;
  #isGiving = false;
  /** Whether all that is known of the groups that are given out is in memory. */
  #isReady = false;
  /** Whether the one group of no rows is given out, or about to be. */
  #hasGivenNothing = false;
  /** Recent groups on their way into all groups. */
  #batch: Batch | null = null;
  #row = 0;
  #pending: Batch | null = null;
  /** Tables that have taken in what they go on from. */
  #restoredCount = 0;
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
    this.#parts = partsWith(options.extremes, parts.schema);
    this.#plan = planAggregates(input, phase, aggregates);
    const bytesMax = context.spill.share.bytes * partialMemoryWeight;
    this.#recent = new AggregateTable(context, {
      input,
      keys,
      plan: this.#plan,
      slotsMax,
      bytesMax,
    });
    const plan = planAggregates(this.#parts, 'final', parts.aggregates);
    this.#merges = plan;
    const { givesBefore, ttlMs, goneMax, tableBytes } = options;
    const kept = {
      ...{ givesBefore, ttlMs, ...(goneMax !== undefined && { goneMax }) },
      ...{ part: keptPart(options), ...(tableBytes !== undefined && { tableBytes }) },
    };
    const all = { parts: this.#parts, keys, plan, groups, output, ...kept };
    const closable: { close(): void }[] = [this.#recent];
    try {
      this.#groups = new RunningGroups(context, all);
      closable.push(this.#groups);
      this.#extremes = options.extremes.length === 0 ? null : this.#newExtremes();
    } catch (error) {
      closeAll(closable);
      throw error;
    }
  }

  process(batch: Batch, fromRow: number, outbox: Outbox): number {
    let row = fromRow;
    while (row < batch.rowCount) {
      if (this.#extremes?.settle() === false) return row;
      if (this.#isGiving && !this.#give(outbox)) return row;
      this.#expectWake();
      const next = this.#recent.add(batch, row);
      if (next > row) this.#extremes?.add(batch, row, next);
      row = next;
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

  /** What came since the last update is given out in front of the barrier: all groups are what there is then. */
  snapshot(writer: SnapshotWriter, outbox: Outbox): boolean {
    if (this.#recent.groups.groupCount > 0) this.#isGiving = true;
    if (this.#isGiving && !this.#give(outbox)) return false;
    const tables = this.#snapshots;
    if (!tables.every((table) => table.prepare(writer))) return false;
    const { hasGiven, sweepInMs } = this.#groups;
    const sooner = Math.min(sweepInMs, this.#extremes?.sweepInMs ?? sweepInMs);
    writer.note({ hasGiven, sweepInMs: Number.isFinite(sooner) ? sooner : null });
    for (const table of tables) table.hand(writer);
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    const tables = this.#snapshots;
    for (; this.#restoredCount < tables.length; this.#restoredCount++) {
      if (tables[this.#restoredCount]?.restore(reader) === false) return false;
    }
    const notes = notesOf(reader);
    const waits = notes.flatMap(({ sweepInMs }) => (sweepInMs === null ? [] : [Number(sweepInMs)]));
    const sweepInMs = Math.min(Number.POSITIVE_INFINITY, ...waits);
    this.#groups.goOn(
      notes.some(({ hasGiven }) => hasGiven === true),
      sweepInMs,
    );
    this.#extremes?.goOn(sweepInMs);
    return true;
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
    this.#extremes?.close();
    this.#recent.close();
    this.#groups.close();
  }

  get #snapshots(): readonly TableSnapshot[] {
    return [this.#groups.snapshot, ...(this.#extremes?.snapshots ?? [])];
  }

  #newExtremes(): RunningExtremes {
    const { input, keys, extremes, weight, ttlMs } = this.#options;
    assert(weight !== null, 'values are kept of rows that are weighed');
    const parts = { parts: this.#parts, recent: this.#plan, merges: this.#merges };
    return new RunningExtremes(this.#context, { input, keys, extremes, weight, ttlMs, ...parts });
  }

  /** The first row of a while says when it ends. */
  #expectWake(): void {
    if (this.wakeAtMs !== Number.POSITIVE_INFINITY) return;
    const restMs = Math.max(this.#options.everyMs, this.#tookMs * restShare);
    this.wakeAtMs = this.#nowMs() + restMs;
  }

  /** Merges recent groups into all groups, and gives out what changes; false asks to be called again. */
  #give(outbox: Outbox): boolean {
    if (this.#extremes?.settle() === false) return false;
    this.#beganMs ??= this.#nowMs();
    for (;;) {
      if (this.#pending !== null && !outbox.offer(this.#pending)) return false;
      this.#pending = null;
      if (this.#batch === null) {
        const next = this.#next();
        if (next === 'end') break;
        if (next === 'later') return false;
      } else this.#merge(this.#batch);
      if (this.#context.shouldYield()) return false;
    }
    if (!this.#groups.settle()) return false;
    this.#recent.clear();
    this.#extremes?.clear();
    if (this.#extremes !== null) this.#tookMs = this.#nowMs() - this.#beganMs;
    this.#beganMs = null;
    this.#isGiving = false;
    this.#isReady = false;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    return true;
  }

  /** Begins with the next groups that have changed, if any; `later` asks to be called again. */
  #next(): 'begun' | 'end' | 'later' {
    const changed = this.#changed();
    if (changed?.settle() !== true) return 'later';
    const { parts } = this.#extremes === null ? this.#plan : this.#merges;
    if (!this.#isReady && !this.#makeReady(changed, parts)) return 'later';
    if (changed.isReadOut) return 'end';
    this.#batch = changed.next(parts, this.#parts);
    this.#row = 0;
    return 'begun';
  }

  /** Brings what is known of groups that have changed into memory; false asks to be called again. */
  #makeReady(changed: AggregateTable, parts: AggregatePlan['parts']): boolean {
    const read = (table: AggregateTable) => table.next(parts, this.#parts);
    const each = (work: (batch: Batch) => Work) => readOut(changed, read, work);
    const coming = { count: changed.groups.groupCount, each };
    this.#isReady = this.#groups.makeReady(coming, changed);
    return this.#isReady;
  }

  /** Recent groups, with their extremes where those have to be found; null asks to be called again. */
  #changed(): AggregateTable | null {
    if (this.#extremes === null) return this.#recent;
    return this.#recent.settle() ? this.#extremes.merge(this.#recent) : null;
  }

  #nowMs(): number {
    return this.#context.nowMs?.() ?? 0;
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

/** What groups have of the share, beside the recent ones; values, of which all are in memory, leave them half of it. */
function keptPart({ extremes }: RunningAggregateOptions): number {
  const part = 1 - partialMemoryWeight;
  return extremes.length === 0 ? part : part / 2;
}

/** Parts of which an extreme may be missing: until it is found, or where none is left. */
function partsWith(extremes: RunningAggregateSpec['extremes'], { fields }: Schema): Schema {
  const names = new Set(extremes.map(({ name }) => name));
  return { fields: fields.map((one) => (names.has(one.name) ? { ...one, nullable: true } : one)) };
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
