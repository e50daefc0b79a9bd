/** Goal: sorted rows become the digests of the reference, at any borders, and quantiles of them keep their rank. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Centroid,
  compressed,
  compression,
  quantileOf,
} from '../../../engine/kernels/digest.ts';
import { digestLayout } from '../../../engine/kernels/digest-kernels.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
const { kernels } = arena;
const shares = [0, 0.01, 0.25, 0.5, 0.9, 1];
/** As sorts have them: NaN is above all, nulls behind it. */
const inOrder = (values: readonly (number | null)[]) => {
  const placeOf = (value: number | null) => (value === null ? 2 : Number.isNaN(value) ? 1 : 0);
  return [...values].sort((a, b) => placeOf(a) - placeOf(b) || Number(a) - Number(b) || 0);
};
const singlesOf = (values: readonly (number | null)[]): Centroid[] =>
  inOrder(values).flatMap((mean) => (mean === null ? [] : [{ mean, weight: 1 }]));

function digestsOf(segments: readonly (readonly (number | null)[])[]): (Centroid | null)[][] {
  const values = segments.flatMap(inOrder);
  const marks = arena.put(segments.flatMap((segment) => segment.map((_, at) => Number(at === 0))));
  const count = values.length;
  const column = arena.putFloat64s(values);
  const rows = arena.room(count * 4);
  const [means, weights] = [arena.room(count * 8), arena.room(count * 8)];
  const { values: at, validity } = column;
  const found = kernels.digestRows(at, validity, marks, count, means, weights, rows);
  expect(arena.isUntouched(means + count * 8)).toBe(true);
  expect(arena.isUntouched(rows + count * 4)).toBe(true);
  const kept = arena.uint32s(rows, found);
  return segments.map((segment, index) => {
    const start = segments.slice(0, index).flat().length;
    const own = kept.filter((row) => row >= start && row < start + segment.length);
    return own.map((row) => {
      const weight = arena.view.getFloat64(weights + row * 8, true);
      if (values[row] === null) expect(weight).toBe(0);
      return values[row] === null
        ? null
        : { mean: arena.view.getFloat64(means + row * 8, true), weight };
    });
  });
}

/** Quantiles of digests, whose centroids come in batches of so many; null: of none. */
function quantilesOf(digests: readonly (readonly (Centroid | null)[])[], batchRows: number) {
  const digest = arena.room(digestLayout.sizeBytes);
  arena.bytes.fill(0, digest, digest + 8);
  const wanted = arena.putFloat64s(shares).values;
  const rows = digests.flatMap((own, segment) => own.map((centroid) => ({ segment, centroid })));
  const stride = digests.length * 8;
  const out = arena.room(stride * shares.length);
  const validity = arena.put(new Uint8Array(64));
  for (let from = 0; from < rows.length; from += batchRows) {
    const batch = rows.slice(from, from + batchRows);
    // The open digest is of segment 0 of a batch.
    const open = rows[from - 1]?.segment ?? 0;
    const means = arena.putFloat64s(batch.map(({ centroid }) => centroid?.mean ?? null));
    const weights = arena.putFloat64s(batch.map(({ centroid }) => centroid?.weight ?? 0)).values;
    const numbers = arena.putUint32(batch.map(({ segment }) => segment - open));
    const { values, validity: valid } = means;
    const own = arena.put(new Uint8Array(64));
    const to = out + open * 8;
    kernels.foldDigests(
      ...([values, valid, weights, numbers, batch.length, digest] as const),
      ...([wanted, shares.length, to, stride, own] as const),
    );
    const ended = (batch.at(-1)?.segment ?? 0) - open;
    for (const [at, bit] of arena.bits(own, ended).entries()) setBit(validity, open + at, bit);
  }
  kernels.endDigest(digest, wanted, shares.length, digests.length - 1, out, stride, validity);
  return digests.map((_, segment) => {
    if (!arena.bits(validity, digests.length)[segment]) return null;
    return shares.map((_share, at) => arena.view.getFloat64(out + at * stride + segment * 8, true));
  });
}

function setBit(validity: number, at: number, bit: boolean): void {
  const byte = validity + (at >> 3);
  arena.bytes[byte] = (arena.bytes[byte] ?? 0) | (Number(bit) << (at & 7));
}

const value = fc.option(
  fc.oneof(
    { arbitrary: fc.integer({ min: -50, max: 50 }), weight: 6 },
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e308, -1e308),
  ),
  { freq: 8 },
);
const segment = fc.oneof(
  fc.array(value, { minLength: 1, maxLength: 12 }),
  fc.array(value, { minLength: 300, maxLength: 600 }),
);

test('digests of segments, and quantiles of those in batches', () => {
  fc.assert(
    fc.property(
      fc.array(segment, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 90 }),
      (segments, batchRows) => {
        arena.reset();
        const digests = digestsOf(segments);
        const expected = segments.map((values) => compressed(singlesOf(values)));
        expect(digests).toEqual(expected.map((own) => (own.length === 0 ? [null] : own)));
        const quantiles = expected.map((own) => {
          return own.length === 0
            ? null
            : shares.map((share) => quantileOf(compressed(own), share));
        });
        expect(quantilesOf(digests, batchRows)).toEqual(quantiles);
      },
    ),
    { numRuns: 60 },
  );
});

test('few values: exact, by a straight line between neighbours', () => {
  const values = Array.from({ length: 250 }, (_, at) => at ** 2);
  arena.reset();
  const [found] = quantilesOf(digestsOf([values]), 8);
  const exact = shares.map((share) => {
    const at = share * (values.length - 1);
    const low = values[Math.floor(at)] ?? Number.NaN;
    return low + ((values[Math.floor(at) + 1] ?? low) - low) * (at - Math.floor(at));
  });
  expect(found).toEqual(exact);
});

test('many digests merged: few centroids, and ranks within the width of three', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom(1, 3, 9),
      (seed, count, power) => {
        arena.reset();
        const random = numbersFrom(seed);
        const parts = Array.from({ length: count }, () =>
          Array.from({ length: 1_500 }, () => random() ** power),
        );
        const digests = parts.map((part) => digestsOf([part])[0] as Centroid[]);
        for (const one of digests) expect(one.length).toBeLessThan(compression);
        const merged = digests.flat().sort((a, b) => a.mean - b.mean);
        const [found] = quantilesOf([merged], 1_000);
        const all = parts.flat().sort((a, b) => a - b);
        for (const [at, share] of shares.entries()) {
          const target = share * (all.length - 1);
          const width = ((2 * Math.PI) / compression) * Math.sqrt(share * (1 - share));
          const error = rankError(all, found?.[at] ?? Number.NaN, target);
          expect(error).toBeLessThanOrEqual(3 * width * all.length);
        }
      },
    ),
    { numRuns: 30 },
  );
});

/** How many places lie between a value and the place that was asked for. */
function rankError(inOrder: readonly number[], value: number, target: number): number {
  const below = inOrder.filter((one) => one < value).length;
  const upTo = inOrder.filter((one) => one <= value).length;
  return Math.max(0, below - 1 - target, target - upTo);
}

function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
