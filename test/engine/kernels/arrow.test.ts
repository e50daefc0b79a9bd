/** Goal: columns of Arrow become views, and what is wrong in them is found and not followed. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  badOffsetRow,
  indexedTexts,
  invalidTextRow,
  narrowedOffsets,
} from '../../../engine/kernels/arrow.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const texts = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.string({ unit: 'grapheme' }).map(encode)),
  { maxLength: 40 },
);

test('int64 offsets become distances, as far as these fit', () => {
  const step = fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(-5n, 2n ** 31n));
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 62n), fc.array(step, { maxLength: 20 }), (first, steps) => {
      arena.reset();
      const offsets = [first];
      for (const one of steps) offsets.push((offsets.at(-1) ?? 0n) + one);
      const out = arena.room(offsets.length * 4);
      const count = arena.kernels.narrowOffsets(arena.putInt64s(offsets).values, steps.length, out);
      const expected = narrowedOffsets(offsets);
      expect(arena.uint32s(out, count)).toEqual(expected);
      expect(arena.isUntouched(out + offsets.length * 4)).toBe(true);
    }),
  );
});

test('offsets that descend, and texts that start inside of a character, are found', () => {
  const cases = fc.record({
    text: fc.string({ unit: 'grapheme', maxLength: 20 }),
    isText: fc.boolean(),
  });
  fc.assert(
    fc.property(
      cases,
      fc.array(fc.nat(40), { maxLength: 12 }),
      fc.boolean(),
      (one, cuts, isSorted) => {
        arena.reset();
        const bytes = encode(one.text);
        const inside = cuts.map((cut) => Math.min(cut, bytes.length));
        const offsets = [0, ...(isSorted ? inside.toSorted((a, b) => a - b) : inside)];
        const base = arena.put(bytes, 3);
        const address = arena.putUint32(offsets);
        const rows = offsets.length - 1;
        const found = arena.kernels.checkOffsets(address, rows, base, Number(one.isText));
        expect(found).toBe(badOffsetRow(offsets, bytes, one.isText));
      },
    ),
  );
});

test.each([1, 2, 4, 8])('indexes of %i bytes choose texts', (size) => {
  const index = fc.option(fc.oneof(fc.nat(12), fc.nat(45)), { nil: null });
  fc.assert(
    fc.property(texts, fc.array(index, { maxLength: 50 }), (dictionary, indexes) => {
      arena.reset();
      const address = arena.room(indexes.length * size);
      indexes.forEach((value, row) => {
        // An index under a null may be anything.
        const low = value ?? 0xff;
        for (let byte = 0; byte < size; byte++) {
          arena.bytes[address + row * size + byte] = byte === 0 ? low : value === null ? 0xff : 0;
        }
      });
      const validity = indexes.includes(null)
        ? arena.putBits(indexes.map((one) => one !== null))
        : 0;
      const views = arena.putTexts(dictionary).values;
      const out = arena.room(indexes.length * 16);
      const found = arena.kernels.viewsFromIndexes(
        address,
        size,
        validity,
        indexes.length,
        views,
        dictionary.length,
        out,
      );
      const expected = indexedTexts(indexes, dictionary);
      expect(found).toBe(expected.length);
      expect(arena.texts(out, found)).toEqual(expected.map((text) => text ?? new Uint8Array()));
      expect(arena.isUntouched(out + indexes.length * 16)).toBe(true);
    }),
  );
});

test('a negative index is wrong', () => {
  for (const size of [1, 2, 4, 8]) {
    const indexes = arena.put(new Uint8Array(size).fill(0xff));
    const views = arena.putTexts([encode('a')]).values;
    const out = arena.room(16);
    expect(arena.kernels.viewsFromIndexes(indexes, size, 0, 1, views, 1, out)).toBe(0);
  }
});

/** Writes views as Arrow has them: longer ones point into one of the buffers. */
function putArrowViews(rows: readonly (Uint8Array | null)[]) {
  const buffers = [0, 1].map((buffer) => {
    const parts = rows.filter(
      (row, index) => row !== null && row.length > 12 && index % 2 === buffer,
    );
    const bytes = parts.flatMap((part) => [...(part ?? [])]);
    return { address: arena.put(bytes, 1), size: bytes.length };
  });
  const ends = [0, 0];
  const views = arena.room(rows.length * 16);
  rows.forEach((row, index) => {
    const view = views + index * 16;
    const text = row ?? new Uint8Array();
    arena.view.setUint32(view, row === null ? 0xffff_ffff : text.length, true);
    arena.bytes.fill(0, view + 4, view + 16);
    arena.bytes.set(text.subarray(0, text.length > 12 ? 4 : 12), view + 4);
    if (text.length <= 12) return;
    const buffer = index % 2;
    arena.view.setUint32(view + 8, buffer, true);
    arena.view.setUint32(view + 12, ends[buffer] ?? 0, true);
    ends[buffer] = (ends[buffer] ?? 0) + text.length;
  });
  const table = arena.putUint32(buffers.flatMap(({ address, size }) => [address, size]));
  return { views, table, ends };
}

test('views of Arrow become ours', () => {
  const rows = fc.array(fc.option(fc.uint8Array({ maxLength: 30 }), { nil: null }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(rows, (given) => {
      arena.reset();
      const { views, table } = putArrowViews(given);
      const validity = given.includes(null) ? arena.putBits(given.map((one) => one !== null)) : 0;
      const out = arena.room(given.length * 16);
      const found = arena.kernels.viewsFromArrow(views, validity, given.length, table, 2, out);
      expect(found).toBe(given.length);
      expect(arena.texts(out, found)).toEqual(given.map((text) => text ?? new Uint8Array()));
    }),
  );
});

test('a view of Arrow that leads out of its buffers is wrong', () => {
  const long = new Uint8Array(20).fill(65);
  const { views, table } = putArrowViews([long, long]);
  const out = arena.room(32);
  const run = () => arena.kernels.viewsFromArrow(views, 0, 2, table, 2, out);
  expect(run()).toBe(2);
  arena.view.setUint32(views + 16 + 12, 1, true);
  expect(run()).toBe(1);
  arena.view.setUint32(views + 12, 0xffff_fff0, true);
  expect(run()).toBe(0);
  arena.view.setUint32(views + 12, 0, true);
  arena.view.setUint32(views + 8, 2, true);
  expect(run()).toBe(0);
});

test('a text that is not UTF-8 is found', () => {
  fc.assert(
    fc.property(texts, (given) => {
      arena.reset();
      const { values } = arena.putTexts(given);
      const found = arena.kernels.findInvalidText(values, given.length, arena.room(4));
      expect(found).toBe(invalidTextRow(given));
    }),
  );
});
