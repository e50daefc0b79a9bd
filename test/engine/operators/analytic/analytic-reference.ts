/**
 * Reference of analytic functions, row by row, as SQL defines them: partitions by equal keys, a stable sort, and
 * for each row its frame as a list of rows.
 */
import type { AnalyticOptions } from '../../../../engine/operators/analytic/analytic-operator.ts';
import type { AnalyticColumn, Frame } from '../../../../engine/plan/analytic-functions.ts';
import type { Schema } from '../../../../engine/schema/schema.ts';
import type { OrderColumn } from '../../../../engine/stream/row-order.ts';
import type { Row } from '../../../support/operator-harness.ts';
import { referenceGroups } from '../group-reference.ts';

type FunctionOf<K> = AnalyticColumn & { readonly kind: K };

/** Columns to sort and group by are null, text, number or bigint here. */
export function referenceAnalytic(
  rows: readonly Row[],
  { input, output, partition, order, functions }: AnalyticOptions,
): Row[] {
  const byPartition = partition.map((column) => ({
    column,
    isDescending: false,
    areNullsFirst: false,
  }));
  const sorted = [...rows].sort((a, b) => compareRows(a, b, [...byPartition, ...order]));
  return sorted.map((row) => {
    const own = sorted.filter((other) => compareRows(other, row, byPartition) === 0);
    const isPeer = (other: Row) => compareRows(other, row, order) === 0;
    const peers = { first: own.findIndex(isPeer), end: own.findLastIndex(isPeer) + 1 };
    const ends = { rows: own.indexOf(row) + 1, range: peers.end, partition: own.length };
    const frameOf = (frame: Frame) => own.slice(0, ends[frame]);
    const resultOf = (one: AnalyticColumn): unknown => {
      if (one.kind === 'frame') return aggregateOf(one, input, frameOf(one.frame));
      if (one.kind === 'shift') return shiftedOf(one, own, { row, place: own.indexOf(row) });
      const before = own.slice(0, peers.first);
      const different = before.filter((other, at) => {
        return at === 0 || compareRows(other, before[at - 1] as Row, order) !== 0;
      });
      const ranks = {
        rowNumber: ends.rows,
        rank: peers.first + 1,
        denseRank: different.length + 1,
      };
      return BigInt(ranks[one.function]);
    };
    const results = Object.fromEntries(functions.map((one) => [one.name, resultOf(one)]));
    const all = { ...row, ...results };
    return Object.fromEntries(output.fields.map(({ name }) => [name, all[name]]));
  });
}

function aggregateOf(one: FunctionOf<'frame'>, input: Schema, rows: readonly Row[]): unknown {
  const { name, function: kind, value } = one;
  const aggregate = { name, function: kind, columns: value === null ? [] : [value] };
  return referenceGroups(input, rows, { keys: [], aggregates: [aggregate] })[0]?.[name];
}

function shiftedOf(
  { shift, value, fallback }: FunctionOf<'shift'>,
  own: readonly Row[],
  { row, place }: { readonly row: Row; readonly place: number },
): unknown {
  const other = place + shift < 0 ? undefined : own[place + shift];
  if (other !== undefined) return other[value];
  return fallback === null ? null : row[fallback];
}

function compareRows(a: Row, b: Row, order: readonly OrderColumn[]): number {
  const compare = ({ column, isDescending, areNullsFirst }: OrderColumn) => {
    const [x, y] = [a[column] as string | bigint | null, b[column] as string | bigint | null];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
    if (x === null || y === null) return (x === null) === areNullsFirst ? -1 : 1;
    return (x < y || Number.isNaN(y)) === isDescending ? 1 : -1;
  };
  return order.map(compare).find((compared) => compared !== 0) ?? 0;
}
