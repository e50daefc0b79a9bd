/** Goal: pyarrow and DuckDB read the Parquet files that Millrace writes, in every type and by every codec. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { binaryType, type FieldType } from '../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { allTypes, batchCases, expectedRows, makeBatch, withMemory } from '../support/batches.ts';
import { writeParquet } from '../support/parquet-files.ts';
import { parquetFolder, runPython } from '../support/pyarrow.ts';

/** Python's dates and times end with the year 9999, its floats are printed otherwise. */
function isCompared(type: FieldType): boolean {
  if (type.kind === 'list') return isCompared(type.item.type);
  if (type.kind === 'struct') return type.fields.every((part) => isCompared(part.type));
  return !['date', 'timestamp', 'float32', 'float64'].includes(type.kind);
}

const decimal: FieldType = { kind: 'decimal', precision: 20, scale: 3 };
const flags: FieldType = { kind: 'list', item: { type: { kind: 'bool' }, nullable: true } };
const pair: FieldType = {
  kind: 'struct',
  fields: [fieldOf('price', decimal, true), fieldOf('flags', flags), fieldOf('raw', binaryType)],
};
const compared = [
  ...allTypes.filter(isCompared),
  { kind: 'list', item: { type: pair, nullable: true } } as const,
];
const codecs = ['snappy', 'zstd', 'gzip', 'none'] as const;

function textOf(value: unknown): unknown {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(textOf);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, textOf(part)]));
  }
  return String(value);
}

test.each(codecs)('pyarrow and DuckDB read what is written with %s', (compression) => {
  const schema = schemaOf(
    ...compared.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 1)),
    ...compared.map((type, index) => fieldOf(`d${index}`, type, index % 2 === 0)),
  );
  const cases = batchCases({ schema: fc.constant(schema), rowsMax: 60 });
  const specs = fc.sample(cases, { numRuns: 30, seed: 7 });
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-parquet-')), 'ours.parquet');
  withMemory(({ scope, memory }) => {
    const kernels = instantiateKernels(memory.memory);
    const batches = specs.map((spec) => makeBatch(scope, spec));
    const settings = { compression, rowGroupRows: 8 };
    writeParquet({ path, kernels, settings }, schema, batches);
    for (const batch of batches) batch.release();
  });
  const read = JSON.parse(runPython(parquetFolder, 'read.py', path));
  const rows = specs.flatMap(expectedRows).map((row) => Object.values(row).map(textOf));
  expect(rows.length).toBeGreaterThan(20);
  expect(read.rows).toEqual(rows);
  expect(read.duckdb).toEqual(rows);
  expect(read.groups).toBeGreaterThan(1);
  expect(read.createdBy).toBe('millrace version 0.1.0');
});

test('pyarrow sees the types that were written', () => {
  const schema = schemaOf(
    ...allTypes.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 1)),
  );
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-parquet-')), 'types.parquet');
  const kernels = withMemory(({ memory }) => instantiateKernels(memory.memory));
  writeParquet({ path, kernels }, schema, []);
  const read = JSON.parse(runPython(parquetFolder, 'read.py', path));
  expect(read.schema).toEqual([
    'c0 bool',
    'c1 int32?',
    'c2 int64',
    'c3 int64?',
    'c4 double',
    'c5 timestamp[ms, tz=UTC]?',
    'c6 timestamp[us, tz=UTC]',
    'c7 string?',
    'c8 int8',
    'c9 int16?',
    'c10 uint8',
    'c11 uint16?',
    'c12 uint32',
    'c13 float?',
    'c14 string',
    'c15 binary?',
    'c16 date32[day]',
    'c17 decimal128(9, 2)?',
    'c18 decimal128(38, 10)',
    'c19 list<element: int32>?',
    'c20 list<element: string not null>',
    'c21 struct<n: int64 not null, tags: list<element: string>>?',
    'c22 list<element: struct<at: timestamp[ms, tz=UTC] not null, price: decimal128(12, 4), ' +
      'flags: list<element: bool> not null, day: date32[day] not null, raw: binary, rate: float, ' +
      'small: int8 not null>>',
  ]);
});

/** What `blooms.py` found of a column's filter. */
interface Filter {
  readonly kind: string;
  readonly length: number;
  readonly duckdbLength: number;
  readonly own: number;
  readonly deniedOwn: number;
  readonly deniedOthers: number;
}

test('DuckDB finds every value in the Bloom filters that were written, and hardly another one', () => {
  const types = allTypes.filter(({ kind }) => !['bool', 'binary', 'list', 'struct'].includes(kind));
  const schema = schemaOf(...types.map((type, index) => fieldOf(`c${index}`, type, true)));
  const path = join(mkdtempSync(join(tmpdir(), 'millrace-parquet-')), 'blooms.parquet');
  const writtenValueOf = (type: FieldType, row: number) => {
    if (row % 10 === 0) return null;
    if (type.kind === 'utf8') return `${row} is a text`;
    if (type.kind === 'decimal') return `${row}000`;
    if (type.kind === 'date' || type.kind === 'timestamp') return new Date(row * 86_400_000);
    return type.kind === 'int64' && type.js === 'bigint' ? BigInt(row) : row;
  };
  withMemory(({ scope, memory }) => {
    const rows = Array.from({ length: 100 }, (_, row) =>
      types.map((type) => writtenValueOf(type, row)),
    );
    const batch = makeBatch(scope, { schema, selected: null, rows });
    const columns = schema.fields.map(({ name }) => name);
    const settings = { bloomFilters: { columns, falsePositiveRate: 0.001 } };
    writeParquet({ path, kernels: instantiateKernels(memory.memory), settings }, schema, [batch]);
    batch.release();
  });
  const found = JSON.parse(runPython(parquetFolder, 'blooms.py', path)) as Record<string, Filter>;
  expect(Object.keys(found)).toHaveLength(types.length);
  for (const [name, { kind, length, duckdbLength, own, deniedOwn, deniedOthers }] of Object.entries(
    found,
  )) {
    expect(length, name).toBeGreaterThan(32);
    expect(duckdbLength).toBe(length);
    expect({ name, own, deniedOwn }).toEqual({ name, own: 90, deniedOwn: 0 });
    // It asks no filter of decimals that are bytes.
    expect(deniedOthers, name).toBeGreaterThan(kind === 'DECIMAL(38,10)' ? -1 : 17);
  }
});
