/**
 * Goal: joins of every type give the rows that comparing every row with every other gives, whichever side is
 * kept, whatever the keys are, with nulls, rows that repeat and conditions, in all ways a task may run them.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { Expr } from '../../../engine/expr/expr.ts';
import { columnExpr, compareExpr, logicExpr } from '../../../engine/expr/expr-factory.ts';
import { HashJoinOperator } from '../../../engine/operators/hash-join-operator.ts';
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
import {
  batchOf,
  checkOperator,
  newContext,
  type OperatorCase,
  type Row,
  type RunMode,
  runModes,
  runOperator,
} from '../../support/operator-harness.ts';
import { textsOf } from '../../support/plan-runner.ts';

interface Case {
  readonly type: JoinType;
  readonly buildSide: JoinSide;
  readonly left: { readonly schema: Schema; readonly rows: readonly Row[] };
  readonly right: { readonly schema: Schema; readonly rows: readonly Row[] };
  /** Pairs of names. */
  readonly keys: readonly (readonly [string, string])[];
  readonly condition: Expr | null;
}

function outputOf({ type, left, right }: Case): Schema {
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

function checkJoin(one: Case, modes: readonly RunMode[] = runModes): void {
  const { type, buildSide, left, right, keys, condition } = one;
  const columnOf = ({ fields }: Schema, name: string) =>
    columnExpr(fields.find((field) => field.name === name) as Field);
  const node = {
    ...{ id: 'tested', name: 'tested', kind: 'join', inputs: [], schema: outputOf(one) },
    ...{ type, condition, buildSide, isBroadcast: false, hasHint: false },
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
  const operatorCase: OperatorCase = {
    input: probe.schema,
    rows: probe.rows,
    buildSide: build,
    isOrdered: false,
    build: (context) =>
      new HashJoinOperator(context, {
        ...{ type, buildSide, condition, output: node.schema },
        ...{ probe: probe.schema, build: build.schema },
        ...{ probeKeys: probeKeys ?? [], buildKeys: buildKeys ?? [] },
      }),
    expected: joinedRows(node, left, right),
  };
  if (modes === runModes) {
    checkOperator(operatorCase);
    return;
  }
  for (const mode of modes) {
    const found = textsOf(runOperator(operatorCase, mode));
    expect(found, mode.name).toEqual(textsOf(operatorCase.expected));
  }
}

/** For many rows: whole batches, quick and slow. */
const wholeBatches = runModes.filter(({ batchRows }) => batchRows(() => 0) > 1);

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

const cases: fc.Arbitrary<Case> = keyShapes.chain((shapes) =>
  fc.record({
    type: fc.constantFrom(...joinTypes),
    buildSide: fc.constantFrom('left', 'right'),
    left: sideOf('l', shapes),
    right: sideOf('r', shapes),
    keys: fc.constant(shapes.map((_, at) => [`l${at}`, `r${at}`] as const)),
    condition: conditions(),
  }),
);

test('joins give what comparing all rows gives', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(cases, (one) => checkJoin(one)),
    { numRuns: 250 },
  );
});

const numbers = (prefix: string, count: number, of: (row: number) => bigint | null) => ({
  schema: schemaOf(fieldOf(`${prefix}0`, int64Type, true), fieldOf(`${prefix}n`, int64Type)),
  rows: Array.from({ length: count }, (_, row) => ({
    [`${prefix}0`]: of(row),
    [`${prefix}n`]: BigInt(row),
  })),
});

test.each(joinTypes)('join of type %s with more rows than a batch has', (type) => {
  const left = numbers('l', 200, (row) => (row % 9 === 0 ? null : BigInt(row % 60)));
  const right = numbers('r', 17_000, (row) =>
    row % 7 === 0 ? null : BigInt(row % 8_500) - 8_400n,
  );
  for (const buildSide of ['left', 'right'] as const) {
    const keys = [['l0', 'r0']] as const;
    checkJoin({ type, buildSide, left, right, keys, condition: null }, wholeBatches);
  }
});

test('a chain longer than a batch goes on in the next call', () => {
  const left = numbers('l', 3, () => 5n);
  const right = numbers('r', 9_000, (row) => (row % 2 === 0 ? 5n : 6n));
  const keys = [['l0', 'r0']] as const;
  const one = { type: 'left', buildSide: 'right', left, right, keys, condition: null } as const;
  checkJoin(one, wholeBatches);
});

test('the memory of the build side is that of its rows, and goes with the last batch given out', () => {
  const { memory, context, scope } = newContext('join');
  const left = schemaOf(fieldOf('l0', utf8Type));
  const right = schemaOf(fieldOf('r0', utf8Type));
  const operator = new HashJoinOperator(context, {
    ...{ type: 'inner', buildSide: 'right', condition: null },
    ...{ probe: left, build: right, probeKeys: ['l0'], buildKeys: ['r0'], output: right },
  });
  const text = 'a text that is behind its view';
  const given: Batch[] = [];
  const batches = [right, left].map((schema) =>
    batchOf(scope, schema, [{ [schema.fields[0]?.name ?? '']: text }]),
  );
  operator.build(batches[0] as never);
  while (!operator.buildEnded());
  operator.process(batches[1] as never, 0, { offer: (batch) => given.push(batch) > 0 });
  operator.close();
  for (const batch of batches) batch.release();
  const held = memory.usedBytes;
  expect(given.map((batch) => readRows(batch))).toEqual([[{ r0: text }]]);
  expect(held).toBeGreaterThan(0);
  for (const batch of given) batch.release();
  memory.assertEmpty();
});
