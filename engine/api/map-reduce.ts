/** The options of `mapReduce`, and their logical node. */
import { typedError } from '../../base/typed-error.ts';
import type { NamedExpr } from '../expr/expr.ts';
import { exprText } from '../expr/expr-text.ts';
import type { NodeContent } from '../plan/logical-node.ts';
import type { FunctionContext, MapReduceFunctions } from '../plan/user-functions.ts';
import type { AnyColumn, SortOrder } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import { keysOf } from './grouping.ts';
import { callLambda, type InputOf, type RowInputOf, type RowOf, type ValueOf } from './row.ts';
import { ordersIn } from './sort-order.ts';
import { type ColumnsOf, fieldOfType, StructType, ValueType } from './value-type.ts';

type One<T> = ColumnsOf<{ readonly value: T }>['value'];

/** The columns of pairs that expressions see. */
type PairOf<K, W> = ColumnsOf<{ readonly key: K; readonly value: W }>;

/** What a function reads, and may give, for a type. */
type Read<T> = ValueOf<One<T>>;
type Given<T> = InputOf<One<T>>;

/**
 * A MapReduce with keys of type K, values of type W and output rows with fields F.
 *
 * Without `order`, `reduce` sees the values of one key in no particular order, as `combine` always does.
 * `combine` may run on any part of them, any number of times or never, so
 * `reduce(combine(some), others)` must give the same.
 */
export interface MapReduceOptions<C, K, W, F> {
  /** The type of keys. */
  readonly key: K;
  /** The type of values. */
  readonly value: W;
  /** The fields of the rows that `reduce` gives. */
  readonly output: StructType<F>;
  /**
   * Small files that the functions read whole, `context.sideFile(name)`: name → path. At most 64 MiB each.
   *
   * @defaultValue none
   */
  readonly sideFiles?: Readonly<Record<string, string>>;
  /** Called for each row; emits any number of pairs. The row is valid during the call. */
  readonly map: (
    row: RowOf<C>,
    emit: (key: Given<K>, value: Given<W>) => void,
    context: FunctionContext,
  ) => void;
  /** Folds values of one key into one. */
  readonly combine?: (
    key: Read<K>,
    values: Iterable<Read<W>>,
    context: FunctionContext,
  ) => Given<W>;
  /**
   * What the pairs of one call of `reduce` have in common: a column, or several, over key and value.
   *
   * @defaultValue the key
   * @example `group: ({ key }) => key.field('user')`, for keys of a user and a time
   */
  readonly group?: (pair: PairOf<K, W>) => AnyColumn | readonly AnyColumn[];
  /**
   * The order of pairs within a partition. Pairs of one group stay together: `order` says whether groups ascend or
   * descend where it names what they have in common, and then the order of the pairs of each.
   *
   * @defaultValue groups ascending, their pairs as they came
   * @example `order: ({ key, value }) => [key.desc(), value.asc()]`
   */
  readonly order?: (pair: PairOf<K, W>) => SortOrder | readonly SortOrder[];
  /**
   * The partition, in [0, partitionCount), that reduces a key; all keys of a group must have the same.
   *
   * @defaultValue by a hash of what the group has in common
   */
  readonly partition?: (key: Read<K>, partitionCount: number) => number;
  /**
   * Called once per group, groups ascending within a partition unless `order` says else.
   *
   * @param key - Of the first pair.
   */
  readonly reduce: (
    key: Read<K>,
    values: Iterable<Read<W>>,
    context: FunctionContext,
  ) => Iterable<RowInputOf<ColumnsOf<F>>>;
}

/** A type of keys or values. */
export type PairType = ValueType<ColumnKind, unknown, boolean, boolean>;

/** The node and the functions of a MapReduce. */
export function mapReduceParts<C, K extends PairType, W extends PairType, F>(
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
  const pairs = { fields: [fieldOfType('key', key), fieldOfType('value', value)] };
  const content: NodeContent = {
    kind: 'mapReduce',
    pairs,
    group: options.group === undefined ? [] : groupIn(callLambda('group', pairs, options.group)),
    order:
      options.order === undefined
        ? []
        : ordersIn('order', callLambda('order', pairs, options.order)),
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
    sideFiles: sideFilesIn(options.sideFiles),
  } as unknown as MapReduceFunctions;
  return { content, functions };
}

/** The columns in what a `group` lambda gave. */
function groupIn(given: unknown): NamedExpr[] {
  const group = keysOf(given, 'group').map(({ expr }, index) => ({
    name: index === 0 ? 'group' : `group_${index + 1}`,
    expr,
  }));
  const nested = group.find(({ expr }) => expr.type.kind === 'list' || expr.type.kind === 'struct');
  if (nested === undefined) return group;
  const message = `"${exprText(nested.expr)}" is a ${nested.expr.type.kind}, by which pairs can't be grouped`;
  throw typedError('EXPR_TYPE_MISMATCH', message, {
    hint: "Group by a field of it: ({ key }) => key.field('user').",
  });
}

function sideFilesIn(given: unknown): Readonly<Record<string, string>> {
  if (given === undefined) return {};
  const isMap = typeof given === 'object' && given !== null && !Array.isArray(given);
  if (isMap && Object.values(given).every((path) => typeof path === 'string' && path !== '')) {
    return { ...(given as Record<string, string>) };
  }
  throw typedError('JOB_ARGUMENT_INVALID', 'sideFiles of mapReduce is no map of names to paths', {
    hint: "Write sideFiles: { stopWords: 'stop-words.txt' }.",
  });
}
