/**
 * The parts of an aggregate: what its groups are between two operators, or on disk, and the aggregates that
 * merge them into the results.
 *
 *     word, avg(price) as a     parts    word, a sum, a count       merged by   avg(a sum, a count) as a
 *
 * Before: engine/plan/aggregate-functions.ts.
 */
import { type Field, fieldIndexOf, freeName, type Schema } from '../schema/schema.ts';
import { mergeFunctionOf, partFieldsOf } from './aggregate-functions.ts';
import type { AggregateColumn } from './physical-graph.ts';

export interface AggregateParts {
  /** First the keys, then the parts of one aggregate after the other. */
  readonly schema: Schema;
  /** The aggregates over the parts. */
  readonly aggregates: readonly AggregateColumn[];
}

export interface WholeAggregate {
  readonly keys: readonly string[];
  readonly aggregates: readonly AggregateColumn[];
  /** First the keys, then the results. */
  readonly output: Schema;
}

/** @param input - What the aggregates read: rows, or parts. */
export function aggregatePartsOf(
  { keys, aggregates, output }: WholeAggregate,
  input: Schema,
): AggregateParts {
  const fields: Field[] = output.fields.slice(0, keys.length);
  const taken = new Set(output.fields.map((field) => field.name));
  const merges = aggregates.map(({ name, function: kind, columns }): AggregateColumn => {
    const parts = partFieldsOf(name, kind, argumentOf(input, columns)).map((part) => {
      return part.name === name ? part : { ...part, name: freeName(part.name, taken) };
    });
    fields.push(...parts);
    return { name, function: mergeFunctionOf(kind), columns: parts.map((part) => part.name) };
  });
  return { schema: { fields }, aggregates: merges };
}

function argumentOf(input: Schema, [column]: readonly string[]): Field | null {
  return column === undefined ? null : (input.fields[fieldIndexOf(input, column)] ?? null);
}
