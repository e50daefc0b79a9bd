/** Goal: a compressed file reads as what is in it, in bounded memory, and damage names the file. */
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createCsvReader } from '../../../connectors/formats/csv-records.ts';
import { createNdjsonReader } from '../../../connectors/formats/ndjson-records.ts';
import { createTextReader } from '../../../connectors/formats/text-reader.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { readRecords, wholeFile } from '../../support/read-records.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const lines = schemaOf(fieldOf('line', utf8Type));
const packs = [
  ['gz', zlib.gzipSync],
  ['zst', zlib.zstdCompressSync],
] as const;

describe.each(packs)('.%s', (ending, pack) => {
  const write = (name: string, ...contents: readonly string[]) => {
    const packed = Buffer.concat(contents.map((text) => pack(Buffer.from(text))));
    return path.join(tempFolder({ [`${name}.${ending}`]: packed }), `${name}.${ending}`);
  };

  test('lines, across the borders of buffers and of streams in the file', () => {
    const text = Array.from({ length: 30_000 }, (_, row) => `${row} ${'é'.repeat(row % 50)}`);
    const whole = text.join('\r\n');
    const file = write('a.txt', '\ufeff', whole.slice(0, 1000), whole.slice(1000));
    for (const bufferBytes of [64, 1000, 1 << 20]) {
      const context = slotContext(lines, { memory: emptyAtEnd(32 << 20) });
      const reader = createTextReader({ invalidUtf8: 'fail', bufferBytes }, context);
      const { rows, bytesRead } = readRecords(reader, [[wholeFile(file)]]);
      expect(rows.map(({ line }) => line)).toEqual(text);
      expect(bytesRead).toBe(fs.statSync(file).size);
    }
  });

  test('a header and records of CSV, and lines of NDJSON', () => {
    const schema = schemaOf(fieldOf('b', int32Type), fieldOf('a', utf8Type));
    const options = {
      kind: 'csv',
      columns: ['b', 'a'],
      header: true,
      delimiter: ',',
      quote: '"',
      nullText: '',
      split: true,
    } as const;
    const csv = write('a.csv', '\ufeffa,b\n"x\ny",1\nz,2');
    const expected = [
      { b: 1, a: 'x\ny' },
      { b: 2, a: 'z' },
    ];
    for (const bufferBytes of [4, 100]) {
      const reader = createCsvReader(options, slotContext(schema), { bufferBytes });
      expect(readRecords(reader, [[wholeFile(csv), wholeFile(csv)]]).rows).toEqual([
        ...expected,
        ...expected,
      ]);
      const ndjson = write('a.ndjson', '{"a":"x\\ny","b":1}\n{"b":2,"a":"z"}');
      const other = createNdjsonReader(slotContext(schema), { bufferBytes });
      expect(readRecords(other, [[wholeFile(ndjson)]]).rows).toEqual(expected);
    }
  });

  test('a file of 200 MB of zeros takes the memory of a buffer', { timeout: 60_000 }, () => {
    const line = `${'0'.repeat(1023)}\n`;
    const file = write('a.txt', line.repeat(200_000));
    expect(fs.statSync(file).size).toBeLessThan(1 << 20);
    const memory = emptyAtEnd(8 << 20); // Its budget: more is an error.
    const reader = createTextReader({ invalidUtf8: 'fail' }, slotContext(lines, { memory }));
    const { batchRows } = readRecords(reader, [[wholeFile(file)]]);
    expect(batchRows.reduce((sum, rows) => sum + rows, 0)).toBe(200_000);
  });

  test('a file that holds nothing has no rows', () => {
    const reader = createTextReader({ invalidUtf8: 'fail' }, slotContext(lines));
    expect(readRecords(reader, [[wholeFile(write('a.txt', ''))]]).rows).toEqual([]);
  });

  test('a file that is cut off or no such file is an error that names it', () => {
    const file = write('a.txt', 'some text\n'.repeat(10_000));
    const read = () => {
      const reader = createTextReader({ invalidUtf8: 'fail' }, slotContext(lines));
      readRecords(reader, [[wholeFile(file)]]);
    };
    fs.truncateSync(file, fs.statSync(file).size - 1);
    const info = expect.objectContaining({
      code: 'SOURCE_DAMAGED',
      details: expect.objectContaining({ path: file }),
    });
    expect(read).toThrow(expect.objectContaining({ info }));
    fs.writeFileSync(file, 'this is not compressed');
    expect(read).toThrow(
      expect.objectContaining({
        message: expect.stringContaining(`file "${file}" is damaged`),
        info,
      }),
    );
  });
});
