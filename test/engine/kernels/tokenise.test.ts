/** Goal: the words are those of the reference, wherever the tokeniser has to stop and go on. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { linesOf } from '../../../engine/kernels/text.ts';
import { tokeniseLayout } from '../../../engine/kernels/text-kernels.ts';
import { wordsOf } from '../../../engine/kernels/tokenise.ts';
import { decode, encode, KernelArena, type TestColumn } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

interface Limits {
  readonly wordsMax: number;
  readonly bytesMax: number;
  readonly wantsParents: boolean;
  readonly selection: readonly number[] | null;
}

/** Tokenises to the end, in as many calls as the limits ask for. */
function tokenise(column: TestColumn, rowCount: number, limits: Limits) {
  const { wordsMax, wantsParents, selection } = limits;
  const rows = selection === null ? rowCount : selection.length;
  const selected = selection === null ? 0 : arena.putUint32(selection);
  const state = arena.put(new Uint8Array(tokeniseLayout.size));
  const views = arena.room(wordsMax * 16);
  const parents = arena.room(wordsMax * 4);
  const bytes = arena.room(70_000);
  let bytesMax = limits.bytesMax;
  const words: { text: string; parent: number }[] = [];
  for (let calls = 0; arena.uint32(state + tokeniseLayout.row) < rows; calls++) {
    expect(calls).toBeLessThan(10_000);
    const { values, validity } = column;
    const outParents = wantsParents ? parents : 0;
    const bytesEnd = bytes + bytesMax;
    const { tokeniseWords } = arena.kernels;
    const count = tokeniseWords(
      values,
      validity,
      selected,
      rows,
      state,
      views,
      outParents,
      wordsMax,
      bytes,
      bytesEnd,
    );
    arena.texts(views, count).forEach((text, index) => {
      words.push({ text: decode(text), parent: wantsParents ? arena.uint32(parents, index) : -1 });
    });
    expect(count).toBeLessThanOrEqual(wordsMax);
    expect(arena.uint32(state + tokeniseLayout.bytesOut)).toBeLessThanOrEqual(bytesEnd);
    expect(arena.isUntouched(views + wordsMax * 16)).toBe(true);
    const needed = arena.uint32(state + tokeniseLayout.bytesNeeded);
    if (needed > bytesMax) bytesMax = needed;
    else if (needed === 0 && count < wordsMax) expect(arena.uint32(state)).toBe(rows);
  }
  return words;
}

const generous: Limits = { wordsMax: 1000, bytesMax: 65_536, wantsParents: false, selection: null };

function linesColumn(text: string): { column: TestColumn; rows: Uint8Array[] } {
  const bytes = encode(text);
  const from = arena.put(bytes, 5);
  const views = arena.room(bytes.length * 16 + 16);
  const result = arena.room(4);
  const count = arena.kernels.splitLines(
    from,
    from + bytes.length,
    1,
    views,
    bytes.length + 1,
    result,
  );
  const rows = linesOf(bytes, true).lines.map(({ start, end }) => bytes.slice(start, end));
  expect(count).toBe(rows.length);
  return { column: { values: views, validity: 0 }, rows };
}

const withoutParents = (rows: readonly (Uint8Array | null)[]) =>
  wordsOf(rows).map(({ text }) => ({ text, parent: -1 }));

test.each`
  text                    | words
  ${''}                   | ${[]}
  ${'12 34'}              | ${[]}
  ${'Hello, World'}       | ${['hello', 'world']}
  ${"don't"}              | ${['don', 't']}
  ${'abcdefgh ABCDEFGHI'} | ${['abcdefgh', 'abcdefghi']}
  ${'naïve'}              | ${['na', 've']}
  ${'[@`{'}               | ${[]}
  ${'AZaz'}               | ${['azaz']}
`('$text has the words $words', ({ text, words }) => {
  const column = arena.putTexts([encode(text)]);
  expect(tokenise(column, 1, generous).map((word) => word.text)).toEqual(words);
});

test('words of every length begin at every position of a block', () => {
  for (let length = 1; length < 140; length += 3) {
    for (let gap = 0; gap < 66; gap += 5) {
      arena.reset();
      const rows = [encode(`${'.'.repeat(gap)}${'Q'.repeat(length)} x`), encode('tail')];
      const column = arena.putTexts(rows);
      expect(tokenise(column, 2, generous)).toEqual(withoutParents(rows));
    }
  }
});

test('words around the sizes of a word of memory, with any room for their bytes', () => {
  const words = [7, 8, 9, 15, 16, 17, 24, 25].flatMap((length) => [
    'Q'.repeat(length),
    `${'q'.repeat(length - 1)}Z`,
  ]);
  const rows = [encode(words.join(' ')), encode(words.toReversed().join('-'))];
  for (let bytesMax = 0; bytesMax < 100; bytesMax++) {
    arena.reset();
    const column = arena.putTexts(rows);
    expect(tokenise(column, 2, { ...generous, bytesMax })).toEqual(withoutParents(rows));
  }
});

const text = fc
  .array(
    fc.constantFrom(
      'a',
      'The ',
      'international',
      '\n',
      '\r\n',
      '\n\n',
      ' ',
      'é',
      '0',
      'x'.repeat(65),
    ),
  )
  .map((pieces) => pieces.join(''));
const limits = fc.record({
  wordsMax: fc.integer({ min: 1, max: 40 }),
  bytesMax: fc.integer({ min: 0, max: 200 }),
  wantsParents: fc.boolean(),
});

test('lines of a text, with parents or as spans, whatever the limits', () => {
  fc.assert(
    fc.property(text, limits, (content, { wantsParents, ...room }) => {
      arena.reset();
      const { column, rows } = linesColumn(content);
      const found = tokenise(column, rows.length, { ...room, wantsParents, selection: null });
      expect(found).toEqual(wantsParents ? wordsOf(rows) : withoutParents(rows));
    }),
    { numRuns: 600 },
  );
});

test('rows with nulls under a selection', () => {
  const row = fc.option(text.map(encode));
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), fc.nat(), limits, (rows, seed, room) => {
      arena.reset();
      const column = arena.putTexts(rows);
      const selection = rows.flatMap((_, index) => ((seed >> (index % 16)) & 1 ? [index] : []));
      const found = tokenise(column, rows.length, { ...room, selection });
      const kept = rows.map((bytes, index) => (selection.includes(index) ? bytes : null));
      expect(found).toEqual(room.wantsParents ? wordsOf(kept) : withoutParents(kept));
    }),
    { numRuns: 300 },
  );
});

test('rows that touch in memory without a byte between stay apart', () => {
  const bytes = encode('abcdefghijklmnopqrst');
  const from = arena.put(bytes);
  const views = arena.room(32);
  arena.putView(views, bytes.slice(0, 10), from);
  arena.putView(views + 16, bytes.slice(10), from + 10);
  const found = tokenise({ values: views, validity: 0 }, 2, generous);
  expect(found.map((word) => word.text)).toEqual(['abcdefghij', 'klmnopqrst']);
});
