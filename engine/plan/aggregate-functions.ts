/**
 * The functions of aggregates: what they take, what they give, and what their partial results are.
 *
 *     values of a group ──partial──▶ parts, one or several columns ──final──▶ result
 *
 *     avg     sum, count                       stddev, variance     count, mean, m2
 *     all others have one part: a sum of counts is a count, a minimum of minima a minimum
 *
 * Parts may be merged any number of times. Those of `countDistinct` are counts as well, of values that are
 * in no other part: its rows meet first. `approxDistinct` and `approxQuantile` become other operators when they are planned.
 * Not here: how a group holds them (engine/kernels/accumulators.ts).
 */
import { assert } from '../../base/assert.ts';
import { type FieldType, float64Type, int64Type } from '../schema/field-type.ts';
import { type Field, fieldOf } from '../schema/schema.ts';

export type AggregateFunction =
  | 'count'
  | 'countDistinct'
  | 'approxDistinct'
  | 'approxQuantile'
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'first'
  | 'last'
  | 'stddev'
  | 'stddevPop'
  | 'variance'
  | 'variancePop';

/** Digits of a sum of decimals: the most there are. */
const sumPrecision = 38;

/** What a function takes, as messages name it. */
export const aggregateInputs: Readonly<Record<AggregateFunction, string>> = {
  count: 'a field',
  countDistinct: 'a field',
  approxDistinct: 'a field',
  approxQuantile: 'a number, a date or a timestamp',
  sum: 'a number',
  avg: 'a number',
  min: 'a value with an order',
  max: 'a value with an order',
  first: 'a field',
  last: 'a field',
  stddev: 'a number',
  stddevPop: 'a number',
  variance: 'a number',
  variancePop: 'a number',
};

/** The field of a function's result; null when it does not take values of the type. */
export function aggregateFieldOf(
  name: string,
  kind: AggregateFunction,
  input: Pick<Field, 'type' | 'nullable'>,
): Field | null {
  const { type, nullable } = input;
  switch (kind) {
    case 'count':
    case 'countDistinct':
    case 'approxDistinct':
      return fieldOf(name, int64Type);
    case 'sum': {
      const sum = sumTypeOf(type);
      return sum === null ? null : fieldOf(name, sum, nullable);
    }
    case 'min':
    case 'max':
      return hasOrder(type) ? fieldOf(name, type, nullable) : null;
    case 'first':
    case 'last':
      return fieldOf(name, type, nullable);
    case 'approxQuantile': {
      const isTime = type.kind === 'date' || type.kind === 'timestamp';
      if (isTime) return fieldOf(name, type, nullable);
      return sumTypeOf(type) === null ? null : fieldOf(name, float64Type, nullable);
    }
    // One value has no deviation of a sample: the result is null.
    case 'stddev':
    case 'variance':
      return sumTypeOf(type) === null ? null : fieldOf(name, float64Type, true);
    default:
      return sumTypeOf(type) === null ? null : fieldOf(name, float64Type, nullable);
  }
}

/**
 * The fields of a function's partial results, for an input of a type. They are named after the result:
 * by its name, or by its name and what they are.
 */
export function partFieldsOf(name: string, kind: AggregateFunction, input: Field | null): Field[] {
  if (kind === 'count' || kind === 'countDistinct') return [fieldOf(name, int64Type)];
  assert(input !== null, 'all functions but count have an input');
  const { type, nullable } = input;
  switch (kind) {
    case 'avg':
      return [
        fieldOf(`${name} sum`, averageSumTypeOf(type), nullable),
        fieldOf(`${name} count`, int64Type),
      ];
    case 'stddev':
    case 'stddevPop':
    case 'variance':
    case 'variancePop':
      return [
        fieldOf(`${name} count`, int64Type, nullable),
        fieldOf(`${name} mean`, float64Type, nullable),
        fieldOf(`${name} m2`, float64Type, nullable),
      ];
    default: {
      const field = aggregateFieldOf(name, kind, input);
      assert(field !== null, 'the input of an aggregate was checked when the job was built');
      return [field];
    }
  }
}

/** The function that merges the parts of a function; its own for most. */
export function mergeFunctionOf(kind: AggregateFunction): AggregateFunction {
  return kind === 'count' || kind === 'countDistinct' ? 'sum' : kind;
}

/** The type of a sum: wide enough for many values; null for what can't be summed. */
export function sumTypeOf(type: FieldType): FieldType | null {
  switch (type.kind) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return int64Type;
    case 'float32':
      return float64Type;
    case 'int64':
    case 'float64':
      return type;
    case 'decimal':
      return { kind: 'decimal', precision: sumPrecision, scale: type.scale };
    default:
      return null;
  }
}

/** The type of the sum in an average: of whole numbers it has room for every sum of int64. */
function averageSumTypeOf(type: FieldType): FieldType {
  const sum = sumTypeOf(type);
  assert(sum !== null, 'what is averaged can be summed');
  if (sum.kind !== 'int64') return sum;
  return { kind: 'decimal', precision: sumPrecision, scale: 0 };
}

function hasOrder({ kind }: FieldType): boolean {
  return kind !== 'list' && kind !== 'struct';
}
