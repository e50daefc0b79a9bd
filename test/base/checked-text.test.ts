/** Goal: a small file is read as it was written, or not at all: cut off or changed anywhere, it is noticed. */
import { expect, test } from 'vitest';
import { decodeChecked, encodeChecked, versionOf } from '../../base/checked-text.ts';

const format = 'millrace-thing-3';
const body = '{"name":"ä €","n":1}';

test('what was written is read back, in its format only', () => {
  const bytes = encodeChecked(format, body);
  expect(new TextDecoder().decode(bytes)).toMatch(/^millrace-thing-3 [0-9a-f]{8} \{.*\}\n$/);
  expect(decodeChecked(format, bytes)).toBe(body);
  expect(decodeChecked('millrace-thing-4', bytes)).toBeNull();
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

test('a version counts where head and body say the same, and the file is whole', () => {
  const name = 'millrace-thing';
  const bytes = encodeChecked(`${name}-12`, '{"version":12}');
  expect(versionOf(name, bytes)).toBe(12);
  expect(versionOf(name, bytes.subarray(0, -1))).toBeNull();
  expect(versionOf(name, new Uint8Array())).toBeNull();
  expect(versionOf('millrace-other', bytes)).toBeNull();
  expect(versionOf(name, encodeChecked(`${name}-13`, '{"version":12}'))).toBeNull();
});
