/**
 * Goal: a dynamic filter leaves out only rows that it does not select, whatever the file says of itself, and
 * what it leaves out is counted.
 */
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../../engine/batch/batch.ts';
import { readRows } from '../../../../engine/batch/row-reader.ts';
import type { DynamicFilter, Skipped } from '../../../../engine/contracts/source.ts';
import type { Expr } from '../../../../engine/expr/expr.ts';
import {
  columnExpr,
  compareExpr,
  inExpr,
  logicExpr,
} from '../../../../engine/expr/expr-factory.ts';
import { typedLiteral } from '../../../../engine/expr/literal.ts';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { int32Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import {
  allTypes,
  type BatchCase,
  batchCases,
  makeBatch,
  schemas,
} from '../../../support/batches.ts';
import {
  type ParquetFile,
  readParquetBatches,
  writeParquet,
} from '../../../support/parquet-files.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const flatTypes = allTypes.filter(({ kind }) => kind !== 'list' && kind !== 'struct');
type Settings = NonNullable<ParquetFile['settings']>;
type Keys = readonly unknown[];

function write(file: string, settings: Settings, specs: readonly BatchCase[]): void {
  const batches = specs.map((spec) => makeBatch(memory.scope('test'), spec));
  writeParquet({ path: file, kernels, settings }, specs[0]?.schema ?? { fields: [] }, batches);
  for (const batch of batches) batch.release();
  memory.assertEmpty();
}

const keyText = (values: Keys): string =>
  JSON.stringify(values, (_, value) => (typeof value === 'bigint' ? `${value}n` : value));

/** Selects rows by comparing their values; counts how many it was asked of. */
class ListFilter implements DynamicFilter {
  readonly fields: readonly Field[];
  readonly predicate: Expr | null;
  askedRows = 0;
  readonly #keys: ReadonlySet<string>;

  constructor(fields: readonly Field[], keys: readonly Keys[], predicate: Expr | null) {
    this.fields = fields;
    this.predicate = predicate;
    this.#keys = new Set(keys.map(keyText));
  }

  has(row: Readonly<Record<string, unknown>>): boolean {
    const values = this.fields.map(({ name }) => row[name]);
    return !values.includes(null) && this.#keys.has(keyText(values));
  }

  select(batch: Batch) {
    expect(batch.schema.fields).toEqual(this.fields);
    expect(batch.selection).toBe(0);
    this.askedRows += batch.rowCount;
    const numbers = readRows(batch).flatMap((row, at) => (this.has(row) ? [at] : []));
    const rowCount = numbers.length;
    if (rowCount === 0 || rowCount === batch.rowCount) return { selection: 0, rowCount };
    const selection = batch.memory.scope('filter').allocate(batch.rowCount * 4);
    batch.memory.uint32.set(numbers, addressOf(selection) >>> 2);
    return { selection, rowCount };
  }
}

interface Read {
  readonly rows: readonly Record<string, unknown>[];
  readonly readCount: number;
  readonly skipped: Skipped;
}

/** The rows that all filters select, of those that are read with the filters. */
async function rowsWith(
  file: string,
  declared: Schema,
  options: { filters: readonly ListFilter[]; isTold: boolean; predicate?: Expr },
): Promise<Read> {
  const { filters, isTold, predicate = null } = options;
  const rows: Record<string, unknown>[] = [];
  const told = isTold ? { filters, predicate } : {};
  const skipped = await readParquetBatches({ path: file, declared, ...told }, (batch) => {
    rows.push(...readRows(batch));
  });
  const wanted = rows.filter((row) => filters.every((filter) => filter.has(row)));
  return { rows: wanted, readCount: rows.length, skipped };
}

function literalsOf(values: readonly unknown[], { type }: Field): Expr[] {
  return values.flatMap((value) => {
    try {
      return value === null || value === undefined ? [] : [typedLiteral(value, type)];
    } catch {
      return []; // NaN is no literal.
    }
  });
}

/** A filter of one or two columns, by the keys of some of the rows. */
function filtersOf({ schema, rows }: BatchCase): fc.Arbitrary<ListFilter> {
  return fc
    .record({
      columns: fc.uniqueArray(fc.nat(schema.fields.length - 1), { minLength: 1, maxLength: 2 }),
      chosen: fc.array(fc.nat(Math.max(0, rows.length - 1)), { maxLength: 3 }),
      isKnown: fc.boolean(),
    })
    .map(({ columns, chosen, isKnown }) => {
      const indexes = [...columns].sort((a, b) => a - b);
      const fields = indexes.map((index) => schema.fields[index] as Field);
      const keys = chosen.map((row) => indexes.map((index) => rows[row]?.[index]));
      const parts = fields.flatMap((field, at) => {
        const values = keys.map((key) => key[at]);
        const literals = literalsOf(values, field);
        return literals.length < keys.length || literals.length === 0
          ? []
          : [inExpr(columnExpr(field), literals)];
      });
      const [first, ...others] = parts;
      const predicate =
        isKnown && first ? others.reduce((all, one) => logicExpr('and', all, one), first) : null;
      return new ListFilter(fields, keys, predicate);
    });
}

test('with any filters the rows are those that they select', { timeout: 60_000 }, async () => {
  const file = path.join(tempFolder(), 'rows.parquet');
  const cases = batchCases({ schema: schemas(flatTypes) }).chain((spec) => {
    const one = { ...spec, selected: null };
    return fc.record({
      spec: fc.constant(one),
      filters: fc.array(filtersOf(one), { minLength: 1, maxLength: 2 }),
      rowGroupRows: fc.constantFrom(5, 1000),
      pageRows: fc.constantFrom(1, 4, 1000),
    });
  });
  let skippedCount = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ spec, filters, rowGroupRows, pageRows }) => {
      // A file without a batch has no columns.
      fc.pre(spec.rows.length > 0);
      write(
        file,
        { rowGroupRows, pageRows },
        spec.rows.map((row) => ({ ...spec, rows: [row] })),
      );
      const whole = await rowsWith(file, spec.schema, { filters, isTold: false });
      const narrow = await rowsWith(file, spec.schema, { filters, isTold: true });
      expect(narrow.rows).toEqual(whole.rows);
      expect(narrow.readCount + narrow.skipped.rows).toBe(spec.rows.length);
      if (narrow.skipped.rows > 0) skippedCount++;
    }),
    { numRuns: 150 },
  );
  expect(skippedCount).toBeGreaterThan(40);
});

const id = fieldOf('id', int64Type);
const word = fieldOf('word', utf8Type);
const note = fieldOf('note', utf8Type, true);
const schema = schemaOf(id, word, note);

/** 1,000 rows: `id` ascending, `word` one of four; 4 row groups of 25 pages. */
function writeRows(): string {
  const file = path.join(tempFolder(), 'rows.parquet');
  const rows = Array.from({ length: 1000 }, (_, index) => [
    BigInt(index),
    `word ${index % 4}`,
    index % 3 === 0 ? null : `a note that is longer than a view, ${index}`,
  ]);
  const specs = Array.from({ length: 100 }, (_, index) => ({
    ...{ schema, selected: null },
    rows: rows.slice(index * 10, index * 10 + 10),
  }));
  write(file, { rowGroupRows: 250, pageRows: 10 }, specs);
  return file;
}

const idIs = (op: 'ge' | 'le' | 'lt', value: number) =>
  compareExpr(op, columnExpr(id), typedLiteral(BigInt(value), int64Type));
const idBetween = (least: number, most: number) =>
  logicExpr('and', idIs('ge', least), idIs('le', most));
const idFilter = (ids: readonly number[], predicate: Expr | null) =>
  new ListFilter(
    [id],
    ids.map((one) => [BigInt(one)]),
    predicate,
  );
const wordFilter = (words: readonly string[]) =>
  new ListFilter(
    [word],
    words.map((one) => [one]),
    null,
  );

test.each`
  title                                 | filters                                                                     | found  | skipped
  ${'bounds within a row group'}        | ${[idFilter([260, 270], idBetween(260, 270))]}                              | ${2}   | ${{ rows: 998, rowGroups: 3, pages: 23 }}
  ${'bounds around all'}                | ${[idFilter([0, 999], idBetween(0, 999))]}                                  | ${2}   | ${{ rows: 998, rowGroups: 0, pages: 0 }}
  ${'keys, one by one'}                 | ${[idFilter([5, 995], inExpr(columnExpr(id), literalsOf([5n, 995n], id)))]} | ${2}   | ${{ rows: 998, rowGroups: 2, pages: 48 }}
  ${'keys that nothing is known of'}    | ${[idFilter([5, 995], null)]}                                               | ${2}   | ${{ rows: 998, rowGroups: 0, pages: 0 }}
  ${'a key that no dictionary has'}     | ${[wordFilter(['word 99'])]}                                                | ${0}   | ${{ rows: 1000, rowGroups: 4, pages: 0 }}
  ${'two filters, one after the other'} | ${[wordFilter(['word 1', 'word 2']), idFilter([5, 6], null)]}               | ${2}   | ${{ rows: 998, rowGroups: 0, pages: 0 }}
  ${'more than half of the rows'}       | ${[wordFilter(['word 0', 'word 1', 'word 2'])]}                             | ${750} | ${{ rows: 0, rowGroups: 0, pages: 0 }}
`('$title', async ({ filters, found, skipped }) => {
  const file = writeRows();
  const narrow = await rowsWith(file, schema, { filters, isTold: true });
  expect(narrow.rows).toHaveLength(found);
  expect(narrow.skipped).toEqual(skipped);
  expect(narrow.rows).toEqual((await rowsWith(file, schema, { filters, isTold: false })).rows);
});

test('filters come through the format that reads Parquet or Arrow', async () => {
  const path = writeRows();
  const filters = [wordFilter(['word 99'])];
  const reading = { path, declared: schema, filters, kind: 'columnar' } as const;
  const skipped = await readParquetBatches(reading, () => {});
  expect(skipped).toEqual({ rows: 1000, rowGroups: 4, pages: 0 });
});

test('a filter is asked of the rows that the predicate has left', async () => {
  const file = writeRows();
  const filter = wordFilter(['word 3']);
  const options = { filters: [filter], isTold: true, predicate: idIs('lt', 100) };
  const narrow = await rowsWith(file, schema, options);
  // Dictionaries are asked of each row group that is left; then the rows.
  expect(filter.askedRows).toBe(4 + 100);
  expect(narrow.rows.filter(({ id: one }) => (one as bigint) < 100n)).toHaveLength(25);
  expect(narrow.readCount).toBe(25);
});

test('a filter that selects most rows is not asked of each batch', async () => {
  const file = writeRows();
  const filter = new ListFilter([id, word], [], null);
  filter.has = () => true;
  await rowsWith(file, schema, { filters: [filter], isTold: true });
  expect(filter.askedRows).toBe(250);
});

test('numbers that the file has in another type are those of the rows', async () => {
  const file = path.join(tempFolder(), 'narrow.parquet');
  const narrow = schemaOf(
    id,
    fieldOf('whole', int32Type),
    fieldOf('short', { kind: 'decimal', precision: 9, scale: 2 }),
    fieldOf('long', { kind: 'decimal', precision: 18, scale: 2 }),
  );
  const declared = schemaOf(
    id,
    fieldOf('whole', int64Type),
    fieldOf('short', { kind: 'decimal', precision: 15, scale: 2 }),
    fieldOf('long', { kind: 'decimal', precision: 38, scale: 2 }),
  );
  // No value is there twice, so there are no dictionaries.
  const rows = Array.from({ length: 8192 }, (_, row) => {
    const number = row * 7919 - 30_000_000;
    return [BigInt(row), number, `${number / 100}`, `${number * 1_000_000}`];
  });
  write(file, { pageRows: 3000 }, [{ schema: narrow, rows, selected: null }]);
  for (const ids of [[0, 2999, 3000, 8191], Array.from({ length: 3000 }, (_, at) => at * 2)]) {
    const filters = [idFilter(ids, null)];
    const whole = await rowsWith(file, declared, { filters, isTold: false });
    const told = await rowsWith(file, declared, { filters, isTold: true });
    expect(told.rows).toEqual(whole.rows);
    expect(told.readCount).toBe(ids.length);
  }
});
