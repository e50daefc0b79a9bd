/**
 * Parquet files cut off and changed, for tests: whatever bytes a file has, reading it must give rows or a typed error
 * that names the file. What is read is what the file has, with a predicate on top, so that indexes, Bloom filters
 * and dictionaries are asked too.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { codeOf } from '../../base/typed-error.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { columnExpr, inExpr, logicExpr } from '../../engine/expr/expr-factory.ts';
import { typedLiteral } from '../../engine/expr/literal.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { readParquet } from './parquet-files.ts';
import { tempFolder } from './temp-folder.ts';

/** What a damaged file may come to, besides its rows or others of the same form. */
const codesOfDamage = [
  ...['PARQUET_CORRUPT', 'PARQUET_FEATURE_UNSUPPORTED', 'SCHEMA_MISMATCH', 'TEXT_INVALID_UTF8'],
  ...['VALUE_IS_NULL', 'VALUE_OUT_OF_RANGE', 'MEMORY_EXHAUSTED'],
];

export interface SoundFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly schema: Schema;
}

/** Reads the bytes as a file, without and with a predicate: the error's code, or null where there were rows. */
async function harmOf({ name, schema }: SoundFile, damaged: Uint8Array, folder: string) {
  const file = path.join(folder, `${name}.parquet`);
  fs.writeFileSync(file, damaged);
  const codes: (string | null)[] = [];
  for (const predicate of [null, predicateOf(schema)]) {
    try {
      await readParquet({ path: file, declared: schema, predicate });
      codes.push(null);
    } catch (error) {
      const code = codeOf(error);
      expect(codesOfDamage, String(error)).toContain(code);
      if (code !== 'MEMORY_EXHAUSTED') expect(String(error)).toContain(path.basename(file));
      codes.push(code);
    }
  }
  return codes;
}

/** Each length that `step` comes to, from 0 on: all are refused as damaged. */
export async function expectCutsRefused(file: SoundFile, step = 1): Promise<void> {
  const folder = tempFolder();
  for (let size = 0; size < file.bytes.length; size += step) {
    const codes = await harmOf(file, file.bytes.subarray(0, size), folder);
    expect(codes, `cut to ${size} bytes`).toEqual(['PARQUET_CORRUPT', 'PARQUET_CORRUPT']);
  }
}

/** Each byte that `step` comes to, in one bit or all: no harm is done. */
export async function expectNoHarm(file: SoundFile, step = 1): Promise<void> {
  const folder = tempFolder();
  for (let at = 0; at < file.bytes.length; at += step) {
    const damaged = Uint8Array.from(file.bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (at % 3 === 0 ? 0xff : 1 << (at % 8));
    await harmOf(file, damaged, folder);
  }
}

/** Of the columns that have literals, each is asked for a value. */
function predicateOf({ fields }: Schema): Expr | null {
  const conditions = fields.flatMap((field) => {
    const { kind } = field.type;
    const value = kind === 'utf8' ? 'green' : kind === 'int64' ? 7n : kind === 'int32' ? 7 : null;
    return value === null ? [] : [inExpr(columnExpr(field), [typedLiteral(value, field.type)])];
  });
  return conditions.reduce((left: Expr | null, right) => {
    return left === null ? right : logicExpr('or', left, right);
  }, null);
}
