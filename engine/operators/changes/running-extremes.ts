/**
 * Running extremes: the least and largest values of groups whose rows go again. All values of all groups are kept, counted
 * (`ValueCounts`); when groups are merged, those of keys that have changed are looked at anew.
 *
 *     rows ─▶ values of each key, counted                      recent groups ─▶ keys ─▶ filter
 *                 └─ all values ─▶ of those keys ─▶ least, largest ─┐              │
 *     recent groups, without extremes ───────────────────────────┴─▶ one table ─▶ merged into all groups
 *
 * Why all of them are read: an extreme that goes is followed by one that nobody has looked at. Values are read as a table is,
 * some tens of millions a second, once for all changes of a while; the owner lets that be a fifth of the time at most.
 *
 * Contract: rows are added before the groups that they are in are merged (the owner's part).
 */
import { assert } from '../../../base/assert.ts';
import { closeAll } from '../../../base/close-all.ts';
import { type Batch, batchRowsMax, type Column } from '../../batch/batch.ts';
import { KeyHasher } from '../../keys/key-hasher.ts';
import { addressOf, type BlockHandle } from '../../memory/slot-memory.ts';
import type { RunningExtreme } from '../../plan/physical-graph.ts';
import { type Field, fieldIndexOf, type Schema } from '../../schema/schema.ts';
import { HashFilter } from '../../state/hash-filter.ts';
import { type AggregatePlan, planAggregates } from '../aggregate-plan.ts';
import { AggregateTable } from '../aggregate-table.ts';
import type { OperatorContext } from '../operator.ts';
import type { TableSnapshot } from '../table-snapshot.ts';
import { added, readOut, type Work } from './counted-rows.ts';
import { ValueCounts } from './value-counts.ts';

export interface RunningExtremesOptions {
  readonly input: Schema;
  readonly keys: readonly string[];
  readonly extremes: readonly RunningExtreme[];
  /** How many rows a row stands for. */
  readonly weight: string;
  readonly ttlMs: number | null;
  /** Of groups: keys and parts, an extreme's under its name. */
  readonly parts: Schema;
  /** Of recent groups, whose parts those are. */
  readonly recent: AggregatePlan;
  /** Merges parts. */
  readonly merges: AggregatePlan;
}

/** The values of a column, and what is wanted of them. */
interface Values {
  readonly counts: ValueCounts;
  readonly extremes: readonly RunningExtreme[];
  /** Keys and the value. */
  readonly input: Schema;
  /** Keys and extremes. */
  readonly output: Schema;
  readonly plan: AggregatePlan;
  readonly hasher: KeyHasher | null;
}

/** Zeroes of the largest values, and bits that say that they are null. */
const zeroBytes = batchRowsMax * 16;

export class RunningExtremes {
  readonly #context: OperatorContext;
  readonly #options: RunningExtremesOptions;
  readonly #values: readonly Values[];
  readonly #hasher: KeyHasher | null;
  readonly #zeroes: BlockHandle;
  /** Rows that are on their way into the counts. */
  #part: Batch | null = null;
  #partRows: number[] = [];
  #work: Work | null = null;
  #merged: AggregateTable | null = null;

  constructor(context: OperatorContext, options: RunningExtremesOptions) {
    const { scope, kernels } = context;
    const { parts, keys } = options;
    this.#context = context;
    this.#options = options;
    this.#zeroes = scope.allocate(zeroBytes + batchRowsMax / 8);
    const start = addressOf(this.#zeroes);
    scope.memory.bytes.fill(0, start, start + zeroBytes + batchRowsMax / 8);
    const hashed = keys.length > 0;
    this.#hasher = hashed ? new KeyHasher({ scope, kernels, schema: parts }, keys) : null;
    const columns = new Set(options.extremes.map(({ column }) => column));
    this.#values = [...columns].map((column) => this.#valuesOf(column));
  }

  /** Takes rows of a batch, which `settle` works in. */
  add(batch: Batch, fromRow: number, toRow: number): void {
    assert(this.#part === null, 'rows are worked in before others come');
    this.#part = rowsBetween(this.#context, batch, fromRow, toRow);
    this.#partRows = this.#values.map(() => 0);
  }

  /** Works in the rows that were taken; false asks to be called again. */
  settle(): boolean {
    const part = this.#part;
    if (part === null) return true;
    for (const [at, { counts }] of this.#values.entries()) {
      this.#partRows[at] = counts.add(part, this.#partRows[at] ?? 0);
      if ((this.#partRows[at] ?? 0) < part.rowCount) return false;
    }
    part.release();
    this.#part = null;
    return true;
  }

  /** Recent groups with the extremes that their keys have now; null asks to be called again. They hold until `clear`. */
  merge(recent: AggregateTable): AggregateTable | null {
    if (this.#merged !== null && this.#work === null) return this.#merged;
    this.#work ??= this.#merging(recent);
    for (;;) {
      const { done } = this.#work.next();
      if (done === true) break;
      if (this.#context.shouldYield()) return null;
    }
    this.#work = null;
    return this.#merged;
  }

  /** The snapshots of all values, between two updates. */
  get snapshots(): readonly TableSnapshot[] {
    return this.#values.map(({ counts }) => counts.snapshot);
  }

  get sweepInMs(): number {
    return Math.min(...this.#values.map(({ counts }) => counts.sweepInMs));
  }

  goOn(sweepInMs: number): void {
    for (const { counts } of this.#values) counts.goOn(sweepInMs);
  }

  clear(): void {
    this.#merged?.close();
    this.#merged = null;
  }

  close(): void {
    this.#work?.return();
    this.#work = null;
    this.#part?.release();
    this.#part = null;
    this.clear();
    closeAll([...this.#values.flatMap(({ counts, hasher }) => [counts, hasher]), this.#hasher]);
    this.#context.scope.memory.release(this.#zeroes);
  }

  #valuesOf(column: string): Values {
    const { scope, kernels } = this.#context;
    const { input, keys, weight, ttlMs, parts } = this.#options;
    const extremes = this.#options.extremes.filter((one) => one.column === column);
    const counts = new ValueCounts(this.#context, { input, keys, value: column, weight, ttlMs });
    const schema = { fields: counts.schema.fields.slice(0, -1) };
    const wanted = extremes.map(({ name, function: kind }) => {
      return { name, function: kind, columns: [column] };
    });
    const fields = extremes.flatMap(({ name }) => parts.fields[fieldIndexOf(parts, name)] ?? []);
    return {
      ...{ counts, extremes, input: schema },
      output: { fields: [...schema.fields.slice(0, keys.length), ...fields] },
      plan: planAggregates(schema, 'whole', wanted),
      hasher: keys.length === 0 ? null : new KeyHasher({ scope, kernels, schema }, keys),
    };
  }

  *#merging(recent: AggregateTable): Work {
    const { keys, parts: input, merges: plan, recent: plan0 } = this.#options;
    const merged = new AggregateTable(this.#context, { input, keys, plan });
    this.#merged = merged;
    const filter = new HashFilter(this.#context.scope, recent.groups.groupCount);
    const context = this.#context;
    const noteKeys = (batch: Batch) => this.#noteKeys(batch, filter);
    const bare = (batch: Batch) => this.#withColumns(batch, batch.columns, () => null);
    const take = function* (batch: Batch): Work {
      noteKeys(batch);
      yield* added(merged, bare(batch));
    };
    try {
      yield* readOut(recent, (table) => table.next(plan0.parts, input), take);
      for (const values of this.#values) {
        const options = { input: values.input, keys, plan: values.plan };
        const found = new AggregateTable(context, options);
        try {
          yield* this.#find(values, filter, found);
          const into = (batch: Batch) => added(merged, this.#asParts(batch, values));
          yield* readOut(found, (table) => table.next(values.plan.results, values.output), into);
        } finally {
          found.close();
        }
      }
    } finally {
      filter.close();
    }
  }

  #noteKeys(batch: Batch, filter: HashFilter): void {
    if (this.#hasher === null) return;
    const hashes = this.#hasher.hash(batch) >>> 2;
    const { uint32 } = this.#context.scope.memory;
    for (let row = 0; row < batch.rowCount; row++) filter.add(uint32[hashes + row] ?? 0);
  }

  /** Adds the values that are there, of keys in the filter. */
  *#find(values: Values, filter: HashFilter, found: AggregateTable): Work {
    const { counts } = values;
    while (!counts.settle()) yield null;
    for (let slot: number | null = counts.isEmpty ? null : 0; slot !== null; ) {
      const { batch, next } = counts.read(slot);
      slot = next;
      const present = batch === null ? null : this.#present(batch, values, filter);
      if (present !== null) yield* added(found, present);
      else yield null;
    }
  }

  /** Values of rows that have come and not gone, without their counts; takes the batch over. */
  #present(batch: Batch, { input, hasher }: Values, filter: HashFilter): Batch | null {
    const { scope } = this.#context;
    const block = scope.allocate(batch.rowCount * 4);
    const { uint32, int32, bytes } = scope.memory;
    const [value, count] = batch.columns.slice(input.fields.length - 1);
    assert(value !== undefined && count !== undefined, 'values are counted');
    const hashes = hasher === null ? 0 : hasher.hash(batch) >>> 2;
    const selection = addressOf(block);
    let rowCount = 0;
    for (let row = 0; row < batch.rowCount; row++) {
      const [low, high] = [
        uint32[(count.values >>> 2) + row * 2] ?? 0,
        int32[(count.values >>> 2) + row * 2 + 1] ?? 0,
      ];
      if (high < 0 || (high === 0 && low === 0)) continue;
      const { validity } = value;
      if (validity !== 0 && (((bytes[validity + (row >>> 3)] ?? 0) >>> (row & 7)) & 1) === 0)
        continue;
      if (hasher !== null && !filter.mayHave(uint32[hashes + row] ?? 0)) continue;
      uint32[(selection >>> 2) + rowCount++] = row;
    }
    const columns = batch.columns.slice(0, input.fields.length);
    const kept =
      rowCount === 0
        ? null
        : batch.derive({ schema: input, columns, rowCount, selection, blocks: [block] });
    if (kept === null) scope.memory.release(block);
    batch.release();
    return kept;
  }

  /** Extremes as parts of their groups that change nothing else. */
  #asParts(batch: Batch, { extremes, output }: Values): Batch {
    const { keys } = this.#options;
    const keyColumns = batch.columns.slice(0, keys.length);
    return this.#withColumns(batch, keyColumns, (field) => {
      const isOwn = extremes.some(({ name }) => name === field.name);
      return isOwn ? (batch.columns[fieldIndexOf(output, field.name)] ?? null) : null;
    });
  }

  /** The batch with all columns of parts: those given, of extremes what `extremeOf` says, and for others nothing. */
  #withColumns(
    batch: Batch,
    given: readonly Column[],
    extremeOf: (field: Field) => Column | null,
  ): Batch {
    const { parts: schema, extremes } = this.#options;
    const columns = schema.fields.map((field, index): Column => {
      const isExtreme = extremes.some(({ name }) => name === field.name);
      const known = isExtreme ? extremeOf(field) : given[index];
      return known ?? this.#nothingOf(field);
    });
    return batch.derive({ schema, columns });
  }

  /** A column of nulls, or zeroes where there are none. */
  #nothingOf({ type, nullable }: Field): Column {
    const values = addressOf(this.#zeroes);
    return { type, values, validity: nullable ? values + zeroBytes : 0 };
  }
}

/** Rows of a batch from one on and before another, as a batch of their own. */
function rowsBetween({ scope }: OperatorContext, batch: Batch, from: number, to: number): Batch {
  if (from === 0 && to === batch.rowCount) return batch.retain();
  const block = scope.allocate(Math.max(1, to - from) * 4);
  const selection = addressOf(block);
  const { uint32 } = scope.memory;
  for (let row = from; row < to; row++) {
    uint32[(selection >>> 2) + row - from] = batch.storedRowOf(row);
  }
  return batch.derive({ rowCount: to - from, selection, blocks: [block] });
}
