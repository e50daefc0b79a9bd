/** Goal: what is written as Arrow IPC is read back the same, by apache-arrow and by our own reader. */
import fs from 'node:fs';
import path from 'node:path';
import * as arrow from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ArrowWriterOptions } from '../../../connectors/arrow/arrow-writer.ts';
import { fromIpc } from '../../../engine/batch/ipc.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { layoutOf, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { discoverArrow, readArrow, writeArrow } from '../../support/arrow-files.ts';
import {
  allTypes,
  type BatchCase,
  batchCases,
  expectedRows,
  fullBatchCases,
  makeBatch,
  schemas,
} from '../../support/batches.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const scope = memory.scope('test');
const containers = ['file', 'stream'] as const;
const compressions = ['none', 'lz4', 'zstd'] as const;

function write(
  file: string,
  container: 'file' | 'stream',
  specs: readonly BatchCase[],
  options: Partial<ArrowWriterOptions> = {},
): void {
  const batches = specs.map((spec) => makeBatch(scope, spec));
  writeArrow(
    { path: file, container, kernels, ...options },
    specs[0]?.schema ?? { fields: [] },
    batches,
  );
  for (const batch of batches) batch.release();
  memory.assertEmpty();
}

test.each(containers)('a %s of any batches is read back the same', async (container) => {
  const file = path.join(tempFolder(), 'rows');
  await fc.assert(
    fc.asyncProperty(batchCases({ schema: schemas(allTypes) }), fc.nat(3), async (spec, count) => {
      const specs = Array.from({ length: count }, () => spec);
      write(file, container, [spec, ...specs]);
      const rows = (await readArrow({ path: file, declared: spec.schema })).flat();
      expect(rows).toEqual([spec, ...specs].flatMap(expectedRows));
    }),
    { numRuns: 150 },
  );
});

test.each(containers)('apache-arrow reads a %s of any batches', (container) => {
  const file = path.join(tempFolder(), 'rows');
  fc.assert(
    fc.property(batchCases({ schema: schemas(allTypes) }), (spec) => {
      write(file, container, [spec, spec]);
      const { batches } = fromIpc({ scope, kernels }, fs.readFileSync(file));
      const rows = batches.flatMap(readRows);
      for (const batch of batches) batch.release();
      // How a function reads an int64 is the job's affair: files don't say it.
      const valuesOf = (row: object) =>
        Object.values(row).map((value, at) =>
          spec.schema.fields[at]?.type.kind === 'int64' ? String(value) : value,
        );
      expect(rows.map(valuesOf)).toEqual([spec, spec].flatMap(expectedRows).map(valuesOf));
      memory.assertEmpty();
    }),
    { numRuns: 60 },
  );
});

test.each(containers)(
  'a %s whose buffers are compressed is read back the same',
  async (container) => {
    const file = path.join(tempFolder(), 'rows');
    await fc.assert(
      fc.asyncProperty(
        batchCases({ schema: schemas(allTypes) }),
        fc.constantFrom(...compressions),
        async (spec, compression) => {
          write(file, container, [spec, spec], { compression });
          const rows = (await readArrow({ path: file, declared: spec.schema })).flat();
          expect(rows).toEqual([spec, spec].flatMap(expectedRows));
        },
      ),
      { numRuns: 100 },
    );
  },
);

const words = schemaOf(fieldOf('word', { kind: 'utf8', isDictionary: true }, true));

/** Batches of three texts that overlap with those of the batch before, and a null. */
function overlapping(count: number): BatchCase[] {
  return Array.from({ length: count }, (_, at) => ({
    schema: words,
    rows: [at, at + 1, at].map((word) => [`word number ${word}`]).concat([[null as never]]),
    selected: null,
  }));
}

test.each([
  { container: 'file', limits: false, dictionaries: [false, true, true, true, true, true] },
  { container: 'stream', limits: false, dictionaries: [false, true, true, true, true, true] },
  { container: 'stream', limits: true, dictionaries: [false, true, true, false, true, true] },
] as const)('dictionaries of a $container, with limits: $limits', async (example) => {
  const { container, limits, dictionaries } = example;
  const file = path.join(tempFolder(), 'rows');
  const specs = overlapping(dictionaries.length);
  // The empty text of the nulls is an entry as well.
  const dictionaryLimits = { entriesMax: 4, textBytesMax: 1 << 20 };
  write(file, container, specs, limits ? { dictionaryLimits } : {});
  expect(deltasIn(file)).toEqual(dictionaries);
  const rows = (await readArrow({ path: file, declared: words })).flat();
  expect(rows).toEqual(specs.flatMap(expectedRows));
});

/** Of each dictionary batch in the file, whether it is a delta. */
function deltasIn(file: string): boolean[] {
  const reader = arrow.MessageReader;
  const bytes = fs.readFileSync(file);
  const isFile = bytes.subarray(0, 6).toString() === 'ARROW1';
  const messages = new reader(isFile ? bytes.subarray(8) : bytes);
  const deltas: boolean[] = [];
  for (const message of messages) {
    if (message.isDictionaryBatch()) deltas.push(message.header().isDelta);
    messages.readMessageBody(message.bodyLength);
  }
  return deltas;
}

test('batches that bring no new texts bring no dictionary', () => {
  const file = path.join(tempFolder(), 'rows.arrow');
  const [spec] = overlapping(1) as [BatchCase];
  write(file, 'file', [spec, spec, spec]);
  expect(deltasIn(file)).toEqual([false]);
});

test('full batches of every type', async () => {
  const file = path.join(tempFolder(), 'rows.arrow');
  await fc.assert(
    fc.asyncProperty(fullBatchCases(), async (spec) => {
      write(file, 'file', [spec, spec]);
      const batches = await readArrow({ path: file, declared: spec.schema });
      expect(batches.flat()).toHaveLength(16_384);
      expect(batches.flat()).toEqual([spec, spec].flatMap(expectedRows));
    }),
    { numRuns: 3 },
  );
});

test('a file without rows has its columns', () => {
  const file = path.join(tempFolder(), 'rows.arrow');
  const schema = {
    fields: allTypes.map((type, index) => fieldOf(`c${index}`, type, index % 2 === 0)),
  };
  for (const container of containers) {
    writeArrow({ path: file, container, kernels }, { fields: schema.fields }, []);
    const table = arrow.tableFromIPC(fs.readFileSync(file));
    expect(table.numRows).toBe(0);
    expect(table.schema.fields.map(({ name, nullable }) => [name, nullable])).toEqual(
      schema.fields.map(({ name, nullable }) => [name, nullable]),
    );
  }
});

test('a large record batch of others is cut by rows, a long text by its bytes', async () => {
  const count = 300_000;
  const numbers = Int32Array.from({ length: count }, (_, row) => row);
  const long = Array.from({ length: 40 }, (_, row) => `${row}`.repeat(100_000));
  const folder = tempFolder({
    'numbers.arrow': arrow.tableToIPC(arrow.tableFromArrays({ n: numbers }), 'file'),
    'texts.arrow': arrow.tableToIPC(
      new arrow.Table({ text: arrow.vectorFromArray(long, new arrow.Utf8()) }),
      'file',
    ),
  });
  const declared = schemaOf(fieldOf('n', { kind: 'int32' }, true));
  const reading = { path: path.join(folder, 'numbers.arrow'), declared, parallelism: 4 };
  expect((await discoverArrow(reading)).splits.length).toBe(2);
  const batches = await readArrow(reading);
  expect(batches.every((rows) => rows.length <= 8192)).toBe(true);
  expect(batches.flat().map((row) => row.n)).toEqual([...numbers]);
  const texts = await readArrow({
    path: path.join(folder, 'texts.arrow'),
    declared: schemaOf(fieldOf('text', utf8Type, true)),
  });
  expect(texts.map((rows) => rows.length)).toEqual([8, 8, 8, 8, 8]);
  expect(texts.flat().map((row) => row.text)).toEqual(long);
});

test('texts that fit are not cut', async () => {
  const file = path.join(tempFolder(), 'rows.arrow');
  const rows = Array.from({ length: 8000 }, (_, row) => [`${row} ${'é'.repeat(row % 60)}`]);
  const schema = schemaOf(fieldOf('text', utf8Type));
  write(file, 'file', [{ schema, rows, selected: null }]);
  expect(layoutOf(utf8Type)).toBe('view');
  const batches = await readArrow({ path: file, declared: schema });
  expect(batches.map((batch) => batch.length)).toEqual([8000]);
});
