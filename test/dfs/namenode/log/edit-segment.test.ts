/** Goal: a segment gives all its whole transactions, or says that it is damaged; it never gives others. */
import { expect, test } from 'vitest';
import {
  decodeSegment,
  encodeSegmentHead,
  encodeTransactions,
} from '../../../../dfs/namenode/log/edit-segment.ts';
import type { Edit } from '../../../../dfs/namenode/namespace/edit.ts';
import { typedErrorOf } from '../../../support/typed-error-of.ts';

const remove = (path: string): Edit => ({ op: 'delete', path, timeMs: 1 });
const head = encodeSegmentHead('cluster-1', 40);
const first = encodeTransactions(40, [[remove('/a'), remove('/b')], [remove('/c')]]);
const second = encodeTransactions(42, [[remove('/d')]]);
const whole = new Uint8Array([...head, ...first, ...second]);
const read = (bytes: Uint8Array) => decodeSegment(bytes, 'edits');

test('a segment is read back', () => {
  expect(read(whole)).toEqual({
    ...{ clusterId: 'cluster-1', after: 40, wholeBytes: whole.length, tornBytes: 0 },
    transactions: [[remove('/a'), remove('/b')], [remove('/c')], [remove('/d')]],
  });
});

test('a segment cut at any byte keeps its whole lines', () => {
  for (let length = 0; length < whole.length; length++) {
    const segment = read(whole.subarray(0, length));
    const isHeadWhole = length >= head.length;
    expect(segment === null, `${length} bytes`).toBe(!isHeadWhole);
    const isFirstWhole = length >= head.length + first.length;
    if (isHeadWhole) expect(segment?.transactions.length).toBe(isFirstWhole ? 2 : 0);
  }
});

test('every bit flip before the last line is an error, and one in it shows nothing else', () => {
  const lastAt = head.length + first.length;
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (bit >> 3 >= lastAt) expect(read(flipped)?.transactions.length, `bit ${bit}`).toBe(2);
    else expect(() => read(flipped), `bit ${bit}`).toThrow(/is damaged/);
  }
});

const newer = new TextDecoder().decode(head).replace('edits-1', 'edits-2');
test.each`
  what                  | bytes                                                   | code
  ${'a hole'}           | ${[...head, ...first, ...encodeTransactions(43, [[]])]} | ${'DFS_LOG_DAMAGED'}
  ${'a line twice'}     | ${[...head, ...first, ...first]}                        | ${'DFS_LOG_DAMAGED'}
  ${'no head'}          | ${[...first, ...second]}                                | ${'DFS_LOG_DAMAGED'}
  ${'a forged version'} | ${[...new TextEncoder().encode(newer), ...first]}       | ${'DFS_LOG_DAMAGED'}
`('$what is refused with $code', ({ bytes, code }) => {
  expect(typedErrorOf(() => read(new Uint8Array(bytes)))?.info.code).toBe(code);
});
