/** Aggregates by windows of every kind, in one phase and in two, with their input: what tests of them share. */
import fc from 'fast-check';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import {
  WindowAggregateOperator,
  type WindowAggregateOptions,
} from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import { aggregatePartsOf } from '../../../../engine/plan/aggregate-parts.ts';
import type { TimeWindowSpec } from '../../../../engine/plan/window-spec.ts';
import { int64Type as int64 } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { ChainedOperators } from '../chained-operators.ts';
import { stepsOf } from './window-steps.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
export const input: Schema = {
  fields: [
    fieldOf('k', { kind: 'int32' }, true),
    fieldOf('at', time, true),
    fieldOf('v', { kind: 'int32' }, true),
  ],
};
const aggregates = [
  { name: 'n', function: 'count', columns: [] },
  { name: 'sum', function: 'sum', columns: ['v'] },
  { name: 'least', function: 'min', columns: ['v'] },
  { name: 'mean', function: 'avg', columns: ['v'] },
] as const;
const results = [
  fieldOf('k', { kind: 'int32' }, true),
  fieldOf('n', int64),
  fieldOf('sum', int64, true),
  fieldOf('least', { kind: 'int32' }, true),
  fieldOf('mean', { kind: 'float64' }, true),
];

export function optionsOf(window: TimeWindowSpec): WindowAggregateOptions {
  const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
  const output = { fields: window.kind === 'global' ? results : [...bounds, ...results] };
  return { input, output, phase: 'whole', window, column: 'at', keys: ['k'], aggregates };
}

function partsOf({ keys }: WindowAggregateOptions) {
  return aggregatePartsOf({ keys, aggregates, output: { fields: results } }, input);
}

export function partialOptionsOf(options: WindowAggregateOptions): WindowAggregateOptions {
  const output = { fields: [fieldOf('pane', time), ...partsOf(options).schema.fields] };
  return { ...options, phase: 'partial', output };
}

/** A partial phase and a final one behind it. */
export function twoPhases(context: OperatorContext, options: WindowAggregateOptions) {
  const first = partialOptionsOf(options);
  const partial = new WindowAggregateOperator(context, first);
  const merged = { phase: 'final', input: first.output, column: 'pane' } as const;
  const given = { ...options, ...merged, aggregates: partsOf(options).aggregates };
  return new ChainedOperators([partial, new WindowAggregateOperator(context, given)]);
}

export const place = { offsetMs: 0, timeZone: null };
export const specs = fc.oneof(
  fc
    .record({ sizeMs: fc.integer({ min: 1, max: 9 }), offsetMs: fc.integer({ min: -4, max: 4 }) })
    .map((one) => ({ kind: 'tumbling', ...one, timeZone: null }) as const),
  fc
    .constantFrom([4, 2], [6, 4], [7, 3], [5, 1], [3, 3])
    .map(([sizeMs = 1, slideMs = 1]) => ({ kind: 'sliding', sizeMs, slideMs, ...place }) as const),
  fc
    .constantFrom([4, 2], [6, 2], [9, 3])
    .map(([sizeMs = 1, stepMs = 1]) => ({ kind: 'cumulating', sizeMs, stepMs, ...place }) as const),
  fc.constant({ kind: 'global' } as const),
);
const row = fc.record({
  k: fc.option(fc.integer({ min: 0, max: 3 })),
  at: fc.integer({ min: -20, max: 40 }),
  v: fc.option(fc.integer({ min: -9, max: 9 })),
});
export const steps = stepsOf(row, { rowsMax: 6, gapMax: 4 });
