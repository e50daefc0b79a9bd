/** Functions on lists and structs: their parts, by place and by name. */
import { boolType, type FieldType, int32Type, utf8Type } from '../../schema/field-type.ts';
import { commonTypeOf } from '../arithmetic-type.ts';
import { comparatorOf } from '../evaluate-compare.ts';
import type { Expr } from '../expr.ts';
import type { NestedFunction } from '../function-name.ts';
import { partValue } from '../nested-values.ts';
import {
  anything,
  type CallExpr,
  type Compute,
  commonTypeOfAll,
  type FunctionRule,
  integer,
  literalIn,
  literalText,
  type Parameter,
  text,
} from './function-rule.ts';

const list: Parameter = { needs: 'a list', takes: ({ kind }) => kind === 'list' };
const texts: Parameter = {
  needs: 'a list of texts',
  takes: (type) => type.kind === 'list' && type.item.type.kind === 'utf8',
};
const struct: Parameter = { needs: 'a struct', takes: ({ kind }) => kind === 'struct' };

export const nestedFunctions: Readonly<Record<NestedFunction, FunctionRule>> = {
  /** An item by its place from 0, or from -1 backwards; null where there is none. */
  at: {
    parameters: [list, integer],
    resultType: ([input]) => itemTypeOf(input),
    isNullable: () => true,
    text: ([input, index]) => `${input}[${index}]`,
    prepare: (call) => {
      const type = call.type;
      return (items: readonly unknown[], index: number | bigint) =>
        partValue(items.at(Number(index)), type);
    },
  },
  /** A field of a struct: (struct, name). */
  field: {
    parameters: [struct, literalText],
    resultType: (args) => fieldIn(args)?.type ?? null,
    isNullable: (args) => args[0]?.nullable === true || fieldIn(args)?.nullable === true,
    text: ([input, name = '""']) => `${input}.${JSON.parse(name)}`,
    prepare: (call) => {
      const name = String(literalIn(call, 1));
      const type = call.type;
      return (value: Readonly<Record<string, unknown>>) => partValue(value[name], type);
    },
  },
  /** The items of all lists, one list after the other. */
  listConcat: {
    parameters: [list],
    isVariadic: true,
    resultType: commonTypeOfAll,
    text: (args) => `concat(${args.join(', ')})`,
    prepare:
      () =>
      (...lists: readonly (readonly unknown[])[]) =>
        lists.flat(1),
  },
  /** Whether an item equals a value; items that are null equal nothing. */
  listContains: {
    parameters: [list, anything],
    resultType: ([input, value]) => {
      const item = itemTypeOf(input);
      const common = item === null || value === undefined ? null : commonTypeOf(item, value.type);
      return common === null ? null : boolType;
    },
    text: ([input, value]) => `contains(${input}, ${value})`,
    prepare: prepareContains,
  },
  /** The texts of a list as one, with another between them; those that are null are left out. */
  listJoin: {
    parameters: [texts, text],
    resultType: () => utf8Type,
    text: ([input, separator]) => `join(${input}, ${separator})`,
    prepare: () => (items: readonly (string | null)[], separator: string) =>
      items.filter((item) => item !== null).join(separator),
  },
  /** The items from a place to before another (or the end), each from -1 backwards from the end. */
  listSlice: {
    parameters: [list, integer, { ...integer, isOptional: true }],
    resultType: ([input]) => input?.type ?? null,
    text: (args) => `slice(${args.join(', ')})`,
    prepare: () => (items: readonly unknown[], start: number | bigint, end?: number | bigint) =>
      items.slice(Number(start), end === undefined ? undefined : Number(end)),
  },
};

function itemTypeOf(input: Expr | undefined): FieldType | null {
  return input?.type.kind === 'list' ? input.type.item.type : null;
}

function fieldIn([input, name]: readonly Expr[]) {
  if (input?.type.kind !== 'struct' || name?.kind !== 'literal') return undefined;
  return input.type.fields.find((field) => field.name === name.value);
}

function prepareContains({ args: [input, value] }: CallExpr): Compute {
  const item = itemTypeOf(input) ?? int32Type;
  const equals = comparatorOf('eq', item, value?.type ?? int32Type);
  return (items: readonly unknown[], searched: never) =>
    items.some((part) => part !== null && equals(partValue(part, item), searched));
}
