/**
 * Goal: every function over every type of value, by any number of keys of any type, gives what its
 * definition says: in one phase, and in two with a table that overflows between.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregatePhases } from '../../../coordinator/planner/combiner-rule.ts';
import { AggregateOperator } from '../../../engine/operators/aggregate-operator.ts';
import type { AggregateColumnOptions } from '../../../engine/operators/aggregate-plan.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import {
  type AggregateFunction,
  aggregateFieldOf,
  sumTypeOf,
} from '../../../engine/plan/aggregate-functions.ts';
import type { OperatorSpec } from '../../../engine/plan/physical-graph.ts';
import { float64Type, int32Type } from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { allTypes, valuesOf } from '../../support/batches.ts';
import { checkOperator, type Row, runModes, runOperator } from '../../support/operator-harness.ts';
import { ChainedOperators } from './chained-operators.ts';
import { referenceGroups } from './group-reference.ts';

type Aggregate = OperatorSpec & { readonly kind: 'aggregate' };

const exact: readonly AggregateFunction[] = [
  'count',
  'countDistinct',
  'min',
  'max',
  'first',
  'last',
];

/** Few different values, so that groups have several rows. */
const someOf = (field: Field) =>
  fc.uniqueArray(valuesOf(field.type), { minLength: 1, maxLength: 3 }).chain((values) => {
    const value = fc.constantFrom(...values);
    return field.nullable ? fc.constant(fc.option(value, { freq: 4 })) : fc.constant(value);
  });

const fieldCases = (name: string) =>
  fc
    .record({ type: fc.constantFrom(...allTypes), nullable: fc.boolean() })
    .map(({ type, nullable }) => fieldOf(name, type, nullable));

interface Case {
  readonly schema: Schema;
  readonly rows: readonly Row[];
  readonly keys: readonly string[];
}

const cases: fc.Arbitrary<Case> = fc
  .integer({ min: 1, max: 4 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) => fieldCases(`k${index}`)),
      fieldCases('v'),
    ),
  )
  .chain((fields) =>
    fc
      .tuple(...fields.map(someOf))
      .chain((values) =>
        fc.array(fc.tuple(...(values as fc.Arbitrary<unknown>[])), { maxLength: 40 }),
      )
      .map((rows) => ({
        schema: { fields },
        rows: rows.map((row) => Object.fromEntries(fields.map(({ name }, at) => [name, row[at]]))),
        keys: fields.map(({ name }) => name).filter((name) => name !== 'v'),
      })),
  );

/** The aggregate over a whole input, with functions that take the type of `v`. */
function specOf({ schema, keys }: Case, functions: readonly AggregateFunction[]): Aggregate {
  const value = schema.fields.find(({ name }) => name === 'v');
  if (value === undefined) throw new Error('a case has a value');
  const results = functions.flatMap((kind) => aggregateFieldOf(kind, kind, value) ?? []);
  const aggregates: AggregateColumnOptions[] = results.map(({ name }) => ({
    name,
    function: name as AggregateFunction,
    columns: ['v'],
  }));
  const keyFields = schema.fields.filter(({ name }) => keys.includes(name));
  const output = {
    fields: [...keyFields, ...results, aggregateFieldOf('rows', 'count', value) as Field],
  };
  const rows = { name: 'rows', function: 'count', columns: [] } as const;
  const spec = { id: 'a', name: 'a', kind: 'aggregate', phase: 'whole' } as const;
  return { ...spec, output, keys, aggregates: [...aggregates, rows] };
}

const operatorOf = (context: OperatorContext, input: Schema, spec: Aggregate, slotsMax?: number) =>
  new AggregateOperator(context, { ...spec, input, ...(slotsMax && { slotsMax }) });

function check(
  one: Case,
  spec: Aggregate,
  build: (context: OperatorContext) => AggregateOperator | ChainedOperators,
) {
  const expected = referenceGroups(one.schema, one.rows, spec);
  const given = { input: one.schema, rows: one.rows, isOrdered: false } as const;
  checkOperator({ ...given, isNotRestarted: true, expected, build });
}

/** Partial and final, as the planner makes them. */
function phasesOf(schema: Schema, spec: Aggregate): readonly [Aggregate, Aggregate] {
  const phases = aggregatePhases(spec, schema);
  if (phases === null) throw new Error('the aggregate is combined');
  return [phases.partial, phases.final];
}

test('in one phase', () => {
  fc.assert(
    fc.property(cases, (one) => {
      const spec = specOf(one, exact);
      check(one, spec, (context) => operatorOf(context, one.schema, spec));
    }),
    { numRuns: 150 },
  );
});

test('in two phases, which a bounded table between does not change', () => {
  const combined = exact.filter((kind) => kind !== 'countDistinct');
  fc.assert(
    fc.property(cases, (one) => {
      const spec = specOf(one, combined);
      const [partial, final] = phasesOf(one.schema, spec);
      check(
        one,
        spec,
        (context) =>
          new ChainedOperators([
            operatorOf(context, one.schema, partial, 64),
            operatorOf(context, partial.output, final),
          ]),
      );
    }),
    { numRuns: 100 },
  );
});

const calculated: readonly AggregateFunction[] = [
  'sum',
  'avg',
  'stddev',
  'stddevPop',
  'variance',
  'variancePop',
  'countDistinct',
];

const numberCases: fc.Arbitrary<Case> = fc
  .record({
    type: fc.constantFrom(...allTypes.filter((type) => sumTypeOf(type) !== null)),
    nullable: fc.boolean(),
  })
  .chain(({ type, nullable }) => {
    const isBig = type.kind === 'int64' && type.js === 'bigint';
    const number = fc.integer({ min: type.kind.startsWith('u') ? 0 : -100, max: 100 });
    const value = number.map((plain) => {
      if (type.kind === 'decimal') return `${plain}.${'0'.repeat(type.scale)}`;
      return isBig ? BigInt(plain) : plain;
    });
    const row = fc.record({
      k0: fc.integer({ min: 0, max: 3 }),
      v: nullable ? fc.option(value, { freq: 3 }) : value,
    });
    const schema = schemaOf(fieldOf('k0', int32Type), fieldOf('v', type, nullable));
    return fc.array(row, { maxLength: 60 }).map((rows) => ({ schema, rows, keys: ['k0'] }));
  });

/** Rows in order of their key, with numbers as far as rounding leaves them. */
function rounded(rows: readonly Row[]): Row[] {
  return [...rows]
    .sort((a, b) => Number(a.k0) - Number(b.k0))
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          // A sum of int64 read as numbers is a number, and one of int32 a bigint.
          typeof value === 'number' || typeof value === 'bigint'
            ? Number(Number(value).toPrecision(9)) + 0
            : value,
        ]),
      ),
    );
}

test.each(['one phase', 'two phases'])('what is calculated of numbers, in %s', (phases) => {
  const functions = calculated.filter((kind) => phases === 'one phase' || kind !== 'countDistinct');
  fc.assert(
    fc.property(numberCases, (one) => {
      const spec = specOf(one, functions);
      const expected = rounded(referenceGroups(one.schema, one.rows, spec));
      const build = (context: OperatorContext) => {
        if (phases === 'one phase') return operatorOf(context, one.schema, spec);
        const [partial, final] = phasesOf(one.schema, spec);
        return new ChainedOperators([
          operatorOf(context, one.schema, partial, 64),
          operatorOf(context, partial.output, final),
        ]);
      };
      for (const mode of runModes) {
        const found = runOperator({ input: one.schema, rows: one.rows, expected: [], build }, mode);
        expect(rounded(found), mode.name).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
});

test('distinct values of many groups grow the set in slices', () => {
  const schema = schemaOf(fieldOf('k0', int32Type), fieldOf('v', int32Type));
  const rows = Array.from({ length: 30_000 }, (_, row) => ({ k0: row % 3, v: row % 5000 }));
  const spec = specOf({ schema, rows, keys: ['k0'] }, ['countDistinct']);
  check({ schema, rows, keys: ['k0'] }, spec, (context) => operatorOf(context, schema, spec));
});

test('values far from zero keep their variance', () => {
  const schema = schemaOf(fieldOf('k0', int32Type), fieldOf('v', float64Type));
  const rows = [4, 7, 13, 16].map((value) => ({ k0: 0, v: value + 1e9 }));
  const spec = specOf({ schema, rows, keys: ['k0'] }, ['variance']);
  check({ schema, rows, keys: ['k0'] }, spec, (context) => operatorOf(context, schema, spec));
});
