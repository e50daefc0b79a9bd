/** Columns of aggregates: what they read, by name, and the event time beside it. */
import { assert } from '../../base/assert.ts';
import type { Expr, NamedExpr } from '../../engine/expr/expr.ts';
import { columnExpr } from '../../engine/expr/expr-factory.ts';
import type { AggregateColumn } from '../../engine/plan/physical-graph.ts';
import type { EventWindow } from '../../engine/plan/window-spec.ts';
import { fieldIndexOf, freeName, type Schema } from '../../engine/schema/schema.ts';

export interface Arguments {
  /** The keys and arguments as named columns. */
  readonly columns: readonly NamedExpr[];
  /** The aggregates over those. */
  readonly aggregates: readonly AggregateColumn[];
}

export interface WindowArguments extends Arguments {
  readonly window: EventWindow;
}

/** The event time under a name of its own, where a key or an argument has taken the field's. */
export function timeColumn(
  input: Schema,
  { column }: { readonly column: string },
  { columns, taken }: { readonly columns: readonly NamedExpr[]; readonly taken: Set<string> },
): NamedExpr {
  const field = input.fields[fieldIndexOf(input, column)];
  assert(field !== undefined, 'the event time is a field of the rows');
  const expr = columnExpr(field);
  const same = columns.find((one) => one.name === column);
  const isFree = same === undefined || isSameExpr(same.expr, expr);
  return { name: isFree ? column : freeName(column, taken), expr };
}

/** Columns that an operator reads, with all that came in: what it puts aside can be given out as it came. */
interface WholeColumns {
  readonly columns: readonly NamedExpr[];
  /** What came in, over these columns. */
  readonly aside: readonly NamedExpr[];
}

/** The columns and, under names of their own where those are taken, the fields that are not among them. */
function withAllFields(
  columns: readonly NamedExpr[],
  { fields }: Schema,
  taken: Set<string>,
): WholeColumns {
  const all = [...columns];
  const aside = fields.map((field): NamedExpr => {
    const expr = columnExpr(field);
    const same = all.find((one) => isSameExpr(one.expr, expr));
    if (same !== undefined)
      return { name: field.name, expr: columnExpr({ ...field, name: same.name }) };
    const isFree = all.every((one) => one.name !== field.name);
    const name = isFree ? field.name : freeName(field.name, taken);
    all.push({ name, expr });
    return { name: field.name, expr: columnExpr({ ...field, name }) };
  });
  return { columns: all, aside };
}

/** What an operator of windows reads. */
export interface WindowColumns {
  /** The event time; null in the window of all time. */
  readonly time: NamedExpr | null;
  readonly projected: readonly NamedExpr[];
  /** What came in, over these columns, where rows are put aside. */
  readonly aside: { readonly aside?: readonly NamedExpr[] };
}

/** The columns, the event time where it is none of them, and all that came in where rows are put aside. */
export function windowColumns(
  input: Schema,
  { column, putsAside }: Pick<EventWindow, 'column' | 'putsAside'>,
  { columns, taken }: { readonly columns: readonly NamedExpr[]; readonly taken: Set<string> },
): WindowColumns {
  const time = column === null ? null : timeColumn(input, { column }, { columns, taken });
  const isCarried = time === null || columns.some(({ name }) => name === time.name);
  const needed = isCarried ? columns : [...columns, time];
  if (putsAside !== true) return { time, projected: needed, aside: {} };
  const { columns: projected, aside } = withAllFields(needed, input, taken);
  return { time, projected, aside: { aside } };
}

/** The column whose distinct values are all that is asked for; null in other cases. */
export function onlyDistinctColumn(aggregates: readonly AggregateColumn[]): string | null {
  const [value] = aggregates[0]?.columns ?? [];
  if (value === undefined) return null;
  const isOnly = aggregates.every(
    (one) => one.function === 'countDistinct' && one.columns[0] === value,
  );
  return isOnly ? value : null;
}

/** Expressions are plain data: equal ones have equal text. */
export function isSameExpr(a: Expr, b: Expr): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
