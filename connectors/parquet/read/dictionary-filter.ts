/**
 * Asks the dictionaries of a row group whether a predicate may hold: where all values of a column are
 * entries of its dictionary, a condition on the column alone is asked of the entries, which are few. When
 * it holds for none, it holds for no row. Any such condition will do (`like`, a function), for it is the
 * compiled filter that is asked. So is a dynamic filter of one column, as long as that is of use now and then.
 */
import { Batch, batchRowsMax } from '../../../engine/batch/batch.ts';
import { type RowFilter, rowFilter } from '../../../engine/compile/row-filter.ts';
import type { SlotContext } from '../../../engine/contracts/connector.ts';
import type { DynamicFilter } from '../../../engine/contracts/source.ts';
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

/** Dictionaries in a row that a dynamic filter has something of; then it is not asked any more. */
const vainAnswersMax = 4;

interface ColumnCondition {
  readonly name: string;
  readonly condition: Expr;
  /** Made when the first dictionary is asked. */
  filter: RowFilter | null;
}

interface ColumnFilter {
  readonly name: string;
  readonly filter: DynamicFilter;
  vainAnswers: number;
}

export class DictionaryFilter {
  readonly #context: SlotContext;
  readonly #conditions: readonly ColumnCondition[];
  readonly #filters: readonly ColumnFilter[];

  constructor(context: SlotContext, filters: readonly DynamicFilter[]) {
    const { predicate = null } = context;
    this.#context = context;
    this.#filters = filters.flatMap((filter) => {
      const [only, ...others] = filter.fields;
      if (only === undefined || others.length > 0) return [];
      return [{ name: only.name, filter, vainAnswers: 0 }];
    });
    const conditions = predicate === null ? [] : conditionsOf(predicate);
    this.#conditions = conditions.flatMap((condition) => {
      const name = onlyColumnOf(condition);
      if (name === null || mayFail(condition) || holdsForNull(condition)) return [];
      return [{ name, condition, filter: null }];
    });
  }

  /** False when no row of the row group meets the predicate. */
  mayHold(columns: readonly PieceColumn[]): boolean {
    const { scope, kernels } = this.#context;
    const areMet = this.#conditions.every((one) => {
      return isForSome(columns, one.name, (entries) => {
        one.filter ??= rowFilter({ scope, kernels }, one.condition);
        return this.#selectsEntry(one.filter, entries);
      });
    });
    return areMet && this.#filters.every((one) => this.#hasPartners(one, columns));
  }

  #hasPartners(one: ColumnFilter, columns: readonly PieceColumn[]): boolean {
    if (one.vainAnswers === vainAnswersMax) return true;
    return isForSome(columns, one.name, (entries) => {
      const isFound = this.#selectsEntry(one.filter, entries);
      one.vainAnswers = isFound ? one.vainAnswers + 1 : 0;
      return isFound;
    });
  }

  close(): void {
    for (const one of this.#conditions) {
      one.filter?.close();
      one.filter = null;
    }
  }

  #selectsEntry(filter: Pick<RowFilter, 'select'>, { field, dictionary }: Entries): boolean {
    const { scope } = this.#context;
    const { values, count } = dictionary;
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

interface Entries {
  readonly field: Field;
  readonly dictionary: Dictionary;
}

/** Asks the entries of a column's dictionary; says yes where there is none, or a large one. */
function isForSome(
  columns: readonly PieceColumn[],
  name: string,
  ask: (entries: Entries) => boolean,
): boolean {
  const column = columns.find(({ field }) => field.name === name);
  const dictionary = column?.dictionary() ?? null;
  if (column === undefined || dictionary === null || dictionary.count > entriesMax) return true;
  return ask({ field: column.field, dictionary });
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
