/** Goal: entries are listed, laid out as rows and merged as plain arrays of them are, those of the same hash too. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import {
  fittingEntries,
  type KernelEntry,
  listedEntries,
  mergedEntries,
} from '../../../engine/kernels/entries.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

const deletedSize = 0xffff_ffff;
const padded = (size: number) => Math.ceil(size / 8) * 8;

/** Few keys, and few hashes of them. */
const entry: fc.Arbitrary<KernelEntry> = fc
  .record({
    key: fc.uint8Array({ minLength: 1, maxLength: 14, max: 1 }),
    subKey: fc.uint8Array({ maxLength: 9, max: 1 }),
    value: fc.option(fc.uint8Array({ maxLength: 40 }), { freq: 6 }),
    expiresAtMs: fc.constantFrom(3, 5, Number.POSITIVE_INFINITY),
    spare: fc.constantFrom(0, 8, 16),
  })
  .map(({ spare, ...one }) => ({
    ...{ ...one, group: one.key.length },
    hash: 1 + ((one.key.length * 7 + one.subKey.length) % 5) * 0x2000_0003,
    capacity: padded(one.value?.length ?? 0) + spare,
  }));
const entries = fc.uniqueArray(entry, {
  maxLength: 24,
  selector: ({ key, subKey }) => `${key}|${subKey}`,
});

/** Writes a record as its definition says; answers its address / 8. */
function putRecord(one: KernelEntry): number {
  const { key, subKey, value } = one;
  const valueAt = 32 + padded(key.length + subKey.length);
  const at = arena.room(valueAt + one.capacity);
  arena.bytes.fill(0, at, at + valueAt);
  const words = [one.hash, key.length, subKey.length, value?.length ?? deletedSize, one.group];
  [...words, one.capacity].forEach((word, index) => {
    arena.view.setUint32(at + index * 4, word, true);
  });
  arena.view.setFloat64(at + 24, one.expiresAtMs, true);
  arena.bytes.set([...key, ...subKey], at + 32);
  arena.bytes.set(value ?? [], at + valueAt);
  return at / 8;
}

function readRecord(record: number): KernelEntry {
  const at = record * 8;
  const [hash = 0, keySize = 0, subSize = 0, size = 0, group = 0, capacity = 0] = arena.uint32s(
    at,
    6,
  );
  const bytesAt = (from: number, count: number) => arena.bytes.slice(from, from + count);
  const valueAt = at + 32 + padded(keySize + subSize);
  return {
    ...{ hash, group, capacity, key: bytesAt(at + 32, keySize) },
    subKey: bytesAt(at + 32 + keySize, subSize),
    value: size === deletedSize ? null : bytesAt(valueAt, size),
    expiresAtMs: arena.view.getFloat64(at + 24, true),
  };
}

/** A table of one key group: a place for each, from the one that its hash says. */
function putTable(all: readonly KernelEntry[]) {
  const slotCount = 64;
  const slots: (KernelEntry | null)[] = new Array(slotCount).fill(null);
  const address = arena.room(slotCount * 8);
  arena.bytes.fill(0, address, address + slotCount * 8);
  const records = all.map((one) => {
    let slot = one.hash & (slotCount - 1);
    while (slots[slot] !== null) slot = (slot + 1) & (slotCount - 1);
    slots[slot] = one;
    const record = putRecord(one);
    arena.view.setUint32(address + slot * 8, one.hash, true);
    arena.view.setUint32(address + slot * 8 + 4, record, true);
    return record;
  });
  return { address, slots, records };
}

test('each step lists the entry of its slot', () => {
  fc.assert(
    fc.property(entries, fc.nat(63), fc.nat(64), (all, from, steps) => {
      arena.reset();
      const { address, slots } = putTable(all);
      const out = arena.room((steps + 1) * 4);
      const count = arena.kernels.listEntries(address, slots.length - 1, from, steps, out);
      const found = arena.uint32s(out, count).map(readRecord);
      expect(found).toEqual(listedEntries(slots, from, steps));
      expect(arena.isUntouched(out + (steps + 1) * 4)).toBe(true);
    }),
  );
});

test('rows have what entries have, as far as their texts have room', () => {
  const fromRow = 3;
  fc.assert(
    fc.property(entries, fc.nat(600), (all, textBytes) => {
      arena.reset();
      const list = arena.putUint32(all.map(putRecord));
      const rows = fromRow + all.length;
      const [groups, hashes] = [arena.room(rows * 4), arena.room(rows * 4)];
      const [keys, subKeys, values] = [16, 16, 16].map((size) => arena.room(rows * size));
      const expiries = arena.room(rows * 8);
      const validity = arena.putBits(new Array(rows).fill(true));
      const places = [groups, hashes, keys, subKeys, values, expiries, validity, 0] as number[];
      const columns = arena.putUint32(places);
      const text = arena.room(textBytes);
      const end = text + textBytes;
      const { entryRows } = arena.kernels;
      const textNow = entryRows(list, all.length, columns, fromRow, text, end) >>> 0;
      const done = arena.uint32(columns, 7);
      expect(done).toBe(fittingEntries(all, textBytes));
      expect(textNow).toBeLessThanOrEqual(end);
      expect(arena.isUntouched(end)).toBe(true);
      const placed = all.slice(0, done);
      expect(arena.uint32s(groups + fromRow * 4, done)).toEqual(placed.map(({ group }) => group));
      expect(arena.uint32s(hashes + fromRow * 4, done)).toEqual(placed.map(({ hash }) => hash));
      const textsOf = (views = 0) => arena.texts(views + fromRow * 16, done);
      expect(textsOf(keys)).toEqual(placed.map(({ key }) => key));
      expect(textsOf(subKeys)).toEqual(placed.map(({ subKey }) => subKey));
      expect(textsOf(values)).toEqual(placed.map(({ value }) => value ?? new Uint8Array()));
      const times = placed.map(({ expiresAtMs }) => expiresAtMs);
      expect(arena.float64s(expiries + fromRow * 8, done)).toEqual(times);
      const isThere = [
        ...new Array(fromRow).fill(true),
        ...placed.map(({ value }) => value !== null),
      ];
      expect(arena.bits(validity, fromRow + done)).toEqual(isThere);
    }),
  );
});

test('values go in the place of those of the same keys; what has no place is left', () => {
  fc.assert(
    fc.property(entries, entries, fc.constantFrom(0, 3, 5), (from, into, nowMs) => {
      arena.reset();
      const [source, target] = [putTable(from), putTable(into)];
      const left = arena.room(64 * 4 + 520);
      const slots = into.length === 0 ? 0 : target.address;
      const { mergeEntries } = arena.kernels;
      const count = mergeEntries(source.address, 64, slots, 63, nowMs, left);
      const bySlot = source.slots.filter((one) => one !== null);
      const expected = mergedEntries(bySlot, into, nowMs);
      expect(target.records.map(readRecord)).toEqual(expected.merged);
      expect(arena.uint32s(left, count).map(readRecord)).toEqual(expected.left);
      expect(source.records.map(readRecord)).toEqual(from);
      expect(arena.isUntouched(left + 64 * 4 + 520)).toBe(true);
    }),
  );
});
