/**
 * Random expressions for property tests: well-typed trees of every kind of node and every function.
 *
 * They grow in steps, from columns and literals: each step takes one of the operations and gives it
 * operands that fit, later results more often than early ones. So trees are deep, share parts, and
 * shrink to few steps.
 */
import fc from 'fast-check';
import { arithmeticTypeOf } from '../../engine/expr/arithmetic-type.ts';
import type { ArithmeticOp, CompareOp, Expr } from '../../engine/expr/expr.ts';
import {
  arithmeticExpr,
  callExpr,
  castExpr,
  columnExpr,
  compareExpr,
  inExpr,
  isNullExpr,
  logicExpr,
  notExpr,
  whenExpr,
} from '../../engine/expr/expr-factory.ts';
import type { FunctionName } from '../../engine/expr/function-name.ts';
import type { Parameter } from '../../engine/expr/functions/function-rule.ts';
import { functionTable } from '../../engine/expr/functions/function-table.ts';
import { nullLiteral, typedLiteral } from '../../engine/expr/literal.ts';
import {
  boolType,
  dateType,
  type FieldType,
  float64Type,
  int32Type,
  int64Type,
  utf8Type,
} from '../../engine/schema/field-type.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { valuesOf } from './batches.ts';

/** Chooses among things by a random number: expressions made later more often, others evenly. */
type Pick = <T>(things: readonly T[]) => T | undefined;
/** An expression made of those so far; null where none fits. */
type Operation = (pool: readonly Expr[], pick: Pick) => Expr | null;

const arithmeticOps: readonly ArithmeticOp[] = [
  ...(['add', 'subtract', 'multiply'] as const),
  ...(['divide', 'intDivide', 'modulo'] as const),
];
const compareOps: readonly CompareOp[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
const units = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'];
/** What stands for parameters that must be literals. */
const constants: Partial<Record<FunctionName, readonly (string | number)[]>> = {
  like: ['%', 'a%', '%b', '%é%', '_a%', '\\%', '%a_c%', 'abc', ''],
  round: [0, 1, 2, 5],
  epoch: ['second', 'ms', 'us'],
  truncate: units,
  addUnits: units,
};
/** Counts that make no huge texts. */
const counted: readonly FunctionName[] = ['padEnd', 'padStart', 'repeat'];
const counts = [-1, 0, 1, 2, 5].map((count) => typedLiteral(count, int32Type));
/** Regular expressions have tests of their own, and nothing compiles them. */
const excluded: readonly FunctionName[] = ['matches', 'extract'];
const castTypes: readonly FieldType[] = [
  ...[boolType, int32Type, int64Type, float64Type, dateType, utf8Type],
  ...([{ kind: 'int8' }, { kind: 'uint16' }, { kind: 'uint32' }, { kind: 'float32' }] as const),
  ...([
    { kind: 'timestamp', unit: 'ms' },
    { kind: 'timestamp', unit: 'us' },
  ] as const),
  ...([
    { kind: 'decimal', precision: 12, scale: 2 },
    { kind: 'decimal', precision: 30, scale: 6 },
    { kind: 'binary' },
  ] as const),
];

const operations: readonly Operation[] = [
  ...arithmeticOps.map(arithmetic),
  ...compareOps.map(compared),
  ...(['and', 'or'] as const).map(logic),
  (pool, pick) => made(conditionIn(pool, pick), notExpr),
  (pool, pick) => made(pick(pool), isNullExpr),
  chosen,
  isIn,
  // Several times: there are many pairs of types.
  ...[false, false, false, true, true, true].map(cast),
  ...(Object.keys(functionTable) as FunctionName[])
    .filter((name) => !excluded.includes(name))
    .map(call),
];

/** Results of up to `stepsMax` steps, in order; the last ones are the largest. */
export function randomExprs(schema: Schema, stepsMax: number): fc.Arbitrary<Expr[]> {
  const columns = schema.fields.map(columnExpr);
  const types = columns.map(({ type }) => type).filter(({ kind }) => kind !== 'binary');
  const literals = fc
    .array(
      fc
        .constantFrom(...types)
        .chain((type) =>
          fc.option(valuesOf(type), { nil: null, freq: 8 }).map((value) => literalOf(value, type)),
        ),
      { maxLength: 6 },
    )
    .map((list) => list.filter((literal) => literal !== null));
  const step = fc.record({
    operation: fc.constantFrom(...operations),
    picks: fc.array(fc.nat(999), { minLength: 6, maxLength: 6 }),
  });
  return fc
    .tuple(literals, fc.nat(columns.length), fc.array(step, { minLength: 1, maxLength: stepsMax }))
    .map(([leaves, turn, steps]) => {
      // The columns in another order each time, for what comes last is taken most.
      const pool: Expr[] = [...columns.slice(turn), ...columns.slice(0, turn), ...leaves];
      const results: Expr[] = [];
      for (const { operation, picks } of steps) {
        let next = 0;
        const pick: Pick = (things) => {
          const random = (picks[next++ % picks.length] ?? 0) / 1000;
          const early = results.length > 0 && things.includes(results.at(-1) as never);
          return things.at(-1 - Math.floor((early ? random ** 3 : random) * things.length));
        };
        const result = operation(pool, pick);
        if (result === null) continue;
        pool.push(result);
        results.push(result);
      }
      return results;
    });
}

/** The last result of `stepsMax` steps, or a column where nothing fitted. */
export function randomExpr(schema: Schema, stepsMax: number): fc.Arbitrary<Expr> {
  const first = columnExpr(schema.fields[0] as Schema['fields'][0]);
  return randomExprs(schema, stepsMax).map((exprs) => exprs.at(-1) ?? first);
}

/** Conditions among `randomExprs`: the last one, or whether the last result is null. */
export function randomConditions(schema: Schema, stepsMax: number): fc.Arbitrary<Expr> {
  const first = columnExpr(schema.fields[0] as Schema['fields'][0]);
  return randomExprs(schema, stepsMax).map(
    (exprs) =>
      exprs.findLast(({ type }) => type.kind === 'bool') ?? isNullExpr(exprs.at(-1) ?? first),
  );
}

function literalOf(value: unknown, type: FieldType): Expr | null {
  return value === null ? nullLiteral(type) : attempt(() => typedLiteral(value, type));
}

function arithmetic(op: ArithmeticOp): Operation {
  return (pool, pick) => {
    const left = pick(pool);
    if (left === undefined) return null;
    const right = pick(pool.filter(({ type }) => arithmeticTypeOf(op, left.type, type) !== null));
    return made(right, (fitting) => arithmeticExpr(op, left, fitting));
  };
}

function compared(op: CompareOp): Operation {
  return (pool, pick) => {
    const left = pick(pool);
    if (left === undefined) return null;
    const right = pick(pool.filter((one) => fits(() => compareExpr(op, left, one))));
    return made(right, (fitting) => compareExpr(op, left, fitting));
  };
}

function logic(op: 'and' | 'or'): Operation {
  return (pool, pick) => {
    const left = conditionIn(pool, pick);
    const right = conditionIn(pool, pick);
    return left === null || right === null ? null : logicExpr(op, left, right);
  };
}

function conditionIn(pool: readonly Expr[], pick: Pick): Expr | null {
  return pick(pool.filter(({ type }) => type.kind === 'bool')) ?? null;
}

/** `when` of one or two cases, with or without an otherwise. */
function chosen(pool: readonly Expr[], pick: Pick): Expr | null {
  const value = pick(pool);
  const conditions = [conditionIn(pool, pick), conditionIn(pool, pick)];
  if (value === undefined) return null;
  const others = pool.filter((one) =>
    fits(() => whenExpr([{ condition: columnless, value }], one)),
  );
  const branches = conditions
    .slice(0, 1 + (others.length % 2))
    .flatMap((condition) =>
      condition === null ? [] : { condition, value: pick(others) ?? value },
    );
  if (branches.length === 0) return null;
  return attempt(() => whenExpr(branches, pick([value, null, ...others.slice(-3)]) ?? null));
}

const columnless = isNullExpr(typedLiteral(1, int32Type));

function isIn(pool: readonly Expr[], pick: Pick): Expr | null {
  const input = pick(pool);
  if (input === undefined) return null;
  const literals = pool.filter(
    (one) => one.kind === 'literal' && fits(() => compareExpr('eq', input, one)),
  );
  return literals.length === 0 ? null : attempt(() => inExpr(input, literals));
}

function cast(isTry: boolean): Operation {
  return (pool, pick) => {
    const input = pick(pool);
    const type = pick(castTypes);
    if (input === undefined || type === undefined) return null;
    return attempt(() => castExpr(input, type, isTry));
  };
}

function call(name: FunctionName): Operation {
  const { parameters, isVariadic } = functionTable[name];
  const places = isVariadic ? [parameters[0], parameters[0], parameters[0]] : parameters;
  return (pool, pick) => {
    const args: Expr[] = [];
    for (const parameter of places) {
      const first = args[0];
      const fitting = argsFor(name, parameter, pool).filter(
        (one) => !isVariadic || first === undefined || fits(() => callExpr(name, first, one)),
      );
      const arg = pick(fitting);
      if (arg === undefined) return null;
      args.push(arg);
    }
    return attempt(() => callExpr(name, ...args));
  };
}

function argsFor(
  name: FunctionName,
  parameter: Parameter | undefined,
  pool: readonly Expr[],
): readonly Expr[] {
  if (parameter?.isLiteral) {
    return (constants[name] ?? []).map((value) =>
      typedLiteral(value, typeof value === 'string' ? utf8Type : int32Type),
    );
  }
  if (counted.includes(name) && parameter?.takes(int32Type)) return counts;
  return pool.filter(({ type }) => parameter?.takes(type) === true);
}

function fits(make: () => Expr): boolean {
  return attempt(make) !== null;
}

function made(expr: Expr | null | undefined, make: (expr: Expr) => Expr): Expr | null {
  return expr === null || expr === undefined ? null : make(expr);
}

/** Null where the factory refuses the types. */
function attempt(make: () => Expr): Expr | null {
  try {
    return make();
  } catch {
    return null; // It does not fit: the caller takes another.
  }
}
