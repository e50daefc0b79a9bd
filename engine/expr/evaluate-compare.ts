/**
 * Comparisons of the reference evaluator. Two values compare as less, equal, greater or unordered
 * (NaN with anything); each operator is true for some of the four.
 *
 * Why words: an int64 is compared as two 32-bit halves, high first, for BigInt is some ten times
 * slower and nothing here needs it. Beside a float64 an int64 is compared as the nearest float64.
 */
import { assert } from '../../base/assert.ts';
import { utf8ViewSize, viewBytesAddress, viewSizeOf } from '../batch/utf8-view.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { CompareOp } from './expr.ts';
import { boolAt, type Operand } from './operand.ts';

/** 0 less, 1 equal, 2 greater, 3 unordered. */
type Outcome = 0 | 1 | 2 | 3;

/** By operator: the outcomes for which it is true, a bit each. */
const truths: Readonly<Record<CompareOp, number>> = {
  eq: 0b0010,
  ne: 0b1101,
  lt: 0b0001,
  le: 0b0011,
  gt: 0b0100,
  ge: 0b0110,
};

/** Whether `op` holds for the values of a row; both must be there. */
export function comparator(
  op: CompareOp,
  memory: SlotMemory,
  left: Operand,
  right: Operand,
): (row: number) => boolean {
  const truth = truths[op];
  const compare = outcomeOf(memory, left, right);
  return (row) => ((truth >>> compare(row)) & 1) === 1;
}

function outcomeOf(memory: SlotMemory, left: Operand, right: Operand): (row: number) => Outcome {
  const { kind } = left.type;
  if (kind === 'utf8') return (row) => compareTexts(memory, viewOf(left, row), viewOf(right, row));
  if (kind === 'bool') {
    return (row) => order(+boolAt(memory, left, row), +boolAt(memory, right, row));
  }
  const hasFloat = kind === 'float64' || right.type.kind === 'float64';
  const areInt32 = kind === 'int32' && right.type.kind === 'int32';
  if (hasFloat || areInt32) {
    const leftOf = numberReader(memory, left);
    const rightOf = numberReader(memory, right);
    return (row) => order(leftOf(row), rightOf(row));
  }
  return (row) => compareWords(memory, left, right, row);
}

/** Reads a number as float64: exact for int32, the nearest one for an int64. */
export function numberReader(memory: SlotMemory, operand: Operand): (row: number) => number {
  const { type, values, step } = operand;
  const { int32, uint32, float64 } = memory;
  switch (type.kind) {
    case 'int32':
      return (row) => int32[(values >>> 2) + row * step] ?? 0;
    case 'float64':
      return (row) => float64[values / 8 + row * step] ?? 0;
    case 'int64':
    case 'timestamp':
      return (row) => {
        const word = (values >>> 2) + row * step * 2;
        return (int32[word + 1] ?? 0) * 4_294_967_296 + (uint32[word] ?? 0);
      };
    default:
      assert(false, 'a number is read from a numeric operand');
  }
}

function compareWords(memory: SlotMemory, left: Operand, right: Operand, row: number): Outcome {
  const high = order(highWord(memory, left, row), highWord(memory, right, row));
  return high === 1 ? order(lowWord(memory, left, row), lowWord(memory, right, row)) : high;
}

/** The upper half with its sign; of an int32, the sign alone. */
function highWord(memory: SlotMemory, { type, values, step }: Operand, row: number): number {
  const { int32 } = memory;
  if (type.kind === 'int32') return (int32[(values >>> 2) + row * step] ?? 0) >> 31;
  return int32[(values >>> 2) + row * step * 2 + 1] ?? 0;
}

function lowWord(memory: SlotMemory, { type, values, step }: Operand, row: number): number {
  const width = type.kind === 'int32' ? 1 : 2;
  return memory.uint32[(values >>> 2) + row * step * width] ?? 0;
}

function order(left: number, right: number): Outcome {
  if (left < right) return 0;
  if (left === right) return 1;
  return left > right ? 2 : 3;
}

function viewOf({ values, step }: Operand, row: number): number {
  return values + row * step * utf8ViewSize;
}

/** By bytes, which for UTF-8 is the order of code points; a text comes before what continues it. */
function compareTexts(memory: SlotMemory, left: number, right: number): Outcome {
  const { bytes } = memory;
  const leftSize = viewSizeOf(memory, left);
  const rightSize = viewSizeOf(memory, right);
  const leftAt = viewBytesAddress(memory, left);
  const rightAt = viewBytesAddress(memory, right);
  const common = Math.min(leftSize, rightSize);
  for (let index = 0; index < common; index++) {
    const outcome = order(bytes[leftAt + index] ?? 0, bytes[rightAt + index] ?? 0);
    if (outcome !== 1) return outcome;
  }
  return order(leftSize, rightSize);
}
