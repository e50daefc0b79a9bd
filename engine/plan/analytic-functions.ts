/**
 * Analytic functions (SQL's window functions): a value for each row, of other rows of its partition.
 *
 *     rowNumber, rank, denseRank     where the row stands in the order
 *     shift                          the value of a row before it (lag) or behind it (lead)
 *     frame                          an aggregate of the rows of a frame
 *
 * Frames begin with the partition. They end with the row (`rows`), with the last of its peers, which are equal
 * in the order (`range`), or with the partition.
 */
import type { Expr } from '../expr/expr.ts';
import { exprText } from '../expr/expr-text.ts';
import type { AggregateFunction } from './aggregate-functions.ts';

export type RankFunction = 'rowNumber' | 'rank' | 'denseRank';

export type Frame = 'rows' | 'range' | 'partition';

/** `Value` is what functions read: expressions as the user wrote them, or names of columns. */
type AnalyticFunctionOf<Value> = { readonly name: string } & (
  | { readonly kind: 'rank'; readonly function: RankFunction }
  | {
      readonly kind: 'shift';
      readonly value: Value;
      /** Places: below 0 before, above 0 behind. */
      readonly shift: number;
      /** What there is where no such row is; null for a null. */
      readonly fallback: Value | null;
    }
  | {
      readonly kind: 'frame';
      readonly function: AggregateFunction;
      /** Null to count rows. */
      readonly value: Value | null;
      readonly frame: Frame;
    }
);

export type AnalyticSpec = AnalyticFunctionOf<Expr>;
export type AnalyticColumn = AnalyticFunctionOf<string>;

/** What a function reads. */
export function valuesIn<Value>(one: AnalyticFunctionOf<Value>): Value[] {
  if (one.kind === 'rank') return [];
  const values = one.kind === 'shift' ? [one.value, one.fallback] : [one.value];
  return values.filter((value) => value !== null);
}

/** The function over other values. */
export function overValues<From, To>(
  one: AnalyticFunctionOf<From>,
  readOf: (value: From, name: string) => To,
): AnalyticFunctionOf<To> {
  const of = (value: From | null) => (value === null ? null : readOf(value, one.name));
  switch (one.kind) {
    case 'rank':
      return one;
    case 'shift':
      return { ...one, value: readOf(one.value, one.name), fallback: of(one.fallback) };
    default:
      return { ...one, value: of(one.value) };
  }
}

/** `previous = lag(price, 1)`, `total = sum(price) of range`. */
export function analyticText(one: AnalyticColumn): string {
  const { name } = one;
  if (one.kind === 'rank') return `${name} = ${one.function}()`;
  if (one.kind === 'frame') {
    return `${name} = ${one.function}(${one.value ?? ''}) of ${one.frame}`;
  }
  const verb = one.shift > 0 ? 'lead' : 'lag';
  const fallback = one.fallback === null ? '' : `, ${one.fallback}`;
  return `${name} = ${verb}(${one.value}, ${Math.abs(one.shift)}${fallback})`;
}

/** The same as written. */
export function analyticSpecText(spec: AnalyticSpec): string {
  return analyticText(overValues(spec, exprText));
}
