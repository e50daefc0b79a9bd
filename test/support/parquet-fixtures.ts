/**
 * Parquet files of other writers (test/fixtures/parquet, whose make.py writes them), and the columns that tests declare
 * of them.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { FieldType } from '../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../engine/schema/schema.ts';
import type { SoundFile } from './damaged-parquet.ts';
import { parquetFolder } from './pyarrow.ts';

export const fixture = (name: string) => path.join(parquetFolder, `${name}.parquet`);

const kinds = {
  ...{ i8: 'int8', i16: 'int16', i32: 'int32', u8: 'uint8', u16: 'uint16', u32: 'uint32' },
  ...{ f16: 'float32', f32: 'float32', f64: 'float64', yes: 'bool', no: 'bool' },
  ...{ text: 'utf8', path: 'utf8', large: 'utf8', color: 'utf8', same: 'utf8' },
  ...{ raw: 'binary', id: 'binary', day: 'date', none: 'int32' },
} as const;
export const int64: FieldType = { kind: 'int64', js: 'bigint' };
export const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});
export const declared: Schema = schemaOf(
  ...Object.entries(kinds).map(([name, kind]) => fieldOf(name, { kind } as FieldType, true)),
  fieldOf('i64', int64, true),
  fieldOf('u64', int64),
  fieldOf('clock', int64),
  fieldOf('ms', { kind: 'timestamp', unit: 'ms' }),
  fieldOf('us', { kind: 'timestamp', unit: 'us' }),
  fieldOf('ns', { kind: 'timestamp', unit: 'us' }, true),
  fieldOf('small', decimal(7, 2)),
  fieldOf('price', decimal(12, 2), true),
  fieldOf('huge', decimal(38, 4)),
);

export function narrowed(schema: Schema, ...names: string[]): Schema {
  return { fields: schema.fields.filter(({ name }) => names.includes(name)) };
}

function without(schema: Schema, ...names: string[]): Schema {
  return { fields: schema.fields.filter(({ name }) => !names.includes(name)) };
}

export const duck = without(declared, 'f16', 'large', 'id', 'clock');
export const few = narrowed(declared, 'i64', 'text', 'path');
export const codecs = ['none', 'snappy', 'gzip', 'brotli', 'lz4', 'zstd'].map(
  (name) => `codec-${name}`,
);

export const listOf = (type: FieldType, nullable = false): FieldType => ({
  kind: 'list',
  item: { type, nullable },
});
export const structOf = (...fields: Field[]): FieldType => ({ kind: 'struct', fields });
export const nested: Schema = schemaOf(
  fieldOf('list', listOf({ kind: 'int32' }, true), true),
  fieldOf('texts', listOf({ kind: 'utf8' })),
  fieldOf('pair', structOf(fieldOf('a', int64, true), fieldOf('b', { kind: 'utf8' }, true)), true),
  fieldOf(
    'deep',
    listOf(
      structOf(
        fieldOf('name', { kind: 'utf8' }),
        fieldOf('tags', listOf({ kind: 'bool' }, true), true),
      ),
      true,
    ),
    true,
  ),
);

/** Files with the columns that are read of them: all types, encodings and codecs, versions of pages, indexes. */
export const soundFiles: readonly SoundFile[] = (
  [
    ['usual', declared],
    ['usual', nested],
    ['small-pages', nested],
    ['version-2', nested],
    ['duckdb-v2', nested],
    ['plain', declared],
    ['deltas-1', declared],
    ['deltas-2', declared],
    ['duckdb-v2', duck],
    ['version-2', narrowed(declared, 'i8', 'i64', 'yes', 'text', 'path', 'price')],
    ['index', narrowed(declared, 'i32', 'i64', 'text', 'day', 'price')],
    ['bloom-pyarrow', narrowed(declared, 'i32', 'color', 'price')],
    ['bloom-duckdb', narrowed(declared, 'i32', 'color', 'price')],
    ...codecs.map((name) => [name, few] as const),
  ] as const
).map(([name, schema]) => ({ name, schema, bytes: fs.readFileSync(fixture(name)) }));
