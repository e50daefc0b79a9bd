/** Random steps for operators of windows: rows around a time that goes on, and marks behind it. */
import fc from 'fast-check';
import type { Row, Step } from '../../../support/operator-harness.ts';

/** How many rows lie between two marks, and how far these are apart, at most. */
interface StretchBounds {
  readonly rowsMax: number;
  readonly gapMax: number;
  /** Whether there are nearly as many as there may be. @defaultValue false: mostly few */
  readonly isLong?: true;
}

export function stepsOf(
  row: fc.Arbitrary<Row>,
  { rowsMax, gapMax, isLong }: StretchBounds = { rowsMax: 8, gapMax: 6 },
): fc.Arbitrary<Step[]> {
  const gap = fc.integer({ min: 0, max: gapMax });
  const size = isLong ? 'max' : 'small';
  const stretch = fc.tuple(gap, fc.array(row, { maxLength: rowsMax, size }));
  return fc.array(stretch, { maxLength: 6, size }).map((stretches) => {
    const all: Step[] = [];
    let mark = -18;
    for (const [step, rows] of stretches) {
      all.push(...rows.map((one) => ({ row: { ...one } })));
      mark += step * 3 + 1;
      all.push({ watermark: mark });
    }
    return all;
  });
}
