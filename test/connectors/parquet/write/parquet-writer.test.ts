/** Goal: what is written as Parquet is read back the same; row groups, dictionaries and statistics are as meant. */
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRealDisk } from '../../../../base/env/real-disk.ts';
import { codecs } from '../../../../connectors/parquet/parquet-metadata.ts';
import { scanParquetFile } from '../../../../connectors/parquet/plan/parquet-file-scan.ts';
import type { Batch } from '../../../../engine/batch/batch.ts';
import { BatchBuilder } from '../../../../engine/batch/batch-builder.ts';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import type { FieldType } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import {
  allTypes,
  type BatchCase,
  batchCases,
  expectedRows,
  fullBatchCases,
  makeBatch,
  schemas,
} from '../../../support/batches.ts';
import { type ParquetFile, readParquet, writeParquet } from '../../../support/parquet-files.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('test');
type Settings = NonNullable<ParquetFile['settings']>;

function write(file: string, settings: Settings, specs: readonly BatchCase[]): void {
  const batches = specs.map((spec) => makeBatch(scope, spec));
  const schema = specs[0]?.schema ?? { fields: [] };
  writeParquet({ path: file, kernels, settings }, schema, batches);
  for (const batch of batches) batch.release();
  memory.assertEmpty();
}

const settings: fc.Arbitrary<Settings> = fc.record({
  compression: fc.constantFrom('snappy', 'zstd', 'gzip', 'none'),
  rowGroupRows: fc.constantFrom(1, 50, 100_000),
  pageRows: fc.constantFrom(1, 20, 16_384),
});

test('files of any batches are read back the same', async () => {
  const file = path.join(tempFolder(), 'rows.parquet');
  const cases = batchCases({ schema: schemas(allTypes) });
  await fc.assert(
    fc.asyncProperty(cases, settings, fc.nat(3), async (spec, chosen, count) => {
      const specs = Array.from({ length: count + 1 }, () => spec);
      write(file, chosen, specs);
      const rows = (await readParquet({ path: file, declared: spec.schema })).flat();
      expect(rows).toEqual(specs.flatMap(expectedRows));
    }),
    { numRuns: 200 },
  );
});

test('full batches of every type, over several pages', async () => {
  const file = path.join(tempFolder(), 'rows.parquet');
  await fc.assert(
    fc.asyncProperty(fullBatchCases(), async (spec) => {
      write(file, {}, [spec, spec, spec]);
      const batches = await readParquet({ path: file, declared: spec.schema });
      expect(batches.map((rows) => rows.length)).toEqual([8192, 8192, 8192]);
      expect(batches.flat()).toEqual([spec, spec, spec].flatMap(expectedRows));
    }),
    { numRuns: 3 },
  );
});

function column(type: FieldType, values: readonly unknown[]): { schema: Schema; batches: Batch[] } {
  const schema = schemaOf(fieldOf('c', type, values.includes(null)));
  const builder = new BatchBuilder(scope, schema);
  const batches: Batch[] = [];
  for (const value of values) {
    builder.appendRow([value]);
    if (builder.isFull) batches.push(builder.build());
  }
  batches.push(builder.build());
  return { schema, batches };
}

/** Writes a column, reads it back, and answers with what the footer says. */
async function written(type: FieldType, values: readonly unknown[], chosen: Settings = {}) {
  const file = path.join(tempFolder(), 'column.parquet');
  const { schema, batches } = column(type, values);
  writeParquet({ path: file, kernels, settings: chosen }, schema, batches);
  for (const batch of batches) batch.release();
  memory.assertEmpty();
  const read = (await readParquet({ path: file, declared: schema })).flat();
  expect(read.map((row) => row.c)).toEqual(values);
  const { size } = await import('node:fs').then(({ statSync }) => statSync(file));
  return scanParquetFile(createRealDisk(), { path: file, sizeBytes: size });
}

const int64: FieldType = { kind: 'int64', js: 'bigint' };
const many = (count: number, valueAt: (index: number) => unknown) =>
  Array.from({ length: count }, (_, index) => valueAt(index));

test('few different values take a dictionary, others do without', async () => {
  const colors = ['red', 'green', 'a long violet', null];
  const few = await written(
    { kind: 'utf8' },
    many(60_000, (index) => colors[index % 4]),
  );
  expect(few.rowGroups[0]?.chunks[0]?.uncompressedBytes).toBeLessThan(20_000);
  const all = await written(int64, many(60_000, BigInt));
  expect(all.rowGroups[0]?.chunks[0]?.uncompressedBytes).toBeGreaterThan(480_000);
  expect(all.rowGroups[0]?.chunks[0]?.uncompressedBytes).toBeLessThan(482_000);
});

test('a dictionary that gets too large is left', async () => {
  // Twice each at first, so that the first page has one; then more than 64 Ki different ones.
  const values = many(200_000, (index) => BigInt(index >> 1) * 1_000_003n);
  const { rowGroups } = await written(int64, values);
  const bytes = rowGroups[0]?.chunks[0]?.uncompressedBytes ?? 0;
  expect(bytes).toBeGreaterThan(1_000_000);
  expect(bytes).toBeLessThan(1_450_000);
  const long = many(4000, (index) => `${index % 1500}`.padStart(1200, 'x'));
  await written({ kind: 'utf8' }, long);
});

test.each(['snappy', 'zstd', 'gzip'] as const)(
  'what does not get smaller with %s is left as it is, chunk by chunk',
  async (compression) => {
    // Digits of a generator: no run of four comes again soon.
    let state = 1;
    const noise = () => (state = (state * 48_271) % 2_147_483_647);
    const double = new Float64Array(1);
    const words = new Uint32Array(double.buffer);
    const random = many(20_000, () => {
      words[0] = noise() * 2 + (noise() & 1);
      words[1] = (noise() & 0x3ff_ffff) | (noise() << 26);
      return Number.isFinite(double[0]) ? double[0] : 0;
    });
    const even = many(20_000, (index) => (index % 1000) + 0.5);
    const values = [...random, ...even, ...even];
    const { rowGroups } = await written({ kind: 'float64' }, values, {
      compression,
      rowGroupRows: 20_000,
    });
    const packed = { snappy: codecs.snappy, zstd: codecs.zstd, gzip: codecs.gzip }[compression];
    const chosen = rowGroups.map(({ chunks: [chunk] }) => chunk?.codec);
    expect(chosen[0]).toBe(codecs.none);
    expect(chosen.at(-1)).toBe(packed);
  },
);

test('row groups end by rows, and by bytes', async () => {
  const values = many(50_000, (index) => BigInt(index) ** 2n);
  const byRows = await written(int64, values, { rowGroupRows: 20_000 });
  expect(byRows.rowGroups.map(({ rowCount }) => rowCount)).toEqual([24_576, 24_576, 848]);
  const byBytes = await written(int64, values, { rowGroupBytes: 200_000 });
  expect(byBytes.rowGroups.length).toBe(2);
  expect(byBytes.rowCount).toBe(50_000);
});

const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);

test.each`
  type                                            | values                             | min                                              | max
  ${{ kind: 'int8' }}                             | ${[3, -2, null]}                   | ${[254, 255, 255, 255]}                          | ${[3, 0, 0, 0]}
  ${{ kind: 'uint32' }}                           | ${[4_294_967_295, 1]}              | ${[1, 0, 0, 0]}                                  | ${[255, 255, 255, 255]}
  ${{ kind: 'bool' }}                             | ${[true, null, true]}              | ${[1]}                                           | ${[1]}
  ${{ kind: 'float32' }}                          | ${[1, Number.NaN, 2]}              | ${[0, 0, 128, 63]}                               | ${[0, 0, 0, 64]}
  ${{ kind: 'float32' }}                          | ${[0]}                             | ${[0, 0, 0, 128]}                                | ${[0, 0, 0, 0]}
  ${{ kind: 'utf8' }}                             | ${['b', 'abc', null, 'abcdefghi']} | ${[97, 98, 99]}                                  | ${[98]}
  ${{ kind: 'binary' }}                           | ${[bytesOf(200), bytesOf(3, 0)]}   | ${[3, 0]}                                        | ${[200]}
  ${{ kind: 'decimal', precision: 20, scale: 1 }} | ${['-0.1', '1.0']}                 | ${[255, 255, 255, 255, 255, 255, 255, 255, 255]} | ${[0, 0, 0, 0, 0, 0, 0, 0, 10]}
  ${{ kind: 'int32' }}                            | ${[null, null]}                    | ${null}                                          | ${null}
  ${{ kind: 'float64' }}                          | ${[Number.NaN]}                    | ${null}                                          | ${null}
`('statistics of $type.kind $values', async ({ type, values, min, max }) => {
  const { rowGroups } = await written(type, values);
  const statistics = rowGroups[0]?.chunks[0]?.statistics;
  expect(statistics?.min && [...statistics.min]).toEqual(min);
  expect(statistics?.max && [...statistics.max]).toEqual(max);
  expect(statistics?.nullCount).toBe(values.filter((value: unknown) => value === null).length);
});

test('long texts have bounds as statistics', async () => {
  const text = (letter: string) => `${'é'.repeat(20)}${letter.repeat(23)}é${'z'.repeat(100)}`;
  const { rowGroups } = await written({ kind: 'utf8' }, [text('b'), text('a')]);
  const { min = null, max = null } = rowGroups[0]?.chunks[0]?.statistics ?? {};
  const decoder = new TextDecoder('utf-8', { fatal: true });
  expect(decoder.decode(min ?? undefined)).toBe(`${'é'.repeat(20)}${'a'.repeat(23)}`);
  expect(decoder.decode(max ?? undefined)).toBe(`${'é'.repeat(20)}${'b'.repeat(22)}c`);
  const without = await written({ kind: 'utf8' }, ['é'.repeat(60)]);
  expect(without.rowGroups[0]?.chunks[0]?.statistics?.max).toBeNull();
});

const texts: FieldType = { kind: 'list', item: { type: { kind: 'utf8' }, nullable: true } };

test('a row with more items than a batch has rows stays in one page', async () => {
  const items = (count: number) =>
    many(count, (index) => (index % 7 === 0 ? null : `item ${index}`));
  const values = [items(3), items(30_000), null, [], items(8192), items(1)];
  const { rowGroups } = await written(texts, values, { pageRows: 1 });
  expect(rowGroups[0]?.chunks[0]?.valueCount).toBe(3 + 30_000 + 1 + 1 + 8192 + 1);
});

test('lists of different items leave the dictionary between rows', async () => {
  const values = many(40, (row) => many(5000, (item) => `text ${row * 5000 + item}`));
  await written(texts, values, { pageRows: 3, rowGroupRows: 15 });
});

test('a file without rows has its columns', async () => {
  const scan = await written({ kind: 'date' }, []);
  expect(scan.rowCount).toBe(0);
  expect(scan.fields.map(({ name }) => name)).toEqual(['c']);
});
