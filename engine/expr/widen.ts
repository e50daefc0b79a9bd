/** Widening: a number of one type as the same number of another that operands are brought to. */
import type { FieldType } from '../schema/field-type.ts';
import { isInteger } from './arithmetic-type.ts';
import { numberOfDecimal, rescaled } from './decimal.ts';
import type { Value } from './value.ts';

/** Brings values of type `from`, but for null, to type `to`, which holds or is nearest to them. */
export function widenerOf(from: FieldType, to: FieldType): (value: Value) => Value {
  switch (to.kind) {
    case 'int64':
      return (value) => BigInt(value as number | bigint);
    case 'float32':
    case 'float64':
      if (from.kind === 'decimal') {
        const { scale } = from;
        return (value) => numberOfDecimal(value as bigint, scale);
      }
      return Number;
    case 'decimal': {
      const scale = from.kind === 'decimal' ? from.scale : 0;
      return (value) => rescaled(BigInt(value as number | bigint), scale, to.scale);
    }
    default:
      // Integers of up to 32 bits are numbers all; other types stand beside their own only.
      return isInteger(to) ? Number : (value) => value;
  }
}
