/**
 * The reference evaluator of expressions: plain loops over a batch's rows, one per node of the tree,
 * results in the slot's memory. Correct for every type; compiled expressions are compared with it,
 * and it runs where they don't reach.
 *
 *     price * 2 > 10      multiply ──▶ result ──▶ compare ──▶ result (released: the one before)
 *
 * Null is "not known", as in SQL: an operation on it is null, but false and null is false, and true
 * or null is true. Only selected rows are evaluated, so an error is about a row that counts; both
 * sides of `and` and `or` are (two `where` in a row guard the second by the first).
 */
import { assert } from '../../base/assert.ts';
import type { Batch, Column } from '../batch/batch.ts';
import { TextArena } from '../batch/text-arena.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { valueSizeOf } from '../schema/field-type.ts';
import { fieldIndexOf } from '../schema/schema.ts';
import { calculator } from './evaluate-arithmetic.ts';
import { comparator } from './evaluate-compare.ts';
import type { Expr } from './expr.ts';
import {
  boolAt,
  hasValue,
  newResult,
  type Operand,
  releaseOperand,
  setBit,
  setHasValue,
} from './operand.ts';

/** A column that lies beside the batch's own: stored rows, the batch's selection. */
export interface Evaluated {
  readonly column: Column;
  /** What the column needs besides the batch's blocks; the caller's, as `Batch.derive` takes them. */
  readonly blocks: readonly BlockHandle[];
}

/**
 * Evaluates an expression for the rows of a batch.
 *
 * @returns A column with the values of the selected rows; those of the others may be anything.
 * @throws EXPR_OVERFLOW; no memory is kept then.
 */
export function evaluateExpr(expr: Expr, batch: Batch, scope: MemoryScope): Evaluated {
  const evaluation = new Evaluation(batch, scope);
  try {
    const operand = evaluation.column(expr);
    const { type, validity, values } = operand;
    return { column: { type, validity, values }, blocks: evaluation.blocksOf(operand) };
  } catch (error) {
    evaluation.discard();
    throw error;
  }
}

/** One evaluation: the blocks that are in use, so that an error leaves none behind. */
class Evaluation {
  readonly #batch: Batch;
  readonly #scope: MemoryScope;
  /** Results in use. */
  readonly #operands = new Set<Operand>();
  /** Long texts of literals. */
  readonly #texts: BlockHandle[] = [];

  constructor(batch: Batch, scope: MemoryScope) {
    this.#batch = batch;
    this.#scope = scope;
  }

  /** The expression as a column with a value per row. */
  column(expr: Expr): Operand {
    const operand = this.#evaluate(expr);
    return operand.step === 1 ? operand : this.#repeat(operand);
  }

  /** Blocks of a finished column; all others are released already, but for texts of literals. */
  blocksOf({ block, type }: Operand): BlockHandle[] {
    const texts = this.#texts.splice(0);
    if (type.kind === 'utf8') return block === 0 ? texts : [block, ...texts];
    for (const text of texts) this.#scope.memory.release(text);
    return block === 0 ? [] : [block];
  }

  discard(): void {
    for (const operand of this.#operands) releaseOperand(this.#scope.memory, operand);
    for (const block of this.#texts.splice(0)) this.#scope.memory.release(block);
  }

  #evaluate(expr: Expr): Operand {
    switch (expr.kind) {
      case 'column':
        return this.#columnOf(expr.name);
      case 'literal':
        return this.#literal(expr);
      case 'compare':
        return this.#binary(expr, (left, right, result) => {
          const { memory } = this.#scope;
          const holds = comparator(expr.op, memory, left, right);
          return (row) => {
            if (holds(row)) setBit(memory, result.values, row);
          };
        });
      case 'arithmetic':
        return this.#binary(expr, (left, right, result) =>
          calculator(expr, this.#scope.memory, [left, right], result),
        );
      case 'logic':
        return this.#logic(expr);
      case 'not':
      case 'isNull':
        return this.#unary(expr);
      default:
        // No factory makes the others yet.
        assert(false, `the evaluator knows ${expr.kind}`);
    }
  }

  #columnOf(name: string): Operand {
    const column = this.#batch.columns[fieldIndexOf(this.#batch.schema, name)];
    assert(column !== undefined, 'an expression reads columns of its input');
    return { ...column, step: 1, block: 0 };
  }

  #literal({ type, value }: Expr & { kind: 'literal' }): Operand {
    const operand = { ...this.#newResult(type, false, 1), step: 0 as const };
    this.#operands.add(operand);
    const { memory } = this.#scope;
    const { values } = operand;
    switch (type.kind) {
      case 'bool':
        if (value === true) setBit(memory, values, 0);
        break;
      case 'int32':
        memory.int32[values >>> 2] = Number(value);
        break;
      case 'float64':
        memory.float64[values / 8] = Number(value);
        break;
      case 'int64':
      case 'timestamp':
        memory.bigInt64[values / 8] = BigInt(String(value));
        break;
      case 'utf8': {
        const arena = new TextArena(this.#scope);
        try {
          arena.writeText(values, String(value));
        } finally {
          this.#texts.push(...arena.blocks);
        }
        break;
      }
      default:
        assert(false, 'literals have a type that expressions compute with');
    }
    return operand;
  }

  /** Null where an operand is; elsewhere what `prepare` makes of a row. */
  #binary(
    expr: Expr & { kind: 'compare' | 'arithmetic' },
    prepare: (left: Operand, right: Operand, result: Operand) => (row: number) => void,
  ): Operand {
    const { memory } = this.#scope;
    const left = this.#evaluate(expr.left);
    const right = this.#evaluate(expr.right);
    const result = this.#result(expr);
    const write = prepare(left, right, result);
    this.#forEachRow((row) => {
      if (!hasValue(memory, left, row) || !hasValue(memory, right, row)) return;
      setHasValue(memory, result, row);
      write(row);
    });
    this.#release(left, right);
    return result;
  }

  /** The side that decides (false for and, true for or) does so beside a null. */
  #logic(expr: Expr & { kind: 'logic' }): Operand {
    const { memory } = this.#scope;
    const decides = expr.op === 'or';
    const left = this.#evaluate(expr.left);
    const right = this.#evaluate(expr.right);
    const result = this.#result(expr);
    this.#forEachRow((row) => {
      const hasLeft = hasValue(memory, left, row);
      const hasRight = hasValue(memory, right, row);
      const isDecided =
        (hasLeft && boolAt(memory, left, row) === decides) ||
        (hasRight && boolAt(memory, right, row) === decides);
      if (!isDecided && !(hasLeft && hasRight)) return;
      setHasValue(memory, result, row);
      if (isDecided === decides) setBit(memory, result.values, row);
    });
    this.#release(left, right);
    return result;
  }

  #unary(expr: Expr & { kind: 'not' | 'isNull' }): Operand {
    const { memory } = this.#scope;
    const input = this.#evaluate(expr.input);
    const result = this.#result(expr);
    const isNot = expr.kind === 'not';
    this.#forEachRow((row) => {
      const has = hasValue(memory, input, row);
      if (has || !isNot) setHasValue(memory, result, row);
      if (isNot ? has && !boolAt(memory, input, row) : !has) setBit(memory, result.values, row);
    });
    this.#release(input);
    return result;
  }

  /** A literal as a column: its value once per stored row. */
  #repeat(literal: Operand): Operand {
    const { memory } = this.#scope;
    const { storedRows } = this.#batch;
    const { type } = literal;
    const result = this.#newResult(type, false, storedRows);
    this.#operands.add(result);
    const { bytes } = memory;
    if (type.kind === 'bool') {
      if (boolAt(memory, literal, 0))
        bytes.fill(0xff, result.values, result.values + ((storedRows + 7) >>> 3));
    } else {
      const size = valueSizeOf(type);
      for (let row = 0; row < storedRows; row++) {
        bytes.copyWithin(result.values + row * size, literal.values, literal.values + size);
      }
    }
    this.#release(literal);
    return result;
  }

  #result({ type, nullable }: Expr): Operand {
    const result = this.#newResult(type, nullable, this.#batch.storedRows);
    this.#operands.add(result);
    return result;
  }

  #newResult(type: Expr['type'], nullable: boolean, rows: number): Operand {
    return newResult(this.#scope, type, nullable, rows);
  }

  #release(...operands: Operand[]): void {
    for (const operand of operands) {
      if (this.#operands.delete(operand)) releaseOperand(this.#scope.memory, operand);
    }
  }

  #forEachRow(visit: (row: number) => void): void {
    const { rowCount, selection } = this.#batch;
    const { uint32 } = this.#scope.memory;
    for (let index = 0; index < rowCount; index++) {
      visit(selection === 0 ? index : (uint32[(selection >>> 2) + index] ?? 0));
    }
  }
}

/** Rows of a batch for which a condition is true. */
export interface SelectedRows {
  /** The block with their stored rows, ascending; 0 when all rows of the batch are, or none is. */
  readonly selection: BlockHandle;
  readonly rowCount: number;
}

/**
 * The rows for which the condition is true; neither false nor null is.
 *
 * @returns The caller owns the block: `batch.derive({ selection: addressOf(block), rowCount,
 * blocks: [block] })`. With `rowCount` that of the batch, the batch itself is the answer.
 * @throws EXPR_OVERFLOW
 */
export function selectRows(predicate: Expr, batch: Batch, scope: MemoryScope): SelectedRows {
  const { column, blocks } = evaluateExpr(predicate, batch, scope);
  const { memory } = scope;
  const operand: Operand = { ...column, step: 1, block: 0 };
  const release = () => {
    for (const block of blocks) memory.release(block);
  };
  let selection: BlockHandle;
  try {
    selection = scope.allocate(batch.rowCount * 4);
  } catch (error) {
    release();
    throw error;
  }
  const out = addressOf(selection) >>> 2;
  let rowCount = 0;
  for (let index = 0; index < batch.rowCount; index++) {
    const row = batch.storedRowOf(index);
    if (!hasValue(memory, operand, row) || !boolAt(memory, operand, row)) continue;
    memory.uint32[out + rowCount++] = row;
  }
  release();
  if (rowCount > 0 && rowCount < batch.rowCount) return { selection, rowCount };
  memory.release(selection);
  return { selection: 0, rowCount };
}
