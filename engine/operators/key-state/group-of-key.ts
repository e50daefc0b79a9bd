/**
 * The groups that tables have for a key that somebody asks for, with the results that their accumulators come to
 * so far. The operator goes on as if nobody had asked.
 */
import type { Batch } from '../../batch/batch.ts';
import { readRow } from '../../batch/row-reader.ts';
import type { Json } from '../../contracts/json.ts';
import type { GroupTable } from '../../kernels/group-table.ts';
import { OneGroup, slotOfKey } from '../../kernels/one-group.ts';
import { KeyHasher } from '../../keys/key-hasher.ts';
import type { Field, Schema } from '../../schema/schema.ts';
import type { AggregateResult } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { GroupKeys } from '../group-keys.ts';
import type { OperatorContext } from '../operator.ts';
import { askedKey } from './asked-key.ts';
import { shownValue } from './shown-value.ts';

export interface AskedGroups {
  /** The key's columns. */
  readonly fields: readonly Field[];
  /** Results, and their fields; there may be more fields, which are not shown. */
  readonly results: readonly AggregateResult[];
  readonly shown: readonly Field[];
}

/** A key that was asked for; it serves any number of tables with keys of the same columns. */
export class GroupOfKey {
  readonly #context: OperatorContext;
  readonly #options: AskedGroups;
  /** Other than those of the operator, whose scratch may have the keys of a batch. */
  readonly #keys: GroupKeys;
  readonly #batch: Batch;
  readonly #outputs: Schema;

  /** @throws STATE_KEY_INVALID, MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: AskedGroups, key: string) {
    const { scope, kernels } = context;
    const { fields, shown } = options;
    this.#context = context;
    this.#options = options;
    this.#batch = askedKey(context, fields, key);
    const keys = fields.map(({ name }) => name);
    this.#keys = new GroupKeys(scope, kernels, { schema: { fields }, keys });
    this.#outputs = { fields: [...fields, ...shown] };
  }

  /** The address of its slot in a table; 0 when it has none. */
  slotIn(table: GroupTable): number {
    const { kernels, scope } = this.#context;
    const { form: keyForm } = this.#keys;
    return slotOfKey(table, this.#keys.read(this.#batch), {
      ...{ kernels, keyForm, memory: scope.memory },
    });
  }

  /** Its results by name; undefined where the table does not have it. */
  valuesIn(table: GroupTable): Json | undefined {
    const slot = this.slotIn(table);
    if (slot === 0) return undefined;
    const { scope, kernels } = this.#context;
    const { results, shown } = this.#options;
    const one = new OneGroup(table, scope.memory, slot);
    const from = { scope, kernels, table: one, keys: this.#keys, results, schema: this.#outputs };
    const { batch } = readGroupBatch(from, 0);
    return batch === null ? undefined : shownRow(batch, shown);
  }

  /** The hash of the key, as of `KeyHasher`. */
  hash(): number {
    const { scope, kernels } = this.#context;
    const { fields } = this.#options;
    const names = fields.map(({ name }) => name);
    const hasher = new KeyHasher({ scope, kernels, schema: { fields } }, names);
    try {
      return scope.memory.uint32[hasher.hash(this.#batch) >>> 2] ?? 0;
    } finally {
      hasher.close();
    }
  }

  close(): void {
    this.#batch.release();
    this.#keys.close();
  }
}

/** The columns of a batch's only row, which is released. */
export function shownRow(batch: Batch, fields: readonly Field[]): Json {
  try {
    const row = readRow(batch, 0);
    return Object.fromEntries(fields.map(({ name }) => [name, shownValue(row[name])]));
  } finally {
    batch.release();
  }
}
