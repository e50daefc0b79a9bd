/** Goal: the index finds exactly the rows that are in it, after any order of adding and removing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Column } from '../../../../dfs/namenode/table/column.ts';
import { RowIndex } from '../../../../dfs/namenode/table/row-index.ts';

test.each`
  what                         | keyOf
  ${'one behind the other'}    | ${(n: number) => 1_073_741_825 + n}
  ${'far apart'}               | ${(n: number) => n * 2 ** 32 + 5}
  ${'equal in their low bits'} | ${(n: number) => n * 65_536}
`('keys that are $what', ({ keyOf }: { keyOf: (n: number) => number }) => {
  const step = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3_000 }));
  fc.assert(
    fc.property(fc.array(step, { minLength: 1_000, maxLength: 3_000 }), (steps) => {
      const keys = Column.f64();
      keys.reserve(3_001);
      for (let row = 0; row <= 3_000; row++) keys.set(row, keyOf(row));
      const index = new RowIndex(keys);
      const reference = new Set<number>();
      for (const [isAdd, row] of steps) {
        if (isAdd && !reference.has(row)) {
          index.add(row);
          reference.add(row);
        } else if (!isAdd && reference.delete(row)) index.remove(keyOf(row));
      }
      for (let row = 0; row <= 3_000; row++) {
        expect(index.find(keyOf(row))).toBe(reference.has(row) ? row : -1);
      }
    }),
    { numRuns: 10 },
  );
});
