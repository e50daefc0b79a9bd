/** Goal: chains, pairs and marks are those of the reference, for every form of key, however calls are cut. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { chainsOf, headsOf, pairsOf } from '../../../engine/kernels/join.ts';
import {
  type JoinFind,
  type JoinInsert,
  joinTableLayout as layout,
  noNumber,
} from '../../../engine/kernels/join-kernels.ts';
import { encode, KernelArena, type TestColumn } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

interface Form {
  readonly name: string;
  readonly keyBytes: number;
  readonly insert: JoinInsert;
  readonly find: JoinFind;
  readonly put: (keys: readonly (string | null)[]) => TestColumn;
}

const wordOf = (key: string) => BigInt(key.length) * 0x1_0000_0001n - 3n;
const { kernels } = arena;
const forms: readonly Form[] = [
  {
    ...{ name: 'int64', keyBytes: 0, insert: kernels.joinInsertInt64, find: kernels.joinFindInt64 },
    put: (keys) => arena.putInt64s(keys.map((key) => key && wordOf(key)).map(bigOrNull)),
  },
  {
    ...{ name: 'int128', keyBytes: 16 },
    ...{ insert: kernels.joinInsertInt128, find: kernels.joinFindInt128 },
    put: (keys) => arena.putInt128s(keys.map((key) => key && wordOf(key) << 60n).map(bigOrNull)),
  },
  {
    ...{ name: 'views', keyBytes: 16, insert: kernels.joinInsertUtf8, find: kernels.joinFindUtf8 },
    put: (keys) => arena.putTexts(keys.map((key) => (key === null ? null : encode(key)))),
  },
];

function bigOrNull(key: bigint | '' | null): bigint | null {
  return key === '' ? 0n : key;
}

const keyLists = fc.array(
  fc.option(fc.integer({ min: 1, max: 20 }).map((length) => 'k'.repeat(length))),
  { maxLength: 40 },
);

const tables = fc.record({
  callRows: fc.integer({ min: 1, max: 41 }),
  isFiltered: fc.boolean(),
});

/** Bits of a few numbers, from some place on. */
const selections = (length: number) =>
  fc.subarray(Array.from({ length }, (_, at) => at)).filter((rows) => rows.length > 0);

/** A table of all keys, put in by calls of `callRows` rows; its address, and that of the chains. */
function makeTable(
  { keyBytes, insert, put }: Form,
  keys: readonly (string | null)[],
  { callRows, isFiltered = false }: { callRows: number; isFiltered?: boolean },
) {
  const slotCount = 64;
  const slots = arena.put(new Uint8Array(slotCount * 16));
  const stored = arena.room(keys.length * keyBytes);
  const next = arena.room(keys.length * 4);
  const scratch = arena.room(64 * 8);
  const filter = isFiltered ? arena.put(new Uint8Array((slotCount * 4) / 8)) : 0;
  const table = arena.putUint32([slots, slotCount - 1, stored, next, scratch, filter]);
  expect(Object.values(layout)).toEqual([0, 4, 8, 12, 16, 20, 24]);
  let repeated = 0;
  const starts = Array.from(
    { length: Math.ceil(keys.length / callRows) },
    (_, at) => at * callRows,
  );
  for (const first of starts.reverse()) {
    const part = keys.slice(first, first + callRows);
    const { values, validity } = put(part);
    repeated += insert(table, values, validity, part.length, first);
  }
  expect(arena.isUntouched(stored + keys.length * keyBytes)).toBe(true);
  return { table, next, repeated };
}

test.each(forms)('chains of $name keys', (form) => {
  fc.assert(
    fc.property(keyLists, keyLists, tables, (build, probe, options) => {
      arena.reset();
      const { table, next, repeated } = makeTable(form, build, options);
      const chains = chainsOf(build);
      const valid = build.filter((key) => key !== null);
      expect(repeated).toBe(valid.length - new Set(valid).size);
      const links = arena.uint32s(next, build.length);
      for (const [row, key] of build.entries()) {
        if (key !== null) expect(links[row]).toBe((chains.next[row] ?? 0) + 1);
      }
      const { values, validity } = form.put(probe);
      const heads = arena.room(probe.length * 4);
      const found = form.find(table, values, validity, 0, probe.length, heads);
      const wanted = headsOf(chains, probe);
      expect(arena.uint32s(heads, probe.length)).toEqual(wanted.map((head) => head + 1));
      expect(found).toBe(wanted.filter((head) => head >= 0).length);
    }),
  );
});

test.each([false, true])(
  'rows of a selection are found by their stored row (filter: %s)',
  (isFiltered) => {
    const [form] = forms;
    if (form === undefined) throw new Error('there is a form');
    const { table } = makeTable(form, ['a', 'bb', 'ccc'], { callRows: 3, isFiltered });
    const { values, validity } = form.put(['ccc', null, 'none of', 'a']);
    const heads = arena.room(12);
    const selection = arena.putUint32([0, 1, 3]);
    expect(form.find(table, values, validity, selection, 3, heads)).toBe(2);
    expect(arena.uint32s(heads, 3)).toEqual([3, 0, 1]);
  },
);

test('pairs are those of the reference, whatever a call makes', () => {
  const cases = fc.record({
    build: keyLists,
    probe: keyLists,
    pairsMax: fc.integer({ min: 1, max: 9 }),
    isOuter: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ build, probe, pairsMax, isOuter }) => {
      arena.reset();
      const chains = chainsOf(build);
      const wantedHeads = headsOf(chains, probe);
      const heads = arena.putUint32(wantedHeads.map((head) => head + 1));
      const isUnique = chains.next.every((row) => row < 0);
      const next = isUnique ? 0 : arena.putUint32(chains.next.map((row) => row + 1));
      const selection = arena.putUint32(probe.map((_, at) => at * 3));
      const state = arena.put(new Uint8Array(8));
      const nullNumber = isOuter ? 8192 : -1;
      const found: [number, number][] = [];
      for (let calls = 0; arena.uint32(state) < probe.length; calls++) {
        expect(calls).toBeLessThan(10_000);
        const [rows, partners] = [arena.room(pairsMax * 4), arena.room(pairsMax * 4)];
        const number = nullNumber < 0 ? noNumber : nullNumber;
        const args = [state, heads, selection, probe.length, next, number, rows, partners] as const;
        const made = kernels.joinPairs(...args, pairsMax);
        expect(made).toBeLessThanOrEqual(pairsMax);
        expect([rows, partners].every((list) => arena.isUntouched(list + pairsMax * 4))).toBe(true);
        const [left, right] = [arena.uint32s(rows, made), arena.uint32s(partners, made)];
        for (const [at, row] of left.entries()) found.push([row / 3, right[at] ?? -1]);
      }
      expect(found).toEqual(pairsOf(wantedHeads, chains.next, nullNumber));
    }),
  );
});

test('rows that are marked, and rows that are not', () => {
  fc.assert(
    fc.property(
      selections(200).chain((rows) => fc.tuple(fc.constant(rows), fc.subarray(rows))),
      fc.nat(20),
      ([rows, marked], fromRow) => {
        arena.reset();
        const bitmap = arena.put(new Uint8Array(32));
        kernels.markRows(bitmap, arena.putUint32(marked), marked.length);
        expect(arena.bits(bitmap, 200)).toEqual(
          Array.from({ length: 200 }, (_, row) => marked.includes(row)),
        );
        const selection = arena.putUint32(rows);
        const heads = arena.putUint32(rows.map((row) => (marked.includes(row) ? 7 : 0)));
        for (const wanted of [0, 1]) {
          const is = (row: number) => marked.includes(row) === (wanted === 1);
          const out = arena.room(rows.length * 4);
          const count = kernels.rowsByMark(bitmap, selection, fromRow, rows.length, wanted, out);
          expect(arena.uint32s(out, count)).toEqual(rows.slice(fromRow).filter(is));
          const all = kernels.rowsByHead(heads, selection, rows.length, wanted, out);
          expect(arena.uint32s(out, all)).toEqual(rows.filter(is));
        }
      },
    ),
  );
});

test('bits are put behind others, and those stay', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 90 }),
      fc.array(fc.boolean(), { maxLength: 70 }),
      fc.boolean(),
      (first, second, isAllOnes) => {
        arena.reset();
        const out = arena.room(24);
        kernels.appendBits(arena.putBits(first), 0, first.length, out, 0);
        const from = isAllOnes ? 0 : arena.putBits(second.flatMap((bit) => [!bit, bit]));
        const rows = arena.putUint32(second.map((_, at) => at * 2 + 1));
        kernels.appendBits(from, rows, second.length, out, first.length);
        const added = isAllOnes ? second.map(() => true) : second;
        expect(arena.bits(out, first.length + second.length)).toEqual([...first, ...added]);
      },
    ),
  );
});
