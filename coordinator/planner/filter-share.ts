/**
 * Filter shares: which part of the rows a condition keeps, 0 to 1. From the bounds of columns where they are
 * known, otherwise the guesses that planners have used since System R.
 *
 * @see Selinger et al., "Access path selection in a relational database management system"
 */
import type { ColumnStatistics } from '../../engine/contracts/source.ts';
import type { Expr } from '../../engine/expr/expr.ts';

/** What is known of a column: of its table at least the rows. */
export interface KnownColumn extends Partial<ColumnStatistics> {
  readonly rowCount: number;
}

/** By name; undefined for what was computed. */
export interface KnownColumns {
  get(name: string): KnownColumn | undefined;
}

const guesses = { equal: 0.1, range: 1 / 3, like: 0.1, other: 1 / 3 };

export function filterShare(condition: Expr, columns: KnownColumns): number {
  switch (condition.kind) {
    case 'literal':
      return condition.value === true ? 1 : 0;
    case 'logic':
      return logicShare(condition, columns);
    case 'not':
      return 1 - filterShare(condition.input, columns);
    case 'isNull':
      return nullShare(condition.input, columns);
    case 'in':
      return Math.min(1, condition.values.length * equalShare(condition.input, columns));
    case 'compare':
      return compareShare(condition, columns);
    case 'call':
      return guesses.like;
    default:
      return guesses.other;
  }
}

type Logic = Expr & { readonly kind: 'logic' };
type Compare = Expr & { readonly kind: 'compare' };

/** Bounds of one column from both sides are an interval of it; all else is taken to be independent. */
function logicShare({ op, left, right }: Logic, columns: KnownColumns): number {
  const shares = [filterShare(left, columns), filterShare(right, columns)] as const;
  if (op === 'or') return shares[0] + shares[1] - shares[0] * shares[1];
  const [a, b] = [boundOf(left), boundOf(right)];
  const isInterval = a !== null && b !== null && a.column === b.column && a.isUpper !== b.isUpper;
  if (!isInterval) return shares[0] * shares[1];
  const isKnown = boundShare(a, columns) !== null && boundShare(b, columns) !== null;
  return isKnown ? Math.max(0, shares[0] + shares[1] - 1) : guesses.equal;
}

function nullShare(input: Expr, columns: KnownColumns): number {
  if (!input.nullable) return 0;
  const column = input.kind === 'column' ? columns.get(input.name) : undefined;
  const { nullCount = null, rowCount = 0 } = column ?? {};
  return nullCount === null || rowCount === 0 ? guesses.equal : nullCount / rowCount;
}

function compareShare(condition: Compare, columns: KnownColumns): number {
  const { op, left, right } = condition;
  if (op === 'eq' || op === 'ne') {
    const share = Math.min(equalShare(left, columns), equalShare(right, columns));
    return op === 'eq' ? share : 1 - share;
  }
  const bound = boundOf(condition);
  return (bound && boundShare(bound, columns)) ?? guesses.range;
}

function equalShare(expr: Expr, columns: KnownColumns): number {
  const column = expr.kind === 'column' ? columns.get(expr.name) : undefined;
  const { distinctCount = null, min = null, max = null } = column ?? {};
  if (distinctCount !== null) return 1 / Math.max(1, distinctCount);
  const isWhole = expr.type.kind.includes('int') || expr.type.kind === 'date';
  if (!isWhole || min === null || max === null) return guesses.equal;
  return 1 / Math.max(1, Math.min(max - min + 1, column?.rowCount ?? 1));
}

interface Bound {
  readonly column: string;
  readonly value: number;
  readonly isUpper: boolean;
}

/** `column < literal` and its like. */
function boundOf(condition: Expr): Bound | null {
  if (condition.kind !== 'compare' || condition.op === 'eq' || condition.op === 'ne') return null;
  const { op, left, right } = condition;
  const isLess = op === 'lt' || op === 'le';
  const isTurned = left.kind === 'literal';
  const [column, literal] = isTurned ? [right, left] : [left, right];
  if (column.kind !== 'column' || literal.kind !== 'literal') return null;
  const value = numberOf(literal);
  return value === null ? null : { column: column.name, value, isUpper: isLess !== isTurned };
}

/** Decimals are written unscaled. */
function numberOf({ type, value }: Expr & { readonly kind: 'literal' }): number | null {
  if (value === null || typeof value === 'boolean' || type.kind === 'utf8') return null;
  const number = Number(value);
  if (!Number.isFinite(number)) return null;
  return type.kind === 'decimal' ? number / 10 ** type.scale : number;
}

/** The share of a column's values on the bound's side; null where nothing is known. */
function boundShare({ column, value, isUpper }: Bound, columns: KnownColumns): number | null {
  const { min = null, max = null } = columns.get(column) ?? {};
  if (min === null || max === null) return null;
  const below = max === min ? Number(value >= max) : (value - min) / (max - min);
  return Math.min(1, Math.max(0, isUpper ? below : 1 - below));
}
