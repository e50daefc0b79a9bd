/** Goal: sorted rows are cut, numbered, shifted and joined as the references say, at high addresses too. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rankForms, rankStateBytes } from '../../../engine/kernels/segment-kernels.ts';
import {
  changesOf,
  joinedTexts,
  ranksOf,
  segmentsOf,
  shiftedRow,
} from '../../../engine/kernels/segments.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
const { kernels } = arena;
const marksOf = fc.array(fc.boolean(), { minLength: 1, maxLength: 70 });
const bytesOf = (text: string | null) => (text === null ? null : new TextEncoder().encode(text));
const bytes = (marks: readonly boolean[]) => arena.put(marks.map(Number));

test('rows that differ from the row before', () => {
  const floats = fc.array(fc.option(fc.constantFrom(0, -0, Number.NaN, 1)), { minLength: 1 });
  const texts = fc.array(fc.option(fc.constantFrom('', 'short', 'a long text', 'a long test')), {
    minLength: 1,
  });
  const check = <T>(values: readonly T[], form: number, column: () => Column) => {
    arena.reset();
    const { values: at, validity } = column();
    const marks = arena.put(values.map(() => 0));
    kernels.markChanges(form, at, validity, values.length, marks);
    const isSame = (a: T, b: T) => a === b || (Number.isNaN(a) && Number.isNaN(b));
    const found = [...arena.bytes.subarray(marks, marks + values.length)].map(Boolean);
    expect(found).toEqual(changesOf(values, isSame));
  };
  fc.assert(fc.property(floats, (values) => check(values, 64, () => arena.putFloat64s(values))));
  fc.assert(
    fc.property(texts, (values) => check(values, 128, () => arena.putTexts(values.map(bytesOf)))),
  );
});

type Column = { readonly values: number; readonly validity: number };

test('segments, from any first number on', () => {
  fc.assert(
    fc.property(marksOf, fc.nat(5), (marks, first) => {
      arena.reset();
      const out = arena.room(marks.length * 4);
      const starts = arena.room((marks.length + first) * 4);
      const last = kernels.segmentRows(bytes(marks), marks.length, first, out, starts);
      const expected = segmentsOf(marks, first);
      expect(arena.uint32s(out, marks.length)).toEqual(expected);
      expect(last).toBe(expected.at(-1));
      expect(arena.uint32s(starts, last + 1).slice(first)).toEqual(
        Array.from({ length: last + 1 - first }, (_, at) => expected.indexOf(at + first)),
      );
      expect(arena.isUntouched(out + marks.length * 4)).toBe(true);
    }),
  );
});

test('ranks, a few rows a call', () => {
  fc.assert(
    fc.property(
      marksOf,
      fc.array(fc.boolean(), { minLength: 70, maxLength: 70 }),
      fc.nat(9),
      (drawn, more, step) => {
        arena.reset();
        const partitions = drawn.map((mark, row) => mark || row === 0);
        const peers = partitions.map((mark, row) => mark || more[row] === true);
        const state = arena.put(new Uint8Array(24));
        const out = [0, 1, 2].map(() => arena.room(drawn.length * 8));
        for (let row = 0; row < drawn.length; row += step + 1) {
          const part = [partitions, peers].map((marks) => bytes(marks.slice(row, row + step + 1)));
          const count = Math.min(step + 1, drawn.length - row);
          const [numbers = 0, ranks = 0, dense = 0] = out.map((at) => at + row * 8);
          kernels.rankRows(part[0] ?? 0, part[1] ?? 0, count, state, numbers, ranks, dense);
        }
        const [numbers, ranks, dense] = out.map((at) => arena.int64s(at, drawn.length).map(Number));
        const expected = ranksOf(partitions, peers);
        expect(numbers).toEqual(expected.map(({ number }) => number));
        expect(ranks).toEqual(expected.map(({ rank }) => rank));
        expect(dense).toEqual(expected.map(({ denseRank }) => denseRank));
      },
    ),
  );
});

test('rows of the first ranks, a few rows a call', () => {
  const forms = fc.constantFrom(
    [rankForms.rowNumber, 'number'] as const,
    [rankForms.rank, 'rank'] as const,
    [rankForms.denseRank, 'denseRank'] as const,
  );
  fc.assert(
    fc.property(
      marksOf,
      fc.infiniteStream(fc.boolean()),
      fc.nat(9),
      forms,
      fc.nat(6),
      (...drawn) => {
        const [marks, more, step, [form, kind], limit] = drawn;
        arena.reset();
        const partitions = marks.map((mark, row) => mark || row === 0);
        const peers = partitions.map((mark) => more.next().value || mark);
        const state = arena.put(new Uint8Array(rankStateBytes));
        const found: number[] = [];
        for (let row = 0; row < marks.length; row += step + 1) {
          const count = Math.min(step + 1, marks.length - row);
          const [first = 0, second = 0] = [partitions, peers].map((all) =>
            bytes(all.slice(row, row + count)),
          );
          const out = arena.room(count * 4);
          const rows = kernels.firstRows(first, second, count, form, limit, state, out);
          found.push(...arena.uint32s(out, rows).map((one) => one + row));
          expect(arena.isUntouched(out + count * 4)).toBe(true);
        }
        const ranks = ranksOf(partitions, peers);
        expect(found).toEqual(
          [...ranks.keys()].filter((row) => (ranks[row]?.[kind] ?? 0) <= limit),
        );
      },
    ),
  );
});

test('rows some places away, over batches', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(cuts, fc.integer({ min: -20, max: 20 }), fc.nat(7), (sizes, shift, each) => {
      arena.reset();
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const partitions = Array.from({ length: total }, (_, row) => Math.floor(row / (each + 1)));
      const starts = sizes.map((_, at) => sizes.slice(0, at).reduce((sum, size) => sum + size, 0));
      const columns = sizes.map((size, at) => {
        return arena.putUint32(partitions.slice(starts[at], (starts[at] ?? 0) + size));
      });
      const [bases, counts] = [arena.putUint32(columns), arena.putUint32(sizes)];
      for (const [current, size] of sizes.entries()) {
        const out = arena.room(size * 4);
        const missing = sizes.length * 8192;
        kernels.shiftRows(bases, counts, sizes.length, current, shift, missing, out);
        const expected = Array.from({ length: size }, (_, row) => {
          const other = shiftedRow(partitions, (starts[current] ?? 0) + row, shift);
          if (other === null) return missing + row;
          const batch = starts.findLastIndex((first) => first <= other);
          return batch * 8192 + other - (starts[batch] ?? 0);
        });
        expect(arena.uint32s(out, size)).toEqual(expected);
        expect(arena.isUntouched(out + size * 4)).toBe(true);
      }
    }),
  );
});

test('texts with a separator between, segment by segment', () => {
  const rows = fc.array(
    fc.tuple(fc.boolean(), fc.option(fc.constantFrom('', 'ä', 'a text of many bytes'))),
    { minLength: 1, maxLength: 40 },
  );
  fc.assert(
    fc.property(rows, fc.constantFrom('', ', '), (drawn, separator) => {
      arena.reset();
      const texts = drawn.map(([, text]) => text);
      const segments = segmentsOf(
        drawn.map(([mark]) => mark),
        0,
      );
      const last = segments.at(-1) ?? 0;
      const column = arena.putTexts(texts.map(bytesOf));
      const glue = new TextEncoder().encode(separator);
      const size = kernels.joinedSizeOf(
        column.values,
        column.validity,
        0,
        texts.length,
        glue.length,
      );
      const [out, ends] = [arena.room(size), arena.putUint32(new Array(last + 1).fill(0))];
      const places = [arena.putUint32(segments), 0, texts.length] as const;
      kernels.joinTexts(
        column.values,
        column.validity,
        ...places,
        arena.put(glue),
        glue.length,
        out,
        ends,
      );
      let from = out;
      for (let segment = 0; segment <= last; segment++) {
        const own = texts.filter((_, row) => segments[row] === segment);
        const end = arena.uint32(ends, segment);
        const found = end === 0 ? null : new TextDecoder().decode(arena.bytes.slice(from, end));
        expect(found).toBe(joinedTexts(own, separator));
        if (end !== 0) from = end;
      }
      expect(from - out).toBeLessThanOrEqual(size);
      expect(arena.isUntouched(out + size)).toBe(true);
    }),
  );
});
