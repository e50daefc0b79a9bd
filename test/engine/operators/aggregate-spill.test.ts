/**
 * Goal: groups that go to disk are those of a Map as well: every function over every type, distinct values
 * too, in one phase and in two; within the share; with its least, and with disks that fail or lie.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aggregatePhases } from '../../../coordinator/planner/combiner-rule.ts';
import {
  AggregateOperator,
  type AggregateOptions,
} from '../../../engine/operators/aggregate-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import {
  type AggregateFunction,
  aggregateFieldOf,
} from '../../../engine/plan/aggregate-functions.ts';
import type { OperatorSpec } from '../../../engine/plan/physical-graph.ts';
import { int32Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { allTypes, valuesOf } from '../../support/batches.ts';
import { checkOperator, type Row } from '../../support/operator-harness.ts';
import { typedErrorOf } from '../../support/typed-error-of.ts';
import { ChainedOperators } from './chained-operators.ts';
import { referenceGroups } from './group-reference.ts';
import { expectDiskErrors, runWithinShare, TearingDisk } from './within-share.ts';

type Aggregate = OperatorSpec & { readonly kind: 'aggregate' };

const functions: readonly AggregateFunction[] = [
  ...(['count', 'countDistinct', 'min', 'max', 'first', 'last'] as const),
];

/** An aggregate of `v` by the keys, as the planner would have it. */
function specOf(schema: Schema, keys: readonly string[], kinds: readonly AggregateFunction[]) {
  const value = schema.fields.find(({ name }) => name === 'v') as Field;
  const results = kinds.flatMap((kind) => aggregateFieldOf(kind, kind, value) ?? []);
  const aggregates = results.map(({ name }) => {
    return { name, function: name as AggregateFunction, columns: ['v'] };
  });
  const spec: Aggregate = {
    ...{ id: 'a', name: 'a', kind: 'aggregate', phase: 'whole', keys },
    output: {
      fields: [
        ...schema.fields.filter(({ name }) => keys.includes(name)),
        ...results,
        fieldOf('rows', int64Type),
      ],
    },
    aggregates: [...aggregates, { name: 'rows', function: 'count', columns: [] }],
  };
  return spec;
}

/** Many groups of few rows; the other key and the value are of any type. */
const cases = fc
  .record({
    types: fc.tuple(fc.constantFrom(...allTypes), fc.constantFrom(...allTypes)),
    nullable: fc.boolean(),
  })
  .chain(({ types: [keyType, type], nullable }) => {
    const fields = [fieldOf('k1', keyType, true), fieldOf('v', type, nullable)];
    const drawnOf = ({ type: own, nullable: canBeNull }: Field) =>
      fc.uniqueArray(valuesOf(own), { minLength: 1, maxLength: 4 }).map((values) => {
        const one = fc.constantFrom(...values);
        return canBeNull ? fc.option(one, { freq: 4 }) : one;
      });
    const [key, val] = fields as [Field, Field];
    return fc.tuple(drawnOf(key), drawnOf(val)).chain(([k1, v]) => {
      const row = fc.record({ k0: fc.integer({ min: 0, max: 800 }), k1, v });
      const schema = schemaOf(fieldOf('k0', int32Type), ...fields);
      const rows = fc.array(row, { minLength: 0, maxLength: 700, size: 'max' });
      return rows.map((drawn) => ({ schema, rows: drawn as Row[] }));
    });
  });

test.each(['one phase', 'two phases'])('groups on disk, in %s', { timeout: 120_000 }, (phases) => {
  const isWhole = phases === 'one phase';
  let spilledBytes = 0;
  fc.assert(
    fc.property(cases, ({ schema, rows }) => {
      const kinds = functions.filter((kind) => isWhole || kind !== 'countDistinct');
      const spec = specOf(schema, ['k0', 'k1'], kinds);
      const two = isWhole ? null : aggregatePhases(spec, schema);
      const build = (context: OperatorContext) => {
        const onWritten = (bytes: number) => {
          spilledBytes += bytes;
        };
        const spilling = { ...context, spill: { ...context.spill, onWritten } };
        const of = (one: Aggregate, input: Schema) =>
          new AggregateOperator(spilling, { ...one, input, slotsMax: 64 });
        if (two === null) return of(spec, schema);
        return new ChainedOperators([
          of(two.partial, schema),
          of(two.final, two.partial.output),
        ] as const);
      };
      const expected = referenceGroups(schema, rows, spec);
      const given = { input: schema, rows, isOrdered: false, isNotRestarted: true } as const;
      checkOperator({ ...given, expected, build });
    }),
    { numRuns: 25 },
  );
  expect(spilledBytes).toBeGreaterThan(0);
});

const exact: readonly AggregateFunction[] = ['sum', 'avg', 'variancePop', 'countDistinct'];

test('sums, averages and deviations of parts on disk', () => {
  const schema = schemaOf(fieldOf('k0', int32Type), fieldOf('v', int64Type, true));
  const rows = Array.from({ length: 2000 }, (_, at) => ({
    k0: (at * 37) % 500,
    v: at % 7 === 0 ? null : BigInt((at % 3) * 4 - 2),
  }));
  const spec = specOf(schema, ['k0'], exact);
  const build = (context: OperatorContext) =>
    new AggregateOperator(context, { ...spec, input: schema, slotsMax: 64 });
  const expected = referenceGroups(schema, rows, spec);
  const rounded = (row: Row) => ({
    ...row,
    variancePop: expect.closeTo(Number(row.variancePop), 9),
  });
  const { found } = runWithinShare({ rows, build, schema });
  expect(found).toHaveLength(expected.length);
  expect(byKey(found)).toEqual(byKey(expected).map(rounded));
});

function byKey(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => Number(a.k0) - Number(b.k0));
}

const texts = schemaOf(fieldOf('k0', utf8Type), fieldOf('v', int32Type));
const textSpec = specOf(texts, ['k0'], ['sum']);
const buildTexts = (context: OperatorContext) =>
  new AggregateOperator(context, { ...textSpec, input: texts } satisfies AggregateOptions);

/** Each key twice, far apart. */
function* textRows(keyCount: number) {
  for (let at = 0; at < 2 * keyCount; at++) {
    yield { k0: `key ${(at * 7919) % keyCount}`.padEnd(40, '.'), v: 3 };
  }
}

test('groups of ten times the share', () => {
  const keyCount = 240_000;
  const { found, spilledBytes } = runWithinShare({
    ...{ rows: textRows(keyCount), build: buildTexts, schema: texts },
  });
  expect(spilledBytes).toBeGreaterThan(0);
  expect(found).toHaveLength(keyCount);
  expect(new Set(found.map(({ k0 }) => k0)).size).toBe(keyCount);
  expect(found.every(({ rows, sum }) => rows === 2n && sum === 6n)).toBe(true);
});

test('distinct values of all rows, of ten times the share', () => {
  const schema = schemaOf(fieldOf('v', utf8Type, true));
  const spec = specOf(schema, [], ['countDistinct', 'count', 'max']);
  const rows = Array.from({ length: 300_000 }, (_, at) => {
    return { v: at % 1000 === 0 ? null : `value ${at % 200_003}`.padEnd(40, '.') };
  });
  const build = (context: OperatorContext) =>
    new AggregateOperator(context, { ...spec, input: schema });
  const { found, spilledBytes } = runWithinShare({ rows, build, schema, shareBytes: 5 << 20 });
  expect(spilledBytes).toBeGreaterThan(0);
  expect(found).toEqual(referenceGroups(schema, rows, spec));
});

test('what fits in the share goes to no disk', () => {
  const rows = textRows(5_000);
  const { spilledBytes } = runWithinShare({
    rows,
    build: buildTexts,
    schema: texts,
    shareBytes: 16 << 20,
  });
  expect(spilledBytes).toBe(0);
});

test('a share that is too small: the least memory that would do, which does', () => {
  const run = (shareBytes: number) => () => {
    return runWithinShare({ rows: textRows(90_000), build: buildTexts, schema: texts, shareBytes });
  };
  const error = typedErrorOf(run(1 << 20));
  expect(error?.info.code).toBe('MEMORY_TOO_SMALL');
  expect(error?.message).toMatch(
    /^"tested" needs [\d.]+ MB of memory to group on disk, and has 1.0 MB$/,
  );
  const least = Number(error?.info.details?.leastBytes);
  expect(run(least)().found).toHaveLength(90_000);
  expect(typedErrorOf(run(least - 4096))?.info.code).toBe('MEMORY_TOO_SMALL');
});

test('each call of the disk may fail: a typed error, and nothing is left', () => {
  expectDiskErrors((plan) => {
    return runWithinShare({ rows: textRows(20_000), build: buildTexts, schema: texts, plan });
  });
});

test('a block that is torn is told, and gives no groups', () => {
  const disk = new TearingDisk();
  const error = typedErrorOf(() =>
    runWithinShare({ rows: textRows(90_000), build: buildTexts, schema: texts, disk }),
  );
  expect(error?.info.code).toBe('SPILL_DAMAGED');
});
