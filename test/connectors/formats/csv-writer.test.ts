/** Goal: what the CSV writer wrote, a strict reader reads back: every value, every null. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsvStyle, plainCsvStyle } from '../../../connectors/formats/csv-options.ts';
import { CsvWriter } from '../../../connectors/formats/csv-writer.ts';
import { OutputBuffer } from '../../../connectors/formats/output-buffer.ts';
import { float64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { type BatchCase, batchCases, makeBatch, withMemory } from '../../support/batches.ts';
import { collector, expectedText, writable } from '../../support/sink-values.ts';

function csvOf(spec: BatchCase, bufferBytes = 64, style: Partial<CsvStyle> = {}): string {
  return withMemory(({ scope }) => {
    const { send, text } = collector();
    const output = new OutputBuffer(scope, send, bufferBytes);
    const writer = new CsvWriter(spec.schema, { ...plainCsvStyle, ...style }, output);
    const batch = makeBatch(scope, spec);
    writer.writeHeader();
    writer.writeRows(batch);
    output.flush();
    output.close();
    batch.release();
    return text();
  });
}

interface Parsed {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** RFC 4180 to the letter: throws on a stray quote or a missing line end. */
function parseCsv(csv: string): Parsed[][] {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\n)/y;
  const rows: Parsed[][] = [];
  let row: Parsed[] = [];
  while (field.lastIndex < csv.length) {
    const at = field.lastIndex;
    const match = field.exec(csv);
    if (match === null) throw new Error(`no field at ${at} of ${JSON.stringify(csv)}`);
    const [, quoted, plain = '', end] = match;
    row.push({ text: quoted?.replaceAll('""', '"') ?? plain, isQuoted: quoted !== undefined });
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  expect(row).toEqual([]);
  return rows;
}

test('any batch is read back by a strict reader', () => {
  fc.assert(
    fc.property(batchCases({ rowsMax: 30 }), fc.integer({ min: 1, max: 200 }), (any, size) => {
      const spec = writable(any);
      const { fields } = spec.schema;
      const [header, ...rows] = parseCsv(csvOf(spec, size));
      expect(header?.map(({ text }) => text)).toEqual(fields.map(({ name }) => name));
      const chosen = spec.selected?.map((row) => spec.rows[row] ?? []) ?? spec.rows;
      expect(rows).toHaveLength(chosen.length);
      chosen.forEach((values, index) => {
        values.forEach((value, at) => {
          const parsed = rows[index]?.[at];
          if (value === null) expect(parsed).toEqual({ text: '', isQuoted: false });
          else expect(parsed?.text).toBe(expectedText(value, fields[at]?.type));
          if (value === '') expect(parsed?.isQuoted).toBe(true);
        });
      });
    }),
    { numRuns: 300 },
  );
});

const textSchema = schemaOf(fieldOf('a', utf8Type, true), fieldOf('b', utf8Type, true));

test.each`
  value             | field
  ${'plain'}        | ${'plain'}
  ${' spaced '}     | ${' spaced '}
  ${'a, b'}         | ${'"a, b"'}
  ${'say "hi"'}     | ${'"say ""hi"""'}
  ${'"'}            | ${'""""'}
  ${'two\nlines'}   | ${'"two\nlines"'}
  ${'return\rhere'} | ${'"return\rhere"'}
  ${''}             | ${'""'}
  ${null}           | ${''}
  ${'größe 😀'}     | ${'größe 😀'}
`('$value is written as $field', ({ value, field }) => {
  const csv = csvOf({ schema: textSchema, rows: [[value, 'end']], selected: null });
  expect(csv).toBe(`a,b\n${field},end\n`);
});

test('names in the header are quoted like values', () => {
  const schema = schemaOf(fieldOf('a "b", c', utf8Type), fieldOf('plain', utf8Type));
  expect(csvOf({ schema, rows: [], selected: null })).toBe('"a ""b"", c",plain\n');
});

test('a text or name that begins like the mark of the encoding is quoted, or a reader would drop it', () => {
  const bom = String.fromCharCode(0xfeff);
  const schema = schemaOf(fieldOf(`${bom}a`, utf8Type));
  const spec = { schema, rows: [[`${bom}b`], [`c${bom}`]], selected: null };
  expect(csvOf(spec)).toBe(`"${bom}a"\n"${bom}b"\nc${bom}\n`);
  expect(() => csvOf(spec, 64, { header: false, quote: null })).toThrow(/needs quotes|quote/);
});

test('numbers beyond all numbers are JavaScript words', () => {
  const schema = schemaOf(fieldOf('x', float64Type));
  const rows = [[Number.NaN], [1 / 0], [-1 / 0], [-0], [0.1], [1e21]];
  expect(csvOf({ schema, rows, selected: null })).toBe(
    'x\nNaN\nInfinity\n-Infinity\n0\n0.1\n1e+21\n',
  );
});

test('a text larger than the buffer passes through it', () => {
  const value = 'long "text" '.repeat(1000);
  const csv = csvOf({ schema: textSchema, rows: [[value, value]], selected: null }, 64);
  expect(parseCsv(csv)[1]?.map(({ text }) => text)).toEqual([value, value]);
});

test('another style: delimiter, quote, null and no header', () => {
  const style = { header: false, delimiter: ';', quote: "'", nullText: 'NA' };
  const rows = [
    ['a;b', null],
    ["it's", 'NA'],
    ['', 'a,b'],
  ];
  expect(csvOf({ schema: textSchema, rows, selected: null }, 64, style)).toBe(
    "'a;b';NA\n'it''s';'NA'\n'';a,b\n",
  );
});

test('without a quote, what would need one is an error', () => {
  const style = { quote: null, nullText: '-' };
  const write = (value: string) => () =>
    csvOf({ schema: textSchema, rows: [[value, 'x']], selected: null }, 64, style);
  expect(write('say "hi"')()).toBe('a,b\nsay "hi",x\n');
  for (const value of ['a,b', 'a\nb', '-', '']) {
    const info = expect.objectContaining({ code: 'VALUE_NEEDS_QUOTES' });
    expect(write(value)).toThrow(expect.objectContaining({ info }));
  }
});

test('lists and structs are JSON in quotes', () => {
  const type = { kind: 'struct', fields: [fieldOf('say "x"', utf8Type)] } as const;
  const schema = schemaOf(fieldOf('s', type));
  const csv = csvOf({ schema, rows: [[{ 'say "x"': '"' }]], selected: null });
  expect(parseCsv(csv)[1]?.[0]?.text).toBe('{"say \\"x\\"":"\\""}');
});
