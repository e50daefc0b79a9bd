/** Sessions with keys of every form, their input and their triggers: what tests of them share. */
import fc from 'fast-check';
import type { SessionAggregateOptions } from '../../../../engine/operators/windows/session-aggregate-operator.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import type { Row, Step } from '../../../support/operator-harness.ts';
import { stepsOf } from './window-steps.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
export const keyTypes = {
  int32: { field: fieldOf('k', { kind: 'int32' }, true), of: (k: number) => k as unknown },
  text: {
    field: fieldOf('k', { kind: 'utf8' }, true),
    of: (k: number) => (k === 0 ? 'a' : `a key of more than 8 bytes, ${k}`),
  },
  decimal: {
    field: fieldOf('k', { kind: 'decimal', precision: 38, scale: 0 }, true),
    of: (k: number) => `${k + 1}000000000000000000000`,
  },
};
const aggregates = [
  { name: 'n', function: 'count', columns: [] },
  { name: 'sum', function: 'sum', columns: ['v'] },
  { name: 'least', function: 'min', columns: ['v'] },
  { name: 'mean', function: 'avg', columns: ['v'] },
] as const;

function schemasOf(key: Field): { readonly input: Schema; readonly output: Schema } {
  const v = fieldOf('v', { kind: 'int32' }, true);
  const results = [
    fieldOf('n', int64Type),
    fieldOf('sum', int64Type, true),
    fieldOf('least', { kind: 'int32' }, true),
    fieldOf('mean', { kind: 'float64' }, true),
  ];
  const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
  return {
    input: { fields: [key, fieldOf('at', time, true), v] },
    output: { fields: [...bounds, key, ...results] },
  };
}

export function optionsOf(key: Field, gapMs: number): SessionAggregateOptions {
  return { ...schemasOf(key), phase: 'whole', gapMs, column: 'at', keys: ['k'], aggregates };
}

const row = fc.record({
  k: fc.option(fc.integer({ min: 0, max: 2 })),
  at: fc.integer({ min: -20, max: 40 }),
  v: fc.option(fc.integer({ min: -9, max: 9 })),
});
export const steps = stepsOf(row);
export const gaps = fc.integer({ min: 1, max: 7 });
/** Each once, or again for late rows: with the next watermark, or at once. */
export const firings = fc.constantFrom(
  { allowedLatenessMs: 0, isLatePerRow: false },
  { allowedLatenessMs: 6, isLatePerRow: false },
  { allowedLatenessMs: 6, isLatePerRow: true },
);
export const keyKinds = fc.constantFrom(...Object.values(keyTypes));

/** The same with keys of another type. */
export function withKeys(
  rows: readonly Row[],
  { of, field }: (typeof keyTypes)[keyof typeof keyTypes],
): Row[] {
  const isDecimal = field.type.kind === 'decimal';
  return rows.map((one) => {
    if (!('k' in one) || one.k === null) return one;
    const key = of(one.k as number);
    return { ...one, k: isDecimal ? String(key) : key };
  });
}

export function stepsWithKeys(
  given: readonly Step[],
  key: (typeof keyTypes)[keyof typeof keyTypes],
): Step[] {
  return given.map((step) => {
    return 'row' in step ? { row: withKeys([step.row], key)[0] as Row } : step;
  });
}
