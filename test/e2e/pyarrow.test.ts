/** Goal: Millrace reads what pyarrow writes, and pyarrow reads what Millrace writes, in every type. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromIpc, toIpc } from '../../engine/batch/ipc.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { fieldOf, schemaOf } from '../../engine/schema/schema.ts';
import { writeArrow } from '../support/arrow-files.ts';
import {
  allTypes,
  type BatchCase,
  batchCases,
  expectedRows,
  makeBatch,
  withMemory,
} from '../support/batches.ts';
import { plainRow } from '../support/plain-values.ts';
import { arrowTypesFolder, runPyarrow } from '../support/pyarrow.ts';

const endings = { file: 'arrow', stream: 'arrows' } as const;

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-pyarrow-'));
}

test('pyarrow writes today what the fixtures have, and Millrace reads it', () => {
  const folder = newFolder();
  runPyarrow('write.py', folder);
  const rowsIn = (path: string) => JSON.parse(readFileSync(join(path, 'rows.json'), 'utf8'));
  const rows = rowsIn(folder);
  expect(rows).toEqual(rowsIn(arrowTypesFolder));
  for (const ending of Object.values(endings)) {
    const bytes = readFileSync(join(folder, `every-type.${ending}`));
    withMemory(({ scope, memory }) => {
      const { schema, batches } = fromIpc(
        { scope, kernels: instantiateKernels(memory.memory) },
        bytes,
      );
      const read = batches.flatMap(readRows).map((row) => plainRow(schema, row));
      expect(read).toEqual(rows);
      for (const batch of batches) batch.release();
    });
  }
});

/** Every type twice: the odd ones nullable, then the others. */
const schema = schemaOf(
  ...allTypes.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 1)),
  ...allTypes.map((type, index) => fieldOf(`d${index}`, type, index % 2 === 0)),
);
const typesInPyarrow = [
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
  'c14 dictionary<values=string, indices=int32, ordered=0>',
  'c15 binary?',
  'c16 date32[day]',
  'c17 decimal128(9, 2)?',
  'c18 decimal128(38, 10)',
  'c19 list<item: int32>?',
  'c20 list<item: string not null>',
  'c21 struct<n: int64 not null, tags: list<item: string>>?',
  'c22 list<item: struct<at: timestamp[ms, tz=UTC] not null, price: decimal128(12, 4), ' +
    'flags: list<item: bool> not null, day: date32[day] not null, raw: binary, rate: float, ' +
    'small: int8 not null>>',
];

/** Has pyarrow read a file, and expects the rows of the batches. */
function expectInPyarrow(path: string, specs: readonly BatchCase[]): void {
  const read = JSON.parse(runPyarrow('read.py', path));
  expect(read.schema.slice(0, allTypes.length)).toEqual(typesInPyarrow);
  expect(read.rows).toEqual(specs.flatMap(expectedRows).map((row) => plainRow(schema, row)));
}

const cases = batchCases({ schema: fc.constant(schema), rowsMax: 40 });
const specs = fc.sample(cases, { numRuns: 6, seed: 4 });

test.each(['file', 'stream'] as const)('pyarrow reads the %s that apache-arrow makes', (format) => {
  const path = join(newFolder(), `ours.${endings[format]}`);
  withMemory(({ scope, memory }) => {
    const target = { scope, kernels: instantiateKernels(memory.memory) };
    const batches = specs.map((spec) => makeBatch(scope, spec));
    writeFileSync(path, toIpc(target, schema, batches, format));
    for (const batch of batches) batch.release();
  });
  expect(specs.flatMap(expectedRows).length).toBeGreaterThan(20);
  expectInPyarrow(path, specs);
});

const limits = { entriesMax: 8, textBytesMax: 1 << 20 };

test.each([
  { container: 'file', compression: 'none' },
  { container: 'file', compression: 'lz4' },
  { container: 'file', compression: 'zstd' },
  { container: 'stream', compression: 'none' },
  { container: 'stream', compression: 'zstd', dictionaryLimits: limits },
] as const)(
  'pyarrow reads what the sink writes: a $container, compression $compression',
  (options) => {
    const path = join(newFolder(), `sink.${endings[options.container]}`);
    const write = (batches: readonly BatchCase[]) =>
      withMemory(({ scope, memory }) => {
        const made = batches.map((spec) => makeBatch(scope, spec));
        writeArrow({ path, kernels: instantiateKernels(memory.memory), ...options }, schema, made);
        for (const batch of made) batch.release();
      });
    write(specs);
    expectInPyarrow(path, specs);
    write([]);
    expectInPyarrow(path, []);
  },
);
