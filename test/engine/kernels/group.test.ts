/** Goal: find calls stop before a key without room, and go on after room is made. */
import { beforeEach, expect, test } from 'vitest';
import {
  groupTableLayout as layout,
  groupTableStatus as status,
} from '../../../engine/kernels/group-kernels.ts';
import { decode, encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

function makeTable(slotCount: number, groupsMax: number, arenaBytes: number): number {
  const table = arena.put(new Uint8Array(layout.size));
  const slots = arena.put(new Uint8Array(slotCount * 24));
  const bytes = arena.room(arenaBytes);
  const set = (offset: number, value: number) => arena.view.setUint32(table + offset, value, true);
  set(layout.slots, slots);
  set(layout.mask, slotCount - 1);
  set(layout.stride, 24);
  set(layout.groupsMax, groupsMax);
  set(layout.arena, bytes);
  set(layout.arenaEnd, bytes + arenaBytes);
  return table;
}

const field = (table: number, offset: number) => arena.view.getUint32(table + offset, true);

test('a table full of groups finds those it has, and stops at the first new key', () => {
  const table = makeTable(8, 3, 0);
  const column = arena.putInt64s([5n, null, 5n, 6n, null, 7n, 5n]);
  const out = arena.room(7 * 4);
  const { findGroupsInt64 } = arena.kernels;
  expect(findGroupsInt64(table, column.values, column.validity, 0, 0, 7, out)).toBe(5);
  expect(field(table, layout.status)).toBe(status.tableFull);
  expect(field(table, layout.groupCount)).toBe(3);
  const slots = arena.uint32s(out, 5);
  expect(slots[0]).toBe(slots[2]);
  expect(slots[1]).toBe(slots[4]);
  expect(new Set(slots).size).toBe(3);
  arena.view.setUint32(table + layout.groupsMax, 4, true);
  expect(findGroupsInt64(table, column.values, column.validity, 0, 5, 7, out)).toBe(2);
  expect(field(table, layout.status)).toBe(status.done);
  expect(arena.uint32(out, 1)).toBe(slots[0]);
});

test('an arena without room stops before a long key and says what it needs', () => {
  const table = makeTable(16, 9, 32);
  const long = (letter: string) => encode(letter.repeat(17));
  const column = arena.putTexts([long('a'), encode('short'), long('a'), long('b'), encode('z')]);
  const out = arena.room(5 * 4);
  const { findGroupsUtf8 } = arena.kernels;
  expect(findGroupsUtf8(table, column.values, 0, 0, 0, 5, out)).toBe(3);
  expect(field(table, layout.status)).toBe(status.arenaFull);
  expect(field(table, layout.bytesNeeded)).toBe(24);
  expect(field(table, layout.groupCount)).toBe(2);
  const more = arena.room(24);
  arena.view.setUint32(table + layout.arena, more, true);
  arena.view.setUint32(table + layout.arenaEnd, more + 24, true);
  expect(findGroupsUtf8(table, column.values, 0, 0, 3, 5, out)).toBe(2);
  expect(field(table, layout.arena)).toBe(more + 24);
  expect(arena.isUntouched(more + 24)).toBe(true);
});

test('keys that differ only in length, tail or padding are different groups', () => {
  const texts = [
    '',
    '\0',
    '\0\0',
    'abcdefgh',
    'abcdefgh\0',
    'abcdefgh\0\0',
    'abcdefghi',
    'abcdefghij',
  ];
  const table = makeTable(32, 20, 256);
  const column = arena.putTexts([...texts.map(encode), null, ...texts.map(encode), null]);
  const out = arena.room(18 * 4);
  expect(arena.kernels.findGroupsUtf8(table, column.values, column.validity, 0, 0, 18, out)).toBe(
    18,
  );
  const slots = arena.uint32s(out, 18);
  expect(new Set(slots.slice(0, 9)).size).toBe(9);
  expect(slots.slice(9)).toEqual(slots.slice(0, 9));
});

test('keys around the sizes of a word, with equal beginnings or ends, are told apart', () => {
  const lengths = [7, 8, 9, 15, 16, 17, 24, 25];
  const same = lengths.map((length) => 'q'.repeat(length));
  const keys = [
    ...same,
    ...same.map((text) => `${text.slice(1)}z`), // One prefix.
    ...same.map((text) => `a${text.slice(1)}`), // One suffix.
    // Equal in the first and the last 8 bytes; those under 17 have nothing between.
    ...same.filter(({ length }) => length > 16).map((text) => `${text.slice(9)}m${text.slice(-8)}`),
  ];
  const table = makeTable(64, 60, 1024);
  const column = arena.putTexts([...keys, ...keys].map(encode));
  const out = arena.room(keys.length * 8);
  const { findGroupsUtf8, gatherViews } = arena.kernels;
  expect(findGroupsUtf8(table, column.values, 0, 0, 0, keys.length * 2, out)).toBe(keys.length * 2);
  const slots = arena.uint32s(out, keys.length * 2);
  expect(new Set(slots).size).toBe(keys.length);
  expect(slots.slice(keys.length)).toEqual(slots.slice(0, keys.length));
  const views = arena.room(keys.length * 16);
  gatherViews(out, keys.length, views);
  expect(arena.texts(views, keys.length).map(decode)).toEqual(keys);
});

test('a chain of slots goes round the end of the table', () => {
  const table = makeTable(8, 8, 0);
  const column = arena.putInt64s(Array.from({ length: 7 }, (_, index) => BigInt(index)));
  const out = arena.room(7 * 4);
  const { findGroupsInt64 } = arena.kernels;
  expect(findGroupsInt64(table, column.values, 0, 0, 0, 7, out)).toBe(7);
  const first = arena.uint32s(out, 7);
  expect(new Set(first).size).toBe(7);
  expect(findGroupsInt64(table, column.values, 0, 0, 0, 7, out)).toBe(7);
  expect(arena.uint32s(out, 7)).toEqual(first);
});
