/**
 * Goal: Bloom filters of other writers and of our own never deny a value that is there, and deny nearly all
 * others; a damaged one is refused, or answers.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createRealSyncDisk } from '../../../../base/env/real-sync-disk.ts';
import { codeOf } from '../../../../base/typed-error.ts';
import { partsOf } from '../../../../connectors/parquet/plan/parquet-split.ts';
import { bloomFilterOf } from '../../../../connectors/parquet/read/bloom-filter.ts';
import type { SlotContext } from '../../../../engine/contracts/connector.ts';
import { columnExpr, compareExpr, logicExpr } from '../../../../engine/expr/expr-factory.ts';
import type { Value } from '../../../../engine/expr/value.ts';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { type FieldType, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import { makeBatch } from '../../../support/batches.ts';
import {
  discoverParquet,
  type ParquetFile,
  readParquet,
  writeParquet,
} from '../../../support/parquet-files.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const fixtures = path.resolve(import.meta.dirname, '../../../fixtures/parquet');
const disk = createRealSyncDisk();
const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);

type Filters = ReadonlyMap<string, (value: Value) => boolean>;

/** Shows the filters of each row group, by name. */
async function withFilters(file: string, schema: Schema, show: (filters: Filters[]) => void) {
  const predicate = schema.fields
    .map((field) => compareExpr('eq', columnExpr(field), columnExpr(field)))
    .reduce((left, right) => logicExpr('or', left, right));
  const { splits } = await discoverParquet({ path: file, declared: schema, predicate });
  const opened = disk.open(file, 'read');
  const column = { context: { disk } as SlotContext, file: opened, path: file };
  try {
    const filtersOf = splits.flatMap(({ payload }) => partsOf(payload));
    show(
      filtersOf.flatMap(({ columns, pieces }) =>
        pieces.map(
          ({ chunks }) =>
            new Map(
              columns.flatMap(({ name, leaves: [leaf] }, index) => {
                const place = chunks[index]?.[0]?.hints?.bloomFilter ?? null;
                if (leaf === undefined || place === null) return [];
                return [[name, bloomFilterOf({ ...column, name }, leaf, place.offset)]];
              }),
            ),
        ),
      ),
    );
  } finally {
    disk.close(opened);
  }
}

const of = (kind: string) => ({ kind }) as FieldType;
const decimal = (precision: number, scale: number): FieldType => ({
  kind: 'decimal',
  precision,
  scale,
});

/** The declared type, and values that are not there. */
const columns: Readonly<Record<string, readonly [FieldType, readonly Value[]]>> = {
  i8: [of('int8'), [100, 101, 102, -90]],
  i16: [of('int32'), [5, 6, 7, 40_000]],
  i32: [int64Type, [5n, 6n, 7n]],
  i64: [int64Type, [1n, 2n, 3n]],
  u8: [of('uint8'), [0, 1, 2, 3]],
  u16: [of('uint16'), [1, 2, 3]],
  u32: [int64Type, [1n, 2n, 3n, -1n]],
  f32: [of('float64'), [0.125, 0.126, 1e300]],
  f64: [of('float64'), [0.1, 0.2, 0.3]],
  path: [utf8Type, ['a', 'b', 'a/long/path/of/11/parts/1']],
  raw: [of('binary'), [Uint8Array.of(1), Uint8Array.of(1, 2, 3)]],
  id: [of('binary'), [Uint8Array.of(1), new Uint8Array(16).fill(7)]],
  color: [utf8Type, ['light', 'dark', 'purple']],
  day: [of('date'), [1, 2, 3]],
  ms: [{ kind: 'timestamp', unit: 'us' }, [1n, 2000n, 3000n]],
  us: [{ kind: 'timestamp', unit: 'us' }, [1n, 2n, 3n]],
  small: [decimal(9, 2), [1_000_000n, 1_000_001n]],
  price: [decimal(15, 2), [1n, 2n, 3n]],
  huge: [decimal(38, 4), [1n, 2n, 3n, -4n]],
};

test.each([
  ['bloom-pyarrow', 2, Object.keys(columns)],
  ['bloom-duckdb', 1, Object.keys(columns).filter((name) => name !== 'id')],
] as const)('the filters of %s', async (name, groupCount, names) => {
  const file = path.join(fixtures, `${name}.parquet`);
  const schema = schemaOf(
    ...names.map((one) => fieldOf(one, columns[one]?.[0] as FieldType, true)),
  );
  const rows = (await readParquet({ path: file, declared: schema })).flat();
  await withFilters(file, schema, (filters) => {
    expect(filters).toHaveLength(groupCount);
    let [denied, asked] = [0, 0];
    for (const one of names) {
      const mayHave = (value: Value) =>
        filters.some((filter) => filter.get(one)?.(value) !== false);
      const type = columns[one]?.[0] as FieldType;
      for (const row of rows) {
        if (row[one] !== null) expect(mayHave(computedValueOf(row[one], type)), one).toBe(true);
      }
      for (const value of columns[one]?.[1] ?? []) {
        asked++;
        if (!mayHave(value)) denied++;
      }
    }
    // DuckDB has no filter of small integers.
    expect(denied / asked).toBeGreaterThan(0.9);
  });
});

/** As expressions compute with it: rows are shown in another form. */
function computedValueOf(shown: unknown, type: FieldType): Value {
  if (type.kind === 'decimal') return BigInt(String(shown).replace('.', ''));
  if (type.kind === 'date') return Date.parse(String(shown)) / 86_400_000;
  if (type.kind === 'timestamp') return BigInt(shown as number | bigint);
  return shown as Value;
}

const id = fieldOf('id', int64Type);
const word = fieldOf('word', utf8Type, true);
const schema = schemaOf(id, word);
type Settings = NonNullable<ParquetFile['settings']>;

/** 4,000 rows in two row groups: `id` counts in steps of 7, `word` has 100 values. */
function writeRows(settings: Settings): string {
  const file = path.join(tempFolder(), 'rows.parquet');
  const rows = Array.from({ length: 4000 }, (_, index) => [
    BigInt(index) * 7n,
    `word ${index % 100}`,
  ]);
  const batches = [0, 1000, 2000, 3000].map((from) =>
    makeBatch(memory.scope('test'), {
      schema,
      selected: null,
      rows: rows.slice(from, from + 1000),
    }),
  );
  writeParquet(
    { path: file, kernels, settings: { rowGroupRows: 2000, ...settings } },
    schema,
    batches,
  );
  for (const batch of batches) batch.release();
  memory.assertEmpty();
  return file;
}

test.each([0.5, 0.05, 0.001])('of other values a share of %d may be found', async (rate) => {
  const bloomFilters = { columns: ['id', 'word'], falsePositiveRate: rate };
  await withFilters(writeRows({ bloomFilters }), schema, ([first, second]) => {
    const hasId = (value: bigint) => Number(first?.get('id')?.(value));
    for (let at = 0n; at < 2000n; at++) expect(hasId(at * 7n)).toBe(1);
    let found = 0;
    for (let value = 0n; value < 70_000n; value++) if (value % 7n !== 0n) found += hasId(value);
    expect(found / 60_000).toBeLessThan(rate * 1.5);
    expect(found / 60_000).toBeGreaterThan(rate * 0.01);
    expect(second?.get('id')?.(14_000n)).toBe(true);
    for (let at = 0; at < 100; at++) expect(second?.get('word')?.(`word ${at}`)).toBe(true);
  });
});

test('a filter is as small as its values allow', async () => {
  const bloomFilters = { columns: ['word'] };
  const sizes = [false, true].map(
    (isOn) => fs.statSync(writeRows(isOn ? { bloomFilters } : {})).size,
  );
  // Of 100 values 128 bytes and a header, twice; and in the footer where they are.
  expect((sizes[1] ?? 0) - (sizes[0] ?? 0)).toBeLessThan(2 * (256 + 32));
});

test('a damaged filter is refused, or answers', async () => {
  const file = writeRows({ bloomFilters: { columns: ['id'] } });
  const bytes = fs.readFileSync(file);
  const start = bytes.indexOf(Buffer.of(0x15, 0x80, 0x40, 0x1c, 0x1c)); // A header: of 4,096 bytes, in blocks.
  expect(start).toBeGreaterThan(0);
  const codes = new Set<string | null>();
  for (let at = start; at < start + 20; at++) {
    for (const bits of [1, 0x10, 0xff]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ bits;
      fs.writeFileSync(file, damaged);
      await withFilters(file, schema, ([filter]) => filter?.get('id')?.(5n)).then(
        () => codes.add('answers'),
        (error: unknown) => codes.add(codeOf(error)),
      );
    }
  }
  expect([...codes].sort()).toEqual(['PARQUET_CORRUPT', 'answers']);
});

test.each`
  columns       | rate   | message
  ${['id']}     | ${0}   | ${'parquet has no falsePositiveRate of 0'}
  ${['id']}     | ${1}   | ${'parquet has no falsePositiveRate of 1'}
  ${['word.x']} | ${0.1} | ${'parquet writes no Bloom filter of column "word.x"'}
`('a filter with rate $rate of $columns is refused', ({ columns: names, rate, message }) => {
  const bloomFilters = { columns: names, falsePositiveRate: rate };
  expect(() => writeRows({ bloomFilters })).toThrow(message);
});
