/**
 * The second table of a bench with parts: the seconds of each part, and how many times Millrace's the others
 * need. Of all parts together the geometric means tell, in which a short part counts as much as a long one.
 */
import { tableText } from '../base/table.ts';
import { yardstickId } from './contestants.ts';
import { medianOf } from './median.ts';
import type { ContestantResult } from './run-bench.ts';

/** Empty for a bench without parts. */
export function partsText(results: readonly ContestantResult[]): string {
  const names = Object.keys(results[0]?.runs[0]?.partSeconds ?? {});
  if (names.length === 0) return '';
  const right = 'right' as const;
  const columns = results.map((result) => names.map((name) => secondsOf(result, name)));
  const at = results.findIndex(({ id }) => id === yardstickId);
  const rowOf = (name: string, values: readonly number[]): string[] => [
    name,
    ...values.flatMap((seconds) => [seconds.toFixed(3), ratioText(seconds, values[at])]),
  ];
  return tableText(
    [
      { title: 'seconds of' },
      ...results.flatMap(({ name, threads }) => [
        { title: `${name} (${threads})`, align: right },
        { title: 'ratio', align: right },
      ]),
    ],
    [
      ...names.map((name, index) =>
        rowOf(
          name,
          columns.map((column) => column[index] ?? 0),
        ),
      ),
      rowOf('geometric mean', columns.map(geometricMeanOf)),
    ],
  );
}

/** The median of the turns. */
function secondsOf({ runs }: ContestantResult, name: string): number {
  return medianOf(runs.map(({ partSeconds }) => partSeconds?.[name] ?? Number.NaN));
}

function ratioText(seconds: number, yardstick: number | undefined): string {
  return yardstick === undefined ? '' : `${(seconds / yardstick).toFixed(2)} ×`;
}

export function geometricMeanOf(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + Math.log(value), 0);
  return Math.exp(sum / values.length);
}
