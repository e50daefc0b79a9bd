/** The options of `mapReduce`, and their logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import type { MapReduceFunctions } from '../plan/user-functions.ts';
import type { ColumnKind } from './column-kind.ts';
import type { InputOf, RowInputOf, RowOf, ValueOf } from './row.ts';
import { type ColumnsOf, fieldOfType, StructType, ValueType } from './value-type.ts';

type One<T> = ColumnsOf<{ readonly value: T }>['value'];

/** What a function reads, and may give, for a type. */
type Read<T> = ValueOf<One<T>>;
type Given<T> = InputOf<One<T>>;

/**
 * A MapReduce with keys of type K, values of type W and output rows with fields F.
 *
 * `combine` and `reduce` see the values of one key in no particular order. `combine` may run on any
 * part of them, any number of times or never, so `reduce(combine(some), others)` must give the same.
 */
export interface MapReduceOptions<C, K, W, F> {
  /** The type of keys. */
  readonly key: K;
  /** The type of values. */
  readonly value: W;
  /** The fields of the rows that `reduce` gives. */
  readonly output: StructType<F>;
  /** Called for each row; emits any number of pairs. The row is valid during the call. */
  readonly map: (row: RowOf<C>, emit: (key: Given<K>, value: Given<W>) => void) => void;
  /** Folds values of one key into one. */
  readonly combine?: (key: Read<K>, values: Iterable<Read<W>>) => Given<W>;
  /** The partition, in [0, partitionCount), that reduces a key. @defaultValue by a hash of the key */
  readonly partition?: (key: Read<K>, partitionCount: number) => number;
  /** Called once per key, keys ascending within a partition. */
  readonly reduce: (key: Read<K>, values: Iterable<Read<W>>) => Iterable<RowInputOf<ColumnsOf<F>>>;
}

type AnyType = ValueType<ColumnKind, unknown, boolean, boolean>;

/** The node and the functions of a MapReduce. */
export function mapReduceParts<C, K extends AnyType, W extends AnyType, F>(
  options: MapReduceOptions<C, K, W, F>,
): { content: NodeContent; functions: MapReduceFunctions } {
  const { key, value, output, map, combine, partition, reduce } = options;
  for (const [name, part] of Object.entries({ map, combine, partition, reduce })) {
    const isNeeded = name === 'map' || name === 'reduce';
    if (typeof part === 'function' || (part === undefined && !isNeeded)) continue;
    throw typedError('JOB_ARGUMENT_INVALID', `"${name}" of mapReduce is not a function`, {
      hint: 'mapReduce needs map and reduce; combine and partition may be left out.',
    });
  }
  const isTyped = key instanceof ValueType && value instanceof ValueType;
  if (!(output instanceof StructType) || !isTyped) {
    throw typedError('JOB_ARGUMENT_INVALID', 'mapReduce needs the types of key, value and output', {
      hint: 'Write key: t.utf8(), value: t.int64(), output: t.struct({ … }).',
    });
  }
  const content: NodeContent = {
    kind: 'mapReduce',
    pairs: { fields: [fieldOfType('key', key), fieldOfType('value', value)] },
    hasCombine: combine !== undefined,
    hasPartition: partition !== undefined,
    schema: output.schema,
  };
  const functions = {
    kind: 'mapReduce',
    map,
    ...(combine && { combine }),
    ...(partition && { partition }),
    reduce,
  } as unknown as MapReduceFunctions;
  return { content, functions };
}
