/** Joins of two streams as operator cases: rows, times, keys and watermarks at random, and what comparing all rows gives. */
import fc from 'fast-check';
import type { Expr } from '../../../../engine/expr/expr.ts';
import { columnExpr, compareExpr, logicExpr } from '../../../../engine/expr/expr-factory.ts';
import { IntervalJoinOperator } from '../../../../engine/operators/stream-join/interval-join-operator.ts';
import type { IntervalJoinOptions } from '../../../../engine/operators/stream-join/interval-join-options.ts';
import {
  becomesNull,
  isOneSided,
  type JoinType,
  joinTypes,
} from '../../../../engine/plan/join-type.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../../../engine/schema/schema.ts';
import type { OperatorCase, Row, Step } from '../../../support/operator-harness.ts';

export interface IntervalCase {
  readonly type: JoinType;
  readonly keys: readonly KeyShape[];
  readonly units: { readonly left: 'ms' | 'us'; readonly right: 'ms' | 'us' };
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly lagMs: number;
  readonly sliceMs: number;
  readonly condition: 'none' | 'differs' | 'never';
  readonly steps: readonly Step[];
}

interface KeyShape {
  readonly index: number;
  readonly isNullable: { readonly left: boolean; readonly right: boolean };
}

const long = 'a text longer than a view';
/** Few values of each type, so that rows find partners. */
const valuesOf: readonly (readonly [FieldType, readonly unknown[]])[] = [
  [int64Type, [0n, 1n, -1n, 2n ** 62n]],
  [int32Type, [-2, 0, 1]],
  [boolType, [true, false]],
  [float64Type, [0, Number.NaN, 1.5]],
  [utf8Type, ['', 'a', long, `${long}!`]],
];

const timeTypeOf = (unit: 'ms' | 'us'): FieldType => ({ kind: 'timestamp', unit });

function schemaOfSide(one: IntervalCase, side: 'left' | 'right'): Schema {
  const prefix = side === 'left' ? 'l' : 'r';
  const keys = one.keys.map(({ index, isNullable }, at) => {
    const [type] = valuesOf[index] ?? [int64Type];
    return fieldOf(`${prefix}${at}`, type, isNullable[side]);
  });
  return schemaOf(
    fieldOf(`${prefix}t`, timeTypeOf(one.units[side]), true),
    ...keys,
    fieldOf(`${prefix}n`, int32Type),
    fieldOf(`${prefix}text`, utf8Type, true),
  );
}

function conditionOf({ condition }: IntervalCase): Expr | null {
  if (condition === 'none') return null;
  const [ln, rn] = ['ln', 'rn'].map((name) => columnExpr(fieldOf(name, int32Type))) as [Expr, Expr];
  const differs = compareExpr('ne', ln, rn);
  if (condition === 'differs') return differs;
  return logicExpr('and', differs, compareExpr('eq', ln, rn));
}

export function optionsOf(one: IntervalCase): IntervalJoinOptions {
  const [left, right] = (['left', 'right'] as const).map((side) => {
    const prefix = side === 'left' ? 'l' : 'r';
    const keys = one.keys.map((_, at) => `${prefix}${at}`);
    return { schema: schemaOfSide(one, side), keys, time: `${prefix}t` };
  });
  if (left === undefined || right === undefined) throw new Error('a join has two sides');
  const { type, beforeMs, afterMs, lagMs, sliceMs } = one;
  const nullableIf = (isNull: boolean, { fields }: Schema): Field[] =>
    fields.map((field) => ({ ...field, nullable: field.nullable || isNull }));
  const output = isOneSided(type)
    ? left.schema
    : {
        fields: [
          ...nullableIf(becomesNull(type, 'left'), left.schema),
          ...nullableIf(becomesNull(type, 'right'), right.schema),
        ],
      };
  return {
    ...{ type, left, right, beforeMs, afterMs, lagMs, sliceMs, output },
    condition: conditionOf(one),
  };
}

/** Times of rows in microseconds, so that both units are one. */
export function microsOf(
  { units }: Pick<IntervalCase, 'units'>,
  row: Row,
  side: 'left' | 'right',
): number | null {
  const time = row[side === 'left' ? 'lt' : 'rt'] as bigint | null;
  return time === null ? null : Number(time) * (units[side] === 'us' ? 1 : 1000);
}

interface Kept {
  readonly row: Row[];
  readonly right: Row[];
  lateCount: number;
}

/** The rows of each side that are in time. */
export function keptRows(one: Pick<IntervalCase, 'steps' | 'lagMs' | 'units'>): Kept {
  const kept: Kept = { row: [], right: [], lateCount: 0 };
  const sides = { row: 'left', right: 'right' } as const;
  let bound = Number.NEGATIVE_INFINITY;
  for (const step of one.steps) {
    if ('watermark' in step) bound = (step.watermark - one.lagMs) * 1000;
    for (const kind of ['row', 'right'] as const) {
      if (!(kind in step)) continue;
      const row = (step as Record<typeof kind, Row>)[kind];
      const time = microsOf(one, row, sides[kind]);
      if (time !== null && time < bound) kept.lateCount++;
      else kept[kind].push(row);
    }
  }
  return kept;
}

function arePartners(one: IntervalCase, left: Row, right: Row): boolean {
  const [a, b] = [microsOf(one, left, 'left'), microsOf(one, right, 'right')];
  if (a === null || b === null) return false;
  if (b < a - one.beforeMs * 1000 || b > a + one.afterMs * 1000) return false;
  if (one.condition === 'never') return false;
  if (one.condition === 'differs' && left.ln === right.rn) return false;
  return one.keys.every((_, at) => left[`l${at}`] !== null && left[`l${at}`] === right[`r${at}`]);
}

/** Row by row: the rows in time, then each left one beside each right one. */
export function expectedRows(one: IntervalCase): {
  readonly rows: Row[];
  readonly lateCount: number;
} {
  const kept = keptRows(one);
  const { type } = one;
  const { output } = optionsOf(one);
  const rows: Row[] = [];
  const give = (row: Row) =>
    rows.push(Object.fromEntries(output.fields.map(({ name }) => [name, row[name] ?? null])));
  const matched = new Set<Row>();
  for (const row of kept.row) {
    const partners = kept.right.filter((other) => arePartners(one, row, other));
    for (const partner of partners) matched.add(partner);
    if (isOneSided(type)) {
      if (partners.length > 0 === (type === 'semi')) give(row);
      continue;
    }
    for (const partner of partners) give({ ...row, ...partner });
    if (partners.length === 0 && becomesNull(type, 'right')) give(row);
  }
  if (becomesNull(type, 'left')) {
    for (const row of kept.right) if (!matched.has(row)) give(row);
  }
  return { rows, lateCount: kept.lateCount };
}

export function operatorCaseOf(
  one: IntervalCase,
  onBuilt?: (operator: IntervalJoinOperator) => void,
): OperatorCase {
  const options = optionsOf(one);
  return {
    input: options.left.schema,
    rightInput: options.right.schema,
    steps: one.steps,
    isOrdered: false,
    build: (context) => {
      const operator = new IntervalJoinOperator(context, options);
      onBuilt?.(operator);
      return operator;
    },
    expected: expectedRows(one).rows,
  };
}

const shapes = fc.array(
  fc.record({
    index: fc.nat(valuesOf.length - 1),
    isNullable: fc.record({ left: fc.boolean(), right: fc.boolean() }),
  }),
  { minLength: 1, maxLength: 3 },
);

function rowsOf(
  keys: readonly KeyShape[],
  side: 'left' | 'right',
  unit: 'ms' | 'us',
): fc.Arbitrary<(time: number) => Row> {
  const prefix = side === 'left' ? 'l' : 'r';
  const parts: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [at, { index, isNullable }] of keys.entries()) {
    const values = fc.constantFrom(...(valuesOf[index]?.[1] ?? []));
    parts[`${prefix}${at}`] = isNullable[side] ? fc.option(values, { freq: 5 }) : values;
  }
  parts[`${prefix}n`] = fc.nat(3);
  parts[`${prefix}text`] = fc.option(fc.constantFrom('x', 'another text behind a view'));
  parts.rest = fc.nat(unit === 'us' ? 999 : 0);
  parts.isTimeless = fc.nat(9).map((chance) => chance === 0);
  return fc.record(parts).map((drawn) => {
    const { rest, isTimeless, ...row } = drawn as Row;
    return (time: number) => {
      const at = BigInt(unit === 'us' ? time * 1000 + (rest as number) : time);
      return { ...row, [`${prefix}t`]: isTimeless ? null : at };
    };
  });
}

/** Rows whose times go on by and by, out of order by a little more than watermarks allow. */
export const intervalCases: fc.Arbitrary<IntervalCase> = fc
  .record({
    type: fc.constantFrom(...joinTypes),
    keys: shapes,
    units: fc.record({ left: fc.constantFrom('ms', 'us'), right: fc.constantFrom('ms', 'us') }),
    beforeMs: fc.integer({ min: -4, max: 12 }),
    span: fc.integer({ min: 0, max: 12 }),
    lagMs: fc.constantFrom(0, 0, 3),
    sliceMs: fc.constantFrom(1, 3, 10),
    condition: fc.constantFrom('none', 'none', 'differs', 'never'),
    // Rows that are far between are kept in longer slices.
    paceMs: fc.constantFrom(1, 1, 5),
  })
  .chain(({ span, paceMs, ...one }) => {
    const left = rowsOf(one.keys, 'left', one.units.left);
    const right = rowsOf(one.keys, 'right', one.units.right);
    const moves = fc.record({
      stepMs: fc.nat(3),
      behindMs: fc.nat(8),
      what: fc.oneof(
        { weight: 4, arbitrary: left.map((row) => ({ row })) },
        { weight: 4, arbitrary: right.map((rightRow) => ({ rightRow })) },
        { weight: 1, arbitrary: fc.constant({ mark: true as const }) },
      ),
    });
    return fc.array(moves, { maxLength: 50, size: 'max' }).map((drawn): IntervalCase => {
      const afterMs = span - one.beforeMs;
      return { ...one, afterMs, steps: stepsOf(drawn as Move[], paceMs) } as IntervalCase;
    });
  });

interface Move {
  readonly stepMs: number;
  readonly behindMs: number;
  readonly what: {
    readonly row?: (time: number) => Row;
    readonly rightRow?: (time: number) => Row;
    readonly mark?: true;
  };
}

function stepsOf(moves: readonly Move[], paceMs: number): Step[] {
  let now = -20;
  let watermark = Number.NEGATIVE_INFINITY;
  const steps: Step[] = [];
  for (const { stepMs, behindMs, what } of moves) {
    now += stepMs * paceMs;
    const time = now - behindMs * paceMs;
    if (what.row !== undefined) steps.push({ row: what.row(time) });
    else if (what.rightRow !== undefined) steps.push({ right: what.rightRow(time) });
    else if (now - 6 * paceMs > watermark) {
      watermark = now - 6 * paceMs;
      steps.push({ watermark });
    }
  }
  return steps;
}
