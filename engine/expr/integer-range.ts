/** The ranges of integer types, both ends inside. */
import { assert } from '../../base/assert.ts';
import type { FieldType } from '../schema/field-type.ts';

const ranges: Partial<Record<FieldType['kind'], readonly [bigint, bigint]>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
};

/** Whether a whole number fits an integer type; false for NaN. */
export function isInRange(value: number | bigint, type: FieldType): boolean {
  const range = ranges[type.kind];
  assert(range !== undefined, 'integer types have a range');
  // JavaScript compares numbers with bigints exactly.
  return value >= range[0] && value <= range[1];
}
