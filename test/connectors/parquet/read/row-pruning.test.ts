/** Goal: a predicate leaves out only rows for which it is not true, whatever the file says of itself. */
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../../engine/batch/row-reader.ts';
import { selectRows } from '../../../../engine/expr/evaluate.ts';
import type { CompareOp, Expr } from '../../../../engine/expr/expr.ts';
import {
  callExpr,
  columnExpr,
  compareExpr,
  inExpr,
  isNullExpr,
  logicExpr,
  notExpr,
} from '../../../../engine/expr/expr-factory.ts';
import { typedLiteral } from '../../../../engine/expr/literal.ts';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { type FieldType, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import {
  allTypes,
  type BatchCase,
  batchCases,
  makeBatch,
  schemas,
} from '../../../support/batches.ts';
import {
  discoverParquet,
  type ParquetFile,
  readParquetBatches,
  writeParquet,
} from '../../../support/parquet-files.ts';
import { randomConditions } from '../../../support/random-exprs.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const flatTypes = allTypes.filter(({ kind }) => kind !== 'list' && kind !== 'struct');
type Settings = NonNullable<ParquetFile['settings']>;

function write(file: string, settings: Settings, specs: readonly BatchCase[]): void {
  const batches = specs.map((spec) => makeBatch(memory.scope('test'), spec));
  writeParquet({ path: file, kernels, settings }, specs[0]?.schema ?? { fields: [] }, batches);
  for (const batch of batches) batch.release();
  memory.assertEmpty();
}

/** The rows for which the predicate is true, found by the reference among those that are read. */
async function rowsWhere(file: string, schema: Schema, predicate: Expr, isPruned: boolean) {
  const rows: Record<string, unknown>[] = [];
  const reading = { path: file, declared: schema, predicate: isPruned ? predicate : null };
  const skipped = await readParquetBatches(reading, (batch) => {
    const scope = batch.memory.scope('filter');
    const { selection, rowCount } = selectRows(predicate, batch, scope);
    if (rowCount === 0) return;
    const blocks = selection === 0 ? [] : [selection];
    const at = selection === 0 ? batch.selection : addressOf(selection);
    const selected = batch.derive({ rowCount, selection: at, blocks });
    rows.push(...readRows(selected));
    selected.release();
  });
  return { rows, skipped };
}

const compareOps: readonly CompareOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];

/** Conditions on values that the file has, or has nearly. */
function simpleConditions({ schema, rows }: BatchCase): fc.Arbitrary<Expr> {
  const leaf = fc
    .record({
      column: fc.nat(schema.fields.length - 1),
      row: fc.nat(Math.max(0, rows.length - 1)),
      other: fc.nat(Math.max(0, rows.length - 1)),
      kind: fc.constantFrom('compare', 'compare', 'in', 'startsWith', 'isNull', 'columns'),
      op: fc.constantFrom(...compareOps),
    })
    .map(({ column, row, other, kind, op }): Expr => {
      const field = schema.fields[column] as Field;
      const expr = columnExpr(field);
      const literals = [row, other].flatMap((at) => literalOf(rows[at]?.[column], field.type));
      const [literal] = literals;
      if (kind === 'isNull' || literal === undefined) return isNullExpr(expr);
      if (kind === 'in') return inExpr(expr, literals);
      if (kind === 'columns') return compareExpr(op, expr, expr);
      if (
        kind === 'startsWith' &&
        field.type.kind === 'utf8' &&
        typeof literal.value === 'string'
      ) {
        const prefix = literal.value.slice(0, 2);
        return callExpr('startsWith', expr, typedLiteral(prefix.toWellFormed(), utf8Type));
      }
      return compareExpr(op, expr, literal);
    });
  return fc
    .record({
      leaves: fc.array(leaf, { minLength: 1, maxLength: 3 }),
      ops: fc.array(fc.constantFrom('and', 'or'), { minLength: 3, maxLength: 3 }),
      isNegated: fc.boolean(),
    })
    .map(({ leaves, ops, isNegated }) => {
      const all = leaves.reduce((left, right, at) =>
        logicExpr(ops[at] as 'and' | 'or', left, right),
      );
      return isNegated ? notExpr(all) : all;
    });
}

function literalOf(value: unknown, type: FieldType) {
  if (value === null || value === undefined) return [];
  try {
    return [typedLiteral(value, type)];
  } catch {
    return []; // NaN is no literal.
  }
}

/** Rows in the order of their first column, so that row groups and pages have bounds of their own. */
function sorted(spec: BatchCase): BatchCase {
  const key = (row: readonly unknown[]) => row[0] as never;
  const rows = [...spec.rows].sort((a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b))));
  return { ...spec, rows };
}

const settings: fc.Arbitrary<Settings> = fc.record({
  compression: fc.constantFrom('snappy', 'none'),
  rowGroupRows: fc.constantFrom(5, 25, 1000),
  pageRows: fc.constantFrom(1, 4, 1000),
});

test('with any predicate the rows are the same as without pruning', async () => {
  const file = path.join(tempFolder(), 'rows.parquet');
  const cases = batchCases({ schema: schemas(flatTypes) }).chain((spec) => {
    const one = sorted({ ...spec, selected: null });
    return fc.record({
      spec: fc.constant(one),
      predicate: fc.oneof(
        { weight: 3, arbitrary: simpleConditions(one) },
        // Which have no literals of binary columns.
        ...(one.schema.fields.every(({ type }) => type.kind === 'binary')
          ? []
          : [{ weight: 1, arbitrary: randomConditions(one.schema, 6) }]),
      ),
      chosen: settings,
      hasBlooms: fc.boolean(),
    });
  });
  let skippedCount = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ spec, predicate, chosen, hasBlooms }) => {
      // A writer ends pages and row groups between batches: each of its rows is one.
      const known = spec.schema.fields.filter(({ type }) => type.kind !== 'bool');
      const bloomFilters = {
        columns: hasBlooms && spec.rows.length > 0 ? known.map(({ name }) => name) : [],
      };
      write(
        file,
        { ...chosen, bloomFilters },
        spec.rows.map((row) => ({ ...spec, rows: [row] })),
      );
      const whole = await rowsWhere(file, spec.schema, predicate, false).catch(() => null);
      // It fails for a row, which may be left out, or not.
      if (whole === null) return;
      const pruned = await rowsWhere(file, spec.schema, predicate, true);
      expect(pruned.rows).toEqual(whole.rows);
      if (pruned.skipped.rows > 0) skippedCount++;
    }),
    { numRuns: 300 },
  );
  expect(skippedCount).toBeGreaterThan(40);
}, 60_000);

const id = fieldOf('id', int64Type);
const word = fieldOf('word', utf8Type, true);
const schema = schemaOf(id, word);
const words = ['apple', 'banana', null, 'cherry'];

/** 1,000 rows: `id` ascending, every word in each page; 4 row groups of 25 pages. */
function writeRows(): string {
  const file = path.join(tempFolder(), 'rows.parquet');
  const rows = Array.from({ length: 1000 }, (_, index) => [BigInt(index), words[index % 4]]);
  const specs = Array.from({ length: 100 }, (_, index) => ({
    ...{ schema, selected: null },
    rows: rows.slice(index * 10, index * 10 + 10),
  }));
  write(file, { rowGroupRows: 250, pageRows: 10 }, specs);
  return file;
}

const idIs = (op: CompareOp, value: number) =>
  compareExpr(op, columnExpr(id), typedLiteral(BigInt(value), int64Type));
const wordIs = (op: CompareOp, value: string) =>
  compareExpr(op, columnExpr(word), typedLiteral(value, utf8Type));

test.each`
  title                               | predicate                                                                  | found  | skipped
  ${'one row group of four'}          | ${logicExpr('and', idIs('ge', 250), idIs('lt', 500))}                      | ${250} | ${{ rows: 750, rowGroups: 3, pages: 0 }}
  ${'one page'}                       | ${idIs('eq', 333)}                                                         | ${1}   | ${{ rows: 999, rowGroups: 3, pages: 24 }}
  ${'pages of two row groups'}        | ${logicExpr('and', idIs('ge', 240), idIs('lt', 260))}                      | ${20}  | ${{ rows: 980, rowGroups: 2, pages: 48 }}
  ${'nothing that bounds can tell'}   | ${wordIs('eq', 'banana')}                                                  | ${250} | ${{ rows: 750, rowGroups: 0, pages: 0 }}
  ${'a word that no dictionary has'}  | ${wordIs('eq', 'blueberry')}                                               | ${0}   | ${{ rows: 1000, rowGroups: 4, pages: 0 }}
  ${'an end that no word has'}        | ${callExpr('endsWith', columnExpr(word), typedLiteral('berry', utf8Type))} | ${0}   | ${{ rows: 1000, rowGroups: 4, pages: 0 }}
  ${'nulls, which no dictionary has'} | ${isNullExpr(columnExpr(word))}                                            | ${250} | ${{ rows: 750, rowGroups: 0, pages: 0 }}
  ${'a word above all, or one page'}  | ${logicExpr('or', wordIs('gt', 'd'), idIs('lt', 10))}                      | ${10}  | ${{ rows: 990, rowGroups: 3, pages: 48 }}
`('$title', async ({ predicate, found, skipped }) => {
  const file = writeRows();
  const pruned = await rowsWhere(file, schema, predicate, true);
  expect(pruned.rows).toHaveLength(found);
  expect(pruned.rows).toEqual((await rowsWhere(file, schema, predicate, false)).rows);
  expect(pruned.skipped).toEqual(skipped);
});

test('of columns that the predicate does not read only the rows that it holds for are decoded', async () => {
  const file = path.join(tempFolder(), 'wide.parquet');
  const types: readonly FieldType[] = [
    ...flatTypes,
    { kind: 'list', item: { type: utf8Type, nullable: true } },
  ];
  const wide = schemaOf(
    id,
    ...types.map((type, index) => fieldOf(`c${index}`, type, index % 3 > 0)),
  );
  const cases = batchCases({ schema: fc.constant(wide), rowsMax: 40 });
  const cycle = fc.sample(cases, { numRuns: 30, seed: 5 }).flatMap((spec) => spec.rows);
  // Ids in no order, each once.
  const rows = Array.from({ length: 8192 }, (_, index) => [
    BigInt((index * 7919) % 8192),
    ...(cycle[index % cycle.length] ?? []).slice(1),
  ]);
  for (const pageRows of [100, 8192]) {
    write(
      file,
      { pageRows },
      Array.from({ length: Math.ceil(rows.length / 100) }, (_, index) => ({
        ...{ schema: wide, selected: null },
        rows: rows.slice(index * 100, index * 100 + 100),
      })),
    );
    for (const below of [0, 1, 60, 3000, 5000]) {
      const whole = await rowsWhere(file, wide, idIs('lt', below), false);
      const pruned = await rowsWhere(file, wide, idIs('lt', below), true);
      expect(pruned.rows).toEqual(whole.rows);
      expect(whole.rows).toHaveLength(below);
      if (below > 0) expect(pruned.skipped.rows > 0).toBe(below < 4096);
    }
  }
});

const rest = fieldOf('rest', int64Type);
const filler = fieldOf('filler', utf8Type);
const fillerText = 'a text that is another one in each row';
const cutSchema = schemaOf(id, rest, word, filler);

/** One row group of 3 MiB, which four tasks cut: `id` ascending, `rest` descending, in pages of 8,192 rows. */
function writeLargeGroup(more: Settings = {}): string {
  const file = path.join(tempFolder(), 'large.parquet');
  const count = 65_536;
  const rows = Array.from({ length: count }, (_, index) => {
    const long = `${fillerText} ${index}`;
    return [BigInt(index), BigInt(count - index), words[index % 4], long];
  });
  const specs = Array.from({ length: count / 8192 }, (_, index) => ({
    ...{ schema: cutSchema, selected: null },
    rows: rows.slice(index * 8192, index * 8192 + 8192),
  }));
  write(file, { compression: 'none', pageRows: 8192, ...more }, specs);
  return file;
}

const fillerIs = (value: string) =>
  compareExpr('eq', columnExpr(filler), typedLiteral(value, utf8Type));

test('a row group whose Bloom filter denies the value is not read', async () => {
  const missing = fillerIs(`${fillerText} 7 or so`);
  const bloomFilters = { columns: ['filler'], falsePositiveRate: 0.001 };
  for (const settings of [{}, { bloomFilters }]) {
    const file = writeLargeGroup(settings);
    const there = await rowsWhere(file, cutSchema, fillerIs(`${fillerText} 777`), true);
    expect(there.rows).toHaveLength(1);
    const { skipped } = await rowsWhere(file, cutSchema, missing, true);
    expect(skipped.rowGroups).toBe('bloomFilters' in settings ? 1 : 0);
  }
});

const restIs = (op: CompareOp, value: number) =>
  compareExpr(op, columnExpr(rest), typedLiteral(BigInt(value), int64Type));

test('a row group that is cut into pieces is counted once, and so are its pages', async () => {
  const file = writeLargeGroup();
  const { splits } = await discoverParquet({ path: file, declared: cutSchema, parallelism: 4 });
  expect(splits.length).toBeGreaterThan(1);
  const skippedBy = async (predicate: Expr) => {
    const reading = { path: file, declared: cutSchema, parallelism: 4, predicate };
    return readParquetBatches(reading, () => {});
  };
  const rows = 65_536;
  const noPage = logicExpr('and', idIs('lt', 8192), restIs('lt', 8192));
  expect(await skippedBy(noPage)).toEqual({ rows, rowGroups: 1, pages: 0 });
  expect(await skippedBy(wordIs('eq', 'blueberry'))).toEqual({ rows, rowGroups: 1, pages: 0 });
  // Two pages of each column are wanted, in the last piece.
  const lastPages = logicExpr('and', idIs('ge', 49_152), restIs('le', 16_384));
  expect(await skippedBy(lastPages)).toEqual({ rows: rows - 16_384, rowGroups: 0, pages: 12 });
});
