/** Goal: keys of several columns have the bytes of the reference, equal ones equal bytes, and come back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Batch, batchRowsMax } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { viewBytes } from '../../../engine/batch/utf8-view.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { keyLayoutOf } from '../../../engine/kernels/key-layout.ts';
import { type KeyValue, packKey } from '../../../engine/kernels/pack-keys.ts';
import {
  addressOf,
  type BlockHandle,
  type SlotMemory,
} from '../../../engine/memory/slot-memory.ts';
import { GroupKeys } from '../../../engine/operators/group-keys.ts';
import {
  boolType,
  float64Type,
  int16Type,
  int32Type,
  int64Type,
  layoutOf,
  utf8Type,
  valueSizeOf,
} from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  allTypes,
  type BatchCase,
  batchCases,
  makeBatch,
  schemas,
  withMemory,
} from '../../support/batches.ts';

interface Given {
  readonly keys: GroupKeys;
  readonly batch: Batch;
  readonly memory: SlotMemory;
  readonly room: (sizeBytes: number) => number;
}

/** Runs with the keys of a batch, in a memory that is empty afterwards. */
function withKeys(one: BatchCase, run: (given: Given) => void): void {
  withMemory(({ scope, memory }) => {
    const kernels = instantiateKernels(memory.memory);
    const names = one.schema.fields.map((field) => field.name);
    const keys = new GroupKeys(scope, kernels, { schema: one.schema, keys: names });
    const batch = makeBatch(scope, one);
    const blocks: BlockHandle[] = [];
    const room = (sizeBytes: number) => {
      const block = scope.allocate(sizeBytes);
      blocks.push(block);
      return addressOf(block);
    };
    run({ keys, batch, memory, room });
    for (const block of blocks) memory.release(block);
    keys.close();
    batch.release();
  });
}

const cases = batchCases({ schema: schemas(allTypes), rowsMax: 40 }).filter(
  ({ schema }) => schema.fields.length > 1,
);

test('keys are those of the reference', () => {
  fc.assert(
    fc.property(cases, (one) =>
      withKeys(one, ({ keys, batch, memory }) => {
        const { values } = keys.read(batch);
        const layout = keyLayoutOf(one.schema.fields);
        const hasNulls = one.schema.fields.some((field) => field.nullable);
        for (let row = 0; row < batch.rowCount; row++) {
          const stored = batch.storedRowOf(row);
          const parts = one.schema.fields.map((field, index): KeyValue => {
            const column = batch.columns[index];
            if (column === undefined) throw new Error('the column is there');
            const isText = layoutOf(field.type) === 'view';
            const size = isText ? null : Math.max(1, valueSizeOf(field.type));
            return { bytes: bytesOf(memory, column, field, stored), size };
          });
          const expected = packKey(parts, { hasNulls, isAligned: layout.alignMask !== 0 });
          const found =
            layout.form === 'view'
              ? viewBytes(memory, values + row * 16)
              : memory.bytes.subarray(
                  values + row * (layout.form === 'int64' ? 8 : 16),
                  values + row * (layout.form === 'int64' ? 8 : 16) + expected.length,
                );
          expect([...found]).toEqual([...expected]);
        }
      }),
    ),
  );
});

/** The bytes of a value, as a key has them. */
function bytesOf(
  memory: SlotMemory,
  { values, validity }: { values: number; validity: number },
  { type }: Field,
  row: number,
): Uint8Array | null {
  const bit = (at: number) => ((memory.bytes[at + (row >>> 3)] ?? 0) >>> (row & 7)) & 1;
  if (validity !== 0 && bit(validity) === 0) return null;
  if (type.kind === 'bool') return Uint8Array.of(bit(values));
  const size = valueSizeOf(type);
  if (layoutOf(type) === 'view') return viewBytes(memory, values + row * 16).slice();
  const bytes = memory.bytes.slice(values + row * size, values + row * size + size);
  if (type.kind === 'float64') return canonical(new Float64Array(bytes.buffer));
  return type.kind === 'float32' ? canonical(new Float32Array(bytes.buffer)) : bytes;
}

function canonical(values: Float64Array | Float32Array): Uint8Array {
  if (values[0] === 0) values[0] = 0;
  if (Number.isNaN(values[0])) values[0] = Number.NaN;
  return new Uint8Array(values.buffer);
}

test('key columns come back as they were', () => {
  fc.assert(
    fc.property(cases, (one) =>
      withKeys(one, ({ keys, batch, room }) => {
        const { values } = keys.read(batch);
        const rowCount = batch.rowCount;
        const addresses = keys.write({ values, validity: 0 }, rowCount, room);
        const columns = addresses.map((address, index) => ({
          type: one.schema.fields[index]?.type ?? boolType,
          ...address,
        }));
        const back = batch.derive({ rowCount, storedRows: rowCount, selection: 0, columns });
        const plain = (rows: unknown) =>
          JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));
        expect(plain(readRows(back))).toBe(plain(readRows(batch)));
        back.release();
      }),
    ),
  );
});

test.each([
  ['int64', [int32Type, int32Type]],
  ['int64', [int16Type, boolType, int32Type]],
  ['int128', [int64Type, int64Type]],
  ['int128', [{ kind: 'timestamp', unit: 'ms' }, int32Type]],
  ['int128', [{ kind: 'decimal', precision: 9, scale: 2 }]],
  ['view', [int64Type, int64Type, boolType]],
  ['view', [int64Type, utf8Type]],
  ['view', [utf8Type]],
  ['int64', [float64Type]],
] as const)('the form %s is that of %j', (form, types) => {
  const fields = types.map((type, index) => fieldOf(`k${index}`, type));
  expect(keyLayoutOf(fields).form).toBe(form);
});

test('a null bit may be what makes a key too long for 16 bytes', () => {
  const nullable = schemaOf(fieldOf('a', int64Type, true), fieldOf('b', int64Type)).fields;
  expect(keyLayoutOf(nullable).form).toBe('view');
});

test('lists begin at multiples of 8', () => {
  const list = { kind: 'list', item: { type: int32Type, nullable: false } } as const;
  const layout = keyLayoutOf([fieldOf('a', boolType), fieldOf('b', list)]);
  expect(layout).toMatchObject({ headBytes: 8, alignMask: 7, form: 'view' });
});

test('a full batch of long texts has room for all keys', () => {
  const schema = schemaOf(fieldOf('a', utf8Type), fieldOf('b', utf8Type));
  const rows = Array.from({ length: batchRowsMax }, (_, row) => [`a-${row}`.padEnd(60, '.'), 'b']);
  withKeys({ schema, rows, selected: null }, ({ keys, batch, memory }) => {
    const { values } = keys.read(batch);
    const last = viewBytes(memory, values + (batchRowsMax - 1) * 16);
    expect(last.length).toBe(8 + 60 + 1);
  });
});
