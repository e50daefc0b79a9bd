/** Goal: a column is an array that grows, and a frozen reader sees none of what is written after. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Column } from '../../../../dfs/namenode/table/column.ts';

const rows = 9_000;
const position = fc.integer({ min: 0, max: rows - 1 });

test('moving rows over chunk ends, in both directions, is what an array does', () => {
  const cases = fc.array(fc.tuple(position, position, position), { maxLength: 20 });
  fc.assert(
    fc.property(cases, (moves) => {
      const column = Column.u32();
      column.reserve(rows);
      const reference = Uint32Array.from({ length: rows }, (_, row) => row * 7);
      column.setAll(0, reference);
      for (const [from, to, length] of moves) {
        const count = Math.min(length, rows - from, rows - to);
        column.move(from, to, count);
        reference.copyWithin(to, from, from + count);
      }
      expect(Uint32Array.from(reference, (_, row) => column.get(row))).toEqual(reference);
    }),
    { numRuns: 12 },
  );
});

test('a frozen reader keeps what was there, whatever is set, moved or added', () => {
  const writes = fc.array(fc.tuple(position, fc.nat()), { maxLength: 50 });
  fc.assert(
    fc.property(writes, writes, (before, after) => {
      const column = Column.u32();
      column.reserve(rows);
      const reference = new Uint32Array(rows);
      for (const [row, value] of before) {
        column.set(row, value);
        reference[row] = value;
      }
      const frozen = column.freeze();
      for (const [row, value] of after) {
        column.set(row, value);
        column.move(row, 0, rows - row);
      }
      column.reserve(2 * rows);
      column.set(2 * rows - 1, 5);
      expect(Uint32Array.from(reference, (_, row) => frozen.get(row))).toEqual(reference);
      expect(column.get(2 * rows - 1)).toBe(5);
      column.thaw();
      column.set(0, 9);
      expect(column.freeze().get(0)).toBe(9);
    }),
    { numRuns: 12 },
  );
});
