/** Goal: records of CSV become typed rows, each once, whatever the quotes, borders and buffers. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsvOptions, plainCsvStyle } from '../../../connectors/formats/csv-options.ts';
import { type CsvReaderSizes, createCsvReader } from '../../../connectors/formats/csv-records.ts';
import { CsvWriter } from '../../../connectors/formats/csv-writer.ts';
import { OutputBuffer } from '../../../connectors/formats/output-buffer.ts';
import {
  boolType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { batchCases, expectedRows, makeBatch, withMemory } from '../../support/batches.ts';
import { rangesAt, readRecords, wholeFile } from '../../support/read-records.ts';
import { collector, withoutMinusZero, writable } from '../../support/sink-values.ts';
import { emptyAtEnd, slotContext } from '../../support/slot-context.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const plain: CsvOptions = {
  kind: 'csv',
  columns: [],
  header: true,
  delimiter: ',',
  quote: '"',
  nullText: '',
  split: true,
};

interface ReadOptions extends CsvReaderSizes, Partial<Omit<CsvOptions, 'kind'>> {
  readonly borders?: readonly number[];
  readonly hasDeadLetters?: boolean;
}

function read(schema: Schema, text: string | Uint8Array, options: ReadOptions = {}) {
  const { borders = [], hasDeadLetters = false, bufferBytes, recordBytesMax, ...csv } = options;
  const file = path.join(tempFolder({ 'in.csv': text }), 'in.csv');
  const context = slotContext(schema, { memory: emptyAtEnd(64 << 20), hasDeadLetters });
  const columns = schema.fields.map(({ name }) => name);
  const sizes = {
    ...(bufferBytes !== undefined && { bufferBytes }),
    ...(recordBytesMax !== undefined && { recordBytesMax }),
  };
  const reader = createCsvReader({ ...plain, columns, ...csv }, context, sizes);
  const ranges = borders.length === 0 ? [wholeFile(file)] : rangesAt(file, borders);
  return {
    file,
    ...readRecords(
      reader,
      ranges.map((range) => [range]),
    ),
  };
}

const people = schemaOf(
  fieldOf('name', utf8Type),
  fieldOf('age', int32Type, true),
  fieldOf('height', float64Type, true),
  fieldOf('isTall', boolType, true),
);

test('the header names the columns, in any order, and others are passed over', () => {
  const text =
    '\ufeffheight,x,name,isTall,age\r\n1.80,a,"Ann, ""A""",true,30\r\n,"b\nb",Bob,,\r\n\r\n2,,"",false\r\n';
  expect(read(people, text).rows).toEqual([
    { name: 'Ann, "A"', age: 30, height: 1.8, isTall: true },
    { name: 'Bob', age: null, height: null, isTall: null },
    { name: '', age: null, height: 2, isTall: false },
  ]);
});

test('without a header fields are columns by their places; some of them may be wanted', () => {
  const schema = schemaOf(fieldOf('c', int64Type), fieldOf('a', utf8Type));
  const options = { header: false, columns: ['a', 'b', 'c'], delimiter: ';', quote: "'" };
  expect(read(schema, "'x;y';1;2\nz;3;4", options).rows).toEqual([
    { c: 2n, a: 'x;y' },
    { c: 4n, a: 'z' },
  ]);
});

test('what is null: an empty field without quotes, or the text that was given', () => {
  const schema = schemaOf(fieldOf('a', utf8Type, true), fieldOf('b', int32Type, true));
  const text = 'a,b\n,\n"",1\nNA,NA\n"NA",2\n';
  expect(
    read(schema, text.replaceAll('NA', 'x').replace('x,x', 'x,')).rows.map(({ a }) => a),
  ).toEqual([null, '', 'x', 'x']);
  const { rows, letters } = read(schema, text, { nullText: 'NA', hasDeadLetters: true });
  expect(rows).toEqual([
    { a: '', b: 1 },
    { a: null, b: null },
    { a: 'NA', b: 2 },
  ]);
  expect(letters.map(({ reason }) => reason)).toEqual(['column "b" has , which is no int32']);
});

test('a column of text that is not nullable takes empty fields', () => {
  expect(read(schemaOf(fieldOf('a', utf8Type)), 'a,b\n,1\n').rows).toEqual([{ a: '' }]);
});

test('records of one field may be empty lines', () => {
  const schema = schemaOf(fieldOf('a', utf8Type, true));
  expect(read(schema, 'a\nx\n\n""\ny').rows).toEqual([
    { a: 'x' },
    { a: null },
    { a: '' },
    { a: 'y' },
  ]);
});

test.each`
  record                | reason
  ${'Ann,x,,'}          | ${'column "age" has x, which is no int32'}
  ${'Ann,3000000000,,'} | ${'column "age" has 3000000000, which does not fit int32'}
  ${'Ann,1,1e999,'}     | ${'column "height" has 1e999, which does not fit float64'}
  ${'Ann,1,2,yes'}      | ${'column "isTall" has yes, which is no bool'}
  ${'Ann,1,2,true,5'}   | ${'it has more fields than the header'}
  ${'A"n,1,2,true'}     | ${'it has a quote in a wrong place, 1 bytes from its start'}
  ${'"A"n,1,2,true'}    | ${'it has a quote in a wrong place, 2 bytes from its start'}
`('$record is refused: $reason', ({ record, reason }) => {
  const text = `name,age,height,isTall\nBob,1,2,true\n${record}\nCid,3,4,false\n`;
  const byteOffset = 36;
  const details = expect.objectContaining({ byteOffset, reason });
  const info = expect.objectContaining({ code: 'CSV_RECORD', details });
  expect(() => read(people, text)).toThrow(expect.objectContaining({ info }));
  const { rows, letters, file } = read(people, text, { hasDeadLetters: true });
  expect(rows.map(({ name }) => name)).toEqual(['Bob', 'Cid']);
  expect(letters).toEqual([
    { origin: `${file}, byte ${byteOffset}`, reason, text: record, bytes: null },
  ]);
});

test('a record that is not UTF-8, lacks a field or has no closing quote is refused', () => {
  const schema = schemaOf(fieldOf('a', utf8Type), fieldOf('b', int32Type));
  const bytes = Buffer.concat([
    Buffer.from('a,b\n\xff,1\n', 'latin1'),
    Buffer.from('only a\r\n"multi\nline",x\ngood,2\n"open,3\nafter,4'),
  ]);
  const { rows, letters } = read(schema, bytes, { hasDeadLetters: true, borders: [] });
  expect(rows).toEqual([
    { a: 'good', b: 2 },
    { a: 'after', b: 4 },
  ]);
  expect(letters.map(({ reason, text }) => [reason, text])).toEqual([
    ['column "b" has x, which is no int32', '"multi\nline",x'],
    ['it is not UTF-8 0 bytes from its start', null],
    ['column "b" is missing', 'only a'],
    ['it has a quote that is never closed', '"open,3'],
  ]);
});

test.each`
  header                | message                                   | hint
  ${'name,age,height'}  | ${'has no column "isTall" in its header'} | ${'"height"'}
  ${'nam,age,isTall'}   | ${'has no column "name" in its header'}   | ${'Did you mean "nam"?'}
  ${'name,name,age'}    | ${'has two columns "name"'}               | ${'different names'}
  ${'"name,age,height'} | ${'has a header that never ends'}         | ${'quotes'}
  ${'na"me,age'}        | ${'has a quote in a wrong place in its'}  | ${'quotes'}
`('a header $header $message', ({ header, message, hint }) => {
  const info = expect.objectContaining({ code: 'CSV_HEADER', hint: expect.stringContaining(hint) });
  expect(() => read(people, `${header}\n`)).toThrow(
    expect.objectContaining({ message: expect.stringContaining(message), info }),
  );
});

test('a file that is a header only has no rows, with a line break or without', () => {
  for (const text of ['name,age,height,isTall', 'name,age,height,isTall\r\n']) {
    expect(read(people, text).rows).toEqual([]);
    expect(read(people, text, { borders: [4, 9, 15] }).rows).toEqual([]);
  }
});

const letters = fc.constantFrom(
  'a',
  'b"c',
  'd,e',
  'f\ng',
  'h\r\ni',
  'é',
  ' ',
  'longer than eight',
  'x""y',
  '',
);
// A quoted field that begins and ends with a letter tells where its quotes open and close.
const texts = fc.array(letters, { maxLength: 4 }).map((all) => `k${all.join('')}z`);
const values = fc.record({
  name: texts,
  age: fc.option(fc.integer()),
  height: fc.option(fc.double({ noNaN: true }).map((value) => value + 0)),
  isTall: fc.option(fc.boolean()),
});

test('any records, any borders, any buffer: every record once', () => {
  const file = path.join(tempFolder(), 'in.csv');
  const memory = emptyAtEnd(64 << 20);
  fc.assert(
    fc.property(
      fc.array(values, { maxLength: 20 }),
      fc.record({
        ending: fc.constantFrom('\n', '\r\n'),
        hasMark: fc.boolean(),
        isOpen: fc.boolean(),
        quotesAll: fc.boolean(),
      }),
      fc.array(fc.nat(800), { maxLength: 6 }),
      fc.integer({ min: 4, max: 200 }),
      (rows, { ending, hasMark, isOpen, quotesAll }, borders, bufferBytes) => {
        const lines = rows.map(({ name, age, height, isTall }) => {
          const quoted =
            quotesAll || /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
          return `${isTall ?? ''},${quoted},${age ?? ''},${height ?? ''}`;
        });
        const all = ['isTall,name,age,height', ...lines];
        const text = `${hasMark ? '\ufeff' : ''}${all.join(ending)}${isOpen ? '' : ending}`;
        fs.writeFileSync(file, text);
        const columns = people.fields.map(({ name }) => name);
        const reader = createCsvReader({ ...plain, columns }, slotContext(people, { memory }), {
          bufferBytes,
        });
        const ranges = rangesAt(file, borders).map((range) => [range]);
        const found = readRecords(reader, ranges);
        expect(found.rows).toEqual(rows);
        expect(found.bytesRead).toBe(fs.statSync(file).size);
      },
    ),
    { numRuns: 600 },
  );
});

test('where quotes do not tell, records are read once or the job fails', () => {
  const schema = schemaOf(fieldOf('a', utf8Type), fieldOf('b', utf8Type));
  let failures = 0;
  for (const record of ['",",","\n', '"\n","\n"\n', '",""\n",""""\n', 'x,"\n\n\n"\n']) {
    const text = `a,b\n${record.repeat(6)}`;
    const whole = read(schema, text).rows;
    expect(whole).toHaveLength(6);
    for (let border = 1; border < text.length; border++) {
      try {
        expect(read(schema, text, { borders: [border] }).rows).toEqual(whole);
      } catch (error) {
        expect(error).toMatchObject({
          info: { code: expect.stringMatching(/^CSV_(CUT|RECORD)$/) },
        });
        failures++;
      }
    }
  }
  expect(failures).toBeGreaterThan(0);
});

test('a stray quote never loses the lines before it', () => {
  const schema = schemaOf(fieldOf('a', utf8Type), fieldOf('b', utf8Type));
  const text = `a,b\n${'foo,1\n'.repeat(20)}bar,5",3\n${'foo,2\n'.repeat(20)}`;
  for (let border = 1; border < text.length; border += 3) {
    const info = expect.objectContaining({ code: expect.stringMatching(/^CSV_(CUT|RECORD)$/) });
    expect(() => read(schema, text, { borders: [border] })).toThrow(
      expect.objectContaining({ info }),
    );
  }
  expect(
    read(schema, text.replace('5",3', '5"'), { quote: null, borders: [50, 90, 130] }).rows,
  ).toHaveLength(41);
});

test('a record too long is an error that says where it begins', () => {
  const text = `name,age,height,isTall\n"${'x'.repeat(100)}",1,2,true\n`;
  expect(() => read(people, text, { bufferBytes: 16, recordBytesMax: 64 })).toThrow(
    'which begins at byte 23',
  );
});

test('what the writer wrote of any batch of any types is read back', () => {
  const file = path.join(tempFolder(), 'in.csv');
  const styles = fc.constantFrom(
    {},
    { delimiter: ';', quote: "'" },
    { nullText: 'NA' },
    { nullText: '0' },
    { nullText: 'true' },
    { header: false },
  );
  fc.assert(
    fc.property(batchCases({ rowsMax: 20 }), styles, (any, style) => {
      const spec = writable(any);
      const written = withMemory(({ scope }) => {
        const { send, text } = collector();
        const output = new OutputBuffer(scope, send);
        const batch = makeBatch(scope, spec);
        const writer = new CsvWriter(spec.schema, { ...plainCsvStyle, ...style }, output);
        writer.writeHeader();
        writer.writeRows(batch);
        output.flush();
        output.close();
        batch.release();
        return text();
      });
      fs.writeFileSync(file, written);
      const rows = withMemory(({ memory }) => {
        const columns = spec.schema.fields.map(({ name }) => name);
        const context = slotContext(spec.schema, { memory });
        return readRecords(createCsvReader({ ...plain, columns, ...style }, context), [
          [wholeFile(file)],
        ]).rows;
      });
      expect(rows).toEqual(expectedRows(spec).map(withoutMinusZero));
    }),
    { numRuns: 300 },
  );
});
