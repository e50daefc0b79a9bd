/**
 * Asks the dictionaries of a row group whether a predicate may hold: where all values of a column are
 * entries of its dictionary, a condition on the column alone is asked of the entries, which are few. When
 * it holds for none, it holds for no row. Any such condition will do (`like`, a function), for it is the
 * compiled filter that is asked.
 */
import { Batch, batchRowsMax } from '../../../engine/batch/batch.ts';
import { type RowFilter, rowFilter } from '../../../engine/compile/row-filter.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import { addColumnNames } from '../../../engine/expr/column-names.ts';
import { conditionsOf } from '../../../engine/expr/conditions.ts';
import { evaluatorOf } from '../../../engine/expr/evaluator.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { mayFail } from '../../../engine/expr/may-fail.ts';
import { type Field, valueSizeOf } from '../../../engine/schema/field-type.ts';
import type { Dictionary } from './dictionary.ts';
import type { PieceColumn } from './open-columns.ts';

/** Entries beyond which reading the values is about as cheap. */
const entriesMax = 1 << 16;

interface ColumnCondition {
  readonly name: string;
  readonly condition: Expr;
  /** Made when the first dictionary is asked. */
  filter: RowFilter | null;
}

export class DictionaryFilter {
  readonly #context: SlotContext;
  readonly #conditions: readonly ColumnCondition[];

  constructor(context: SlotContext, predicate: Expr) {
    this.#context = context;
    this.#conditions = conditionsOf(predicate).flatMap((condition) => {
      const name = onlyColumnOf(condition);
      if (name === null || mayFail(condition) || holdsForNull(condition)) return [];
      return [{ name, condition, filter: null }];
    });
  }

  /** False when no row of the row group meets the predicate. */
  mayHold(columns: readonly PieceColumn[]): boolean {
    return this.#conditions.every((one) => {
      const column = columns.find(({ field }) => field.name === one.name);
      const dictionary = column?.dictionary() ?? null;
      if (column === undefined || dictionary === null || dictionary.count > entriesMax) return true;
      return this.#holdsForEntry(one, column.field, dictionary);
    });
  }

  close(): void {
    for (const one of this.#conditions) {
      one.filter?.close();
      one.filter = null;
    }
  }

  #holdsForEntry(one: ColumnCondition, field: Field, { values, count }: Dictionary): boolean {
    const { scope, kernels } = this.#context;
    const filter = one.filter ?? rowFilter({ scope, kernels }, one.condition);
    one.filter = filter;
    const size = valueSizeOf(field.type);
    for (let from = 0; from < count; from += batchRowsMax) {
      const rowCount = Math.min(batchRowsMax, count - from);
      const columns = [{ type: field.type, validity: 0, values: values + from * size }];
      const batch = new Batch(scope.memory, {
        ...{ schema: { fields: [field] }, rowCount, columns, blocks: [] },
      });
      const { selection, rowCount: found } = filter.select(batch);
      if (selection !== 0) scope.memory.release(selection);
      if (found > 0) return true;
    }
    return false;
  }
}

/** Null where it reads several, or none. */
function onlyColumnOf(condition: Expr): string | null {
  const names = new Set<string>();
  addColumnNames(condition, names);
  const [name, ...others] = names;
  return others.length === 0 ? (name ?? null) : null;
}

/** Dictionaries have no nulls. */
function holdsForNull(condition: Expr): boolean {
  return evaluatorOf(condition, () => () => null)(0) === true;
}
