/**
 * Goal: rows of every type are moved whole and ordered as their values are, by what knows layouts only:
 * collector, gather, row order, sort keys, hash partitioner.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch } from '../../../engine/batch/batch.ts';
import { readRow, readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SortBuffer } from '../../../engine/kernels/sort-buffer.ts';
import { sortTypeOf } from '../../../engine/kernels/sort-keys.ts';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { HashPartitioner } from '../../../engine/shuffle/partitioner.ts';
import { gatherRows } from '../../../engine/stream/gather-rows.ts';
import { RowCollector } from '../../../engine/stream/row-collector.ts';
import { compareRowsBy } from '../../../engine/stream/row-order.ts';
import { takeColumn } from '../../../engine/stream/take-column.ts';
import {
  allTypes,
  batchCases,
  expectedRows,
  makeBatch,
  schemas,
  withMemory,
} from '../../support/batches.ts';

const parts = schemas().chain((schema) =>
  fc.array(batchCases({ schema: fc.constant(schema), rowsMax: 12 }), {
    minLength: 1,
    maxLength: 4,
  }),
);
/** A collector without rows is never asked for them. */
const someRows = parts.filter((specs) => specs.some((spec) => expectedRows(spec).length > 0));

test('collected and gathered rows of many batches are these rows', () => {
  fc.assert(
    fc.property(someRows, (specs) =>
      withMemory(({ scope, memory }) => {
        const kernels = instantiateKernels(memory.memory);
        const schema = specs[0]?.schema ?? schemaOf();
        const batches = specs.map((spec) => makeBatch(scope, spec));
        const rows = specs.flatMap(expectedRows);
        const collector = new RowCollector({ scope, kernels, schema });
        for (const batch of batches) collector.append(batch, batch.selection, batch.rowCount);
        expect(readRows(collector.peek())).toEqual(rows);
        const collected = collector.build();
        collector.close();
        const numbers = scope.allocate(rows.length * 4 + 4);
        let count = 0;
        batches.forEach((batch, index) => {
          for (let row = 0; row < batch.rowCount; row++) {
            const at = addressOf(numbers) / 4 + count++;
            memory.uint32[at] = index * 8192 + batch.storedRowOf(row);
          }
        });
        const gathered = gatherRows({ scope, kernels, schema, batches }, addressOf(numbers), count);
        for (const batch of batches) batch.release();
        expect(readRows(collected)).toEqual(rows);
        expect(readRows(gathered)).toEqual(rows);
        for (const batch of [collected, gathered]) batch.release();
        memory.release(numbers);
      }),
    ),
    { numRuns: 100 },
  );
});

test('taken columns have the rows that were asked for', () => {
  fc.assert(
    fc.property(batchCases({ rowsMax: 30 }), (spec) =>
      withMemory(({ scope, memory }) => {
        const kernels = instantiateKernels(memory.memory);
        const { schema } = spec;
        const batch = makeBatch(scope, { ...spec, selected: spec.selected ?? [] });
        const { selection, rowCount, columns } = batch;
        const blocks: number[] = [];
        const target = { scope, kernels, blocks };
        const taken = columns.map((column) => takeColumn(target, column, selection, rowCount));
        const out = new Batch(memory, { schema, rowCount, columns: taken, blocks });
        expect(readRows(out)).toEqual(readRows(batch));
        out.release();
        batch.release();
      }),
    ),
    { numRuns: 100 },
  );
});

/** Types whose values have an order of their own. */
const ordered = allTypes.filter(({ kind }) => kind !== 'list' && kind !== 'struct');
const sorted = fc.constantFrom(...ordered).chain((type) =>
  fc.record({
    type: fc.constant(type),
    isDescending: fc.boolean(),
    areNullsFirst: fc.boolean(),
    spec: batchCases({ schema: fc.constant(schemaOf(fieldOf('key', type, true))), rowsMax: 25 }),
  }),
);

test('rows are ordered as their values are, in merges and in sorts', () => {
  fc.assert(
    fc.property(sorted, ({ type, isDescending, areNullsFirst, spec }) =>
      withMemory(({ scope, memory }) => {
        const batch = makeBatch(scope, spec);
        const order = [{ column: 'key', isDescending, areNullsFirst }];
        const compare = compareRowsBy(batch.schema, order);
        const keys = Array.from({ length: batch.rowCount }, (_, row) => readRow(batch, row).key);
        const expected = (a: unknown, b: unknown) => {
          if (a === null || b === null) {
            return a === b ? 0 : (a === null) === areNullsFirst ? -1 : 1;
          }
          return (isDescending ? -1 : 1) * compareValues(type, a, b);
        };
        keys.forEach((key, row) => {
          const before = Math.max(0, row - 1);
          const stored = [batch.storedRowOf(before), batch.storedRowOf(row)] as const;
          const found = compare(batch, stored[0], batch, stored[1]);
          expect(Math.sign(found) + 0).toBe(expected(keys[before], key) + 0);
        });
        const buffer = new SortBuffer(scope, instantiateKernels(memory.memory), {
          keys: [{ type: sortTypeOf(type), isDescending, areNullsLast: !areNullsFirst }],
        });
        const { selection, rowCount, columns } = batch;
        buffer.addRows({ columns, selection, rowCount, firstNumber: 0 }, 0);
        while (!buffer.sortSlice());
        const out = scope.allocate(rowCount * 4 + 4);
        buffer.readRowNumbers(0, rowCount, addressOf(out));
        const numbers = memory.uint32.slice(addressOf(out) / 4, addressOf(out) / 4 + rowCount);
        const byValue = keys
          .map((key, row) => ({ key, number: batch.storedRowOf(row) }))
          .sort((a, b) => expected(a.key, b.key));
        expect([...numbers]).toEqual(byValue.map(({ number }) => number));
        buffer.close();
        memory.release(out);
        batch.release();
      }),
    ),
    { numRuns: 300 },
  );
});

/** Reference: the order of two values of a type. */
function compareValues(type: FieldType, a: unknown, b: unknown): number {
  if (type.kind === 'decimal') return order(unscaled(a), unscaled(b));
  if (type.kind === 'date') return order(yearMonthDay(a), yearMonthDay(b));
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return order(a as number, b as number);
}

function order<Value extends number | bigint | boolean>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const unscaled = (value: unknown) => BigInt(String(value).replace('.', ''));

function yearMonthDay(value: unknown): number {
  const match = /^([+-]?\d+)-(\d\d)-(\d\d)$/.exec(String(value));
  return Number(match?.[1]) * 10_000 + Number(match?.[2]) * 100 + Number(match?.[3]);
}

test('equal keys of every type go to one channel', () => {
  const keyed = fc
    .constantFrom(...allTypes)
    .chain((type) =>
      batchCases({ schema: fc.constant(schemaOf(fieldOf('key', type, true))), rowsMax: 30 }),
    );
  fc.assert(
    fc.property(keyed, (spec) =>
      withMemory(({ scope, memory }) => {
        const kernels = instantiateKernels(memory.memory);
        const twice = { ...spec, rows: [...spec.rows, ...spec.rows], selected: null };
        const batch = makeBatch(scope, twice);
        const options = { scope, kernels, schema: spec.schema, channelCount: 4 };
        const partitioner = new HashPartitioner(options, ['key']);
        const { rows, starts } = partitioner.partition(batch);
        const channelOf = new Map<number, number>();
        for (let channel = 0; channel < 4; channel++) {
          for (let at = starts[channel] ?? 0; at < (starts[channel + 1] ?? 0); at++) {
            channelOf.set(memory.uint32[rows / 4 + at] ?? -1, channel);
          }
        }
        spec.rows.forEach((_, row) => {
          expect(channelOf.get(row)).toBe(channelOf.get(row + spec.rows.length));
        });
        expect(channelOf.size).toBe(batch.rowCount);
        partitioner.close();
        batch.release();
      }),
    ),
    { numRuns: 100 },
  );
});
