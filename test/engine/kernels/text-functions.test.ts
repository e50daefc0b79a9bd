/** Goal: text functions agree with JavaScript's strings, and write nothing past their outputs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  filledTextOf,
  findTextOf,
  isLikeOf,
  lowerAsciiOf,
  replacedTextOf,
  reversedTextOf,
  spacesAtEndOf,
  spacesAtStartOf,
  textLengthOf,
  textOffsetOf,
  upperAsciiOf,
} from '../../../engine/kernels/text-functions.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Texts of few signs, so that parts are found, of one to four bytes each. */
const sign = fc.constantFrom('a', 'b', 'A', 'z', ' ', '%', '_', '\\', 'é', '€', '😀', '\u3000');
const texts = fc.string({ unit: sign, maxLength: 60 });
const parts = fc.string({ unit: sign, maxLength: 5 });

/** Address and length of a text, at any alignment. */
function put(text: string, shift = 0): [number, number] {
  const bytes = encoder.encode(text);
  return [arena.put(bytes, shift), bytes.length];
}

function read(address: number, length: number): string {
  return decoder.decode(arena.bytes.slice(address, address + length));
}

function check(property: (text: string, part: string, number: number) => void): void {
  fc.assert(
    fc.property(texts, parts, fc.nat(70), (text, part, number) => {
      arena.reset();
      property(text, part, number);
    }),
    { numRuns: 500 },
  );
}

const { kernels } = arena;

test('length and places count code points', () => {
  check((text, _part, index) => {
    expect(kernels.textLength(...put(text, index % 8))).toBe(textLengthOf(text));
    expect(kernels.textOffset(...put(text), index)).toBe(textOffsetOf(text, index));
  });
});

test('a part is found where it is first', () => {
  check((text, part, shift) => {
    expect(kernels.findText(...put(text, shift % 8), ...put(part))).toBe(findTextOf(text, part));
  });
  const long = `${'x'.repeat(1000)}needle`;
  expect(kernels.findText(...put(long), ...put('needle'))).toBe(1000);
  expect(kernels.findText(...put(long), ...put('needles'))).toBe(-1);
});

test('a text starts and ends with a part or not', () => {
  check((text, part, index) => {
    const points = [...text];
    for (const one of [part, points.slice(0, index).join(''), points.slice(index).join('')]) {
      expect(kernels.startsWithText(...put(text), ...put(one))).toBe(+text.startsWith(one));
      expect(kernels.endsWithText(...put(text), ...put(one))).toBe(+text.endsWith(one));
    }
  });
});

test('patterns of like', () => {
  check((text, pattern) => {
    expect(kernels.likeText(...put(text), ...put(pattern))).toBe(+isLikeOf(text, pattern));
  });
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '€'), maxLength: 12 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '€', '%', '_', '\\'), maxLength: 8 }),
      (text, pattern) => {
        arena.reset();
        expect(kernels.likeText(...put(text), ...put(pattern))).toBe(+isLikeOf(text, pattern));
      },
    ),
    { numRuns: 2000 },
  );
});

test('white space at both ends, all kinds of it', () => {
  check((text) => {
    expect(kernels.spacesAtStart(...put(text))).toBe(spacesAtStartOf(text));
    expect(kernels.spacesAtEnd(...put(text))).toBe(spacesAtEndOf(text));
  });
  for (let point = 0; point < 0x10000; point++) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const text = `${String.fromCodePoint(point)}x${String.fromCodePoint(point)}`;
    arena.reset();
    const found = [kernels.spacesAtStart(...put(text)), kernels.spacesAtEnd(...put(text))];
    expect(found, point.toString(16)).toEqual([spacesAtStartOf(text), spacesAtEndOf(text)]);
  }
});

test('a copy is the text and nothing more', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 100 }), fc.nat(7), (text, shift) => {
      arena.reset();
      const [from, length] = put(text, shift);
      const out = arena.room(length, 3);
      kernels.copyText(from, length, out);
      expect(read(out, length)).toBe(text);
      expect(arena.isUntouched(out + length)).toBe(true);
    }),
  );
});

test('the case of ASCII; other texts are told', () => {
  const ascii = fc.string({ unit: 'binary-ascii', maxLength: 70 });
  fc.assert(
    fc.property(fc.oneof(ascii, ascii, texts), (text) => {
      arena.reset();
      for (const [kernel, expected] of [
        [kernels.lowerAscii, lowerAsciiOf(text)],
        [kernels.upperAscii, upperAsciiOf(text)],
      ] as const) {
        const [from, length] = put(text);
        const out = arena.room(length);
        const isWritten = kernel(from, length, out);
        expect(isWritten ? read(out, length) : null).toBe(expected);
        expect(arena.isUntouched(out + length)).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});

test('every place of a part is replaced', () => {
  fc.assert(
    fc.property(texts, parts, parts, (text, part, replacement) => {
      arena.reset();
      const args = [...put(text), ...put(part), ...put(replacement)] as const;
      const expected = replacedTextOf(text, part, replacement);
      const size = kernels.replacedSize(...args);
      expect(size).toBe(encoder.encode(expected).length);
      const out = arena.room(size);
      kernels.replaceText(...args, out);
      expect(read(out, size)).toBe(expected);
      expect(arena.isUntouched(out + size)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('code points in reverse order', () => {
  check((text) => {
    const [from, length] = put(text);
    const out = arena.room(length);
    kernels.reverseText(from, length, out);
    expect(read(out, length)).toBe(reversedTextOf(text));
    expect(arena.isUntouched(out + length)).toBe(true);
  });
});

test('UTF-16 units are those of JavaScript', () => {
  check((text) => expect(kernels.utf16Length(...put(text))).toBe(text.length));
});

test('a text is repeated until it is as long as is asked for', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: sign, minLength: 1, maxLength: 9 }),
      fc.nat(60),
      (text, count) => {
        arena.reset();
        const filled = filledTextOf(text, count);
        const size = kernels.fillSize(...put(text), count);
        expect(size).toBe(encoder.encode(filled).length);
        const out = arena.room(size);
        kernels.fillText(...put(text), out, size);
        expect(read(out, size)).toBe(filled);
        expect(arena.isUntouched(out + size)).toBe(true);
      },
    ),
  );
});
