/** Goal: a view holds its text exactly, and two short texts are equal when their 16 bytes are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextArena, utf8SizeOf } from '../../../engine/batch/text-arena.ts';
import {
  clearView,
  decodeUtf8,
  utf8ViewSize,
  viewBytes,
  viewBytesAddress,
  viewSizeOf,
  viewText,
  writeView,
} from '../../../engine/batch/utf8-view.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { utf8Type } from '../../../engine/schema/field-type.ts';
import { valuesOf, withMemory } from '../../support/batches.ts';

const texts = valuesOf(utf8Type) as fc.Arbitrary<string>;

test('any text reads back from its view, by JavaScript writer or from bytes in memory', () => {
  fc.assert(
    fc.property(texts, (text) => {
      withMemory(({ scope, memory }) => {
        const views = scope.allocate(2 * utf8ViewSize);
        const [first, second] = [addressOf(views), addressOf(views) + utf8ViewSize];
        const arena = new TextArena(scope);
        arena.writeText(first, text);
        const bytes = new TextEncoder().encode(text);
        const block = scope.allocate(bytes.length);
        memory.bytes.set(bytes, addressOf(block));
        writeView(memory, second, addressOf(block), bytes.length);
        for (const view of [first, second]) {
          expect(viewText(memory, view)).toBe(text);
          expect(viewSizeOf(memory, view)).toBe(bytes.length);
          expect(viewBytes(memory, view)).toEqual(bytes);
          // The prefix is the first 8 bytes, padded with zeroes.
          const prefix = new Uint8Array(8);
          prefix.set(bytes.subarray(0, 8));
          expect(memory.bytes.subarray(view + 8, view + 16)).toEqual(prefix);
          expect(viewBytesAddress(memory, view) === view + 8).toBe(bytes.length <= 8);
          expect(memory.uint32[view / 4 + 1] === 0).toBe(bytes.length <= 8);
        }
        for (const held of [views, block, ...arena.blocks]) memory.release(held);
      });
    }),
    { numRuns: 300 },
  );
});

test('short texts are equal exactly when their 16 bytes are', () => {
  const short = texts.filter((text) => utf8SizeOf(text) <= 8);
  fc.assert(
    fc.property(short, short, (a, b) => {
      withMemory(({ scope, memory }) => {
        const block = scope.allocate(2 * utf8ViewSize);
        const start = addressOf(block);
        const arena = new TextArena(scope);
        arena.writeText(start, a);
        arena.writeText(start + utf8ViewSize, b);
        const image = (at: number) => memory.bytes.slice(at, at + utf8ViewSize).join();
        expect(image(start) === image(start + utf8ViewSize)).toBe(a === b);
        for (const held of [block, ...arena.blocks]) memory.release(held);
      });
    }),
  );
});

test('a null is 16 zero bytes', () => {
  withMemory(({ scope, memory }) => {
    const block = scope.allocate(utf8ViewSize);
    clearView(memory, addressOf(block));
    expect(memory.bytes.subarray(addressOf(block), addressOf(block) + 16)).toEqual(
      new Uint8Array(16),
    );
    expect(viewText(memory, addressOf(block))).toBe('');
    memory.release(block);
  });
});

test('the size of a text in UTF-8 is what the encoder writes, lone surrogates included', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.nat(0xffff).map((c) => String.fromCharCode(c)) }), (text) => {
      expect(utf8SizeOf(text)).toBe(new TextEncoder().encode(text).length);
    }),
  );
  expect(utf8SizeOf('a€😀\ud83dx')).toBe(1 + 3 + 4 + 3 + 1);
});

test('bytes that are not UTF-8 are a bug when they are in a batch', () => {
  expect(() => decodeUtf8(Uint8Array.of(0x61, 0xff))).toThrow('well-formed UTF-8');
  expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
});

test('texts around the sizes that are read without a decoder, one of their characters not ASCII', () => {
  withMemory(({ scope, memory }) => {
    const view = scope.allocate(utf8ViewSize);
    const arena = new TextArena(scope);
    for (let length = 0; length <= 14; length++) {
      const ascii = 'abcdefghijklmn'.slice(0, length);
      const others = Array.from(ascii, (_, at) => `${ascii.slice(0, at)}é${ascii.slice(at + 1)}`);
      for (const text of [ascii, ...others]) {
        arena.writeText(addressOf(view), text);
        expect(viewText(memory, addressOf(view))).toBe(text);
      }
    }
    for (const block of arena.blocks) memory.release(block);
    memory.release(view);
  });
});
