/**
 * The dynamic filter of a join: its finished table, asked for the keys of rows before these are read whole.
 *
 *     source's columns ──▶ keys ──▶ table ──▶ rows that have a partner, whatever else is asked of the pair
 *
 * It lasts as long as the table does. What it selects goes through the join all the same.
 *
 * Before: engine/operators/join-build.ts · After: engine/contracts/source.ts (`DynamicFilter`)
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import type { DynamicFilter } from '../contracts/source.ts';
import type { SelectedRows } from '../expr/evaluate.ts';
import type { Expr } from '../expr/expr.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import type { Field } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';
import type { JoinBuild } from './join-build.ts';
import { JoinKeys } from './join-keys.ts';
import { keyBoundsOf } from './key-bounds.ts';
import type { OperatorContext } from './operator.ts';

export interface JoinKeyFilterOptions {
  /** Complete. */
  readonly build: JoinBuild;
  /** Its columns, and those of them that are the key. */
  readonly schema: Schema;
  readonly buildKeys: readonly string[];
  /** Of the source: the schema, and the columns that are the key. */
  readonly source: Schema;
  readonly columns: readonly string[];
}

export class JoinKeyFilter implements DynamicFilter {
  readonly fields: readonly Field[];
  readonly predicate: Expr | null;
  /** Whether no row has a partner. */
  readonly isEmpty: boolean;
  readonly #context: OperatorContext;
  readonly #build: JoinBuild;
  readonly #keys: JoinKeys;
  /** For each row of a batch its first partner. */
  readonly #heads: BlockHandle;

  /** @throws MEMORY_EXHAUSTED */
  constructor(context: OperatorContext, options: JoinKeyFilterOptions) {
    const { build, schema, buildKeys, source, columns } = options;
    const { scope, kernels } = context;
    this.#context = context;
    this.#build = build;
    this.fields = source.fields.filter(({ name }) => columns.includes(name));
    const { isEmpty, predicate } = keyBoundsOf({
      ...{ scope, kernels, rows: build.rows },
      indexes: buildKeys.map((key) => fieldIndexOf(schema, key)),
      fields: columns.map((name) => {
        const field = source.fields[fieldIndexOf(source, name)];
        assert(field !== undefined, 'keys are columns of the source');
        return field;
      }),
    });
    this.isEmpty = isEmpty;
    this.predicate = predicate;
    this.#heads = scope.allocate(batchRowsMax * 4);
    try {
      this.#keys = new JoinKeys(scope, kernels, {
        schema: { fields: this.fields },
        keys: columns,
      });
    } catch (error) {
      scope.memory.release(this.#heads);
      throw error;
    }
  }

  select(batch: Batch): SelectedRows {
    assert(batch.selection === 0, 'a source asks of all rows that it has read');
    const { scope, kernels } = this.#context;
    const { rowCount: asked } = batch;
    const heads = addressOf(this.#heads);
    const found = this.#build.table.findAgain(this.#keys.read(batch), asked, heads);
    if (found === 0 || found === asked) return { selection: 0, rowCount: found };
    // The kernel writes what it looks at before it knows whether that is wanted.
    const selection = scope.allocate(asked * 4);
    const rowCount = kernels.rowsByHead(heads, 0, asked, 1, addressOf(selection));
    return { selection, rowCount };
  }

  close(): void {
    this.#keys.close();
    this.#context.scope.memory.release(this.#heads);
  }
}
