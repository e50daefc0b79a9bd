/**
 * Factories of expression nodes: the one place where expressions are typed and type-checked. What
 * comes out is frozen, and right by construction, so that no later stage checks again.
 *
 *     compare, in   two numbers of any type, or values of one other type (lists and structs: eq, ne)   → bool
 *     arithmetic    as arithmetic-type.ts has it
 *     when          conditions, and values of one common type
 *     cast          where cast.ts knows a way
 *     call          what the function's rule says (functions/)
 *
 * A result is nullable when an operand is, unless the node says otherwise (expr.ts).
 */
import { typedError } from '../../base/typed-error.ts';
import { boolType, type FieldType, typeText } from '../schema/field-type.ts';
import type { Field } from '../schema/schema.ts';
import { arithmeticTypeOf, commonTypeOf } from './arithmetic-type.ts';
import { castOf } from './cast.ts';
import type { ArithmeticOp, CompareOp, Expr, WhenBranch } from './expr.ts';
import { quotedText } from './expr-text.ts';
import type { FunctionName } from './function-name.ts';
import type { FunctionRule, Parameter } from './functions/function-rule.ts';
import { functionTable } from './functions/function-table.ts';

export function columnExpr({ name, type, nullable }: Field): Expr {
  return Object.freeze({ kind: 'column', name, type, nullable });
}

export function compareExpr(op: CompareOp, left: Expr, right: Expr): Expr {
  const isOrdered = left.type.kind !== 'list' && left.type.kind !== 'struct';
  if (commonTypeOf(left.type, right.type) === null) {
    throw mismatch(op, [left, right], 'Compare values of one type, or two numbers.');
  }
  if (!isOrdered && op !== 'eq' && op !== 'ne') {
    throw mismatch(op, [left, right], 'Lists and structs have no order: eq and ne compare them.');
  }
  const nullable = left.nullable || right.nullable;
  return Object.freeze({ kind: 'compare', op, left, right, type: boolType, nullable });
}

/** What the methods of a column are called that make arithmetic. */
const arithmeticNames: Readonly<Record<ArithmeticOp, string>> = {
  add: 'add',
  subtract: 'sub',
  multiply: 'mul',
  divide: 'div',
  intDivide: 'intDiv',
  modulo: 'mod',
};

const arithmeticHints: Partial<Record<ArithmeticOp, string>> = {
  add: 'Numbers can be added, and whole numbers to a timestamp (in its unit) or a date (days).',
  subtract:
    'Numbers can be subtracted, two timestamps or dates, and whole numbers from one (in its unit, in days).',
  intDivide: 'Both sides of intDiv are whole numbers; div takes others.',
};

export function arithmeticExpr(op: ArithmeticOp, left: Expr, right: Expr): Expr {
  const type = arithmeticTypeOf(op, left.type, right.type);
  if (type === null) {
    const hint = arithmeticHints[op] ?? `Both sides of ${arithmeticNames[op]} are numbers.`;
    throw mismatch(arithmeticNames[op], [left, right], hint);
  }
  const nullable = left.nullable || right.nullable;
  return Object.freeze({ kind: 'arithmetic', op, left, right, type, nullable });
}

export function logicExpr(op: 'and' | 'or', left: Expr, right: Expr): Expr {
  if (left.type.kind !== 'bool' || right.type.kind !== 'bool') {
    throw mismatch(op, [left, right], `Both sides of ${op} are conditions, such as x.gt(1).`);
  }
  const nullable = left.nullable || right.nullable;
  return Object.freeze({ kind: 'logic', op, left, right, type: boolType, nullable });
}

export function notExpr(input: Expr): Expr {
  if (input.type.kind !== 'bool') {
    const message = `not needs a bool, ${quotedText(input)} is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, {
      hint: 'Use not() on a condition, such as x.eq(1).not().',
    });
  }
  return Object.freeze({ kind: 'not', input, type: boolType, nullable: input.nullable });
}

export function isNullExpr(input: Expr): Expr {
  return Object.freeze({ kind: 'isNull', input, type: boolType, nullable: false });
}

export function whenExpr(branches: readonly WhenBranch[], otherwise: Expr | null): Expr {
  for (const { condition } of branches) {
    if (condition.type.kind === 'bool') continue;
    const message = `when needs a condition, ${quotedText(condition)} is ${typeText(condition.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, {
      hint: 'Compare the column with something: when(row.count.gt(1), …).',
    });
  }
  const values = branches.map(({ value }) => value);
  if (otherwise !== null) values.push(otherwise);
  const type = commonTypeOfValues('when', values);
  const nullable = otherwise === null || values.some((value) => value.nullable);
  const frozen = Object.freeze(branches.map((branch) => Object.freeze({ ...branch })));
  return Object.freeze({ kind: 'when', branches: frozen, otherwise, type, nullable });
}

export function castExpr(input: Expr, type: FieldType, isTry: boolean): Expr {
  if (castOf(input.type, type) === null) {
    const name = isTry ? 'tryCast' : 'cast';
    const message = `${name} makes no ${typeText(type)} of ${quotedText(input)}, which is ${typeText(input.type)}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, {
      hint: 'Cast among numbers, between text and anything but lists and structs, between date and timestamp, and lists and structs whose parts can be cast.',
    });
  }
  const nullable = isTry || input.nullable;
  return Object.freeze({ kind: 'cast', input, isTry, type, nullable });
}

/** `values` are literals, not all of the input's type but each comparable with it. */
export function inExpr(input: Expr, values: readonly Expr[]): Expr {
  for (const value of values) compareExpr('eq', input, value);
  const nullable = input.nullable || values.some((value) => value.nullable);
  return Object.freeze({
    ...{ kind: 'in', input, type: boolType, nullable },
    values: Object.freeze([...values]),
  });
}

/** @throws EXPR_TYPE_MISMATCH, EXPR_REGEX */
export function callExpr(name: FunctionName, ...args: Expr[]): Expr {
  const rule = functionTable[name];
  for (const [index, arg] of args.entries()) {
    const parameter = parameterOf(rule, index);
    if (parameter?.takes(arg.type) !== true || (parameter.isLiteral && arg.kind !== 'literal')) {
      const needs = parameter?.needs ?? 'no more values';
      const message = `${name} takes ${needs}, ${quotedText(arg)} is ${typeText(arg.type)}`;
      throw typedError('EXPR_TYPE_MISMATCH', message, {
        hint: 'Give another column, or cast this one: row.price.cast(t.utf8()).',
      });
    }
  }
  const type = rule.takesNulls ? commonTypeOfValues(name, args) : rule.resultType(args);
  const isMissing = rule.parameters.some(
    ({ isOptional }, index) => isOptional !== true && index >= args.length,
  );
  if (type === null || isMissing) {
    throw mismatch(name, args, `Look at what ${name} takes, and in which order.`);
  }
  const nullable = rule.isNullable?.(args) ?? args.some((arg) => arg.nullable);
  const frozen = Object.freeze([...args]);
  const call = { kind: 'call', function: name, args: frozen, type, nullable } as const;
  // Patterns are read once now, so that a mistake is found where it was made.
  rule.prepare(call);
  return Object.freeze(call);
}

function parameterOf(rule: FunctionRule, index: number): Parameter | undefined {
  const { parameters, isVariadic } = rule;
  return parameters[index] ?? (isVariadic ? parameters.at(-1) : undefined);
}

/** The type that all values are brought to, which chooses between them. */
function commonTypeOfValues(name: string, values: readonly Expr[]): FieldType {
  const [first, ...others] = values;
  let type = first?.type ?? null;
  for (const other of others) {
    const common = type === null ? null : commonTypeOf(type, other.type);
    if (common === null) {
      throw mismatch(name, values, `All values of ${name} have one type, or are numbers.`);
    }
    type = common;
  }
  if (type === null) throw mismatch(name, [], `Give ${name} at least one value.`);
  return type;
}

function mismatch(op: string, sides: readonly Expr[], hint: string): Error {
  const texts = sides.map((expr) => `${quotedText(expr)} (${typeText(expr.type)})`);
  const message = `${op} does not take ${texts.join(' and ') || 'nothing'}`;
  return typedError('EXPR_TYPE_MISMATCH', message, { hint });
}
