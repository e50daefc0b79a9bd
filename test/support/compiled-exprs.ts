/**
 * Compiled expressions beside the reference: the values of each row of a batch, or the message of the
 * first row's error.
 *
 *     expectSame([callExpr('lower', text)], schema, [['ÄB'], [null]])
 */
import { expect } from 'vitest';
import type { Batch } from '../../engine/batch/batch.ts';
import { readValue } from '../../engine/batch/row-reader.ts';
import { reasonAgainst } from '../../engine/compile/program/expr-program.ts';
import { rowFilter } from '../../engine/compile/row-filter.ts';
import { rowProjector } from '../../engine/compile/row-projector.ts';
import { evaluateExpr } from '../../engine/expr/evaluate.ts';
import type { Expr } from '../../engine/expr/expr.ts';
import { exprText } from '../../engine/expr/expr-text.ts';
import { instantiateKernels, type Kernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type MemoryScope, type SlotMemory } from '../../engine/memory/slot-memory.ts';
import { int64Type } from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { makeBatch, withMemory } from './batches.ts';

/** Expects that all are compiled, and give what the reference gives, for all rows. */
export function expectSame(
  exprs: readonly Expr[],
  schema: Schema,
  rows: readonly (readonly unknown[])[],
): void {
  for (const expr of exprs) expect(reasonAgainst(expr), exprText(expr)).toBeNull();
  withMemory(({ scope }) => {
    const batch = makeBatch(scope, { schema, rows, selected: null });
    const expected = referenceRows(exprs, batch, scope);
    expect(compiledRows(exprs, batch, scope), exprs.map(exprText).join(', ')).toEqual(expected);
    batch.release();
  });
}

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

/** What the reference gives row by row, or the message of the first error. */
export function referenceRows(exprs: readonly Expr[], batch: Batch, scope: MemoryScope) {
  const rows: unknown[][] = [];
  for (let index = 0; index < batch.rowCount; index++) {
    const row = referenceOf(exprs, batch, index, scope);
    if (typeof row === 'string') return row;
    rows.push(row);
  }
  return rows;
}

/** What compiled code gives, or the message of its error. */
export function compiledRows(exprs: readonly Expr[], batch: Batch, scope: MemoryScope) {
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

/** The stored rows that a compiled condition selects, or the message of its error. */
export function selectedRows(predicate: Expr, batch: Batch, scope: MemoryScope) {
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
