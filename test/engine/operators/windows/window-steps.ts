/** Random steps for operators of windows: rows around a time that goes on, and marks behind it. */
import fc from 'fast-check';
import type { Row, Step } from '../../../support/operator-harness.ts';

/** How many rows lie between two marks, and how far these are apart, at most. */
interface StretchBounds {
  readonly rowsMax: number;
  readonly gapMax: number;
}

export function stepsOf(
  row: fc.Arbitrary<Row>,
  { rowsMax, gapMax }: StretchBounds = { rowsMax: 8, gapMax: 6 },
): fc.Arbitrary<Step[]> {
  const gap = fc.integer({ min: 0, max: gapMax });
  const stretch = fc.tuple(gap, fc.array(row, { maxLength: rowsMax }));
  return fc.array(stretch, { maxLength: 6 }).map((stretches) => {
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
