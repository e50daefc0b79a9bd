/**
 * Goal: Parquet files that others wrote are read, every type, encoding and codec, and nothing is held afterwards.
 * Damaged ones: parquet-reader-damage.test.ts.
 *
 * The files in test/fixtures/parquet were written by pyarrow, DuckDB and parquet-rs (make.py there).
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeOf } from '../../../../base/typed-error.ts';
import type { FieldType } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import { discoverParquet, readParquet } from '../../../support/parquet-files.ts';
import {
  codecs,
  decimal,
  declared,
  duck,
  few,
  fixture,
  int64,
  listOf,
  narrowed,
  nested,
  structOf,
} from '../../../support/parquet-fixtures.ts';
import { parquetFolder } from '../../../support/pyarrow.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

type Plain = Record<string, unknown>;

/** Rows as `rows.json` has them. */
function plainRows(rows: readonly Plain[]): Plain[] {
  const plain = (name: string, value: unknown) => {
    if (name === 'ms') return Number(value) * 1000;
    if (typeof value === 'bigint') return Number(value);
    return value instanceof Uint8Array ? [...value] : value;
  };
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)])),
  );
}

const expected = JSON.parse(
  fs.readFileSync(path.join(parquetFolder, 'rows.json'), 'utf8'),
) as Plain[];

function expectedOf({ fields }: Schema): Plain[] {
  const names = fields.map((field) => field.name);
  return expected.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
}

test.each([
  ['usual', declared],
  ['small-pages', declared],
  ['version-2', declared],
  ['plain', declared],
  ['deltas-1', declared],
  ['deltas-2', declared],
  ['duckdb-v1', duck],
  ['duckdb-v2', duck],
  ['integer-decimals', narrowed(declared, 'small', 'price', 'huge')],
  ['int96', narrowed(declared, 'us', 'ns')],
  ...codecs.map((name): [string, Schema] => [name, few]),
] as const)('all columns of %s', async (name, schema) => {
  const rows = (await readParquet({ path: fixture(name), declared: schema })).flat();
  expect(plainRows(rows)).toEqual(expectedOf(schema));
});

test('a file of parquet-rs', async () => {
  const schema = schemaOf(
    fieldOf('r_name', { kind: 'utf8' }),
    fieldOf('r_regionkey', int64),
    fieldOf('r_comment', { kind: 'utf8' }),
  );
  const rows = (await readParquet({ path: fixture('parquet-rs'), declared: schema })).flat();
  expect(rows.map((row) => row.r_name)).toEqual([
    'AFRICA',
    'AMERICA',
    'ASIA',
    'EUROPE',
    'MIDDLE EAST',
  ]);
  expect(rows.map((row) => row.r_regionkey)).toEqual([0n, 1n, 2n, 3n, 4n]);
  expect(String(rows[0]?.r_comment)).toContain('blithely final packages');
});

test('a column alone is read without the others, and in the order of the job', async () => {
  for (const { name } of declared.fields) {
    const schema = narrowed(declared, name, 'u8');
    const reading = { path: fixture('small-pages'), declared, schema };
    expect(plainRows((await readParquet(reading)).flat())).toEqual(expectedOf(schema));
  }
});

test('no columns are rows that can be counted', async () => {
  const reading = { path: fixture('small-pages'), declared, schema: { fields: [] } };
  expect((await readParquet(reading)).flat()).toHaveLength(120);
  expect((await readParquet({ path: fixture('no-rows'), declared })).flat()).toEqual([]);
});

test('all files of a folder', async () => {
  const reading = { path: fixture('codec-*'), declared: few };
  expect((await readParquet({ ...reading, parallelism: 3 })).flat()).toHaveLength(720);
  expect((await discoverParquet(reading)).inputCount).toBe(6);
});

test.each`
  name       | type                                 | file
  ${'i8'}    | ${{ kind: 'int16' }}                 | ${'usual'}
  ${'i8'}    | ${int64}                             | ${'deltas-1'}
  ${'u16'}   | ${{ kind: 'int32' }}                 | ${'usual'}
  ${'u32'}   | ${int64}                             | ${'plain'}
  ${'i16'}   | ${{ kind: 'float64' }}               | ${'usual'}
  ${'f32'}   | ${{ kind: 'float64' }}               | ${'plain'}
  ${'text'}  | ${{ kind: 'binary' }}                | ${'usual'}
  ${'ms'}    | ${{ kind: 'timestamp', unit: 'us' }} | ${'plain'}
  ${'price'} | ${decimal(38, 2)}                    | ${'integer-decimals'}
`('$name is read as $type.kind', async ({ name, type, file }) => {
  const schema = schemaOf(fieldOf(name, type, true));
  const rows = (await readParquet({ path: fixture(file), declared: schema })).flat();
  const found = plainRows(rows).map((row) => row[name]);
  const bytes = (value: unknown) =>
    typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
  const times = name === 'ms' ? 1000 : 1;
  const wanted = expected.map((row) => (type.kind === 'binary' ? bytes(row[name]) : row[name]));
  expect(found).toEqual(times === 1 ? wanted : wanted.map((value) => Number(value) * times));
});

async function errorOf(reading: Parameters<typeof readParquet>[0]): Promise<Error> {
  return readParquet(reading).then(
    () => new Error('it was read'),
    (error: Error) => error,
  );
}

test.each`
  field                                  | message
  ${fieldOf('i46', int64)}               | ${'has no column "i46"; its columns are "i16", "i64"'}
  ${fieldOf('i64', { kind: 'int32' })}   | ${'is int64, not int32'}
  ${fieldOf('u32', { kind: 'int32' })}   | ${'is uint32, not int32'}
  ${fieldOf('text', { kind: 'int32' })}  | ${'is utf8, not int32'}
  ${fieldOf('raw', { kind: 'date' })}    | ${'is binary, not date'}
  ${fieldOf('id', { kind: 'utf8' })}     | ${'is binary(16), not utf8'}
  ${fieldOf('price', decimal(10, 2))}    | ${'is decimal(12,2), not decimal(10,2)'}
  ${fieldOf('ms', { kind: 'date' })}     | ${'is timestamp(ms), not date'}
  ${fieldOf('clock', { kind: 'int32' })} | ${'is time(us), not int32'}
  ${fieldOf('list', int64)}              | ${'is list<int32?>, not int64'}
  ${fieldOf('pair', int64)}              | ${'is struct<a int64?, b utf8?>, not int64'}
  ${fieldOf('other', { kind: 'utf8' })}  | ${'is map, not utf8'}
`('other columns than declared: $message', async ({ field, message }) => {
  const error = await errorOf({ path: fixture('usual'), declared: schemaOf(field) });
  expect(codeOf(error)).toBe('SCHEMA_MISMATCH');
  expect(error.message).toContain(message);
  expect(error.message).toContain('usual.parquet');
});

function plainNested(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plainNested);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plainNested(part)]));
}

test.each(['usual', 'small-pages', 'version-2', 'duckdb-v1', 'duckdb-v2'])(
  'lists and structs of %s',
  async (name) => {
    const declaredToo = schemaOf(...nested.fields, ...narrowed(declared, 'i64', 'text').fields);
    const rows = (await readParquet({ path: fixture(name), declared: declaredToo })).flat();
    expect(rows.map(plainNested)).toEqual(expectedOf(declaredToo));
  },
);

test('a map is a list of its entries, and fields of structs are found by name', async () => {
  const entry = structOf(
    fieldOf('value', { kind: 'int32' }, true),
    fieldOf('key', { kind: 'utf8' }),
  );
  const map = schemaOf(
    fieldOf('other', listOf(entry), true),
    fieldOf('pair', structOf(fieldOf('b', { kind: 'utf8' }, true)), true),
  );
  const rows = (await readParquet({ path: fixture('small-pages'), declared: map })).flat();
  expect(rows).toHaveLength(120);
  expect(rows[7]).toEqual({ other: [{ value: 7, key: 'k' }], pair: { b: 'b7' } });
});

test('a null within a list that has none names column and rows', async () => {
  const strict = schemaOf(fieldOf('list', listOf({ kind: 'int32' }), true));
  const error = await errorOf({ path: fixture('small-pages'), declared: strict });
  expect(codeOf(error)).toBe('VALUE_IS_NULL');
  expect(error.message).toMatch(
    /column "list\[\]" of Parquet file ".*" has a null in rows 0 to 49$/,
  );
});

test('a null where none may be names file, column and row', async () => {
  const strict = schemaOf(fieldOf('i8', { kind: 'int8' }));
  const error = await errorOf({ path: fixture('small-pages'), declared: strict });
  expect(codeOf(error)).toBe('VALUE_IS_NULL');
  expect(error.message).toMatch(/column "i8" of Parquet file ".*" has a null in row 0$/);
  const later = schemaOf(fieldOf('text', { kind: 'utf8' }));
  const folder = path.join(parquetFolder, 'codec-zstd.parquet');
  expect((await errorOf({ path: folder, declared: later })).message).toContain('row 0');
});

test('a timestamp with nanoseconds is read as int64, and never rounded', async () => {
  const as = (type: FieldType) => ({
    path: fixture('nanos'),
    declared: schemaOf(fieldOf('nanos', type)),
  });
  const error = await errorOf(as({ kind: 'timestamp', unit: 'us' }));
  expect(codeOf(error)).toBe('VALUE_OUT_OF_RANGE');
  expect(error.message).toContain('is no timestamp(us), in its dictionary');
  const rows = (await readParquet(as(int64))).flat();
  expect(rows.map((row) => row.nanos)).toEqual([1n, 2_000n, 3_000_000n]);
});

test('what is no Parquet file says so', async () => {
  const folder = tempFolder({ 'a.parquet': 'auction,bidder\n1,2\n', 'empty.parquet': '' });
  for (const name of ['a.parquet', 'empty.parquet']) {
    const error = await errorOf({ path: path.join(folder, name), declared: few });
    expect(error.message).toContain(`${name}" is no Parquet file`);
  }
});

test('a wrong checksum is noticed, also where the page could be read', async () => {
  const bytes = fs.readFileSync(fixture('small-pages'));
  const file = path.join(tempFolder(), 'changed.parquet');
  // The column's pages are within these bytes.
  const schema = narrowed(declared, 'i16');
  const messages: string[] = [];
  for (let at = 500; at < 4000; at += 10) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    fs.writeFileSync(file, changed);
    messages.push((await errorOf({ path: file, declared: schema })).message);
  }
  const sum = 'changed.parquet" has a page whose checksum is wrong, in column "i16"';
  expect(messages.filter((message) => message.includes(sum)).length).toBeGreaterThan(5);
});
