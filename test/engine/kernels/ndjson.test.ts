/**
 * Goal: the kernel accepts the lines that JSON.parse accepts, and gives the same values; what it leaves
 * as a fixup is the text of the value.
 */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { membersOf } from '../../../engine/kernels/ndjson.ts';
import { type RecordColumn, RecordState } from '../../support/record-state.ts';
import { encode, KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();
beforeEach(() => arena.reset());

/** Values of the columns by row, fixups as the JSON that they stand for, and the count of errors. */
function parse(text: string, columns: readonly RecordColumn[], shift = 0) {
  arena.reset();
  const state = new RecordState(arena, columns);
  const bytes = encode(text);
  const from = arena.put(bytes, shift);
  const end = from + bytes.length;
  const rowCount = arena.kernels.parseNdjson(from, end, state.address, 0, state.rowsMax);
  expect(state.get('consumed')).toBe(end);
  let fixupCount = 0;
  const rows = state.readRows(rowCount, (cell) => {
    fixupCount++;
    return JSON.parse(cell);
  });
  return { rows, errorCount: state.get('errorCount'), fixupCount };
}

const columns: readonly RecordColumn[] = [
  { name: 'a', kind: 'int64', isNullable: true },
  { name: 'b', kind: 'utf8', isNullable: true },
  { name: 'longer name', kind: 'float64', isNullable: true },
  { name: 'c', kind: 'bool', isNullable: true },
  { name: 'd', kind: 'int32', isNullable: true },
];

/** What the reference says of a text: rows, and how many lines are bad. */
function expectedOf(text: string) {
  const rows: unknown[][] = [];
  let errorCount = 0;
  for (const line of text.split('\n').slice(0, -1)) {
    const members = membersOf(line);
    if (members === 'bad') errorCount++;
    else if (members !== 'empty') {
      rows.push(columns.map(({ name, kind }) => stored(kind, members[name] ?? null)));
    }
  }
  return { rows, errorCount };
}

/** UTF-8 has no lone surrogates, and whole numbers no -0. */
function stored(kind: RecordColumn['kind'], value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  return typeof value === 'number' && kind.startsWith('int') ? value + 0 : value;
}

function expectAsReference(text: string, shift = 0) {
  const { rows, errorCount } = parse(text, columns, shift);
  const expected = expectedOf(text);
  // A fixup is the value's JSON, in which surrogates and -0 are as they were written.
  const asStored = rows.map((row) =>
    row.map((value, at) => stored(columns[at]?.kind ?? 'utf8', value)),
  );
  expect(asStored).toEqual(expected.rows);
  expect(errorCount).toBe(expected.errorCount);
}

const scalars = fc.oneof(
  fc.constantFrom(
    'null',
    'true',
    'false',
    '0',
    '-0',
    '12',
    '-7',
    '1.5',
    '1e2',
    '123456789012',
    '0.1',
    '""',
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc.string({ maxLength: 30 }).map((value) => JSON.stringify(value)),
  fc.string({ maxLength: 12, unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.constantFrom('"\\u00e9\\ud83d\\ude00"', '"\\ud83d x"', '"\\/\\b"', '[1,"]"]', '{"x":{}}'),
);
const names = fc.constantFrom('a', 'b', 'longer name', 'c', 'd', 'e', 'aa', '\\u0061', '');
const objects = fc
  .array(fc.tuple(names, scalars, fc.constantFrom('', ' ', '\t')), { maxLength: 7 })
  .map(
    (members) =>
      `{${members.map(([name, value, space]) => `"${name}"${space}:${space}${value}`).join(',')}}`,
  );

test('lines of any members in any order are what JSON.parse makes of them', () => {
  fc.assert(
    fc.property(fc.array(objects, { maxLength: 15 }), fc.nat(15), (lines, shift) => {
      expectAsReference(lines.map((line) => `${line}\n`).join(''), shift);
    }),
    { numRuns: 1500 },
  );
});

test('lines of one form, read by a template', () => {
  const values = fc.tuple(scalars, scalars, scalars, scalars, scalars, scalars);
  fc.assert(
    fc.property(
      fc.array(values, { minLength: 2, maxLength: 20 }),
      fc.constantFrom('', ' '),
      (lines, space) => {
        const text = lines
          .map(
            ([a, b, c, d, e, f]) =>
              `{"b":${b},${space}"a":${a},"x":${f},"longer name":${c},"d":${d},"c":${e}}\n`,
          )
          .join('');
        expectAsReference(text);
      },
    ),
    { numRuns: 800 },
  );
});

test('a line with any one byte changed, lost or doubled is accepted when JSON.parse accepts it', () => {
  const line = '{"a":-12.5e+1,"b":"x\\u00e9\\n","c":[true,{"y":null}],"d":false}';
  const good = '{"a":1,"b":"z","c":true,"d":2}\n';
  for (let at = 0; at < line.length; at++) {
    for (const piece of [
      '',
      '"',
      '\\',
      ',',
      ':',
      '{',
      '}',
      '[',
      ']',
      '0',
      'e',
      '-',
      '.',
      ' ',
      'u',
      '\t',
      '\u0001',
    ]) {
      const changed = `${line.slice(0, at)}${piece}${line.slice(at + 1)}`;
      expectAsReference(`${good}${changed}\n${good}`);
      const longer = `${line.slice(0, at)}${piece}${line.slice(at)}`;
      expectAsReference(`${longer}\n`);
    }
  }
});

test('every usual value is read by the kernel itself', () => {
  const line =
    '{"a":-1234567890123456789,"b":"text","longer name":-12345.678901,"c":true,"d":null}\n';
  expect(parse(line.repeat(3), columns).fixupCount).toBe(0);
});

test('a text is closed at every distance from the 16 bytes that are looked at', () => {
  for (let length = 0; length < 70; length++) {
    const text = 'x'.repeat(length);
    expectAsReference(
      `{"b":"${text}"}\n{"b":"${text}é"}\n{"b":"${text}\\n${text}"}\n`,
      length % 16,
    );
  }
});

test('a column that may not be null makes a line bad that has none', () => {
  const strict: RecordColumn[] = [{ name: 'a', kind: 'int64', isNullable: false }];
  expect(parse('{"a":1}\n{}\n{"a":null}\n{"a":2}\n', strict)).toMatchObject({
    rows: [[1], [2]],
    errorCount: 2,
  });
});
