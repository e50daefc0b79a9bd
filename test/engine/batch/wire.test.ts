/** Goal: rows sent as a body read the same on the other side, whatever their types and selection. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { type Body, decodeBody, encodedSizeOf, encodeRows } from '../../../engine/batch/wire.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { addressOf, type MemoryScope, SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  type BatchCase,
  batchCases,
  expectedRows,
  fullBatchCases,
  makeBatch,
} from '../../support/batches.ts';

/** Two memories, as two slot threads have them, reused for all cases of a test. */
function twoSlots() {
  const slot = () => {
    const memory = new SlotMemory({ budgetBytes: 64 * 1024 * 1024, poison: true });
    return { memory, scope: memory.scope('test'), kernels: instantiateKernels(memory.memory) };
  };
  return { sender: slot(), receiver: slot() };
}
type Slot = ReturnType<typeof twoSlots>['sender'];

/** The body of rows, out of the sender's memory. */
function encoded(slot: Slot, batch: Batch, rows: number, rowCount: number): Uint8Array {
  const { kernels, memory, scope } = slot;
  const size = encodedSizeOf(kernels, batch, rows, rowCount);
  const block = scope.allocate(size);
  const start = addressOf(block);
  expect(encodeRows(kernels, batch, rows, rowCount, start)).toBe(size);
  const bytes = memory.bytes.slice(start, start + size);
  memory.release(block);
  return bytes;
}

function received(scope: MemoryScope, bytes: Uint8Array): Body {
  const block = scope.allocate(bytes.length);
  scope.memory.bytes.set(bytes, addressOf(block));
  return { block, sizeBytes: bytes.length };
}

function roundTrip({ sender, receiver }: ReturnType<typeof twoSlots>, spec: BatchCase) {
  const batch = makeBatch(sender.scope, spec);
  const bytes = encoded(sender, batch, 0, batch.rowCount);
  batch.release();
  sender.memory.assertEmpty();
  const body = received(receiver.scope, bytes);
  const copy = decodeBody(receiver.kernels, receiver.scope, spec.schema, body);
  const rows = readRows(copy);
  expect([copy.selection, copy.rowCount]).toEqual([0, rows.length]);
  copy.release();
  receiver.memory.assertEmpty();
  return rows;
}

test('a batch reads the same after the way through a body', () => {
  const slots = twoSlots();
  fc.assert(
    fc.property(batchCases(), (spec) => {
      expect(roundTrip(slots, spec)).toEqual(expectedRows(spec));
    }),
    { numRuns: 200 },
  );
});

test('full batches with every type read the same', () => {
  const slots = twoSlots();
  fc.assert(
    fc.property(fullBatchCases(), (spec) => {
      expect(roundTrip(slots, spec)).toEqual(expectedRows(spec));
    }),
    { numRuns: 3 },
  );
});

test('any rows of a batch can be sent, in any order and more than once', () => {
  const { sender, receiver } = twoSlots();
  const picked = batchCases().chain((spec) => {
    const row = fc.nat(Math.max(0, spec.rows.length - 1));
    const rows =
      spec.rows.length === 0 ? fc.constant<number[]>([]) : fc.array(row, { maxLength: 150 });
    return fc.record({ spec: fc.constant(spec), rows });
  });
  fc.assert(
    fc.property(picked, ({ spec, rows }) => {
      const batch = makeBatch(sender.scope, spec);
      const block = sender.scope.allocate(rows.length * 4);
      sender.memory.uint32.set(rows, addressOf(block) >>> 2);
      const bytes = encoded(sender, batch, addressOf(block), rows.length);
      sender.memory.release(block);
      batch.release();
      const body = received(receiver.scope, bytes);
      const copy = decodeBody(receiver.kernels, receiver.scope, spec.schema, body);
      const all = expectedRows({ ...spec, selected: null });
      expect(readRows(copy)).toEqual(rows.map((row) => all[row]));
      copy.release();
      sender.memory.assertEmpty();
      receiver.memory.assertEmpty();
    }),
    { numRuns: 150 },
  );
});

test('every byte of a body is written, whatever was in the memory', () => {
  const { sender } = twoSlots();
  fc.assert(
    fc.property(batchCases(), fc.nat(255), (spec, fill) => {
      const bodies = [0, fill].map((before) => {
        const block = sender.scope.allocate(1024 * 1024);
        sender.memory.bytes.fill(before, addressOf(block), addressOf(block) + 1024 * 1024);
        const batch = makeBatch(sender.scope, spec);
        const size = encodeRows(sender.kernels, batch, 0, batch.rowCount, addressOf(block));
        const body = sender.memory.bytes.slice(addressOf(block), addressOf(block) + size);
        batch.release();
        sender.memory.release(block);
        return body;
      });
      expect(bodies[0]).toEqual(bodies[1]);
    }),
    { numRuns: 50 },
  );
  sender.memory.assertEmpty();
});

test('a body that does not fit is noticed, and its memory is given back', () => {
  const { sender, receiver } = twoSlots();
  const schema = schemaOf(fieldOf('word', utf8Type), fieldOf('count', int32Type, true));
  const rows = [
    ['the', 1],
    ['longer than eight', null],
    ['a', 3],
  ];
  const batch = makeBatch(sender.scope, { schema, rows, selected: null });
  const bytes = encoded(sender, batch, 0, 3);
  batch.release();
  sender.memory.assertEmpty();
  const decode = (changed: Uint8Array, into = schema) =>
    decodeBody(receiver.kernels, receiver.scope, into, received(receiver.scope, changed));
  const withWord = (index: number, value: number) => {
    const copy = bytes.slice();
    new Uint32Array(copy.buffer)[index] = value;
    return copy;
  };
  expect(() => decode(bytes.subarray(0, 8))).toThrow('holds its header');
  expect(() => decode(bytes.subarray(0, bytes.length - 8))).toThrow('as long as it says');
  expect(() => decode(withWord(0, 7))).toThrow('starts with its mark');
  expect(() => decode(withWord(1, 8193))).toThrow('8,192 rows');
  expect(() => decode(withWord(4, 16))).toThrow('a bit per row');
  expect(() => decode(withWord(5, 20))).toThrow('end with the text');
  expect(() => decode(withWord(6, 0))).toThrow('ends with its last column');
  expect(() => decode(withWord(7, 8))).toThrow('values fit their rows');
  expect(() => decode(bytes, schemaOf(fieldOf('word', utf8Type)))).toThrow('columns of its schema');
  receiver.memory.assertEmpty();
});
