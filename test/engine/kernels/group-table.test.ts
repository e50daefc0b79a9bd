/** Goal: a group table gives the groups and results of the reference, through every growth. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type AccumulatorFunction,
  foldFloat64,
  foldInt64,
} from '../../../engine/kernels/accumulate.ts';
import { groupRows } from '../../../engine/kernels/group.ts';
import {
  type AccumulatorSpec,
  GroupTable,
  type GroupTableOptions,
} from '../../../engine/kernels/group-table.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { decode, encode, KernelArena, roomBytes } from './kernel-arena.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const specs = (type: 'int64' | 'float64'): AccumulatorSpec[] =>
  (['count', 'countValid', 'sum', 'min', 'max'] as const).map((name) => ({ function: name, type }));

const slot = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
const columns = slot.scope('columns').allocate(roomBytes + 65_536);
const arena = new KernelArena(slot.memory, addressOf(columns));
const heldBefore = slot.usedBytes;
beforeEach(() => arena.reset());
afterEach(() => expect(slot.usedBytes).toBe(heldBefore));

interface Input {
  readonly key: { values: number; validity: number };
  readonly inputs: { values: number; validity: number }[];
  readonly rowCount: number;
  readonly selection?: number;
}

/** Adds all rows, growing where asked; returns the growths seen. */
function addAll(table: GroupTable, { selection = 0, ...rows }: Input): number {
  let growths = 0;
  let row = 0;
  while (row < rows.rowCount) {
    row = table.addRows({ ...rows, selection }, row);
    if (!table.isGrowing) expect(row).toBe(rows.rowCount);
    else growths++;
    while (!table.grow());
  }
  return growths;
}

function makeTable(options: GroupTableOptions): GroupTable {
  return new GroupTable(slot.scope('group'), arena.kernels, options);
}

/** All groups as [key, results], null where a result is null. */
function readAll<Key, Result>(
  table: GroupTable,
  options: GroupTableOptions,
  readKey: (address: number) => Key,
  readResult: (address: number, spec: AccumulatorSpec) => Result,
  rowsMax = 1000,
): [Key | null, (Result | null)[]][] {
  const isUtf8 = options.keyForm === 'view';
  const column = (size: number) => ({
    values: arena.room(rowsMax * size),
    validity: arena.room(rowsMax / 8 + 8),
  });
  const key = column(isUtf8 ? 16 : 8);
  const accumulators = options.accumulators.map(() => column(8));
  const groups: [Key | null, (Result | null)[]][] = [];
  for (let slot = 0; slot < table.slotCount; ) {
    const { rowCount, nextSlot } = table.readGroups(slot, rowsMax, { key, results: accumulators });
    expect(nextSlot).toBeGreaterThan(slot);
    expect(rowCount).toBeLessThanOrEqual(rowsMax);
    const keysValid = arena.bits(key.validity, rowCount);
    const valid = accumulators.map((one) => arena.bits(one.validity, rowCount));
    for (let row = 0; row < rowCount; row++) {
      const results = options.accumulators.map((spec, index) => {
        const isCount = spec.function === 'count' || spec.function === 'countValid';
        if (!isCount && !valid[index]?.[row]) return null;
        return readResult((accumulators[index]?.values ?? 0) + row * 8, spec);
      });
      groups.push([keysValid[row] ? readKey(key.values + row * (isUtf8 ? 16 : 8)) : null, results]);
    }
    slot = nextSlot;
  }
  expect(groups.length).toBe(table.groupCount);
  return groups;
}

const readText = (view: number) => decode(arena.texts(view, 1)[0] ?? new Uint8Array(0));
const readInt64 = (address: number) => arena.view.getBigInt64(address, true);
const readNumber = (address: number, { function: fold }: AccumulatorSpec) =>
  fold === 'count' || fold === 'countValid'
    ? Number(readInt64(address))
    : arena.view.getFloat64(address, true);

const byKey = (a: [unknown, unknown], b: [unknown, unknown]) =>
  String(a[0]) < String(b[0]) ? -1 : 1;

test('int64 accumulators by text agree with the reference', () => {
  const key = fc.option(
    fc.oneof(
      fc.constantFrom('', 'a', 'word', 'international'),
      fc.string({ unit: 'binary-ascii' }),
    ),
  );
  const value = fc.option(fc.oneof(fc.bigInt({ min: -100n, max: 100n }), int64));
  const options: GroupTableOptions = { keyForm: 'view', accumulators: specs('int64') };
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, value), { maxLength: 200 }),
      fc.boolean(),
      (rows, isSelected) => {
        arena.reset();
        const keys = rows.map(([text]) => text);
        const values = rows.map(([, number]) => number);
        const places = rows.flatMap((_, index) => (!isSelected || index % 3 !== 0 ? [index] : []));
        const groups = groupRows(places.map((index) => keys[index] ?? null));
        const expected = [...groups].map(([text, members]) => {
          const members64 = members.map((member) => values[places[member] ?? 0] ?? null);
          return [
            text,
            options.accumulators.map((spec) =>
              foldInt64(spec.function as AccumulatorFunction, members64),
            ),
          ];
        });
        const inputs = options.accumulators.map(() => arena.putInt64s(values));
        const texts = arena.putTexts(keys.map((text) => (text === null ? null : encode(text))));
        const selection = isSelected ? arena.putUint32(places) : 0;
        const table = makeTable(options);
        try {
          const input = { key: texts, inputs, rowCount: places.length, selection };
          if (expected.some(([, results]) => (results ?? []).includes('overflow'))) {
            const row = table.addRows(input, 0);
            expect(table.overflow).toEqual({ accumulator: 2, row });
            return;
          }
          addAll(table, input);
          const found = readAll(table, options, readText, readInt64);
          expect(found.sort(byKey)).toEqual((expected as [string, bigint[]][]).sort(byKey));
        } finally {
          table.close();
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('float64 accumulators by int64 agree with the reference', () => {
  const value = fc.option(
    fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 1.5, 0)),
  );
  const key = fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 5n }), int64));
  const options: GroupTableOptions = { keyForm: 'int64', accumulators: specs('float64') };
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 200 }), (rows) => {
      arena.reset();
      const values = rows.map(([, number]) => (Object.is(number, -0) ? 0 : number));
      const groups = groupRows(rows.map(([number]) => number));
      const expected = [...groups].map(([number, members]) => {
        const numbers = members.map((member) => values[member] ?? null);
        return [
          number,
          options.accumulators.map((spec) =>
            foldFloat64(spec.function as AccumulatorFunction, numbers),
          ),
        ];
      });
      const inputs = options.accumulators.map(() => arena.putFloat64s(values));
      const table = makeTable(options);
      addAll(table, {
        key: arena.putInt64s(rows.map(([number]) => number)),
        inputs,
        rowCount: rows.length,
      });
      const found = readAll(table, options, readInt64, readNumber, 64);
      table.close();
      expect(found.sort(byKey)).toEqual((expected as [bigint, number[]][]).sort(byKey));
    }),
    { numRuns: 300 },
  );
});

test('a sum that leaves int64 names accumulator and row, and counts what was before', () => {
  const options: GroupTableOptions = { keyForm: 'int64', accumulators: specs('int64').slice(2, 3) };
  const table = makeTable(options);
  const key = arena.putInt64s([1n, 2n, 1n, 2n]);
  const input = arena.putInt64s([2n ** 63n - 1n, -5n, null, -(2n ** 63n)]);
  expect(table.addRows({ key, inputs: [input], selection: 0, rowCount: 4 }, 0)).toBe(3);
  expect(table.overflow).toEqual({ accumulator: 0, row: 3 });
  expect(readAll(table, options, readInt64, readInt64).sort(byKey)).toEqual([
    [1n, [2n ** 63n - 1n]],
    [2n, [-5n]],
  ]);
  table.close();
});

test('a million distinct keys, each added twice, growing in slices', { timeout: 60_000 }, () => {
  const options: GroupTableOptions = {
    keyForm: 'int64',
    accumulators: [{ function: 'count', type: 'int64' }],
  };
  const table = makeTable(options);
  const total = 1_000_000;
  const rowCount = 8192;
  const values = arena.room(rowCount * 8);
  let growths = 0;
  for (let round = 0; round < 2; round++) {
    for (let first = 0; first < total; first += rowCount) {
      const count = Math.min(rowCount, total - first);
      for (let row = 0; row < count; row++) {
        arena.view.setBigInt64(values + row * 8, BigInt(first + row) * 4096n, true);
      }
      const key = { values, validity: 0 };
      growths += addAll(table, { key, inputs: [], rowCount: count });
    }
  }
  expect(table.groupCount).toBe(total);
  expect(table.slotCount).toBe(2 ** 21);
  expect(growths).toBe(11);
  const seen = new Set<bigint>();
  const key = { values: arena.room(8192 * 8), validity: 0 };
  const counts = { values: arena.room(8192 * 8), validity: 0 };
  for (let slot = 0; slot < table.slotCount; ) {
    const { rowCount: rows, nextSlot } = table.readGroups(slot, 8192, {
      key,
      results: [counts],
    });
    for (let row = 0; row < rows; row++) {
      seen.add(readInt64(key.values + row * 8) / 4096n);
      if (readInt64(counts.values + row * 8) !== 2n)
        throw new Error(`group ${row} was not counted twice`);
    }
    slot = nextSlot;
  }
  expect(seen.size).toBe(total);
  table.close();
});

test('however many groups were read, they come evenly from all over the table', () => {
  const options: GroupTableOptions = { keyForm: 'int64', accumulators: [] };
  const table = makeTable(options);
  const keys = Array.from({ length: 40_000 }, (_, index) => BigInt(index));
  const column = arena.putInt64s(keys);
  addAll(table, { key: column, inputs: [], rowCount: keys.length });
  const order = readAll(table, options, readInt64, readInt64).map(([key]) => Number(key));
  const hashes = arena.room(keys.length * 4);
  arena.kernels.hashInt64(column.values, 0, 0, keys.length, hashes);
  const parts = 16;
  for (const share of [0.25, 0.5, 0.75]) {
    const partOf = (key: number) => {
      const slotNumber = arena.view.getUint32(hashes + key * 4, true) % table.slotCount;
      return Math.floor((slotNumber * parts) / table.slotCount);
    };
    const read = order.slice(0, share * keys.length);
    const counts = [...Map.groupBy(read, partOf).values()].map(({ length }) => length);
    const even = read.length / parts;
    expect(counts, `after ${share}`).toHaveLength(parts);
    expect(Math.max(...counts), `after ${share}`).toBeLessThan(even * 1.35);
    expect(Math.min(...counts), `after ${share}`).toBeGreaterThan(even * 0.65);
  }
  table.close();
});

test('long keys fill one arena block after the other, and outlive the input', () => {
  const options: GroupTableOptions = {
    keyForm: 'view',
    accumulators: [{ function: 'count', type: 'int64' }],
  };
  const table = makeTable(options);
  const texts = Array.from(
    { length: 3000 },
    (_, index) => `a-rather-long-key-with-number-${index}`,
  );
  const huge = 'h'.repeat(3_000_000);
  addAll(table, { key: arena.putTexts([...texts, huge].map(encode)), inputs: [], rowCount: 3001 });
  arena.reset();
  expect(table.arenaBlocks.length).toBeGreaterThan(2);
  expect(table.sizeBytes).toBeGreaterThan(3_000_000);
  const found = readAll(table, options, readText, readInt64);
  expect(found.map(([text]) => text).sort()).toEqual([...texts, huge].sort());
  table.close();
});

test('a bounded table is full, gives its groups out, and begins again', () => {
  const options: GroupTableOptions = {
    keyForm: 'int64',
    accumulators: [{ function: 'count', type: 'int64' }],
    slotsMax: 64,
  };
  const table = makeTable(options);
  const keys = Array.from({ length: 500 }, (_, index) => BigInt(index % 100));
  const input = { key: arena.putInt64s(keys), inputs: [], selection: 0, rowCount: 500 };
  const totals = new Map<bigint | null, bigint>();
  for (let row = 0; row < 500; ) {
    row = table.addRows(input, row);
    expect(table.isGrowing).toBe(false);
    expect(table.isFull || row === 500).toBe(true);
    for (const [key, [count]] of readAll(table, options, readInt64, readInt64)) {
      totals.set(key, (totals.get(key) ?? 0n) + (count ?? 0n));
    }
    table.clear();
    expect(table.groupCount).toBe(0);
  }
  expect(totals.size).toBe(100);
  expect([...totals.values()].every((count) => count === 5n)).toBe(true);
  table.close();
});

test('without room to grow an unbounded table fails and a bounded one is full', () => {
  const memory = new SlotMemory({ budgetBytes: 512 * 1024, poison: true });
  const input = memory.scope('input').allocate(8192 * 8);
  const rowCount = 8192;
  for (let row = 0; row < rowCount; row++)
    memory.bigInt64[addressOf(input) / 8 + row] = BigInt(row);
  const rows = {
    key: { values: addressOf(input), validity: 0 },
    inputs: [],
    selection: 0,
    rowCount,
  };
  const own = instantiateKernels(memory.memory);
  const fill = (options: GroupTableOptions) => {
    const table = new GroupTable(memory.scope('group'), own, options);
    try {
      let row = 0;
      while (row < rowCount && !table.isFull) {
        row = table.addRows(rows, row);
        while (!table.grow());
      }
      return table.isFull;
    } finally {
      table.close();
    }
  };
  expect(() => fill({ keyForm: 'int64', accumulators: [] })).toThrow(/"group" asked for/);
  expect(fill({ keyForm: 'int64', accumulators: [], slotsMax: 2 ** 20 })).toBe(true);
  memory.release(input);
  memory.assertEmpty();
});
