/** Goal: a field of fixed records becomes a column of its bytes, and the column that field again. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { fieldsOfRecords } from '../../../engine/kernels/fixed-records.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

/** Bytes of some records, and a field in them. */
const cases = fc
  .record({
    count: fc.nat(40),
    before: fc.nat(20),
    width: fc.oneof(fc.constantFrom(1, 2, 4, 8, 16), fc.integer({ min: 1, max: 100 })),
    after: fc.nat(20),
    selected: fc.infiniteStream(fc.boolean()),
  })
  .map(({ count, before, width, after, selected }) => {
    const size = before + width + after;
    const bytes = Uint8Array.from({ length: count * size }, (_, at) => (at * 31 + 7) % 251);
    const rows = Array.from({ length: count }, (_, row) => row).filter(() => selected.next().value);
    return { count, width, size, offset: before, bytes, rows };
  });

function viewBytes(view: number): Uint8Array {
  const size = arena.view.getUint32(view, true);
  const at = size <= 8 ? view + 8 : arena.view.getUint32(view + 4, true);
  return arena.bytes.slice(at, at + size);
}

function listed(rows: readonly number[]): number {
  const list = arena.room(rows.length * 4);
  rows.forEach((row, index) => {
    arena.view.setUint32(list + index * 4, row, true);
  });
  return list;
}

test('fields as views, and back', () => {
  fc.assert(
    fc.property(cases, ({ count, width, size, offset, bytes, rows }) => {
      arena.reset();
      const { kernels } = arena;
      const from = arena.put(bytes);
      const views = arena.room(count * 16);
      kernels.viewsOfRecords(from + offset, size, width, count, views);
      const expected = fieldsOfRecords(bytes, { size, offset, width });
      const found = Array.from({ length: count }, (_, row) => viewBytes(views + row * 16));
      expect(found).toEqual(expected);
      const to = arena.room(rows.length * size);
      const list = listed(rows);
      const done = kernels.viewsToRecords(views, list, 0, rows.length, width, to + offset, size);
      expect(done).toBe(rows.length);
      const written = arena.bytes.slice(to, to + rows.length * size);
      const record = { size, offset, width };
      expect(fieldsOfRecords(written, record)).toEqual(rows.map((row) => expected[row]));
      expect(arena.isUntouched(to + rows.length * size)).toBe(true);
    }),
  );
});

test('a value of another width stops the way back', () => {
  const from = arena.put(Uint8Array.from({ length: 60 }, (_, at) => at));
  const views = arena.room(3 * 16);
  arena.kernels.viewsOfRecords(from, 20, 12, 2, views);
  arena.kernels.viewsOfRecords(from, 20, 11, 1, views + 32);
  const to = arena.room(60);
  expect(arena.kernels.viewsToRecords(views, 0, 1, 2, 12, to, 20)).toBe(1);
});

test('fields as values, and back', () => {
  fc.assert(
    fc.property(cases, fc.constantFrom(1, 2, 4, 8, 16), ({ count, bytes, rows }, width) => {
      arena.reset();
      const { kernels } = arena;
      const size = width + 3;
      const all = Uint8Array.from({ length: count * size }, (_, at) => bytes[at] ?? at % 256);
      const from = arena.put(all, 1);
      const values = arena.room(count * width);
      kernels.valuesOfRecords(from + 2, size, width, count, values);
      const expected = fieldsOfRecords(all, { size, offset: 2, width });
      const found = fieldsOfRecords(arena.bytes.slice(values, values + count * width), {
        ...{ size: width, offset: 0, width },
      });
      expect(found).toEqual(expected);
      const to = arena.room(rows.length * size);
      kernels.valuesToRecords(values, listed(rows), 0, rows.length, width, to + 2, size);
      const written = arena.bytes.slice(to, to + rows.length * size);
      const again = fieldsOfRecords(written, { size, offset: 2, width });
      expect(again).toEqual(rows.map((row) => expected[row]));
    }),
  );
});
