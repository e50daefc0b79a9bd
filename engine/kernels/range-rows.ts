/** Reference of range-rows.as.ts: the range of one row, by comparing it with every boundary. */
import type { SortKey } from './sort-keys.ts';
import { compareRows, type SortValue } from './sort-rows.ts';

export interface RangeChoice {
  readonly keys: readonly SortKey[];
  /** In order. */
  readonly boundaries: readonly (readonly SortValue[])[];
  readonly sender: number;
  readonly senderCount: number;
}

export function rangeOfRow(row: readonly SortValue[], choice: RangeChoice): number {
  const { keys, boundaries, sender, senderCount } = choice;
  const orders = boundaries.map((boundary) => compareRows(boundary, row, keys));
  const first = orders.filter((order) => order < 0).length;
  const equal = orders.filter((order) => order === 0).length;
  return first + Math.floor((sender * (equal + 1)) / senderCount);
}
