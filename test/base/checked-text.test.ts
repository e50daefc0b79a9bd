/** Goal: a small file is read as it was written, or not at all: cut off or changed anywhere, it is noticed. */
import { expect, test } from 'vitest';
import { decodeChecked, encodeChecked, formatOf } from '../../base/checked-text.ts';

const format = 'millrace-thing-3';
const body = '{"name":"ä €","n":1}';

test('what was written is read back, and says its format', () => {
  const bytes = encodeChecked(format, body);
  expect(new TextDecoder().decode(bytes)).toMatch(/^millrace-thing-3 [0-9a-f]{8} \{.*\}\n$/);
  expect(decodeChecked(format, bytes)).toBe(body);
  expect(formatOf(bytes)).toEqual({ name: 'millrace-thing', version: 3 });
  expect(decodeChecked('millrace-thing-4', bytes)).toBeNull();
  expect(formatOf(new Uint8Array())).toBeNull();
});

test('every cut, every bit flip and every byte behind it is noticed', () => {
  const bytes = encodeChecked(format, body);
  for (let length = 0; length < bytes.length; length++) {
    expect(decodeChecked(format, bytes.subarray(0, length)), `length ${length}`).toBeNull();
  }
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(decodeChecked(format, flipped), `bit ${bit}`).toBeNull();
  }
  expect(decodeChecked(format, new Uint8Array([...bytes, 10]))).toBeNull();
});
