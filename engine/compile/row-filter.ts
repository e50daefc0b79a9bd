/** Filters of rows by a condition: compiled where all of it can be, else by the reference. */
import type { Batch } from '../batch/batch.ts';
import { type SelectedRows, selectRows } from '../expr/evaluate.ts';
import type { Expr } from '../expr/expr.ts';
import { addressOf, type MemoryScope } from '../memory/slot-memory.ts';
import { reasonAgainst } from './program/expr-program.ts';
import { type ComputeContext, Programs } from './program/programs.ts';

export interface RowFilter {
  /** The rows for which the condition is true, and the errors, as `selectRows` has them. */
  select(batch: Batch): SelectedRows;
  close(): void;
}

export function rowFilter(context: ComputeContext, predicate: Expr): RowFilter {
  if (reasonAgainst(predicate) === null) return new CompiledFilter(context, predicate);
  const { scope } = context;
  return { select: (batch) => selectRows(predicate, batch, scope), close() {} };
}

class CompiledFilter implements RowFilter {
  readonly #scope: MemoryScope;
  readonly #programs: Programs;

  constructor(context: ComputeContext, predicate: Expr) {
    this.#scope = context.scope;
    this.#programs = new Programs(context, 'filter', [predicate]);
  }

  select(batch: Batch): SelectedRows {
    const { memory } = this.#scope;
    const selection = this.#scope.allocate(batch.rowCount * 4);
    const place = { values: addressOf(selection), validity: 0 };
    let isKept = false;
    try {
      const result = this.#programs.for(batch).run(batch, [place]);
      const { textBlocks } = result;
      for (let at = 0; at < textBlocks.length; at++) memory.release(textBlocks[at]!);
      if (result.failedIndex >= 0) this.#programs.fail(batch, result.failedIndex);
      const { selectedCount: rowCount } = result;
      isKept = rowCount > 0 && rowCount < batch.rowCount;
      return { selection: isKept ? selection : 0, rowCount };
    } finally {
      if (!isKept) memory.release(selection);
    }
  }

  close(): void {
    this.#programs.close();
  }
}
