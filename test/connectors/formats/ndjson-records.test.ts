/** Goal: lines of NDJSON become the rows that JSON.parse has, whatever their form, borders and buffers. */
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createNdjsonReader,
  type NdjsonReaderOptions,
} from '../../../connectors/formats/ndjson-records.ts';
import { NdjsonWriter } from '../../../connectors/formats/ndjson-writer.ts';
import { OutputBuffer } from '../../../connectors/formats/output-buffer.ts';
import {
  boolType,
  type FieldType,
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

const timestampMs: FieldType = { kind: 'timestamp', unit: 'ms' };
const timestampUs: FieldType = { kind: 'timestamp', unit: 'us' };

interface ReadOptions extends NdjsonReaderOptions {
  readonly borders?: readonly number[];
  readonly hasDeadLetters?: boolean;
}

const memory = () => emptyAtEnd(64 << 20);

function read(schema: Schema, text: string | Uint8Array, options: ReadOptions = {}) {
  const { borders = [], hasDeadLetters = false, ...reading } = options;
  const file = path.join(tempFolder({ 'in.ndjson': text }), 'in.ndjson');
  const context = slotContext(schema, { memory: memory(), hasDeadLetters });
  const ranges = borders.length === 0 ? [wholeFile(file)] : rangesAt(file, borders);
  return {
    file,
    ...readRecords(
      createNdjsonReader(context, reading),
      ranges.map((range) => [range]),
    ),
  };
}

/** The one value of a line with a column `v` of the type. */
function readValue(type: FieldType, value: string): unknown {
  return read(schemaOf(fieldOf('v', type, true)), `{"v":${value}}\n`).rows[0]?.v;
}

test.each`
  type           | text                                       | value
  ${utf8Type}    | ${'"short"'}                               | ${'short'}
  ${utf8Type}    | ${'"longer than eight"'}                   | ${'longer than eight'}
  ${utf8Type}    | ${'""'}                                    | ${''}
  ${utf8Type}    | ${'"\\"\\\\\\/\\b\\f\\n\\r\\t"'}           | ${'"\\/\b\f\n\r\t'}
  ${utf8Type}    | ${'"\\u0041\\u00e9\\u8a9e\\ud83d\\ude00"'} | ${'Aé語😀'}
  ${utf8Type}    | ${'"\\ud83d lone \\ude00"'}                | ${'\ufffd lone \ufffd'}
  ${utf8Type}    | ${'"\\ud83d\\ud83d\\ude00"'}               | ${'\ufffd😀'}
  ${utf8Type}    | ${'"é語😀 as they are"'}                   | ${'é語😀 as they are'}
  ${utf8Type}    | ${'null'}                                  | ${null}
  ${int32Type}   | ${'2147483647'}                            | ${2147483647}
  ${int32Type}   | ${'-2147483648'}                           | ${-2147483648}
  ${int32Type}   | ${'1e3'}                                   | ${1000}
  ${int32Type}   | ${'-0'}                                    | ${0}
  ${int32Type}   | ${'12.0'}                                  | ${12}
  ${int64Type}   | ${'9223372036854775807'}                   | ${9223372036854775807n}
  ${int64Type}   | ${'-9223372036854775808'}                  | ${-9223372036854775808n}
  ${int64Type}   | ${'9007199254740993'}                      | ${9007199254740993n}
  ${int64Type}   | ${'"9007199254740993"'}                    | ${9007199254740993n}
  ${int64Type}   | ${'922337203685477580.7e1'}                | ${9223372036854775807n}
  ${float64Type} | ${'0.1'}                                   | ${0.1}
  ${float64Type} | ${'-0'}                                    | ${-0}
  ${float64Type} | ${'1e-7'}                                  | ${1e-7}
  ${float64Type} | ${'123456789.123456789'}                   | ${Number('123456789.123456789')}
  ${float64Type} | ${'1.7976931348623157e308'}                | ${Number.MAX_VALUE}
  ${float64Type} | ${'5e-324'}                                | ${5e-324}
  ${float64Type} | ${'9007199254740993'}                      | ${9007199254740992}
  ${float64Type} | ${'0.000000000000000000000001'}            | ${1e-24}
  ${float64Type} | ${'1E+22'}                                 | ${1e22}
  ${float64Type} | ${'4.35'}                                  | ${4.35}
  ${boolType}    | ${'true'}                                  | ${true}
  ${boolType}    | ${'false'}                                 | ${false}
  ${timestampMs} | ${'1700000000000'}                         | ${1700000000000n}
  ${timestampMs} | ${'"1970-01-01T00:00:00.001Z"'}            | ${1n}
  ${timestampMs} | ${'"2024-02-29 23:59:59"'}                 | ${1709251199000n}
  ${timestampMs} | ${'"2024-02-29"'}                          | ${1709164800000n}
  ${timestampMs} | ${'"2024-02-29T23:59:59.5+02:00"'}         | ${1709243999500n}
  ${timestampUs} | ${'"1969-12-31T23:59:59.999999Z"'}         | ${-1n}
  ${timestampUs} | ${'"0001-01-01T00:00:00Z"'}                | ${-62135596800000000n}
`('$text is $value', ({ type, text, value }) => {
  expect(readValue(type, text)).toBe(value);
  // Behind another line of the same form it is read by the template.
  const twice = read(schemaOf(fieldOf('v', type, true)), `{"v":${text}}\n{"v":${text}}`);
  expect(twice.rows).toEqual([{ v: value }, { v: value }]);
});

test.each`
  type           | text                            | reason
  ${int32Type}   | ${'2147483648'}                 | ${'column "v" has 2147483648, which does not fit int32'}
  ${int32Type}   | ${'1.5'}                        | ${'column "v" has 1.5, which is no int32'}
  ${int32Type}   | ${'"12"'}                       | ${'column "v" has "12", which is no int32'}
  ${int64Type}   | ${'9223372036854775808'}        | ${'column "v" has 9223372036854775808, which does not fit int64'}
  ${float64Type} | ${'1e400'}                      | ${'column "v" has 1e400, which does not fit float64'}
  ${float64Type} | ${'[1]'}                        | ${'column "v" has [1], which is no float64'}
  ${boolType}    | ${'1'}                          | ${'column "v" has 1, which is no bool'}
  ${utf8Type}    | ${'12'}                         | ${'column "v" has 12, which is no utf8'}
  ${utf8Type}    | ${'null'}                       | ${'column "v" is null, and is not nullable'}
  ${timestampMs} | ${'"2023-02-29T00:00:00Z"'}     | ${'column "v" has "2023-02-29T00:00:00Z", which is no timestamp(ms)'}
  ${timestampMs} | ${'"2024-01-01T00:00:00.0001"'} | ${'column "v" has "2024-01-01T00:00:00.0001", which is no timestamp(ms)'}
  ${utf8Type}    | ${'"a'}                         | ${'it is no JSON, 8 bytes from its start'}
  ${utf8Type}    | ${'"\\x"'}                      | ${'it is no JSON, 6 bytes from its start'}
  ${utf8Type}    | ${'"\\u00g0"'}                  | ${'it is no JSON, 6 bytes from its start'}
  ${utf8Type}    | ${'"\u0001"'}                   | ${'it is no JSON, 6 bytes from its start'}
  ${int32Type}   | ${'01'}                         | ${'it is no JSON, 5 bytes from its start'}
  ${int32Type}   | ${'1,'}                         | ${'it is no JSON, 7 bytes from its start'}
  ${int32Type}   | ${'1 2'}                        | ${'it is no JSON, 7 bytes from its start'}
  ${int32Type}   | ${'1}}'}                        | ${'it goes on behind its object, 7 bytes from its start'}
`('$text is refused: $reason', ({ type, text, reason }) => {
  const schema = schemaOf(fieldOf('v', type));
  const good = type === utf8Type ? '"x"' : type === boolType ? 'true' : '1';
  const lines = `{"v":${good}}\n{"v":${text}}\n{"v":${good}}\n`;
  expect(() => read(schema, lines)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/ has a record at byte \d+ that cannot be read: /),
      info: expect.objectContaining({
        code: 'NDJSON_RECORD',
        details: expect.objectContaining({ byteOffset: good.length + 7, reason }),
      }),
    }),
  );
  const { rows, letters, file } = read(schema, lines, { hasDeadLetters: true });
  expect(rows).toHaveLength(2);
  expect(letters).toEqual([
    { origin: `${file}, byte ${good.length + 7}`, reason, text: `{"v":${text}}`, bytes: null },
  ]);
});

test('a line that is not UTF-8, or is no object, is refused', () => {
  const schema = schemaOf(fieldOf('v', utf8Type, true));
  const bytes = Buffer.concat([
    Buffer.from('{"v":"'),
    Buffer.from([0xc3]),
    Buffer.from('"}\n[1]\n \r\n3'),
  ]);
  const { rows, letters } = read(schema, bytes, { hasDeadLetters: true });
  expect(rows).toEqual([]);
  expect(letters.map(({ reason }) => reason)).toEqual([
    'it is not UTF-8 6 bytes from its start',
    'it is no JSON object',
    'it is no JSON object',
  ]);
  expect(letters[0]?.bytes).toEqual(new Uint8Array(bytes.subarray(0, 9)));
});

test('members that no column has are checked as JSON and passed over, nested ones too', () => {
  const schema = schemaOf(fieldOf('v', int32Type));
  const nested = '{"a":[1,{"b":[]},"\\"]}"],"c":{},"d":[[],[null,true,false,-1.5e-3]]}';
  const lines = [`{"x":${nested},"v":1}`, `{"v":2,"x":${nested}}`, `{ "v" : 3 , "x" : ${nested} }`];
  expect(read(schema, lines.join('\r\n')).rows).toEqual([{ v: 1 }, { v: 2 }, { v: 3 }]);
  for (const broken of [
    '{"a":}',
    '[1,]',
    '[1',
    '{1:2}',
    '{"a" 1}',
    '[}',
    '{]',
    'nul',
    '"a',
    '-',
    '1.',
    '1e',
  ]) {
    const { rows, letters } = read(schema, `{"v":1,"x":${broken}}\n{"x":${broken},"v":1}`, {
      hasDeadLetters: true,
    });
    expect([broken, rows.length, letters.length]).toEqual([broken, 0, 2]);
  }
  const deep = '['.repeat(1025) + ']'.repeat(1025);
  expect(() => read(schema, `{"v":1,"x":${deep}}`)).toThrow('nested deeper than 1,024 levels');
  expect(read(schema, `{"v":1,"x":${deep.slice(1, -1)}}`).rows).toEqual([{ v: 1 }]);
});

test('of two members the last counts, whatever the first was', () => {
  const schema = schemaOf(
    fieldOf('t', utf8Type, true),
    fieldOf('n', int32Type, true),
    fieldOf('b', boolType, true),
  );
  const rows = read(
    schema,
    [
      '{"t":"a\\n","t":"second","n":1e1,"n":7,"b":true,"b":false}',
      '{"t":"first","t":"x\\ty","n":7,"n":1e1,"b":null,"b":true}',
      '{"t":null,"t":"third one is long","n":null,"n":3,"b":true,"b":null}',
      '{"t":"a","t":null,"n":3,"n":null,"b":false,"b":false}',
    ].join('\n'),
  ).rows;
  expect(rows).toEqual([
    { t: 'second', n: 7, b: false },
    { t: 'x\ty', n: 10, b: true },
    { t: 'third one is long', n: 3, b: null },
    { t: null, n: null, b: false },
  ]);
});

test('a key may be written with escapes, and be as long as it likes', () => {
  const long = 'k'.repeat(300);
  const schema = schemaOf(fieldOf('é"', int32Type), fieldOf(long, int32Type));
  const lines = `{"\\u00e9\\"":1,"${long}":2}\n{"${long}":3,"é\\"":4}\n`;
  expect(read(schema, lines.repeat(3)).rows.slice(4)).toEqual([
    { 'é"': 1, [long]: 2 },
    { 'é"': 4, [long]: 3 },
  ]);
});

const schema = schemaOf(
  fieldOf('id', int64Type),
  fieldOf('name', utf8Type, true),
  fieldOf('price', float64Type, true),
  fieldOf('isNew', boolType, true),
  fieldOf('count', int32Type, true),
  fieldOf('at', timestampMs, true),
);

const texts = fc.oneof(
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  fc.constantFrom(
    '',
    'plain',
    'longer than eight',
    'a"b\\c\nd',
    'é'.repeat(20),
    '\u0000\u001f',
    '😀',
  ),
);
const records = fc.record(
  {
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    name: fc.option(texts),
    price: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    isNew: fc.option(fc.boolean()),
    count: fc.option(fc.integer()),
    at: fc.option(fc.integer({ min: -8e15, max: 8e15 })),
    other: fc.jsonValue({ maxDepth: 2 }),
  },
  { requiredKeys: ['id'] },
);

/** A line with its members in some order and some spaces, and what must be read from it. */
const lines = fc
  .record({
    record: records,
    order: fc.array(fc.nat(), { minLength: 7, maxLength: 7 }),
    space: fc.constantFrom('', ' ', '\t ', '  '),
  })
  .map(({ record, order, space }) => {
    const members = Object.entries(record)
      .map(([key, value], index) => ({ key, value, rank: order[index] ?? 0 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ key, value }) => {
        const json =
          typeof value === 'bigint'
            ? String(value)
            : Object.is(value, -0)
              ? '-0'
              : JSON.stringify(value);
        return `${space}${JSON.stringify(key)}${space}:${space}${json}`;
      });
    const { id, name = null, price = null, isNew = null, count = null, at = null } = record;
    const row = {
      id,
      name: name?.toWellFormed() ?? null,
      price,
      isNew,
      count,
      at: at === null ? null : BigInt(at),
    };
    return { text: `{${members.join(`${space},`)}${space}}`, row };
  });
const inOrder = fc.array(records, { maxLength: 12 }).map((all) =>
  all.map((record) => {
    const { id, name = null, price = null, isNew = null, count = null, at = null } = record;
    const json = JSON.stringify({ id: 0, name, price, isNew, count, at }).replace(
      '"id":0',
      `"id":${id}`,
    );
    const text =
      price !== null && Object.is(price, -0) ? json.replace('"price":0', '"price":-0') : json;
    return {
      text,
      row: {
        id,
        name: name?.toWellFormed() ?? null,
        price,
        isNew,
        count,
        at: at === null ? null : BigInt(at),
      },
    };
  }),
);

test('any objects, any order, any borders, any buffer: the rows of JSON.parse, each once', () => {
  const file = path.join(tempFolder(), 'in.ndjson');
  const shared = emptyAtEnd(64 << 20);
  fc.assert(
    fc.property(
      fc.oneof(fc.array(lines, { maxLength: 12 }), inOrder),
      fc.constantFrom('\n', '\r\n', '\n\n', ' \n'),
      fc.boolean(),
      fc.array(fc.nat(1500), { maxLength: 6 }),
      fc.integer({ min: 4, max: 300 }),
      (all, ending, endsWithBreak, borders, bufferBytes) => {
        const text = all.map((line) => line.text).join(ending) + (endsWithBreak ? ending : '');
        fs.writeFileSync(file, text);
        const context = slotContext(schema, { memory: shared });
        const ranges = rangesAt(file, borders).map((range) => [range]);
        const { rows, bytesRead } = readRecords(
          createNdjsonReader(context, { bufferBytes }),
          ranges,
        );
        expect(rows).toEqual(all.map((line) => line.row));
        expect(bytesRead).toBe(fs.statSync(file).size);
      },
    ),
    { numRuns: 400 },
  );
});

test('columns that are not wanted change nothing in the others', () => {
  const all =
    '{"id":1,"name":"a long name, with \\"quotes\\"","price":1.5,"isNew":true,"count":3,"at":5}\n'.repeat(
      50,
    );
  for (const field of schema.fields) {
    const { rows } = read({ fields: [field] }, all);
    const whole = read(schema, all).rows;
    expect(rows).toEqual(whole.map((row) => ({ [field.name]: row[field.name] })));
  }
});

test('good and bad lines add up, also when more are bad than a call can take', () => {
  const count = 30_000;
  const text = Array.from({ length: count }, (_, row) =>
    row % 3 === 0 ? `{"id":${row}}` : row % 3 === 1 ? `{"id":"x${row}"}` : `{"id":`,
  ).join('\n');
  const { rows, letters } = read(schemaOf(fieldOf('id', int64Type)), text, {
    hasDeadLetters: true,
  });
  expect([rows.length, letters.length]).toEqual([10_000, 20_000]);
  expect(rows.every(({ id }, index) => id === BigInt(index * 3))).toBe(true);
  expect(letters[0]).toMatchObject({
    reason: 'column "id" has "x1", which is no int64',
    text: '{"id":"x1"}',
  });
});

test('what the writer wrote of any batch of any types is read back', () => {
  const file = path.join(tempFolder(), 'in.ndjson');
  fc.assert(
    fc.property(batchCases({ rowsMax: 20 }), (any) => {
      const spec = writable(any);
      const written = withMemory(({ scope }) => {
        const { send, text } = collector();
        const output = new OutputBuffer(scope, send);
        const batch = makeBatch(scope, spec);
        new NdjsonWriter(spec.schema, output).writeRows(batch);
        output.flush();
        output.close();
        batch.release();
        return text();
      });
      fs.writeFileSync(file, written);
      const rows = withMemory(({ memory: slot }) => {
        const context = slotContext(spec.schema, { memory: slot });
        return readRecords(createNdjsonReader(context), [[wholeFile(file)]]).rows;
      });
      expect(rows).toEqual(expectedRows(spec).map(withoutMinusZero));
    }),
    { numRuns: 300 },
  );
});
