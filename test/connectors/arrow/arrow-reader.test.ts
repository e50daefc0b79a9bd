/**
 * Goal: Arrow files that others wrote are read, every type and way to lay it out; damaged ones are
 * refused with their name, and nothing is held afterwards.
 *
 * The files in test/fixtures/arrow were written by pyarrow and Polars (make.py there).
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { discoverArrow, readArrow } from '../../support/arrow-files.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const fixtures = path.resolve(import.meta.dirname, '../../fixtures/arrow');
const fixture = (name: string) => path.join(fixtures, name);

const kinds = {
  ...{ i8: 'int8', i16: 'int16', i32: 'int32', u8: 'uint8', u16: 'uint16', u32: 'uint32' },
  ...{ f32: 'float32', f64: 'float64', yes: 'bool', text: 'utf8', large: 'utf8', view: 'utf8' },
  ...{ raw: 'binary', color: 'utf8', day: 'date' },
} as const;
const declared: Schema = schemaOf(
  ...Object.entries(kinds).map(([name, kind]) => fieldOf(name, { kind } as FieldType, true)),
  fieldOf('i64', { kind: 'int64', js: 'bigint' }, true),
  fieldOf('ms', { kind: 'timestamp', unit: 'ms' }),
  fieldOf('us', { kind: 'timestamp', unit: 'us' }),
  fieldOf('price', { kind: 'decimal', precision: 12, scale: 2 }),
  fieldOf('list', { kind: 'list', item: { type: { kind: 'int32' }, nullable: true } }, true),
  fieldOf(
    'pair',
    {
      kind: 'struct',
      fields: [fieldOf('a', { kind: 'int64', js: 'bigint' }), fieldOf('b', { kind: 'utf8' }, true)],
    },
    true,
  ),
);

function narrowed(schema: Schema, ...names: string[]): Schema {
  return { fields: schema.fields.filter(({ name }) => names.includes(name)) };
}

type Plain = Record<string, unknown>;

/** Rows as `rows.json` has them. */
function plainRows(rows: readonly Plain[]): Plain[] {
  const plain = (name: string, value: unknown): unknown => {
    if (name === 'ms') return Number(value) * 1000;
    if (typeof value === 'bigint') return Number(value);
    if (name === 'pair' && value !== null) return plainRows([value as Plain])[0];
    return value instanceof Uint8Array ? [...value] : value;
  };
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(name, value)])),
  );
}

const expected = JSON.parse(fs.readFileSync(fixture('rows.json'), 'utf8')) as Plain[];

function expectedOf({ fields }: Schema): Plain[] {
  const names = fields.map((field) => field.name);
  return expected.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
}

const files = ['pyarrow-small.arrow', 'pyarrow-small.arrows', 'pyarrow-whole.arrow'];
const others = ['pyarrow-whole.arrows', 'polars.arrow', 'polars.arrows'];

test.each([...files, ...others])('all columns of %s', async (name) => {
  const rows = (await readArrow({ path: fixture(name), declared })).flat();
  expect(plainRows(rows)).toEqual(expectedOf(declared));
});

test('a column alone is read without the others, and in the order of the job', async () => {
  for (const { name } of declared.fields) {
    const schema = narrowed(declared, name, 'u8');
    const rows = (
      await readArrow({ path: fixture('pyarrow-small.arrow'), declared, schema })
    ).flat();
    expect(plainRows(rows)).toEqual(expectedOf(schema));
  }
});

test('no columns are rows that can be counted', async () => {
  const reading = { path: fixture('pyarrow-small.arrow'), declared, schema: { fields: [] } };
  expect((await readArrow(reading)).flat()).toHaveLength(40);
});

test('all files of a folder', async () => {
  const reading = { path: fixture('pyarrow-*.{arrow,arrows}'), declared: narrowed(declared, 'u8') };
  expect((await readArrow({ ...reading, parallelism: 3 })).flat()).toHaveLength(160);
  expect((await discoverArrow(reading)).inputCount).toBe(4);
});

const color = schemaOf(fieldOf('color', { kind: 'utf8' }, true));

test.each`
  name                            | colors
  ${'dictionary-delta.arrow'}     | ${['green', null, 'red', 'blue', null, 'red']}
  ${'dictionary-delta.arrows'}    | ${['green', null, 'red', 'blue', null, 'red']}
  ${'dictionary-replaced.arrows'} | ${['green', null, 'red', 'blue', null, 'red', 'red', null, 'blue']}
`('dictionaries that change: $name', async ({ name, colors }) => {
  const rows = (await readArrow({ path: fixture(name), declared: color })).flat();
  expect(rows.map((row) => row.color)).toEqual(colors);
});

async function errorOf(reading: Parameters<typeof readArrow>[0]): Promise<Error> {
  return readArrow(reading).then(
    () => new Error('it was read'),
    (error: Error) => error,
  );
}

test.each`
  field                                                | message
  ${fieldOf('i46', { kind: 'int64', js: 'bigint' })}   | ${'has no column "i46"; its columns are "i16", "i64"'}
  ${fieldOf('i64', { kind: 'int32' })}                 | ${'is int64, not int32'}
  ${fieldOf('text', { kind: 'binary' })}               | ${'is utf8, not binary'}
  ${fieldOf('other', { kind: 'int64', js: 'bigint' })} | ${'is duration, not int64'}
  ${fieldOf('us', { kind: 'timestamp', unit: 'ms' })}  | ${'is timestamp(us), not timestamp(ms)'}
  ${fieldOf('color', { kind: 'int32' })}               | ${'is dictionary<utf8>, not int32'}
`('other columns than declared: $message', async ({ field, message }) => {
  const error = await errorOf({ path: fixture('pyarrow-whole.arrow'), declared: schemaOf(field) });
  expect(codeOf(error)).toBe('SCHEMA_MISMATCH');
  expect(error.message).toContain(message);
  expect(error.message).toContain('pyarrow-whole.arrow');
});

test('a null where none may be names file, column and row', async () => {
  const strict = schemaOf(fieldOf('text', { kind: 'utf8' }));
  const error = await errorOf({ path: fixture('pyarrow-small.arrow'), declared: strict });
  expect(codeOf(error)).toBe('VALUE_IS_NULL');
  expect(error.message).toMatch(/column "text" of Arrow file ".*" has a null, in row 0/);
});

test.each(['lz4.arrow', 'zstd.arrow'])('%s is unpacked', async (name) => {
  const schema = schemaOf(fieldOf('text', { kind: 'utf8' }, true));
  const rows = (await readArrow({ path: fixture(name), declared: schema })).flat();
  expect(rows).toEqual(Array(200).fill({ text: 'abc'.repeat(50) }));
});

test('what is no Arrow file says so', async () => {
  const folder = tempFolder({ 'a.arrow': 'auction,bidder\n1,2\n', 'empty.arrow': '' });
  for (const name of ['a.arrow', 'empty.arrow']) {
    const error = await errorOf({ path: path.join(folder, name), declared: color });
    expect(error.message).toContain(`${name}" is no Arrow IPC file or stream`);
  }
});

const codesOfDamage = [
  ...['ARROW_CORRUPT', 'ARROW_FEATURE_UNSUPPORTED', 'SCHEMA_MISMATCH', 'TEXT_INVALID_UTF8'],
  ...['VALUE_IS_NULL', 'MEMORY_EXHAUSTED'],
];

/** Reads what is at the path; it has to be the rows, others of the same form, or a typed error. */
async function expectNoHarm(file: string, schema: Schema): Promise<void> {
  try {
    await readArrow({ path: file, declared: schema });
  } catch (error) {
    expect(codesOfDamage, String(error)).toContain(codeOf(error));
    if (codeOf(error) !== 'MEMORY_EXHAUSTED') expect(String(error)).toContain(path.basename(file));
  }
}

test.each([
  ['pyarrow-whole.arrow', narrowed(declared, 'i64', 'yes', 'text', 'view', 'large', 'color')],
  ['pyarrow-small.arrows', narrowed(declared, 'i8', 'text', 'color')],
  ['dictionary-delta.arrow', color],
] as const)('%s cut off anywhere is refused', async (name, schema) => {
  const bytes = fs.readFileSync(fixture(name));
  const file = path.join(tempFolder(), name);
  const step = Math.max(1, Math.floor(bytes.length / 400));
  for (let size = 0; size < bytes.length - 8; size += step) {
    fs.writeFileSync(file, bytes.subarray(0, size));
    await expectNoHarm(file, schema);
    if (name.endsWith('.arrow')) {
      expect(codeOf(await errorOf({ path: file, declared: schema }))).toBe('ARROW_CORRUPT');
    }
  }
});

test.each([
  [
    'pyarrow-whole.arrow',
    narrowed(declared, 'i64', 'yes', 'text', 'view', 'large', 'color', 'list', 'pair'),
  ],
  ['polars.arrows', narrowed(declared, 'i8', 'text', 'color', 'list', 'pair')],
  ['dictionary-delta.arrows', color],
  ['lz4.arrow', narrowed(declared, 'text')],
  ['zstd.arrow', narrowed(declared, 'text')],
] as const)('%s with damaged bytes does no harm', async (name, schema) => {
  const bytes = fs.readFileSync(fixture(name));
  const file = path.join(tempFolder(), name);
  const step = Math.max(1, Math.floor(bytes.length / 1500));
  for (let at = 0; at < bytes.length; at += step) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    if (at % 3 === 0) damaged[at] = 0xff;
    fs.writeFileSync(file, damaged);
    await expectNoHarm(file, schema);
  }
});
