/** Goal: starts of windows are those of the reference, before 1970 as after, with gaps and in any order. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  momentMsOf,
  paneStartOf,
  windowEndOf,
  windowStartOf,
} from '../../../engine/kernels/window.ts';
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

const panes = fc.record({
  unitsPerMs: fc.constantFrom(1n, 1000n),
  sizeMs: fc.oneof(fc.bigInt({ min: 1n, max: 50n }), fc.bigInt({ min: 1n, max: 2n ** 40n })),
  offsetMs: fc.bigInt({ min: -50n, max: 50n }),
});
const shiftLists = fc
  .uniqueArray(fc.integer({ min: -9_000, max: 9_000 }), { maxLength: 4 })
  .chain((times) => {
    const since = times.sort((a, b) => a - b);
    return fc.tuple(
      ...since.map((time) => fc.tuple(fc.constant(time), fc.integer({ min: -99, max: 99 }))),
    );
  });

test('panes are those of the reference, by a clock that is moved, and nulls have none', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(moment), { maxLength: 60 }),
      panes,
      shiftLists,
      (moments, pane, shifts) => {
        arena.reset();
        const { values, validity } = arena.putInt64s(moments);
        const out = arena.room(moments.length * 8 + 8);
        const table = arena.room(shifts.length * 16 + 8);
        const put = (at: number, all: readonly number[]) => {
          for (const [index, one] of all.entries())
            arena.view.setFloat64(at + index * 8, one, true);
        };
        put(table, shifts.flat());
        const [units, size, offset] = [pane.unitsPerMs, pane.sizeMs, pane.offsetMs].map(Number);
        put(
          out,
          moments.map(() => -1),
        );
        arena.kernels.paneStarts(
          ...([values, validity, 0, moments.length, units ?? 1, size ?? 1, offset ?? 0] as const),
          ...([table, shifts.length, out] as const),
        );
        const found = arena.float64s(out, moments.length);
        const expected = moments.map((one) => (one === null ? -1 : paneStartOf(one, pane, shifts)));
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});

test('bounds of times leave nulls, and rows that are not selected, out', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(moment), { minLength: 1, maxLength: 40 }),
      fc.constantFrom(1n, 1000n),
      fc.boolean(),
      (moments, unitsPerMs, isOdd) => {
        arena.reset();
        const { values, validity } = arena.putInt64s(moments);
        const places = moments.flatMap((_, index) => (isOdd && index % 2 === 0 ? [] : [index]));
        const selection = isOdd ? arena.putUint32(places) : 0;
        const out = arena.room(16);
        const units = Number(unitsPerMs);
        const bounds = [values, validity, selection, places.length, units, out] as const;
        const count = arena.kernels.timeBounds(...bounds);
        const times = places.flatMap((place) => {
          const one = moments[place] ?? null;
          return one === null ? [] : [momentMsOf(one, unitsPerMs)];
        });
        expect(count).toBe(times.length);
        if (count === 0) return;
        expect(arena.float64s(out, 2)).toEqual([Math.min(...times), Math.max(...times)]);
      },
    ),
    { numRuns: 200 },
  );
});

test('rows of windows that end behind their moment are those of the reference', () => {
  const inputs = fc.record({
    moments: fc.array(fc.option(moment, { freq: 6 }), { maxLength: 60 }),
    unitsPerMs: fc.constantFrom(1n, 1000n),
    periodMs: fc.bigInt({ min: 1n, max: 50n }),
    offsetMs: fc.bigInt({ min: -60n, max: 60n }),
    behindMs: fc.bigInt({ min: -60n, max: 60n }),
    givesNulls: fc.boolean(),
  });
  fc.assert(
    fc.property(inputs, ({ moments, givesNulls, ...window }) => {
      arena.reset();
      const places = moments.map((_, at) => at).filter((at) => at % 3 !== 1);
      const { values, validity } = arena.putInt64s(moments);
      const [rows, ends] = [arena.room(300), arena.room(moments.length * 8 + 8)];
      const { unitsPerMs, periodMs, offsetMs, behindMs } = window;
      const place = [values, validity, arena.putUint32(places), places.length] as const;
      const numbers = [unitsPerMs, periodMs, offsetMs, behindMs].map(Number);
      const [units = 1, period = 1, offset = 0, behind = 0] = numbers;
      const given = [units, period, offset, behind, Number(givesNulls)] as const;
      const count = arena.kernels.windowEnds(...place, ...given, rows, ends);
      const wanted = places.filter((at) => {
        const one = moments[at] ?? null;
        return one === null ? givesNulls : windowEndOf(one, window) !== null;
      });
      expect(arena.uint32s(rows, count)).toEqual(wanted);
      const found = arena.int64s(ends, moments.length);
      for (const at of wanted) {
        const one = moments[at] ?? null;
        if (one !== null) expect(found[at]).toBe(windowEndOf(one, window));
      }
    }),
    { numRuns: 200 },
  );
});
