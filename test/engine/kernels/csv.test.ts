/** Goal: the kernel reads the records and fields that RFC 4180 has, as the reference does. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { type CsvRules, csvRecordAt } from '../../../engine/kernels/csv.ts';
import { type RecordColumn, RecordState } from '../../support/record-state.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

interface ParseOptions extends Partial<CsvRules> {
  readonly isLast?: boolean;
  readonly shift?: number;
}

function parse(
  text: string,
  columns: readonly (RecordColumn | null)[],
  options: ParseOptions = {},
) {
  arena.reset();
  const { delimiter = ',', quote = '"', isLast = true, shift = 0 } = options;
  const wanted = columns.filter((column) => column !== null);
  const state = new RecordState(arena, wanted);
  const bytes = encode(text);
  const from = arena.put(bytes, shift);
  const end = from + bytes.length;
  let column = 0;
  for (const [field, entry] of columns.entries()) {
    const address = entry === null ? 0 : state.entryOf(column++);
    arena.view.setUint32(state.get('steps') + field * 4, address, true);
  }
  state.set('stepCount', columns.length);
  state.set('limit', end + 1);
  state.set('delimiter', delimiter.charCodeAt(0));
  state.set('quote', quote === null ? 255 : quote.charCodeAt(0));
  const { kernels } = arena;
  const rowCount = kernels.parseCsv(from, end, Number(isLast), state.address, 0, state.rowsMax);
  const consumed = state.get('consumed') - from;
  const errorCount = state.get('errorCount');
  return { rows: state.readRows(rowCount, (cell) => ({ cell })), errorCount, consumed };
}

/** The records of the reference, as columns of text that may all be null. */
function expectedOf(text: string, fieldCount: number, rules: CsvRules) {
  const rows: (string | null)[][] = [];
  let errorCount = 0;
  const latin1 = new TextDecoder('latin1').decode(encode(text));
  for (let at = 0; at < latin1.length; ) {
    const empty = /^\r?\n/.exec(latin1.slice(at));
    if (empty !== null && fieldCount > 1) {
      at += empty[0].length;
      continue;
    }
    const record = csvRecordAt(latin1, at, rules);
    if (typeof record === 'string') {
      errorCount++;
      at = latin1.indexOf('\n', at) + 1;
      continue;
    }
    at = record.end;
    if (record.fields.length > fieldCount) errorCount++;
    else {
      const values = record.fields.map(({ text: field, isQuoted }) =>
        field === '' && !isQuoted ? null : utf8Of(field),
      );
      rows.push(Array.from({ length: fieldCount }, (_, index) => values[index] ?? null));
    }
  }
  return { rows, errorCount };
}

function utf8Of(latin1: string): string {
  return new TextDecoder().decode(Uint8Array.from(latin1, (one) => one.charCodeAt(0)));
}

const textColumn = (name: string): RecordColumn => ({ name, kind: 'utf8', isNullable: true });
const threeTexts = ['a', 'b', 'c'].map(textColumn);

const pieces = fc.constantFrom(
  ',',
  ';',
  '"',
  '""',
  '\n',
  '\r\n',
  '\r',
  'a',
  ' ',
  'é',
  '12',
  'longer than eight',
  'x'.repeat(20),
);

test('any bytes: the records of the reference, whatever the rules', () => {
  const rulesOf = fc.record({
    delimiter: fc.constantFrom(',', ';'),
    quote: fc.constantFrom('"', null),
  });
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 40 }),
      rulesOf,
      fc.integer({ min: 1, max: 3 }),
      fc.nat(15),
      (all, rules, count, shift) => {
        const text = `${all.join('')}\n`;
        const { rows, errorCount, consumed } = parse(text, threeTexts.slice(0, count), {
          ...rules,
          shift,
        });
        const expected = expectedOf(text, count, rules);
        expect({ rows, errorCount }).toEqual(expected);
        expect(consumed).toBe(encode(text).length);
      },
    ),
    { numRuns: 3000 },
  );
});

test('legal records, quoted by chance, are read back', () => {
  const field = fc.record({
    text: fc.array(pieces, { maxLength: 4 }).map((all) => all.join('')),
    isQuoted: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(field, field, field), { maxLength: 15 }),
      fc.constantFrom('\n', '\r\n'),
      (records, ending) => {
        const written = records.map((fields) => fields.map(writeField).join(','));
        const { rows, errorCount } = parse(
          written.map((line) => line + ending).join(''),
          threeTexts,
        );
        expect(errorCount).toBe(0);
        expect(rows).toEqual(records.map((fields) => fields.map(({ text }) => text)));
      },
    ),
    { numRuns: 800 },
  );
});

function writeField({
  text,
  isQuoted,
}: {
  readonly text: string;
  readonly isQuoted: boolean;
}): string {
  const needsQuotes = isQuoted || text === '' || /[",\r\n]/.test(text);
  return needsQuotes ? `"${text.replaceAll('"', '""')}"` : text;
}

test('an incomplete record is left, at whatever byte the span is cut', () => {
  const text = '1,"two, ""2""\nlines",3\r\n4,"5"\r\n6,,\n';
  const bytes = encode(text).length;
  for (let length = 0; length <= bytes; length++) {
    const { rows, errorCount, consumed } = parse(text.slice(0, length), threeTexts, {
      isLast: false,
    });
    const ends = [0, 24, 31, 35].filter((end) => end <= length);
    expect([length, consumed, rows.length, errorCount]).toEqual([
      length,
      ends.at(-1),
      ends.length - 1,
      0,
    ]);
  }
});

test('numbers, bools and times are read where they stand, with quotes or without', () => {
  const columns: RecordColumn[] = (
    ['int32', 'int64', 'float64', 'bool', 'date', 'timestamp'] as const
  ).map((kind) => ({ name: kind, kind, isNullable: true }));
  const plain = '007,-9007199254740991,-1.25e2,true,1970-01-02,1970-01-01T00:00:01Z';
  const quoted = plain
    .split(',')
    .map((field) => `"${field}"`)
    .join(',');
  const values = [7, -9007199254740991, -125, true, 1, 1000];
  expect(parse(`${plain}\n${quoted}\n,,,,,\n`, columns).rows).toEqual([
    values,
    values,
    Array(6).fill(null),
  ]);
  expect(parse('x,"1"" 2",+1,yes,1.1.1970, 5\n', columns).rows).toEqual([
    [
      { cell: 'x' },
      { cell: '1" 2' },
      { cell: '+1' },
      { cell: 'yes' },
      { cell: '1.1.1970' },
      { cell: ' 5' },
    ],
  ]);
});

test('narrow numbers at their edges, and one beyond', () => {
  const edges = {
    int8: [-128, 127],
    uint8: [0, 255],
    int16: [-32768, 32767],
    uint16: [0, 65535],
    int32: [-(2 ** 31), 2 ** 31 - 1],
    uint32: [0, 2 ** 32 - 1],
  } as const;
  for (const [kind, [min, max]] of Object.entries(edges)) {
    const column = { name: 'n', kind: kind as RecordColumn['kind'], isNullable: false };
    const { rows } = parse([min, max, min - 1, max + 1].join('\n').concat('\n'), [column]);
    expect(rows).toEqual([[min], [max], [{ cell: String(min - 1) }], [{ cell: String(max + 1) }]]);
  }
});

test('every day of years that matter is the day that Date has', () => {
  const column: RecordColumn = { name: 'd', kind: 'date', isNullable: false };
  const day = 86_400_000;
  for (const year of [0, 1, 99, 100, 400, 1600, 1900, 1969, 1970, 2000, 2024, 9999]) {
    const first = new Date(0).setUTCFullYear(year, 0, 1);
    for (let from = 0; from < 366; from += 60) {
      const days = Array.from({ length: 60 }, (_, index) => first + (from + index) * day).filter(
        (ms) => new Date(ms).getUTCFullYear() === year,
      );
      const text = days.map((ms) => `${new Date(ms).toISOString().slice(0, 10)}\n`).join('');
      expect(parse(text, [column]).rows).toEqual(days.map((ms) => [ms / day]));
    }
  }
  const wrong = [
    '2023-02-29',
    '1900-02-29',
    '2024-04-31',
    '2024-13-01',
    '2024-00-10',
    '2024-01-00',
    '2024-1-01',
    '2x24-01-01',
    '20-4-01-011',
  ];
  expect(parse(wrong.join('\n').concat('\n'), [column]).rows).toEqual(
    wrong.map((cell) => [{ cell }]),
  );
});

test('floats that the kernel reads are those that JavaScript reads', () => {
  const column: RecordColumn = { name: 'f', kind: 'float64', isNullable: false };
  const numbers = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    fc.tuple(fc.integer(), fc.nat(99_999)).map(([whole, fraction]) => `${whole}.${fraction}`),
    fc
      .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n }), fc.integer({ min: -30, max: 30 }))
      .map(([digits, exponent]) => `${digits}e${exponent}`),
  );
  fc.assert(
    fc.property(fc.array(numbers, { minLength: 1, maxLength: 40 }), (all) => {
      const { rows } = parse(all.map((text) => `${text}\n`).join(''), [column]);
      const read = rows.map(([value]) =>
        typeof value === 'number' ? value : Number((value as { cell: string }).cell),
      );
      expect(read).toEqual(all.map(Number));
    }),
    { numRuns: 500 },
  );
});

test('fields without a column are passed over, and too many are an error', () => {
  const { rows, errorCount } = parse('1,"a\nb",3\n4,5,6,7\n8\n', [
    textColumn('a'),
    null,
    textColumn('c'),
  ]);
  expect(rows).toEqual([
    ['1', '3'],
    ['8', null],
  ]);
  expect(errorCount).toBe(1);
});
