/** Joins as operator cases: rows, keys and conditions drawn at random, and what comparing all rows gives. */
import fc from 'fast-check';
import type { Expr } from '../../../engine/expr/expr.ts';
import { columnExpr, compareExpr, logicExpr } from '../../../engine/expr/expr-factory.ts';
import {
  HashJoinOperator,
  type HashJoinOperatorOptions,
} from '../../../engine/operators/hash-join-operator.ts';
import type { OperatorContext } from '../../../engine/operators/operator.ts';
import {
  becomesNull,
  isOneSided,
  type JoinSide,
  type JoinType,
  joinTypes,
} from '../../../engine/plan/join-type.ts';
import {
  boolType,
  type FieldType,
  float64Type,
  int16Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../../engine/schema/field-type.ts';
import { type Field, fieldOf, type Schema, schemaOf } from '../../../engine/schema/schema.ts';
import { type JoinNode, joinedRows } from '../../support/join-reference.ts';
import type { OperatorCase, Row } from '../../support/operator-harness.ts';
import { shareOf } from '../../support/spill-space.ts';

export interface JoinCase {
  readonly type: JoinType;
  readonly buildSide: JoinSide;
  readonly left: { readonly schema: Schema; readonly rows: readonly Row[] };
  readonly right: { readonly schema: Schema; readonly rows: readonly Row[] };
  /** Pairs of names. */
  readonly keys: readonly (readonly [string, string])[];
  readonly condition: Expr | null;
}

function outputOf({ type, left, right }: JoinCase): Schema {
  if (isOneSided(type)) return left.schema;
  const nullableIf = (isNull: boolean, { fields }: Schema) =>
    fields.map((field) => ({ ...field, nullable: field.nullable || isNull }));
  return {
    fields: [
      ...nullableIf(becomesNull(type, 'left'), left.schema),
      ...nullableIf(becomesNull(type, 'right'), right.schema),
    ],
  };
}

/** @param tableBytes - What the build side may take; then it is on disk from the first batch that does not fit. */
export function joinCaseOf(
  one: JoinCase,
  tableBytes?: number,
): OperatorCase & { readonly options: HashJoinOperatorOptions } {
  const { type, buildSide, left, right, keys, condition } = one;
  const columnOf = ({ fields }: Schema, name: string) =>
    columnExpr(fields.find((field) => field.name === name) as Field);
  const node = {
    ...{ id: 'tested', name: 'tested', kind: 'join', inputs: [], schema: outputOf(one) },
    ...{
      type,
      condition,
      buildSide,
      isBroadcast: false,
      hasHint: false,
      nearness: null,
      keep: null,
    },
    rightNames: right.schema.fields.map((field) => field.name),
    keys: keys.map(([a, b]) => ({
      left: columnOf(left.schema, a),
      right: columnOf(right.schema, b),
    })),
  } as JoinNode;
  const [probe, build] = buildSide === 'right' ? [left, right] : [right, left];
  const [probeKeys, buildKeys] = [0, 1].map((side) =>
    keys.map((pair) => pair[buildSide === 'right' ? side : 1 - side] ?? ''),
  );
  const options = {
    ...{ type, buildSide, condition, output: node.schema },
    ...{ probe: probe.schema, build: build.schema },
    ...{ probeKeys: probeKeys ?? [], buildKeys: buildKeys ?? [] },
    ...(tableBytes !== undefined && { tableBytes }),
  };
  return {
    input: probe.schema,
    rows: probe.rows,
    buildSide: build,
    isOrdered: false,
    build: (context) =>
      new HashJoinOperator(tableBytes === undefined ? context : smallShare(context), options),
    expected: joinedRows(node, left, right),
    options,
  };
}

/** Small blocks, which are made quickly. */
function smallShare(context: OperatorContext): OperatorContext {
  return { ...context, spill: { ...context.spill, share: shareOf(16 << 20) } };
}

/** Few values of each type, so that rows find partners. */
const valuesOf: readonly (readonly [FieldType, fc.Arbitrary<unknown>])[] = [
  [int64Type, fc.constantFrom(0n, 1n, -1n, 2n ** 62n)],
  [int32Type, fc.integer({ min: -2, max: 2 })],
  [int16Type, fc.integer({ min: -2, max: 2 })],
  [boolType, fc.boolean()],
  [float64Type, fc.constantFrom(0, -0, Number.NaN, 1.5, Number.POSITIVE_INFINITY)],
  [utf8Type, fc.constantFrom('', 'a', 'a text longer than a view', 'a text longer than a vieW')],
];

interface KeyShape {
  readonly index: number;
  readonly isLeftNullable: boolean;
  readonly isRightNullable: boolean;
}

const keyShapes = fc.array(
  fc.record({
    index: fc.nat(valuesOf.length - 1),
    isLeftNullable: fc.boolean(),
    isRightNullable: fc.boolean(),
  }),
  { maxLength: 3 },
);

function sideOf(side: 'l' | 'r', shapes: readonly KeyShape[]) {
  const parts: Record<string, fc.Arbitrary<unknown>> = {};
  const fields = shapes.map(({ index, isLeftNullable, isRightNullable }, at): Field => {
    const [type, values] = valuesOf[index] ?? [int64Type, fc.constant(0n)];
    const isNullable = side === 'l' ? isLeftNullable : isRightNullable;
    parts[`${side}${at}`] = isNullable ? fc.option(values) : values;
    return fieldOf(`${side}${at}`, type, isNullable);
  });
  parts[`${side}n`] = fc.option(fc.bigInt({ min: 0n, max: 9n }));
  parts[`${side}text`] = fc.constantFrom('x', 'another text behind a view');
  const schema = schemaOf(...fields, fieldOf(`${side}n`, int64Type, true));
  const whole = { fields: [...schema.fields, fieldOf(`${side}text`, utf8Type)] };
  const rows = fc.array(fc.record(parts), { maxLength: 24 });
  return rows.map((drawn) => ({ schema: whole, rows: drawn as Row[] }));
}

const conditions = (): fc.Arbitrary<Expr | null> => {
  const [ln, rn] = ['ln', 'rn'].map((name) => columnExpr(fieldOf(name, int64Type, true)));
  const [lt, rt] = ['ltext', 'rtext'].map((name) => columnExpr(fieldOf(name, utf8Type)));
  const less = compareExpr('lt', ln as Expr, rn as Expr);
  const same = compareExpr('eq', lt as Expr, rt as Expr);
  const never = compareExpr('gt', lt as Expr, lt as Expr);
  return fc.constantFrom(null, null, less, logicExpr('or', less, same), same, never);
};

export const joinCases: fc.Arbitrary<JoinCase> = keyShapes.chain((shapes) =>
  fc.record({
    type: fc.constantFrom(...joinTypes),
    buildSide: fc.constantFrom('left', 'right'),
    left: sideOf('l', shapes),
    right: sideOf('r', shapes),
    keys: fc.constant(shapes.map((_, at) => [`l${at}`, `r${at}`] as const)),
    condition: conditions(),
  }),
);
