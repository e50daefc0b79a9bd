/**
 * Projectors of rows: columns that expressions compute. Those that can be compiled are so together,
 * in one loop; each of the others is evaluated by the reference.
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { roundUp } from '../batch/body-layout.ts';
import { evaluateExpr } from '../expr/evaluate.ts';
import type { Expr } from '../expr/expr.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, valuesSizeOf } from '../schema/field-type.ts';
import { reasonAgainst } from './program/expr-program.ts';
import type { OutputSlot } from './program/frame.ts';
import { type ComputeContext, Programs } from './program/programs.ts';

/** Columns beside the batch's own: stored rows, the batch's selection. */
export interface Projected {
  readonly columns: readonly Column[];
  /** What the columns need besides the batch's blocks; the caller's. */
  readonly blocks: readonly BlockHandle[];
}

export interface RowProjector {
  /**
   * Computes a column per expression for the rows of a batch; values of rows that are not selected may
   * be anything.
   *
   * @throws the error of the first row that has one; no memory is kept then.
   */
  project(batch: Batch): Projected;
  close(): void;
}

export function rowProjector(context: ComputeContext, exprs: readonly Expr[]): RowProjector {
  const areCompiled = exprs.map((expr) => reasonAgainst(expr) === null);
  const compiled = exprs.filter((_, index) => areCompiled[index]);
  const projector = compiled.length === 0 ? null : new CompiledProjector(context, compiled);
  if (projector !== null && compiled.length === exprs.length) return projector;
  const { scope } = context;
  return {
    project: (batch) => {
      const blocks: BlockHandle[] = [];
      try {
        const projected = projector?.project(batch);
        blocks.push(...(projected?.blocks ?? []));
        const compiledColumns = [...(projected?.columns ?? [])];
        const columns = exprs.map((expr, index) => {
          if (areCompiled[index]) return compiledColumns.shift();
          const evaluated = evaluateExpr(expr, batch, scope);
          blocks.push(...evaluated.blocks);
          return evaluated.column;
        });
        return { columns: columns.filter((column) => column !== undefined), blocks };
      } catch (error) {
        for (const block of blocks) scope.memory.release(block);
        throw error;
      }
    },
    close: () => projector?.close(),
  };
}

class CompiledProjector implements RowProjector {
  readonly #scope: MemoryScope;
  readonly #exprs: readonly Expr[];
  readonly #programs: Programs;

  constructor(context: ComputeContext, exprs: readonly Expr[]) {
    this.#scope = context.scope;
    this.#exprs = exprs;
    this.#programs = new Programs(context, 'project', exprs);
  }

  project(batch: Batch): Projected {
    const linked = this.#programs.for(batch);
    const columns = new Array<Column>(this.#exprs.length);
    const block = this.#room(batch.storedRows, linked.program.frame.outputs, columns);
    let blocks: BlockHandle[] = [block];
    try {
      const { failedIndex, textBlocks } = linked.run(batch, columns);
      if (textBlocks.length > 0) blocks = blocks.concat(textBlocks);
      if (failedIndex >= 0) this.#programs.fail(batch, failedIndex);
    } catch (error) {
      for (const owned of blocks) this.#scope.memory.release(owned);
      throw error;
    }
    return { columns, blocks };
  }

  close(): void {
    this.#programs.close();
  }

  /** One block for all columns: values, each from a multiple of 8 on, and cleared bitmaps. */
  #room(storedRows: number, outputs: readonly OutputSlot[], columns: Column[]): BlockHandle {
    const bitmapBytes = bitmapSizeOf(storedRows);
    assert(outputs.length === this.#exprs.length, 'a program has an output for each expression');
    let size = 0;
    for (let index = 0; index < outputs.length; index++) {
      size += roundUp(valuesSizeOf(this.#exprs[index]!.type, storedRows));
      if (outputs[index]!.hasValidity) size += bitmapBytes;
    }
    const block = this.#scope.allocate(size);
    const { bytes } = this.#scope.memory;
    let next = addressOf(block);
    for (let index = 0; index < outputs.length; index++) {
      const { type } = this.#exprs[index]!;
      const values = next;
      next += roundUp(valuesSizeOf(type, storedRows));
      if (type.kind === 'bool') bytes.fill(0, values, values + bitmapBytes);
      const { hasValidity } = outputs[index]!;
      columns[index] = { type, values, validity: hasValidity ? next : 0 };
      if (!hasValidity) continue;
      bytes.fill(0, next, next + bitmapBytes);
      next += bitmapBytes;
    }
    return block;
  }
}
