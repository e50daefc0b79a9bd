/**
 * The programs of one operator: one for batches whose columns have nulls, one for those without,
 * where half of the code falls away.
 *
 * A program stops at a row that has an error. The reference computes that row again and words the
 * error.
 */
import { assert } from '../../../base/assert.ts';
import type { Batch } from '../../batch/batch.ts';
import { evaluateExpr } from '../../expr/evaluate.ts';
import type { Expr } from '../../expr/expr.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { addressOf, type MemoryScope } from '../../memory/slot-memory.ts';
import { compileProgram, type ProgramKind } from './expr-program.ts';
import { LinkedProgram } from './linked-program.ts';

/** What of an operator's context computing needs. */
export interface ComputeContext {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
}

export class Programs {
  readonly #exprs: readonly Expr[];
  readonly #scope: MemoryScope;
  readonly #withNulls: LinkedProgram;
  readonly #withoutNulls: LinkedProgram;

  /** Compiles at once, so that no batch waits; throws NoRule. */
  constructor({ scope, kernels }: ComputeContext, kind: ProgramKind, exprs: readonly Expr[]) {
    this.#exprs = exprs;
    this.#scope = scope;
    const link = (hasNulls: boolean) =>
      new LinkedProgram(compileProgram({ kind, exprs, hasNulls }), scope, kernels);
    this.#withNulls = link(true);
    this.#withoutNulls = link(false);
  }

  /** The one for a batch. */
  for(batch: Batch): LinkedProgram {
    return this.#withNulls.hasNullsIn(batch) ? this.#withNulls : this.#withoutNulls;
  }

  /** Throws the error that the reference has for the row at a place of the batch. */
  fail(batch: Batch, index: number): never {
    const { memory } = this.#scope;
    const selection = this.#scope.allocate(4);
    memory.uint32[addressOf(selection) >>> 2] = batch.storedRowOf(index);
    const rows = { selection: addressOf(selection), rowCount: 1, blocks: [selection] };
    const row = batch.derive(rows);
    try {
      for (const expr of this.#exprs) {
        for (const block of evaluateExpr(expr, row, this.#scope).blocks) memory.release(block);
      }
    } finally {
      row.release();
    }
    assert(false, 'a row that compiled code refuses has an error in the reference');
  }

  close(): void {
    this.#withNulls.close();
    this.#withoutNulls.close();
  }
}
