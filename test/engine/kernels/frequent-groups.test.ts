/** Goal: a full table that keeps its frequent groups loses no row, and its kernels keep what the reference keeps. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { frequentGroups, groupRows } from '../../../engine/kernels/group.ts';
import { groupTableLayout as layout } from '../../../engine/kernels/group-kernels.ts';
import {
  type AccumulatorSpec,
  GroupTable,
  type GroupTableOptions,
} from '../../../engine/kernels/group-table.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { decode, encode, KernelArena, roomBytes, type TestColumn } from './kernel-arena.ts';

const slot = new SlotMemory({ budgetBytes: 256 * 1024 * 1024, poison: true });
const columns = slot.scope('columns').allocate(roomBytes + 65_536);
const arena = new KernelArena(slot.memory, addressOf(columns));
const heldBefore = slot.usedBytes;
beforeEach(() => arena.reset());
afterEach(() => expect(slot.usedBytes).toBe(heldBefore));

const count: AccumulatorSpec = { function: 'count', type: 'int64' };
const slotsMax = 64;
const groupsMax = 48;
/** Rows of many keys, of which a few come often; every third key is too long for a slot. */
const keyOf = (n: number) => (n % 3 === 0 ? `a rather long key, number ${n}` : `k${n}`);
const someKeys = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 10, max: 400 })),
  { minLength: 100, maxLength: 600 },
);
const countsOf = (keys: readonly string[]) =>
  new Map([...groupRows(keys)].map(([key, rows]) => [key ?? '', rows.length]));

/** Groups of one pass over the table, as it gives them out: key, rows, sum. */
function readAll(table: GroupTable, { accumulators }: GroupTableOptions) {
  const key = { values: arena.room(slotsMax * 16), validity: arena.room(16) };
  const out = accumulators.map(() => ({ values: arena.room(slotsMax * 8), validity: 0 }));
  const { rowCount } = table.readGroups(0, slotsMax, { key, results: out });
  const results = out.map(({ values }) => arena.int64s(values, rowCount).map(Number));
  return arena.texts(key.values, rowCount).map((bytes, row) => ({
    key: decode(bytes ?? new Uint8Array(0)),
    results: results.map((values) => values[row] ?? 0),
  }));
}

/** Adds all rows; `onFull` gets the groups that a full table gives out, the groups it had, and those it has then. */
function addAll(
  table: GroupTable,
  options: GroupTableOptions,
  rows: { key: TestColumn; inputs: TestColumn[]; rowCount: number },
  onFull: (read: ReturnType<typeof readAll>, before: number, after: number) => void,
): void {
  for (let row = 0; row < rows.rowCount; ) {
    row = table.addRows({ ...rows, selection: 0 }, row);
    if (!table.isFull) continue;
    const before = table.groupCount;
    const read = readAll(table, options);
    table.clear();
    onFull(read, before, table.groupCount);
  }
}

test('what is read out when full and at the end adds up to all rows', () => {
  const options: GroupTableOptions = {
    keyForm: 'view',
    accumulators: [{ function: 'sum', type: 'int64' }, count],
    slotsMax,
    keepsFrequent: true,
  };
  fc.assert(
    fc.property(someKeys, (numbers) => {
      arena.reset();
      const keys = numbers.map(keyOf);
      const input = arena.putInt64s(numbers.map(BigInt));
      const rows = { key: arena.putTexts(keys.map(encode)), inputs: [input, input] };
      const totals = new Map<string, number[]>();
      const addUp = (read: ReturnType<typeof readAll>) => {
        for (const { key, results } of read) {
          const [sum = 0, rowCount = 0] = totals.get(key) ?? [];
          totals.set(key, [sum + (results[0] ?? 0), rowCount + (results[1] ?? 0)]);
        }
      };
      const table = new GroupTable(slot.scope('group'), arena.kernels, options);
      addAll(table, options, { ...rows, rowCount: keys.length }, (read, before, after) => {
        expect(before).toBe(groupsMax);
        expect(read.length + after).toBe(before);
        expect(after).toBeLessThanOrEqual(groupsMax / 2);
        addUp(read);
      });
      addUp(readAll(table, options));
      table.close();
      const expected = [...groupRows(keys)].map(([key, places]) => {
        return [key, [places.reduce((sum, row) => sum + (numbers[row] ?? 0), 0), places.length]];
      });
      expect([...totals].sort()).toEqual(expected.sort());
    }),
    { numRuns: 100 },
  );
});

test('a key that comes again and again stays, and every 64th round it goes, too', () => {
  const options: GroupTableOptions = {
    keyForm: 'view',
    accumulators: [count],
    slotsMax,
    keepsFrequent: true,
  };
  const keys = Array.from({ length: 12_500 }, (_, n) => (n % 2 === 0 ? 'the' : `rare ${n}`));
  const table = new GroupTable(slot.scope('group'), arena.kernels, options);
  const key = arena.putTexts(keys.map(encode));
  const roundsWithIt: number[] = [];
  let round = 0;
  addAll(table, options, { key, inputs: [], rowCount: keys.length }, (read, _, after) => {
    round++;
    if (read.some((group) => group.key === 'the')) roundsWithIt.push(round);
    else expect(after).toBe(1);
  });
  table.close();
  expect(round).toBeGreaterThan(128);
  expect(roundsWithIt).toEqual([64, 128]);
});

test.each([
  ['without a count', [{ function: 'sum', type: 'int64' }], slotsMax],
  ['unless it was asked for', [count], slotsMax],
  ['when all groups have as many rows', [count], slotsMax],
] as const)('all groups are read out %s', (name, accumulators, slots) => {
  const options: GroupTableOptions = {
    keyForm: 'view',
    accumulators,
    slotsMax: slots,
    keepsFrequent: !name.startsWith('unless'),
  };
  const repeats = name.startsWith('when') ? 3 : 1;
  const keys = Array.from({ length: 300 }, (_, n) => keyOf(Math.floor(n / repeats)));
  const table = new GroupTable(slot.scope('group'), arena.kernels, options);
  const key = arena.putTexts(keys.map(encode));
  const inputs = [arena.putInt64s(keys.map(() => 1n))];
  const seen: number[] = [];
  addAll(table, options, { key, inputs, rowCount: keys.length }, (read, before, after) => {
    expect([read.length, after]).toEqual([before, 0]);
    seen.push(before);
  });
  table.close();
  expect(seen.length).toBe(Math.floor((300 / repeats - 1) / groupsMax));
});

test('without room for the long keys that would stay all groups are read out', () => {
  const memory = new SlotMemory({ budgetBytes: 768 * 1024, poison: true });
  const input = memory.scope('input').allocate(300 * 1024);
  const own = new KernelArena(memory.memory, addressOf(input));
  const options: GroupTableOptions = {
    keyForm: 'view',
    accumulators: [count],
    slotsMax,
    keepsFrequent: true,
  };
  // Two rows of a key of 1,000 bytes; then rare keys until the table is full.
  const long = 'x'.repeat(1000);
  const keys = [long, long, ...Array.from({ length: 60 }, (_, n) => `k${n}`)];
  const table = new GroupTable(memory.scope('group'), instantiateKernels(memory.memory), options);
  const key = own.putTexts(keys.map(encode));
  const rows = { key, inputs: [], selection: 0 };
  const added = table.addRows({ ...rows, rowCount: 49 }, 0);
  expect([added, table.groupCount, table.isFull]).toEqual([49, groupsMax, false]);
  const rest = memory.scope('rest');
  const held: number[] = [];
  for (let size = 512 * 1024; size >= 64; ) {
    const block = rest.tryAllocate(size);
    if (block === 0) size /= 2;
    else held.push(block);
  }
  expect(table.addRows({ ...rows, rowCount: keys.length }, added)).toBe(added);
  expect(table.isFull).toBe(true);
  table.clear();
  expect(table.groupCount).toBe(0);
  table.close();
  for (const block of held) memory.release(block);
  memory.release(input);
  memory.assertEmpty();
});

test('the kernels keep the groups that the reference keeps, where a find finds them', () => {
  const { kernels } = arena;
  const stride = 32;
  fc.assert(
    fc.property(someKeys, fc.integer({ min: 1, max: 6 }), (numbers, countMin) => {
      arena.reset();
      const keys = numbers.map((n) => keyOf(n % 55));
      const table = arena.put(new Uint8Array(layout.size));
      const slots = arena.put(new Uint8Array(slotsMax * stride));
      const texts = arena.room(8192);
      const set = (offset: number, value: number) =>
        arena.view.setUint32(table + offset, value, true);
      set(layout.slots, slots);
      set(layout.mask, slotsMax - 1);
      set(layout.stride, stride);
      set(layout.groupsMax, slotsMax - 1);
      set(layout.arena, texts);
      set(layout.arenaEnd, texts + 8192);
      const column = arena.putTexts(keys.map(encode));
      const found = arena.room(keys.length * 4);
      kernels.findGroupsUtf8(table, column.values, 0, 0, 0, keys.length, found);
      kernels.accumulateCount(found, keys.length, 24);

      const rowCounts = countsOf(keys);
      const kept = frequentGroups(rowCounts, countMin);
      const longBytes = [...kept.keys()]
        .filter((key) => key.length > 8)
        .reduce((sum, key) => sum + Math.ceil(key.length / 8) * 8, 0);
      const result = arena.room(4);
      expect(kernels.countFrequent(table, 24, countMin, 1, result)).toBe(kept.size);
      expect(arena.uint32(result)).toBe(longBytes);
      const rare = arena.room(slotsMax * 4);
      const walk = (least: number) =>
        kernels.occupiedSlots(table, 0, slotsMax, 24, least, rare, slotsMax, result);
      expect(walk(countMin)).toBe(rowCounts.size - kept.size);

      const moved = arena.room(longBytes);
      kernels.keepFrequent(table, 24, countMin, 1, moved);
      expect(arena.isUntouched(moved + longBytes)).toBe(true);
      expect(arena.uint32(table + layout.arena)).toBe(moved + longBytes);
      arena.bytes.fill(0, texts, texts + 8192);
      expect(walk(0)).toBe(kept.size);
      const again = arena.putTexts([...kept.keys()].map(encode));
      kernels.findGroupsUtf8(table, again.values, 0, 0, 0, kept.size, found);
      expect(arena.uint32(table + layout.groupCount)).toBe(kept.size);
      const counts = arena.room(kept.size * 8);
      kernels.gather8(found, kept.size, 24, counts);
      expect(arena.int64s(counts, kept.size).map(Number)).toEqual([...kept.values()]);
    }),
    { numRuns: 200 },
  );
});
