/** Goal: every record is read once, whatever the splits and buffers, and written as it was read. */
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { t } from 'millrace';
import { expect, test } from 'vitest';
import { fixedRecords } from '../../../connectors/files.ts';
import { type FileRange, splitOf } from '../../../connectors/filesystem/file-range.ts';
import type { FixedSourceOptions } from '../../../connectors/formats/fixed-fields.ts';
import { createFixedReader } from '../../../connectors/formats/fixed-records.ts';
import { FixedWriter } from '../../../connectors/formats/fixed-writer.ts';
import type { SourceFormat } from '../../../connectors/formats/format-builders.ts';
import { OutputBuffer } from '../../../connectors/formats/output-buffer.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { Schema } from '../../../engine/schema/schema.ts';
import { batchOf, type Row } from '../../support/operator-harness.ts';
import { rangesAt } from '../../support/read-records.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';

const bytesOf = { key: 5, rest: 12 };
const Sample = t.struct({
  ...{ key: t.binary(), id: t.int32(), at: t.timestampUs(), rest: t.binary() },
  ...{ file: t.utf8(), byte: t.int64() },
});
const origin = { path: 'file', byte: 'byte' };
const format = fixedRecords(Sample, { bytes: bytesOf, origin });
const recordBytes = 29;

/** The rows of a file, by the layout of above. */
function rowsOf(file: string, bytes: Uint8Array): Row[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.ceil(bytes.length / recordBytes) }, (_, index): Row => {
    const start = index * recordBytes;
    return {
      key: bytes.slice(start, start + 5),
      id: view.getInt32(start + 5, true),
      at: view.getBigInt64(start + 9, true),
      rest: bytes.slice(start + 17, start + 29),
      file,
      byte: BigInt(start),
    };
  });
}

/** Bytes that begin with a byte order mark, which is no mark here. */
function contentOf(records: number, missing = 0): Uint8Array {
  const bytes = Uint8Array.from({ length: records * recordBytes - missing }, (_, at) => at * 37);
  bytes.set([0xef, 0xbb, 0xbf]);
  return bytes;
}

function readAll(
  splits: readonly (readonly FileRange[])[],
  { options, schema }: SourceFormat<unknown> = format,
  bufferBytes = 1 << 20,
): Row[] {
  const context = slotContext(schema, { memory: emptyAtEnd(64 << 20) });
  const reader = createFixedReader(options as FixedSourceOptions, context, { bufferBytes });
  const rows: Row[] = [];
  try {
    for (const ranges of splits) {
      reader.open(splitOf(ranges));
      for (let result = reader.read(); result !== 'end'; result = reader.read()) {
        if (typeof result !== 'object') continue;
        rows.push(...readRows(result));
        result.release();
      }
    }
  } finally {
    reader.close();
  }
  return rows;
}

test('each record once, whatever the borders of splits and buffers', () => {
  const folder = tempFolder();
  const file = path.join(folder, 'a.bin');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.nat(60 * recordBytes), { maxLength: 6 }),
      fc.integer({ min: recordBytes, max: 300 }),
      (records, borders, bufferBytes) => {
        const bytes = contentOf(records);
        fs.writeFileSync(file, bytes);
        const splits = rangesAt(file, borders).map((range) => [range]);
        expect(readAll(splits, format, bufferBytes)).toEqual(rowsOf(file, bytes));
      },
    ),
    { numRuns: 60 },
  );
});

test('several files in a split, one of them compressed, and more rows than a batch', () => {
  const contents = [contentOf(3), contentOf(9000), contentOf(2)];
  const folder = tempFolder({
    ...{
      'a.bin': contents[0] ?? '',
      'b.bin.gz': gzipSync(contents[1] ?? ''),
      'c.bin': contents[2] ?? '',
    },
  });
  const names = ['a.bin', 'b.bin.gz', 'c.bin'].map((name) => path.join(folder, name));
  const ranges = names.flatMap((name) => rangesAt(name, []));
  const expected = names.flatMap((name, index) =>
    rowsOf(name, contents[index] ?? new Uint8Array()),
  );
  expect(readAll([ranges])).toEqual(expected);
});

test('columns that are not read are not there', () => {
  const folder = tempFolder({ 'a.bin': contentOf(2) });
  const file = path.join(folder, 'a.bin');
  const fields = format.schema.fields.filter(({ name }) => name === 'at');
  const some = { ...format, schema: { fields } };
  const expected = rowsOf(file, contentOf(2)).map(({ at }) => ({ at }));
  expect(readAll([rangesAt(file, [])], some)).toEqual(expected);
});

test.each(['a.bin', 'a.bin.gz'])('a rest of a record in %s is an error with its place', (name) => {
  const bytes = contentOf(3, 4);
  const folder = tempFolder({ [name]: name.endsWith('.gz') ? gzipSync(bytes) : bytes });
  const file = path.join(folder, name);
  const error = typedErrorOf(() => readAll([rangesAt(file, [])]));
  expect(error?.info.code).toBe('SOURCE_DAMAGED');
  expect(error?.message).toBe(`file "${file}" ends in the middle of the record at byte 58`);
});

test('a last record may be short where the job says so', () => {
  const bytes = contentOf(3, 4);
  const folder = tempFolder({ 'a.bin': bytes });
  const file = path.join(folder, 'a.bin');
  const short = fixedRecords(Sample, { bytes: bytesOf, origin, isLastShort: true });
  for (const borders of [[], [40], [29, 58]]) {
    const splits = rangesAt(file, borders).map((range) => [range]);
    const rows = readAll(splits, short).map(({ rest }) => (rest as Uint8Array).length);
    expect(rows).toEqual([12, 12, 8]);
  }
});

/** What a writer makes of rows. */
function written(schema: Schema, rows: readonly Row[], bytes: Record<string, number>): Uint8Array {
  const context = slotContext(schema, { memory: emptyAtEnd(64 << 20) });
  const pieces: Uint8Array[] = [];
  const output = new OutputBuffer(context.scope, (piece) => pieces.push(piece.slice()));
  try {
    const writer = new FixedWriter({ kind: 'fixedRecords', bytes }, { context, schema, output });
    const batch = batchOf(context.scope, schema, rows);
    try {
      writer.writeRows(batch);
      output.flush();
    } finally {
      batch.release();
      writer.close();
    }
  } finally {
    output.close();
  }
  return Buffer.concat(pieces);
}

test('what is written is what was read', () => {
  const bytes = contentOf(7000);
  const fields = format.schema.fields.filter(({ name }) => name !== 'file' && name !== 'byte');
  expect(Buffer.compare(written({ fields }, rowsOf('a', bytes), bytesOf), bytes)).toBe(0);
});

test('a value of another width is an error', () => {
  const { schema } = fixedRecords(t.struct({ key: t.binary() }), { bytes: { key: 3 } });
  const rows = [{ key: Uint8Array.of(1, 2, 3) }, { key: Uint8Array.of(1, 2) }];
  const error = typedErrorOf(() => written(schema, rows, { key: 3 }));
  expect([error?.info.code, error?.message]).toEqual([
    'VALUE_WIDTH',
    'column "key" has a value that is not 3 bytes long',
  ]);
});

test.each`
  struct                              | settings                        | message
  ${{ key: t.binary() }}              | ${{}}                           | ${'a binary field "key" of unsaid bytes'}
  ${{ key: t.binary() }}              | ${{ bytes: { key: 0 } }}        | ${'a binary field "key" of 0 bytes'}
  ${{ key: t.binary() }}              | ${{ bytes: { key: 2 ** 21 } }}  | ${'records of 2097152 bytes'}
  ${{ key: t.utf8() }}                | ${{}}                           | ${'a field "key" of utf8'}
  ${{ id: t.int32() }}                | ${{ bytes: { id: 4 } }}         | ${'a field "id" of int32 with bytes'}
  ${{ id: t.int32().nullable() }}     | ${{}}                           | ${'a nullable field "id"'}
  ${{ id: t.int32() }}                | ${{ bytes: { key: 4 } }}        | ${'no field "key"'}
  ${{ id: t.int32() }}                | ${{ isLastShort: true }}        | ${'a last record that may be short'}
  ${{ id: t.int32(), at: t.int32() }} | ${{ origin: { byte: 'at' } }}   | ${'no column "at" of int64'}
  ${{ byte: t.int64() }}              | ${{ origin: { byte: 'byte' } }} | ${'records of 0 bytes'}
`('refused: $message', ({ struct, settings, message }) => {
  const error = typedErrorOf(() => fixedRecords(t.struct(struct), settings));
  expect(error?.info.code).toBe('FILES_OPTION_INVALID');
  expect(error?.message).toBe(`fixedRecords has ${message}`);
});
