/**
 * Late materialisation: the columns that the predicate reads are decoded first, and of the others only the rows
 * for which it holds. The filter above stays, so this may say no less, and stops where it does not pay.
 *
 *     asked    shipdate, discount   8,192 rows ──▶ filter ──▶ 140 rows
 *     others   price, partkey       140 of 8,192 rows; pages that have none of them are not uncompressed
 *
 * A condition that may fail is not asked here: its error is the filter's, which names the operator.
 *
 * Before: connectors/parquet/read/row-pruning.ts · After: connectors/parquet/read/parquet-reader.ts
 */
import { Batch, type Column } from '../../../engine/batch/batch.ts';
import { type RowFilter, rowFilter } from '../../../engine/compile/row-filter.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import { conditionsOf } from '../../../engine/expr/conditions.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { logicExpr } from '../../../engine/expr/expr-factory.ts';
import { mayFail } from '../../../engine/expr/may-fail.ts';
import { addressOf, type BlockHandle } from '../../../engine/memory/slot-memory.ts';
import type { Field } from '../../../engine/schema/schema.ts';

/** Rows of a batch by number, ascending: `count` u32 at `rows`. */
export interface ChosenRows {
  readonly rows: number;
  readonly count: number;
}

/** With more of the rows than this the others are decoded whole: they are copied once less. */
const chosenShareMax = 0.5;
/** Batches that are not asked after one of which too many rows were chosen. */
const batchesPassed = 15;

export class LateRows {
  readonly #context: SlotContext;
  readonly #predicate: Expr;
  /** Those that the predicate reads. */
  readonly #fields: readonly Field[];
  #filter: RowFilter | null = null;
  #passed = 0;

  /** Null where all columns are read by the predicate, or none is. */
  static of(context: SlotContext): LateRows | null {
    const { predicate = null, schema } = context;
    const sure = predicate === null ? [] : conditionsOf(predicate).filter((one) => !mayFail(one));
    const names = new Set<string>();
    for (const one of sure) addColumnNames(one, names);
    const fields = schema.fields.filter(({ name }) => names.has(name));
    const isKnown = fields.length === names.size;
    if (!isKnown || fields.length === 0 || fields.length === schema.fields.length) return null;
    const asked = sure.reduce((left, right) => logicExpr('and', left, right));
    return new LateRows(context, asked, fields);
  }

  private constructor(context: SlotContext, predicate: Expr, fields: readonly Field[]) {
    this.#context = context;
    this.#predicate = predicate;
    this.#fields = fields;
  }

  /** Whether the predicate reads the column. */
  reads({ name }: Field): boolean {
    return this.#fields.some((field) => field.name === name);
  }

  /** Whether the next batch is to be asked. */
  isNext(): boolean {
    if (this.#passed === 0) return true;
    this.#passed--;
    return false;
  }

  /**
   * The rows for which the predicate holds, of columns in the order of the schema; `blocks` takes their numbers.
   * @returns Null where the others are better decoded whole.
   */
  choose(columns: readonly Column[], rowCount: number, blocks: BlockHandle[]): ChosenRows | null {
    const { scope, kernels } = this.#context;
    this.#filter ??= rowFilter({ scope, kernels }, this.#predicate);
    const schema = { fields: this.#fields };
    const batch = new Batch(scope.memory, { schema, rowCount, columns, blocks: [] });
    const { selection, rowCount: count } = this.#filter.select(batch);
    if (selection !== 0) blocks.push(selection);
    if (count > rowCount * chosenShareMax) {
      this.#passed = batchesPassed;
      return null;
    }
    return { rows: selection === 0 ? 0 : addressOf(selection), count };
  }

  close(): void {
    this.#filter?.close();
    this.#filter = null;
  }
}
