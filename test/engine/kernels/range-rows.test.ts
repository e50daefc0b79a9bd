/** Goal: rows go to the ranges that the reference says, in their old order, and ranges keep the order. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { type RangeChoice, rangeOfRow } from '../../../engine/kernels/range-rows.ts';
import { sortRowSizeOf } from '../../../engine/kernels/sort-kernels.ts';
import type { SortKey } from '../../../engine/kernels/sort-keys.ts';
import { compareRows, type SortValue } from '../../../engine/kernels/sort-rows.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());
const { kernels } = arena;

type Keys = readonly [number | null, Uint8Array | null];
const stride = sortRowSizeOf(2);

const textKeys = fc.option(
  fc.constantFrom('', 'a', 'b', 'a longer key', 'a longer one', 'é').map(bytesOf),
);
const rowKeys: fc.Arbitrary<Keys> = fc.tuple(
  fc.option(fc.integer({ min: -2, max: 2 }), { nil: null }),
  textKeys,
);
const sortKeys = fc
  .record({ isDescending: fc.boolean(), areNullsLast: fc.boolean() })
  .chain((number) =>
    fc.record({ isDescending: fc.boolean(), areNullsLast: fc.boolean() }).map((text): SortKey[] => [
      { type: 'int32', ...number },
      { type: 'utf8', ...text },
    ]),
  );

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function putSortRows(keys: readonly SortKey[], rows: readonly Keys[]): number {
  const address = arena.room(rows.length * stride);
  kernels.startSortRows(0, 0, rows.length, address, stride, 0);
  const columns = [
    arena.putInt32s(rows.map(([number]) => number)),
    arena.putTexts(rows.map(([, text]) => text)),
  ];
  const encoders = [kernels.encodeSortInt32, kernels.encodeSortUtf8];
  keys.forEach(({ isDescending, areNullsLast }, index) => {
    const { values = 0, validity = 0 } = columns[index] ?? {};
    const order = Number(isDescending) + 2 * Number(areNullsLast);
    encoders[index]?.(values, validity, 0, 0, rows.length, address, stride, index, order);
  });
  return address;
}

/** Rows by range, by their numbers. */
function rangesOf(rows: readonly Keys[], choice: RangeChoice, rangeCount: number): number[][] {
  const { keys, boundaries, sender, senderCount } = choice;
  const out = arena.room(rows.length * 4);
  const starts = arena.room((rangeCount + 1) * 4);
  kernels.rangeRows(
    ...([putSortRows(keys, rows), rows.length, stride, keys.length] as const),
    keys.reduce((bits, key, index) => bits | (Number(key.isDescending) << index), 0),
    ...([putSortRows(keys, boundaries as Keys[]), boundaries.length] as const),
    ...([sender, senderCount, rangeCount, arena.room(rows.length * 4), out, starts] as const),
  );
  const bounds = arena.uint32s(starts, rangeCount + 1);
  const numbers = arena.uint32s(out, rows.length);
  return bounds.slice(1).map((end, range) => numbers.slice(bounds[range], end));
}

test('rows go where the reference says, whatever the keys and boundaries are', () => {
  const draws = fc.record({
    keys: sortKeys,
    rows: fc.array(rowKeys, { maxLength: 60 }),
    boundaries: fc.array(rowKeys, { maxLength: 6 }),
    spareRanges: fc.nat(2),
    senderCount: fc.integer({ min: 1, max: 5 }),
    senderDraw: fc.nat(4),
  });
  fc.assert(
    fc.property(draws, ({ keys, rows, senderCount, senderDraw, spareRanges, ...drawn }) => {
      arena.reset();
      const inOrder = (a: readonly SortValue[], b: readonly SortValue[]) => compareRows(a, b, keys);
      const boundaries = [...drawn.boundaries].sort(inOrder);
      const choice = { keys, boundaries, sender: senderDraw % senderCount, senderCount };
      const rangeCount = boundaries.length + 1 + spareRanges;
      const found = rangesOf(rows, choice, rangeCount);
      const ranges = rows.map((row) => rangeOfRow(row, choice));
      const numbersIn = (range: number) =>
        rows.flatMap((_, number) => (ranges[number] === range ? [number] : []));
      expect(found).toEqual(Array.from({ length: rangeCount }, (_, range) => numbersIn(range)));
      const highest = (range: number) =>
        found[range]?.map((at) => rows[at]).flatMap((row) => (row ? [row] : [])) ?? [];
      for (let range = 1; range < rangeCount; range++) {
        for (const low of highest(range - 1)) {
          for (const high of highest(range)) expect(inOrder(low, high)).toBeLessThanOrEqual(0);
        }
      }
    }),
  );
});

test('equal rows are divided by sender, and lower senders come first', () => {
  const keys: SortKey[] = [
    { type: 'int32', isDescending: false, areNullsLast: true },
    { type: 'utf8', isDescending: false, areNullsLast: true },
  ];
  const heavy = [7, bytesOf('x')] as const;
  const boundaries = [heavy, heavy, [9, bytesOf('y')]] as const;
  const rangeOf = (sender: number) =>
    rangeOfRow(heavy, { keys, boundaries, sender, senderCount: 4 });
  expect([0, 1, 2, 3].map(rangeOf)).toEqual([0, 0, 1, 2]);
  const found = [0, 1, 2, 3].map((sender) =>
    rangesOf([heavy], { keys, boundaries, sender, senderCount: 4 }, 4).findIndex(
      (rows) => rows.length > 0,
    ),
  );
  expect(found).toEqual([0, 0, 1, 2]);
});
