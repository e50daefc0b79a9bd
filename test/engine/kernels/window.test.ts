/** Goal: starts of windows are those of the reference, before 1970 as after, with gaps and in any order. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { windowStartOf } from '../../../engine/kernels/window.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const int64Max = 2n ** 63n - 1n;
const moment = fc.oneof(
  fc.bigInt({ min: -10_000n, max: 10_000n }),
  fc.bigInt({ min: -(2n ** 62n), max: int64Max }),
  fc.constantFrom(0n, -1n, 999n, 1000n, -1000n, -1001n, int64Max),
);
const windows = fc.record({
  unitsPerMs: fc.constantFrom(1n, 1000n),
  sizeMs: fc.oneof(fc.bigInt({ min: 1n, max: 50n }), fc.bigInt({ min: 1n, max: 2n ** 53n - 1n })),
  offsetMs: fc.oneof(
    fc.bigInt({ min: -50n, max: 50n }),
    fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }),
  ),
});

function startsOf(
  moments: readonly (bigint | null)[],
  window: { unitsPerMs: bigint; sizeMs: bigint; offsetMs: bigint },
  places: readonly number[] | null = null,
) {
  const { values, validity } = arena.putInt64s(moments);
  const starts = arena.room(moments.length * 8);
  const selection = places === null ? 0 : arena.putUint32(places);
  const rowCount = places?.length ?? moments.length;
  const [units, size, offset] = [window.unitsPerMs, window.sizeMs, window.offsetMs].map(Number);
  const row = arena.kernels.windowStarts(
    values,
    validity,
    selection,
    rowCount,
    units ?? 1,
    size ?? 1,
    offset ?? 0,
    starts,
  );
  return { row, starts: arena.int64s(starts, moments.length) };
}

test('starts are those of the reference', () => {
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 60 }), windows, (moments, window) => {
      arena.reset();
      const { row, starts } = startsOf(moments, window);
      expect(row).toBe(moments.length);
      expect(starts).toEqual(moments.map((one) => windowStartOf(one, window)));
    }),
    { numRuns: 300 },
  );
});

test('rows that are not selected are not looked at', () => {
  const window = { unitsPerMs: 1n, sizeMs: 10n, offsetMs: 3n };
  const { row, starts } = startsOf([null, 12n, null, 13n, -8n], window, [1, 3, 4]);
  expect(row).toBe(3);
  expect([starts[1], starts[3], starts[4]]).toEqual([3n, 13n, -17n]);
});

test('a null ends the call, and so does a moment before all windows', () => {
  const window = { unitsPerMs: 1n, sizeMs: 10n, offsetMs: 0n };
  expect(startsOf([1n, 2n, null, 3n], window).row).toBe(2);
  expect(startsOf([1n, -(2n ** 63n)], window).row).toBe(1);
  expect(startsOf([1n, -(2n ** 63n)], { ...window, sizeMs: 2n ** 40n, offsetMs: 7n }).row).toBe(1);
});
