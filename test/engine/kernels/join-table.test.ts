/**
 * Goal: a large table finds what a map finds, with its filter, and when the filter was given up since most rows
 * have a partner.
 */
import { expect, test } from 'vitest';
import { JoinTable } from '../../../engine/kernels/join-table.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { newContext } from '../../support/operator-harness.ts';

const batchRows = 8192;
const rowCount = 3 * batchRows - 5;
/** Spread over the whole of int64's low words, each there once. */
const keyOf = (row: number) => Math.imul(row, 0x9e3779b1) >>> 0;

/** A table of the keys of even rows; what it answers for a batch that begins at a row. */
function makeTable() {
  const { scope, kernels, memory } = newContext('join');
  const { uint32 } = scope.memory;
  const table = new JoinTable(scope, kernels, { keyForm: 'int64', rowCount });
  const [keys, heads] = [scope.allocate(batchRows * 8), scope.allocate(batchRows * 4)];
  const values = addressOf(keys);
  const put = (count: number, of: (index: number) => number) => {
    for (let index = 0; index < count; index++) {
      uint32[(values >>> 2) + index * 2] = of(index);
      uint32[(values >>> 2) + index * 2 + 1] = 0;
    }
  };
  while (!table.prepare());
  for (let first = 2 * batchRows; first >= 0; first -= batchRows) {
    const count = Math.min(batchRows, rowCount - first);
    put(count, (index) => keyOf(2 * (first + index)));
    table.insert({ values, validity: 0 }, count, first);
  }
  const find = (first: number, step: number) => {
    put(batchRows, (index) => keyOf(first + index * step));
    table.find({ values, validity: 0, selection: 0 }, batchRows, addressOf(heads));
    return Array.from(uint32.subarray(addressOf(heads) >>> 2).subarray(0, batchRows));
  };
  const close = () => {
    table.close();
    for (const block of [keys, heads]) scope.memory.release(block);
    memory.assertEmpty();
  };
  return { find, close };
}

const wantedOf = (first: number, step: number) =>
  Array.from({ length: batchRows }, (_, index) => {
    const at = first + index * step;
    return at % 2 === 0 && at / 2 < rowCount ? at / 2 + 1 : 0;
  });

test.each`
  name                            | step
  ${'half of the rows are there'} | ${1}
  ${'all are there'}              | ${2}
`('what is found when $name', ({ step }: { step: number }) => {
  const { find, close } = makeTable();
  // More than the filter is tried on.
  for (let call = 0; call < 10; call++) {
    const first = call * 1_000;
    expect(find(first, step)).toEqual(wantedOf(first, step));
  }
  expect(find(2 * rowCount, 1)).toEqual(wantedOf(2 * rowCount, 1));
  expect(find(1, 2)).toEqual(wantedOf(1, 2));
  close();
});
