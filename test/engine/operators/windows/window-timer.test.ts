/** Goal: windows come out early where they are told to, by the clock or by rows, and by the clocks of a time zone. */
import { expect, test } from 'vitest';
import type { OperatorContext } from '../../../../engine/operators/operator.ts';
import { WindowAggregateOperator } from '../../../../engine/operators/windows/window-aggregate-operator.ts';
import {
  firesOnce,
  type WindowFiring,
  type WindowSpec,
} from '../../../../engine/plan/window-spec.ts';
import { int64Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import {
  checkOperator,
  type Row,
  runModes,
  runOperator,
  type Step,
} from '../../../support/operator-harness.ts';

const time = { kind: 'timestamp', unit: 'ms' } as const;
const key = fieldOf('k', { kind: 'int32' });
const input: Schema = { fields: [key, fieldOf('at', time)] };
const bounds = [fieldOf('windowStart', time), fieldOf('windowEnd', time)];
const place = { offsetMs: 0, timeZone: null };
const tumbling = { kind: 'tumbling', sizeMs: 10, ...place } as const;

type Windows = Exclude<WindowSpec, { readonly kind: 'session' | 'count' }>;

function caseOf(
  window: Windows,
  firing: Partial<WindowFiring>,
  steps: readonly Step[],
  expected: readonly Row[],
) {
  const results = [key, fieldOf('n', int64Type)];
  const output = { fields: 'sizeMs' in window ? [...bounds, ...results] : results };
  const options = {
    ...{ input, output, phase: 'whole' as const, window, column: 'at', keys: ['k'] },
    aggregates: [{ name: 'n', function: 'count', columns: [] }] as const,
    firing: { ...firesOnce, ...firing },
  };
  return {
    ...{ input, steps, expected, isOrdered: false, hasMarks: true },
    build: (context: OperatorContext) => new WindowAggregateOperator(context, options),
  };
}

const rowOf = (k: number, at: number): Step => ({ row: { k, at } });
const groupOf = (k: number, n: bigint, start = 0n): Row => {
  return { windowStart: start, windowEnd: start + 10n, k, n };
};
const steps = [
  rowOf(1, 3),
  { wake: 99 },
  { wake: 100 },
  ...[rowOf(1, 4), rowOf(2, 5)],
  { wake: 150 },
  { wake: 200 },
  rowOf(2, 6),
  { watermark: 10 },
];

test('the clock brings windows out with all of their rows, for keys that have new ones', () => {
  const early = [groupOf(1, 1n), groupOf(1, 2n), groupOf(2, 1n)];
  const last = [groupOf(2, 2n), { watermark: 10 }];
  checkOperator(caseOf(tumbling, { everyMs: 100 }, steps, [...early, ...last]));
});

test('or with those that are new', () => {
  const early = [groupOf(1, 1n), groupOf(1, 1n), groupOf(2, 1n)];
  const last = [groupOf(2, 1n), { watermark: 10 }];
  checkOperator(caseOf(tumbling, { everyMs: 100, isDiscarding: true }, steps, [...early, ...last]));
});

test('all of time comes out by the clock, and at the end', () => {
  const expected = [
    ...[
      { k: 1, n: 1n },
      { k: 1, n: 2n },
      { k: 2, n: 1n },
    ],
    ...[{ watermark: 10 }, { k: 2, n: 2n }],
  ];
  checkOperator(caseOf({ kind: 'global' }, { everyMs: 100 }, steps, expected));
});

test('so many rows bring windows out, each key at last with all of its rows', () => {
  const given = Array.from({ length: 40 }, (_, index) => rowOf(index % 3, index % 30));
  for (const mode of runModes) {
    const found = runOperator(caseOf(tumbling, { everyRows: 5 }, given, []), mode);
    const last = new Map(found.map((row) => [`${row['windowStart']} ${row['k']}`, row['n']]));
    const total = [...last.values()].reduce<bigint>((sum, n) => sum + (n as bigint), 0n);
    expect(total, mode.name).toBe(40n);
    if (mode.name === 'one-row batches') expect(found.length).toBeGreaterThan(last.size);
  }
});

test('a day of a time zone begins at its midnight, and has 23 hours where clocks go forward', () => {
  const at = (text: string) => Date.parse(text);
  const day = {
    kind: 'tumbling',
    sizeMs: 86_400_000,
    offsetMs: 0,
    timeZone: 'Europe/Berlin',
  } as const;
  const times = [
    ...['2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z', '2026-03-29T00:30:00Z'],
    ...['2026-03-29T21:59:59Z', '2026-03-29T22:00:00Z'],
  ];
  const windowOf = (start: string, end: string, n: bigint): Row => {
    return { windowStart: BigInt(at(start)), windowEnd: BigInt(at(end)), k: 1, n };
  };
  const given = [
    ...times.map((text) => rowOf(1, at(text))),
    { watermark: at('2026-03-29T21:59:59Z') },
    { watermark: at('2026-03-29T22:00:00Z') },
  ];
  checkOperator(
    caseOf(day, {}, given, [
      windowOf('2026-03-27T23:00:00Z', '2026-03-28T23:00:00Z', 1n),
      { watermark: at('2026-03-29T21:59:59Z') },
      windowOf('2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 3n),
      { watermark: at('2026-03-29T22:00:00Z') },
      windowOf('2026-03-29T22:00:00Z', '2026-03-30T22:00:00Z', 1n),
    ]),
  );
});
