/** Goal: pyarrow and DuckDB read the Parquet files that Millrace writes, in every type and by every codec. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { allTypes, batchCases, expectedRows, makeBatch, withMemory } from '../support/batches.ts';
import { writeParquet } from '../support/parquet-files.ts';
import { parquetFolder, runPython } from '../support/pyarrow.ts';

const flatTypes = allTypes.filter(({ kind }) => kind !== 'list' && kind !== 'struct');
/** Python's dates and times end with the year 9999, its floats are printed otherwise. */
const compared = flatTypes.filter(
  ({ kind }) => !['date', 'timestamp', 'float32', 'float64'].includes(kind),
);
const codecs = ['snappy', 'zstd', 'gzip', 'none'] as const;

function textOf(value: unknown): string | null {
  if (value === null) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}

test.each(codecs)('pyarrow and DuckDB read what is written with %s', (compression) => {
  const schema = schemaOf(
    ...compared.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 1)),
    ...compared.map((type, index) => fieldOf(`d${index}`, type, index % 2 === 0)),
  );
  const cases = batchCases({ schema: fc.constant(schema), rowsMax: 60 });
  const specs = fc.sample(cases, { numRuns: 6, seed: 7 });
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
    ...flatTypes.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 1)),
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
  ]);
});
