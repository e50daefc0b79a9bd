/**
 * Operands of the reference evaluator: a column of a batch, a literal, or a result on its way.
 *
 *     column     step 1, the batch's own memory            literal   step 0: one value for all rows
 *     result     step 1, a block of its own: values, and behind them the validity bitmap
 *
 * Rows are stored rows, so a result lies beside the batch's columns and shares its selection. Only
 * selected rows are read and written.
 */

import type { SlotMemory } from '../memory/slot-memory.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { bitmapSizeOf, type FieldType, valuesSizeOf } from '../schema/field-type.ts';

export interface Operand {
  readonly type: FieldType;
  /** Byte address of the values. */
  readonly values: number;
  /** Byte address of the bitmap; 0 when no value is null. */
  readonly validity: number;
  readonly step: 0 | 1;
  /** The block that belongs to the operand; 0 when another owns the memory. */
  readonly block: BlockHandle;
}

/** A result in the making: all bits are zero (false, null), the other values are not set. */
export function newResult(
  scope: MemoryScope,
  type: FieldType,
  nullable: boolean,
  storedRows: number,
): Operand {
  const valuesSize = roundUp(valuesSizeOf(type, storedRows));
  const validitySize = nullable ? bitmapSizeOf(storedRows) : 0;
  const block = scope.allocate(valuesSize + validitySize);
  const values = addressOf(block);
  const validity = nullable ? values + valuesSize : 0;
  const { bytes } = scope.memory;
  if (type.kind === 'bool') bytes.fill(0, values, values + valuesSize);
  if (nullable) bytes.fill(0, validity, validity + validitySize);
  return { type, values, validity, step: 1, block };
}

export function releaseOperand(memory: SlotMemory, { block }: Operand): void {
  if (block !== 0) memory.release(block);
}

/** Whether there is a value for a row. */
export function hasValue(memory: SlotMemory, { validity, step }: Operand, row: number): boolean {
  return validity === 0 || bitAt(memory, validity, row * step);
}

/** Marks that a result has a value for a row. */
export function setHasValue(memory: SlotMemory, { validity }: Operand, row: number): void {
  if (validity !== 0) setBit(memory, validity, row);
}

/** The bool of a row; meaningful where there is a value. */
export function boolAt(memory: SlotMemory, { values, step }: Operand, row: number): boolean {
  return bitAt(memory, values, row * step);
}

export function setBit(memory: SlotMemory, bitmap: number, index: number): void {
  const at = bitmap + (index >>> 3);
  memory.bytes[at] = (memory.bytes[at] ?? 0) | (1 << (index & 7));
}

function bitAt(memory: SlotMemory, bitmap: number, index: number): boolean {
  return (((memory.bytes[bitmap + (index >>> 3)] ?? 0) >>> (index & 7)) & 1) === 1;
}

function roundUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}
