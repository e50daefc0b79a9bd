/** Goal: the generator's kernels make the rows of the reference, and the distribution that is published. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  type NexmarkOptions,
  nexmarkAuction,
  nexmarkBid,
  nexmarkIdOf,
  nexmarkKindOf,
  nexmarkPerson,
} from '../../../engine/kernels/nexmark.ts';
import { nexmarkLayout } from '../../../engine/kernels/nexmark-kernels.ts';
import { decode, encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const plain: NexmarkOptions = {
  seed: 7n,
  baseTimeMs: 1_700_000_000_000,
  eventsPerSecond: 10_000,
  group: 1,
};
const textRoom = 64 << 10;

type Kind = 'person' | 'auction' | 'bid';

interface Run {
  readonly from: bigint;
  readonly to: bigint;
  readonly rowsMax: number;
  readonly options: NexmarkOptions;
  /** Columns that are not wanted. */
  readonly skipped?: readonly number[];
  readonly tables?: readonly (readonly string[])[];
}

/** Columns of 64-bit numbers and of views, by kind, in the order of the fields. */
const wide: Readonly<Record<Kind, readonly number[]>> = {
  bid: [0, 1, 2, 5],
  auction: [0, 3, 4, 5, 6, 7, 8],
  person: [0, 6],
};
const columnCount: Readonly<Record<Kind, number>> = { bid: 7, auction: 10, person: 8 };

/** All rows of a run, as arrays of values; called until the end is reached. */
function runKernel(kind: Kind, run: Run): unknown[][] {
  arena.reset();
  const { from, to, rowsMax, options, skipped = [], tables = [] } = run;
  const state = arena.room(nexmarkLayout.size);
  const columns = Array.from({ length: columnCount[kind] }, (_, index) =>
    skipped.includes(index) ? 0 : arena.room(rowsMax * 16),
  );
  const text = arena.room(textRoom);
  const view = arena.view;
  view.setBigUint64(state + nexmarkLayout.next, from, true);
  view.setBigUint64(state + nexmarkLayout.end, to, true);
  view.setBigUint64(state + nexmarkLayout.seed, options.seed, true);
  view.setBigUint64(state + nexmarkLayout.baseTime, BigInt(options.baseTimeMs), true);
  view.setFloat64(state + nexmarkLayout.rate, options.eventsPerSecond, true);
  view.setUint32(state + nexmarkLayout.group, options.group, true);
  view.setUint32(state + nexmarkLayout.rowsMax, rowsMax, true);
  view.setUint32(state + nexmarkLayout.textEnd, text + textRoom, true);
  tables.forEach((texts, index) => {
    const { values } = arena.putTexts(texts.map(encode));
    view.setUint32(state + nexmarkLayout.tables + index * 4, values, true);
  });
  columns.forEach((address, index) => {
    view.setUint32(state + nexmarkLayout.columns + index * 4, address, true);
  });
  const rows: unknown[][] = [];
  for (;;) {
    view.setUint32(state + nexmarkLayout.text, text, true);
    const count = kernelOf(kind)(state);
    expect(arena.isUntouched(text + textRoom)).toBe(true);
    const read = columns.map((address, index) =>
      address === 0
        ? Array.from({ length: count }, () => undefined)
        : wide[kind].includes(index)
          ? arena.int64s(address, count)
          : arena.texts(address, count).map(decode),
    );
    for (let row = 0; row < count; row++) rows.push(read.map((values) => values[row]));
    if (view.getBigUint64(state + nexmarkLayout.next, true) === to) return rows;
    expect(count).toBeGreaterThan(0);
  }
}

function kernelOf(kind: Kind): (state: number) => number {
  const { nexmarkBids, nexmarkAuctions, nexmarkPersons } = arena.kernels;
  return { bid: nexmarkBids, auction: nexmarkAuctions, person: nexmarkPersons }[kind];
}

const channels = Array.from({ length: 10_004 }, (_, index) => `channel-${index}`);
const urls = channels.map((channel) => `https://example.com/${channel}`);
const names = Array.from({ length: 99 }, (_, index) => `Some Name ${index}`);
const cities = Array.from({ length: 10 }, (_, index) => `City ${index}`);
const states = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];

/** The same rows by the reference. */
function expected(kind: Kind, { from, to, options, skipped = [] }: Run): unknown[][] {
  const rows: unknown[][] = [];
  for (let number = from; number < to; number++) {
    const id = nexmarkIdOf(number, options);
    if (nexmarkKindOf(id) === kind) rows.push(rowOf(kind, id, options));
  }
  return rows.map((row) => row.map((value, at) => (skipped.includes(at) ? undefined : value)));
}

function rowOf(kind: Kind, id: bigint, options: NexmarkOptions): unknown[] {
  if (kind === 'auction') return Object.values(nexmarkAuction(id, options));
  if (kind === 'bid') {
    const { auction, bidder, price, channel, dateTime, extra } = nexmarkBid(id, options);
    return [auction, bidder, price, channels[channel], urls[channel], dateTime, extra];
  }
  const person = nexmarkPerson(id, options);
  const name = names[person.name] ?? '';
  const city = cities[person.city] ?? '';
  const { emailAddress, creditCard, dateTime } = person;
  const size = 8 + name.length + emailAddress.length + 19 + city.length + 2;
  return [
    ...[person.id, name, emailAddress, creditCard, city, states[person.state], dateTime],
    person.extra(size),
  ];
}

const tablesOf = (kind: Kind) =>
  kind === 'bid' ? [channels, urls] : kind === 'person' ? [names, cities, states] : [];

const runs = fc
  .record({
    from: fc.oneof(fc.nat(20_000), fc.integer({ min: 2 ** 31, max: 2 ** 45 })),
    count: fc.nat(600),
    rowsMax: fc.constantFrom(1, 7, 64),
    seed: fc.bigInt(0n, 2n ** 64n - 1n),
    eventsPerSecond: fc.constantFrom(1, 3, 10_000, 1e6),
    group: fc.constantFrom(0, 1, 3, 1000),
    skipped: fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
  })
  .map(({ from, count, rowsMax, seed, eventsPerSecond, group, skipped }) => ({
    from: BigInt(from),
    to: BigInt(from + count),
    rowsMax,
    options: { seed, baseTimeMs: 1_700_000_000_000, eventsPerSecond, group },
    skipped,
  }));

test.each(['bid', 'auction', 'person'] as const)('rows of a %s are the reference', (kind) => {
  fc.assert(
    fc.property(runs, (run) => {
      const tables = tablesOf(kind);
      expect(runKernel(kind, { ...run, tables })).toEqual(expected(kind, run));
    }),
    { numRuns: 60 },
  );
});

test('the room for texts ends a call, and nothing is lost', () => {
  const run: Run = { from: 0n, to: 30_000n, rowsMax: 8192, options: plain };
  expect(runKernel('auction', run)).toEqual(expected('auction', run));
});

test('prices go from a dollar to a million', () => {
  const prices = expected('bid', { from: 0n, to: 2000n, rowsMax: 1, options: plain });
  for (const [, , price] of prices as [bigint, bigint, bigint][]) {
    expect(price).toBeGreaterThanOrEqual(100n);
    expect(price).toBeLessThanOrEqual(100_000_000n);
  }
});

test('the distribution is the published one', () => {
  const skipped = [3, 4];
  const run: Run = { from: 500_000n, to: 600_000n, rowsMax: 8192, options: plain, skipped };
  const rows = runKernel('bid', run) as [
    bigint,
    bigint,
    bigint,
    unknown,
    unknown,
    bigint,
    string,
  ][];
  expect(rows).toHaveLength(92_000);
  const share = (isCounted: (row: (typeof rows)[number]) => boolean) =>
    rows.filter(isCounted).length / rows.length;
  // Cold draws hit the hot one too, now and then.
  expect(share(([auction]) => auction % 100n === 0n)).toBeCloseTo(0.5 + 0.5 / 100, 1);
  expect(share(([, bidder]) => bidder % 100n === 1n)).toBeCloseTo(0.75, 1);
  for (const exponent of [1, 2, 3, 4, 5]) {
    const below = share(([, , price]) => Number(price) < 100 * 10 ** exponent);
    expect(below).toBeCloseTo(exponent / 6, 1);
  }
  const bytes = rows.reduce((sum, [, , , , , , extra]) => sum + 32 + extra.length, 0);
  expect(bytes / rows.length).toBeCloseTo(100, -1);
  expect(rows.at(-1)?.[5]).toBe(1_700_000_059_999n);
});

test('half of the bids come through four channels', () => {
  const hot = Array.from({ length: 20_000 }, (_, epoch) =>
    nexmarkBid(BigInt(epoch) * 50n + 9n, plain),
  );
  const share = hot.filter(({ channel }) => channel < 4).length / hot.length;
  expect(share).toBeCloseTo(0.5, 1);
  expect(new Set(hot.map(({ channel }) => channel)).size).toBeGreaterThan(5000);
});
