/** Goal: lines and UTF-8 checks agree with the references at every position and cut. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { firstInvalidUtf8, linesOf } from '../../../engine/kernels/text.ts';
import { decode, encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

function split(text: Uint8Array, isLast: boolean, rowsMax: number, shift: number) {
  arena.reset();
  const from = arena.put(text, shift);
  const views = arena.room(rowsMax * 16);
  const result = arena.room(4);
  const end = from + text.length;
  const rows = arena.kernels.splitLines(from, end, Number(isLast), views, rowsMax, result);
  expect(arena.isUntouched(views + rowsMax * 16)).toBe(true);
  return { lines: arena.texts(views, rows), consumed: arena.uint32(result) - from };
}

function expectLines(text: Uint8Array, isLast: boolean, rowsMax: number, shift: number) {
  const expected = linesOf(text, isLast, rowsMax);
  const { lines, consumed } = split(text, isLast, rowsMax, shift);
  expect(lines).toEqual(expected.lines.map(({ start, end }) => text.slice(start, end)));
  expect(consumed).toBe(expected.consumed);
}

test.each`
  text                     | isLast   | lines                        | consumed
  ${''}                    | ${true}  | ${[]}                        | ${0}
  ${'a\n'}                 | ${true}  | ${['a']}                     | ${2}
  ${'a\n\n'}               | ${true}  | ${['a', '']}                 | ${3}
  ${'a\r\nb'}              | ${true}  | ${['a', 'b']}                | ${4}
  ${'a\r\nb'}              | ${false} | ${['a']}                     | ${3}
  ${'\r\n\r\r\n'}          | ${true}  | ${['', '\r']}                | ${5}
  ${'a\r'}                 | ${true}  | ${['a\r']}                   | ${2}
  ${'12345678\n123456789'} | ${true}  | ${['12345678', '123456789']} | ${18}
`('$text gives $lines', ({ text, isLast, lines, consumed }) => {
  const result = split(encode(text), isLast, 10, 0);
  expect({ lines: result.lines.map(decode), consumed: result.consumed }).toEqual({
    lines,
    consumed,
  });
});

test('a line ends at every position around the 64-byte blocks', () => {
  for (let length = 0; length < 200; length++) {
    const text = encode(`${'x'.repeat(length)}\r\n${'y'.repeat(length % 17)}\nz`);
    expectLines(text, length % 2 === 0, 8, length % 9);
  }
});

test('random texts, also taken a few lines at a time', () => {
  const piece = fc.constantFrom(
    '\n',
    '\r\n',
    '\r',
    'a',
    'bcdefg',
    'é',
    '0123456789',
    'x'.repeat(70),
  );
  const options = [fc.boolean(), fc.integer({ min: 0, max: 40 }), fc.nat(15)] as const;
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      ...options,
      (pieces, isLast, rowsMax, shift) => {
        expectLines(encode(pieces.join('')), isLast, rowsMax, shift);
      },
    ),
    { numRuns: 500 },
  );
});

function findInvalid(bytes: Uint8Array, shift: number) {
  arena.reset();
  const from = arena.put(bytes, shift);
  const result = arena.room(4);
  const address = arena.kernels.findInvalidUtf8(from, from + bytes.length, result) >>> 0;
  return address === 0 ? null : { index: address - from, isCut: arena.uint32(result) === 1 };
}

function isAccepted(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

test.each`
  name                     | bytes                       | index | isCut
  ${'overlong 2'}          | ${[0xc0, 0x80]}             | ${0}  | ${false}
  ${'overlong 3'}          | ${[0x61, 0xe0, 0x9f, 0xbf]} | ${1}  | ${false}
  ${'overlong 4'}          | ${[0xf0, 0x8f, 0xbf, 0xbf]} | ${0}  | ${false}
  ${'surrogate'}           | ${[0xed, 0xa0, 0x80]}       | ${0}  | ${false}
  ${'above U+10FFFF'}      | ${[0xf4, 0x90, 0x80, 0x80]} | ${0}  | ${false}
  ${'F5'}                  | ${[0xf5, 0x80, 0x80, 0x80]} | ${0}  | ${false}
  ${'stray continuation'}  | ${[0x61, 0x80]}             | ${1}  | ${false}
  ${'cut after the lead'}  | ${[0x61, 0xe2]}             | ${1}  | ${true}
  ${'cut before the last'} | ${[0xf0, 0x9f, 0x98]}       | ${0}  | ${true}
  ${'cut, yet wrong'}      | ${[0xed, 0xa0]}             | ${0}  | ${false}
`('$name is found at $index', ({ bytes, index, isCut }) => {
  expect(findInvalid(Uint8Array.from(bytes), 0)).toEqual({ index, isCut });
});

test('all sequences of a lead and a second byte agree with the reference', () => {
  for (let lead = 0x80; lead < 0x100; lead++) {
    for (let second = 0x70; second < 0xd0; second++) {
      const bytes = Uint8Array.from([0x61, lead, second, 0x80, 0x80, 0x61]);
      expect(findInvalid(bytes, 0)).toEqual(firstInvalidUtf8(bytes));
    }
  }
});

test('a damaged text agrees with the reference, and with TextDecoder on whether it is damaged', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', ' ', 'é', '€', '😀', 'x'.repeat(30)),
    maxLength: 60,
  });
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(255), fc.nat(15), (string, at, byte, shift) => {
      const bytes = encode(string);
      expect(findInvalid(bytes, shift)).toBeNull();
      if (bytes.length === 0) return;
      const cut = bytes.slice(0, at % bytes.length);
      expect(findInvalid(cut, shift)).toEqual(firstInvalidUtf8(cut));
      bytes[at % bytes.length] = byte;
      const found = findInvalid(bytes, shift);
      expect(found).toEqual(firstInvalidUtf8(bytes));
      expect(found === null).toBe(isAccepted(bytes));
    }),
    { numRuns: 500 },
  );
});
