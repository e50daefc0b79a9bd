/** Goal: sorted channels come out as one sorted stream, whatever their batches, pauses and nulls. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchRowsMax } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { float64Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { MergingGate } from '../../../engine/stream/merging-gate.ts';
import { batchOf, newContext, type Row } from '../../support/operator-harness.ts';
import { scriptedChannel } from '../../support/scripted-channel.ts';

const schema = schemaOf(
  fieldOf('n', int64Type, true),
  fieldOf('text', utf8Type),
  fieldOf('channel', float64Type),
);
const order = [
  { column: 'n', isDescending: true, areNullsFirst: true },
  { column: 'text', isDescending: false, areNullsFirst: false },
];

function compare(a: Row, b: Row): number {
  const [x, y] = [a.n as bigint | null, b.n as bigint | null];
  if (x !== y) {
    if (x === null || y === null) return x === null ? -1 : 1;
    return x > y ? -1 : 1;
  }
  return a.text === b.text ? 0 : String(a.text) < String(b.text) ? -1 : 1;
}

/** @param pieces - Rows of each batch of a channel; null is a pause. */
function merge(channels: (Row[] | null)[][]): { rows: Row[]; sizes: number[] } {
  const { memory, scope, kernels } = newContext('tested');
  const readers = channels.map((pieces) =>
    scriptedChannel(
      pieces.map((rows) => (rows === null ? 'waiting' : batchOf(scope, schema, rows))),
    ),
  );
  const gate = new MergingGate({ scope, kernels, schema, order, channels: readers });
  const rows: Row[] = [];
  const sizes: number[] = [];
  for (let element = gate.read(); element !== 'end'; element = gate.read()) {
    if (typeof element !== 'object') continue;
    rows.push(...readRows(element));
    sizes.push(element.rowCount);
    element.release();
  }
  gate.close();
  memory.assertEmpty();
  return { rows, sizes };
}

const row = fc.record({
  n: fc.option(fc.bigInt({ min: -2n, max: 2n })),
  text: fc.string({ unit: fc.constantFrom('a', 'b', 'the same start '), maxLength: 3 }),
});
const channel = fc.tuple(fc.array(row, { maxLength: 20 }), fc.infiniteStream(fc.nat(4)));

test('merging is sorting', () => {
  fc.assert(
    fc.property(fc.array(channel, { minLength: 1, maxLength: 9 }), (given) => {
      const channels = given.map(([rows, sizes], index) => {
        const left: Row[] = rows.map((each) => ({ ...each, channel: index })).sort(compare);
        const pieces: (Row[] | null)[] = [];
        while (left.length > 0) {
          const size = Number(sizes.next().value);
          pieces.push(size === 4 ? null : left.splice(0, size));
        }
        return pieces;
      });
      const all = channels.flatMap((pieces) => pieces.flatMap((piece) => piece ?? []));
      // Array.sort is stable: among equal rows the lower channel is first, as in the gate.
      expect(merge(channels).rows).toEqual(all.sort(compare));
    }),
    { numRuns: 100 },
  );
});

test('batches are full while channels have rows', () => {
  const rowsOf = (channelIndex: number) =>
    Array.from({ length: batchRowsMax }, (_, n) => ({
      n: BigInt(batchRowsMax - n),
      text: `text number ${n}`,
      channel: channelIndex,
    }));
  expect(merge([[rowsOf(0)], [rowsOf(1)], [rowsOf(2)]]).sizes).toEqual([8192, 8192, 8192]);
});

test('a failed channel fails the gate', () => {
  const { memory, scope, kernels } = newContext('tested');
  const rows = [{ n: 1n, text: 'a', channel: 0 }];
  const channels = [scriptedChannel([batchOf(scope, schema, rows)]), scriptedChannel(['failed'])];
  const gate = new MergingGate({ scope, kernels, schema, order, channels });
  expect([gate.read(), gate.read()]).toEqual(['failed', 'failed']);
  gate.close();
  memory.assertEmpty();
});
