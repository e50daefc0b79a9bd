/**
 * Aggregate plans: which accumulators an aggregate operator keeps for its functions, what each of them
 * reads, and how the columns of results become those of the output. Plain data, made once.
 *
 *     avg(price), sum(price)     accumulators   sum(price), count(price)       the sum serves both
 *                                output         average of columns 0 and 1; column 0
 */
import { assert } from '../../base/assert.ts';
import { type AccumulatorSpec, resultSizesOf } from '../kernels/accumulators.ts';
import type { AggregateFunction } from '../plan/aggregate-functions.ts';
import { type FieldType, layoutOf } from '../schema/field-type.ts';
import { fieldIndexOf, type Schema } from '../schema/schema.ts';

export interface AggregateColumnOptions {
  readonly name: string;
  readonly function: AggregateFunction;
  /** The input column, none to count rows; in the final phase the parts of partial results. */
  readonly columns: readonly string[];
}

export type AggregatePhase = 'partial' | 'final' | 'whole';

/** What an accumulator reads of a batch; an index is that of an input column. */
export type AccumulatorInput =
  | { readonly kind: 'nothing' }
  /** Widened to 8 bytes, or as it lies. */
  | { readonly kind: 'column'; readonly index: number }
  /** As float64. */
  | { readonly kind: 'float64'; readonly index: number }
  /** Count, mean and m2 side by side. */
  | { readonly kind: 'moments'; readonly indexes: readonly number[] }
  /** The validity alone: set where the value comes for the first time with its key. */
  | { readonly kind: 'distinct'; readonly index: number };

/** How an output column is made of result columns. */
export type AggregateResult =
  /** A count is never null, whatever its field may be. */
  | { readonly kind: 'plain'; readonly column: number; readonly isCount?: boolean }
  /** Zeroes, of whole numbers. */
  | { readonly kind: 'zero' }
  | {
      readonly kind: 'average';
      readonly sum: number;
      readonly count: number;
      /** What a sum of int128 is divided by; null for a sum of float64. */
      readonly divisor: number | null;
    }
  | {
      readonly kind: 'variance';
      readonly count: number;
      readonly m2: number;
      /** What the count is less by: 1 of a sample. */
      readonly lost: 0 | 1;
      readonly isRoot: boolean;
    };

export interface AggregatePlan {
  readonly accumulators: readonly AccumulatorSpec[];
  /** One per accumulator. */
  readonly inputs: readonly AccumulatorInput[];
  /** The output columns behind the keys. */
  readonly results: readonly AggregateResult[];
  /**
   * The same as parts, to be merged later: those of `partsOf` (engine/plan/aggregate-parts.ts). Distinct values
   * are counted elsewhere then.
   */
  readonly parts: readonly AggregateResult[];
  /** By result column: the aggregate that first asked for it, for messages. */
  readonly owners: readonly string[];
}

export function planAggregates(
  input: Schema,
  phase: AggregatePhase,
  aggregates: readonly AggregateColumnOptions[],
): AggregatePlan {
  const planning = new Planning(input);
  const parts = aggregates.flatMap((aggregate): AggregateResult[] => {
    if (aggregate.function === 'countDistinct') return [{ kind: 'zero' }];
    const count = phase === 'final' ? -1 : countPartOf(aggregate.function);
    return planning.columns(aggregate, phase).map((column, part) => {
      return { kind: 'plain', column, isCount: part === count };
    });
  });
  const results =
    phase === 'partial' ? parts : aggregates.map((aggregate) => planning.result(aggregate, phase));
  return { ...planning.plan, results, parts };
}

/** Which part of a function over raw values counts rows; -1 for none. */
function countPartOf(kind: AggregateFunction): number {
  if (kind === 'count') return 0;
  return kind === 'avg' ? 1 : -1;
}

/** Collects accumulators; equal ones are kept once. */
class Planning {
  readonly #input: Schema;
  readonly #accumulators: AccumulatorSpec[] = [];
  readonly #inputs: AccumulatorInput[] = [];
  readonly #owners: string[] = [];
  /** By accumulator, as text: its first result column. */
  readonly #columns = new Map<string, number>();
  #columnCount = 0;

  constructor(input: Schema) {
    this.#input = input;
  }

  get plan() {
    return { accumulators: this.#accumulators, inputs: this.#inputs, owners: this.#owners };
  }

  /** The result columns of a function over raw values, or over parts. */
  columns(aggregate: AggregateColumnOptions, phase: AggregatePhase): number[] {
    return phase === 'final' ? this.#merged(aggregate) : this.#parts(aggregate);
  }

  #parts({ name, function: kind, columns }: AggregateColumnOptions): number[] {
    const [column] = columns;
    if (kind === 'count') return [this.#count(name, column)];
    assert(column !== undefined, 'all functions but count have an argument');
    const { index, type } = this.#field(column);
    switch (kind) {
      case 'countDistinct':
        return [
          this.#add(name, { function: 'countValid', type: 'int64' }, { kind: 'distinct', index }),
        ];
      case 'avg': {
        const sum = { function: 'sum', type: averageTypeOf(type) } as const;
        return [this.#add(name, sum, { kind: 'column', index }), this.#count(name, column)];
      }
      case 'sum':
      case 'min':
      case 'max':
      case 'first':
      case 'last': {
        const spec = { function: kind, type: accumulatorTypeOf(type) };
        return [this.#add(name, spec, { kind: 'column', index })];
      }
      default: {
        const spec = { function: 'moments', type: 'float64' } as const;
        const first = this.#add(name, spec, { kind: 'float64', index });
        return [first, first + 1, first + 2];
      }
    }
  }

  /** The result of a function over raw values, or over parts. */
  result(aggregate: AggregateColumnOptions, phase: 'final' | 'whole'): AggregateResult {
    const columns = this.columns(aggregate, phase);
    const [first = 0, second = 0, third = 0] = columns;
    switch (aggregate.function) {
      case 'avg':
        return { kind: 'average', sum: first, count: second, divisor: this.#divisorOf(aggregate) };
      case 'stddev':
      case 'stddevPop':
      case 'variance':
      case 'variancePop': {
        const lost = aggregate.function.endsWith('Pop') ? 0 : 1;
        const isRoot = aggregate.function.startsWith('stddev');
        return { kind: 'variance', count: first, m2: third, lost, isRoot };
      }
      default:
        return { kind: 'plain', column: first };
    }
  }

  /** The result columns of a function over parts. */
  #merged({ name, function: kind, columns }: AggregateColumnOptions): number[] {
    const parts = columns.map((column) => this.#field(column));
    if (parts.length === 3) {
      const indexes = parts.map(({ index }) => index);
      const spec = { function: 'mergeMoments', type: 'float64' } as const;
      const first = this.#add(name, spec, { kind: 'moments', indexes });
      return [first, first + 1, first + 2];
    }
    // The parts of an average are sums.
    const merge = kind === 'avg' ? 'sum' : kind;
    assert(merge !== 'count', 'counts are merged by a sum');
    return parts.map(({ index, type }) => {
      const spec = { function: merge, type: accumulatorTypeOf(type) } as AccumulatorSpec;
      return this.#add(name, spec, { kind: 'column', index });
    });
  }

  #count(name: string, column: string | undefined): number {
    if (column === undefined) {
      return this.#add(name, { function: 'count', type: 'int64' }, { kind: 'nothing' });
    }
    const { index, isNullable } = this.#field(column);
    // Where nothing is null, counting rows is the same, and faster.
    if (!isNullable) return this.#count(name, undefined);
    return this.#add(name, { function: 'countValid', type: 'int64' }, { kind: 'column', index });
  }

  #add(name: string, spec: AccumulatorSpec, input: AccumulatorInput): number {
    const key = JSON.stringify([spec, input]);
    const known = this.#columns.get(key);
    if (known !== undefined) return known;
    const first = this.#columnCount;
    this.#columns.set(key, first);
    this.#columnCount += resultSizesOf(spec).length;
    this.#accumulators.push(spec);
    this.#inputs.push(input);
    this.#owners.push(name);
    return first;
  }

  /** Sums of whole numbers are int128 with no digits behind the point, those of decimals with some. */
  #divisorOf({ columns: [sum] }: AggregateColumnOptions): number | null {
    assert(sum !== undefined, 'an average has an argument');
    const { type } = this.#field(sum);
    if (type.kind === 'float64' || type.kind === 'float32') return null;
    return type.kind === 'decimal' ? 10 ** type.scale : 1;
  }

  #field(name: string): { index: number; type: FieldType; isNullable: boolean } {
    const index = fieldIndexOf(this.#input, name);
    const field = this.#input.fields[index];
    assert(field !== undefined, 'the input of an aggregate is in its input schema');
    return { index, type: field.type, isNullable: field.nullable };
  }
}

function accumulatorTypeOf(type: FieldType): AccumulatorSpec['type'] {
  if (layoutOf(type) === 'view') return 'text';
  if (type.kind === 'decimal') return 'int128';
  return type.kind === 'float64' || type.kind === 'float32' ? 'float64' : 'int64';
}

/** A sum of int64 may overflow where the average does not; so it has 128 bits. */
function averageTypeOf(type: FieldType): AccumulatorSpec['type'] {
  const own = accumulatorTypeOf(type);
  return own === 'int64' ? 'int64Wide' : own;
}
