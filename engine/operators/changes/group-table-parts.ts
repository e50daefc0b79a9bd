/**
 * What the table of running groups is made of: accumulators that merge parts, and one more that has when a group was
 * touched last. Its keys and inputs are read of batches here, and written to batches of parts again.
 */
import type { Batch } from '../../batch/batch.ts';
import { GroupCells } from '../../kernels/group-cells.ts';
import { type ColumnAddress, type GroupRows, GroupTable } from '../../kernels/group-table.ts';
import { int64Type } from '../../schema/field-type.ts';
import { fieldOf, freeName, type Schema } from '../../schema/schema.ts';
import { AggregateInputs } from '../aggregate-inputs.ts';
import type { AggregatePlan, AggregateResult } from '../aggregate-plan.ts';
import { GroupKeys } from '../group-keys.ts';
import type { OperatorContext } from '../operator.ts';

export interface GroupTablePartsOptions {
  /** Keys and parts, the last of which is a count of rows. */
  readonly parts: Schema;
  readonly keys: readonly string[];
  /** Merges the parts. */
  readonly plan: AggregatePlan;
}

const noArrivals: ReadonlyMap<number, number> = new Map();
const touchAccumulator = { function: 'max', type: 'int64' } as const;

export class GroupTableParts {
  readonly context: OperatorContext;
  /** Keys and parts, and the time of the last touch. */
  readonly partsWithTouch: Schema;
  /** Those behind the keys. */
  readonly partResults: readonly AggregateResult[];
  readonly cells: GroupCells;
  /** For keys on their way out: their scratch is another than that of keys that are looked for. */
  readonly givenKeys: GroupKeys;
  readonly #keys: GroupKeys;
  readonly #inputs: AggregateInputs;
  readonly #accumulators: AggregatePlan['accumulators'];

  constructor(context: OperatorContext, { parts, keys, plan }: GroupTablePartsOptions) {
    const { scope, kernels } = context;
    const touch = freeName('touched', new Set(parts.fields.map(({ name }) => name)));
    this.context = context;
    this.partsWithTouch = { fields: [...parts.fields, fieldOf(touch, int64Type)] };
    this.#accumulators = [...plan.accumulators, touchAccumulator];
    this.#keys = new GroupKeys(scope, kernels, { schema: parts, keys });
    this.givenKeys = new GroupKeys(scope, kernels, { schema: parts, keys });
    this.#inputs = new AggregateInputs(scope, kernels, plan.inputs);
    const headBytes = this.#keys.form === 'int128' ? 24 : 16;
    this.cells = new GroupCells(kernels, this.#accumulators, headBytes);
    const column = this.cells.resultSizes.length - 1;
    this.partResults = [...plan.parts, { kind: 'plain', column, isCount: true }];
  }

  newTable(): GroupTable {
    const { scope, kernels } = this.context;
    const { form: keyForm } = this.#keys;
    return new GroupTable(scope, kernels, { keyForm, accumulators: this.#accumulators });
  }

  /** A batch as the table reads it; holds until the next call. */
  rowsOf(batch: Batch, touched: ColumnAddress): GroupRows {
    const { selection: keySelection, ...key } = this.#keys.read(batch);
    const inputs = [...this.#inputs.read(batch, noArrivals), touched];
    const { selection, rowCount } = batch;
    return { key, keySelection, inputs, selection, rowCount };
  }

  close(): void {
    this.#keys.close();
    this.givenKeys.close();
    this.#inputs.close();
  }
}
