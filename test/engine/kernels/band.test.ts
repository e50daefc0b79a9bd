/** Goal: rows by time, pairs whose times are near, and tables that grow are those of the references. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { isWithin, newlyMarked, timedRowsOf } from '../../../engine/kernels/band.ts';
import { pairsOf } from '../../../engine/kernels/join.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());
const { kernels } = arena;

const someTimes = fc.array(fc.option(fc.bigInt({ min: -50n, max: 50n })), { maxLength: 70 });

test('rows are sorted out by time and key', () => {
  const inputs = fc.tuple(
    someTimes,
    fc.boolean(),
    fc.constantFrom(1n, 1000n),
    fc.integer({ min: -60, max: 60 }),
  );
  fc.assert(
    fc.property(
      inputs,
      fc.infiniteStream(fc.boolean()),
      ([times, isByPlace, factor, bound], drawn) => {
        arena.reset();
        const keyed = times.map(() => drawn.next().value as boolean);
        const places = times.map((_, at) => at).filter((at) => at % 3 !== 1);
        const { values, validity } = arena.putInt64s(times);
        const keyBits = arena.putBits(isByPlace ? places.map((at) => keyed[at] === true) : keyed);
        const [rows, outTimes, alone] = [arena.room(400), arena.room(800), arena.room(400)];
        const state = arena.room(64);
        const lateBefore = bound * Number(factor);
        const count = kernels.timedRows(
          ...([
            values,
            validity,
            arena.putUint32(places),
            places.length,
            Number(factor),
            lateBefore,
          ] as const),
          ...([keyBits, Number(isByPlace), rows, outTimes, alone, state] as const),
        );
        const wanted = timedRowsOf(
          places.map((row) => {
            const time = times[row] ?? null;
            return { row, time: time === null ? null : time * factor, hasKey: keyed[row] === true };
          }),
          BigInt(lateBefore),
        );
        expect(arena.uint32s(rows, count)).toEqual(wanted.rows);
        const wantedTimes = wanted.rows.map((row) => (times[row] ?? 0n) * factor);
        expect(arena.int64s(outTimes, count)).toEqual(wantedTimes);
        expect(arena.uint32s(alone, arena.uint32(state))).toEqual(wanted.alone);
        expect(arena.uint32(state, 1)).toBe(wanted.lateCount);
        if (count === 0) return;
        const numbers = wantedTimes.map(Number);
        expect(arena.float64s(state + 8, 2)).toEqual([Math.min(...numbers), Math.max(...numbers)]);
      },
    ),
    { numRuns: 300 },
  );
});

test('rows below a time are moved out of a list', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: -9n, max: 9n })),
      fc.integer({ min: -10, max: 10 }),
      (times, high) => {
        arena.reset();
        const rows = arena.putUint32(times.map((_, at) => at * 2));
        const { values } = arena.putInt64s(times);
        const [outRows, outTimes, state] = [arena.room(800), arena.room(800), arena.room(64)];
        const moved = kernels.rowsBefore(
          rows,
          values,
          times.length,
          high,
          outRows,
          outTimes,
          state,
        );
        const isBefore = (at: number) => Number(times[at]) < high;
        const all = times.map((_, at) => at);
        const [below, others] = [all.filter(isBefore), all.filter((at) => !isBefore(at))];
        expect(arena.uint32s(outRows, moved)).toEqual(below.map((at) => at * 2));
        expect(arena.int64s(outTimes, moved)).toEqual(below.map((at) => times[at]));
        expect(arena.uint32s(rows, others.length)).toEqual(others.map((at) => at * 2));
        expect(arena.int64s(values, others.length)).toEqual(others.map((at) => times[at]));
        if (others.length === 0) return;
        expect(arena.float64s(state, 1)).toEqual([
          Math.min(...others.map((at) => Number(times[at]))),
        ]);
      },
    ),
  );
});

test('pairs are those of the join whose times are near', () => {
  const inputs = fc.record({
    heads: fc.array(fc.integer({ min: -1, max: 19 }), { maxLength: 30 }),
    low: fc.integer({ min: -6, max: 6 }),
    span: fc.integer({ min: 0, max: 9 }),
    pairsMax: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(inputs, fc.infiniteStream(fc.bigInt({ min: -9n, max: 9n })), (input, drawn) => {
      arena.reset();
      const { heads, low, span, pairsMax } = input;
      // Chains of rows 19, 16, 13, … as newer rows come first.
      const next = Array.from({ length: 20 }, (_, row) => row - 3);
      const draw = (count: number) => Array.from({ length: count }, () => drawn.next().value);
      const [probeTimes, buildTimes] = [draw(heads.length), draw(20)];
      const band = { low: BigInt(low), high: BigInt(low + span) };
      const wanted = pairsOf(heads, next, -1).filter(([row, partner]) =>
        isWithin(probeTimes[row] ?? 0n, buildTimes[partner] ?? 0n, band),
      );
      const state = arena.putUint32([0, 0]);
      const lists = [heads.map((head) => head + 1), next.map((row) => Math.max(0, row + 1))];
      const [headsAt = 0, nextAt = 0] = lists.map((list) => arena.putUint32(list));
      const [ours, theirs] = [probeTimes, buildTimes].map((times) => arena.putInt64s(times).values);
      const [probe, build] = [arena.room(200), arena.room(200)];
      const found: [number, number][] = [];
      while (arena.uint32(state) < heads.length) {
        const made = kernels.joinPairsWithin(
          ...([state, headsAt, 0, heads.length, nextAt, ours ?? 0, theirs ?? 0] as const),
          ...([low, low + span, probe, build, pairsMax] as const),
        );
        const builds = arena.uint32s(build, made);
        found.push(
          ...arena
            .uint32s(probe, made)
            .map((row, at) => [row, builds[at] ?? -1] as [number, number]),
        );
      }
      expect(found).toEqual(wanted);
    }),
    { numRuns: 300 },
  );
});

test('rows are marked once', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(40), { maxLength: 20 }), { maxLength: 5 }), (lists) => {
      arena.reset();
      const bits = arena.put(new Uint8Array(16));
      const marked = new Set<number>();
      for (const rows of lists) {
        const at = arena.putUint32(rows);
        const count = kernels.markNewRows(bits, at, rows.length, at);
        expect(arena.uint32s(at, count)).toEqual(newlyMarked(marked, rows));
      }
    }),
  );
});
