/**
 * Goal: compiled expressions give what the reference gives for each row, and where a row has an error
 * the first one of the reference; no trap, and no memory left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../../engine/batch/batch.ts';
import { readValue } from '../../../../engine/batch/row-reader.ts';
import { reasonAgainst } from '../../../../engine/compile/program/expr-program.ts';
import { rowFilter } from '../../../../engine/compile/row-filter.ts';
import { rowProjector } from '../../../../engine/compile/row-projector.ts';
import { evaluateExpr } from '../../../../engine/expr/evaluate.ts';
import type { Expr } from '../../../../engine/expr/expr.ts';
import { instantiateKernels, type Kernels } from '../../../../engine/kernels/kernels.ts';
import {
  addressOf,
  type MemoryScope,
  type SlotMemory,
} from '../../../../engine/memory/slot-memory.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { allTypes, batchCases, makeBatch, withMemory } from '../../../support/batches.ts';
import { randomConditions, randomExprs } from '../../../support/random-exprs.ts';

const schema: Schema = {
  fields: allTypes
    .slice(0, 8)
    .flatMap((type, index) => [fieldOf(`a${index}`, type), fieldOf(`b${index}`, type, true)]),
};
const cases = batchCases({ schema: fc.constant(schema), rowsMax: 80 });

const linked = new WeakMap<SlotMemory, Kernels>();
function kernelsOf(memory: SlotMemory): Kernels {
  const kernels = linked.get(memory) ?? instantiateKernels(memory.memory);
  linked.set(memory, kernels);
  return kernels;
}

/** The values of the expressions in a row, or the message of the first error. */
function referenceOf(exprs: readonly Expr[], batch: Batch, index: number, scope: MemoryScope) {
  const selection = scope.allocate(4);
  scope.memory.uint32[addressOf(selection) >>> 2] = batch.storedRowOf(index);
  const row = batch.derive({ selection: addressOf(selection), rowCount: 1, blocks: [selection] });
  try {
    return exprs.map((expr) => {
      const { column, blocks } = evaluateExpr(expr, row, scope);
      const value = read(scope.memory, column, row.storedRowOf(0));
      for (const block of blocks) scope.memory.release(block);
      return value;
    });
  } catch (error) {
    return (error as Error).message;
  } finally {
    row.release();
  }
}

/** int64 as bigint, whatever JavaScript would read it as. */
function read(memory: SlotMemory, column: Batch['columns'][number], row: number): unknown {
  const type = column.type.kind === 'int64' ? int64Type : column.type;
  return readValue(memory, { ...column, type }, row, 'x');
}

function expectedOf(exprs: readonly Expr[], batch: Batch, scope: MemoryScope) {
  const rows: unknown[][] = [];
  for (let index = 0; index < batch.rowCount; index++) {
    const row = referenceOf(exprs, batch, index, scope);
    if (typeof row === 'string') return row;
    rows.push(row);
  }
  return rows;
}

function projected(exprs: readonly Expr[], batch: Batch, scope: MemoryScope) {
  const runner = rowProjector({ scope, kernels: kernelsOf(scope.memory) }, exprs);
  try {
    const { columns, blocks } = runner.project(batch);
    const rows = Array.from({ length: batch.rowCount }, (_, index) =>
      columns.map((column) => read(scope.memory, column, batch.storedRowOf(index))),
    );
    for (const block of blocks) scope.memory.release(block);
    return rows;
  } catch (error) {
    return (error as Error).message;
  } finally {
    runner.close();
  }
}

function filtered(predicate: Expr, batch: Batch, scope: MemoryScope) {
  const runner = rowFilter({ scope, kernels: kernelsOf(scope.memory) }, predicate);
  try {
    const { selection, rowCount } = runner.select(batch);
    const at = addressOf(selection) >>> 2;
    const rows = Array.from({ length: rowCount }, (_, index) =>
      selection === 0 ? batch.storedRowOf(index) : scope.memory.uint32[at + index],
    );
    if (selection !== 0) scope.memory.release(selection);
    return rows;
  } catch (error) {
    return (error as Error).message;
  } finally {
    runner.close();
  }
}

/** The reference does not drop errors beside a side that decides yet. */
function isDropped(exprs: readonly Expr[], expected: unknown): boolean {
  return typeof expected === 'string' && JSON.stringify(exprs).includes('"logic"');
}

const compilable = (expr: Expr) => reasonAgainst(expr) === null;

test('projected expressions are those of the reference, row by row', () => {
  const exprs = fc.array(randomExprs(schema, 3).filter(compilable), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(cases, exprs, (spec, list) =>
      withMemory(({ scope }) => {
        const batch = makeBatch(scope, spec);
        const expected = expectedOf(list, batch, scope);
        const found = projected(list, batch, scope);
        if (!isDropped(list, expected)) expect(found).toEqual(expected);
        batch.release();
      }),
    ),
    { numRuns: 300 },
  );
});

test('a filter selects the rows for which the condition is true', () => {
  const conditions = randomConditions(schema, 3).filter(compilable);
  fc.assert(
    fc.property(cases, conditions, (spec, predicate) =>
      withMemory(({ scope }) => {
        const batch = makeBatch(scope, spec);
        const values = expectedOf([predicate], batch, scope);
        const expected =
          typeof values === 'string'
            ? values
            : values.flatMap(([value], index) =>
                value === true ? [batch.storedRowOf(index)] : [],
              );
        const found = filtered(predicate, batch, scope);
        if (!isDropped([predicate], expected)) expect(found).toEqual(expected);
        batch.release();
      }),
    ),
    { numRuns: 300 },
  );
});
