/**
 * `join`: what may be asked of it, the columns that come out at the type level, and its logical node.
 *
 *     on: order.user = user.id and user.age > 17
 *         ─────────┬──────────     ──────┬──────
 *         a pair of keys           a condition over pairs
 *
 * An equality between an expression of the one side and one of the other is a pair of keys; what else the
 * condition says must hold of a pair besides. Columns of the right side whose name the left side has, too,
 * get another name within the plan (`id_2`); the job never sees it, for then `select` names what comes out.
 */
import { typedError } from '../../base/typed-error.ts';
import { addColumnNames } from '../expr/column-names.ts';
import { exactTypeOf } from '../expr/exact-type.ts';
import type { Expr } from '../expr/expr.ts';
import { castExpr, columnExpr, logicExpr } from '../expr/expr-factory.ts';
import { exprText } from '../expr/expr-text.ts';
import {
  becomesNull,
  isOneSided,
  type JoinSide,
  type JoinType,
  joinRowsOf,
  joinTypes,
} from '../plan/join-type.ts';
import type { JoinKeyPair } from '../plan/logical-graph.ts';
import {
  appendNode,
  type NodeContent,
  type NodeDraft,
  type VerbOptions,
} from '../plan/logical-node.ts';
import { isSameType, typeText } from '../schema/field-type.ts';
import type { Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import type { ColumnKind } from './column-kind.ts';
import type { Together } from './grouping.ts';
import { type JoinKeep, keepIn } from './join-keep.ts';
import {
  endFieldsOf,
  type JoinAsOf,
  type JoinInterval,
  type JoinWindow,
  nearnessOf,
  windowRowOf,
} from './join-nearness.ts';
import { callPairLambda, conditionIn, describe, type PairSchema } from './row.ts';
import { selectContent } from './select.ts';
import type { Window } from './windows.ts';

export type { JoinSide, JoinType } from '../plan/join-type.ts';
export type { JoinKeep } from './join-keep.ts';
export type { JoinAsOf, JoinInterval, JoinWindow } from './join-nearness.ts';

/** How two streams are joined; C and D are their columns. */
export interface JoinOptions<C, D, T extends JoinType> extends JoinHints {
  /**
   * When two rows are partners: equalities between the one and the other, joined by `and`, and any other
   * condition. Null equals nothing, as in SQL, and neither does NaN.
   */
  readonly on: (left: C, right: D) => Column<'bool', boolean, boolean>;
  /**
   * - `inner`: pairs.
   * - `left`, `right`, `full`: pairs, and rows of that side (of both) that have no partner, beside nulls.
   * - `semi`, `anti`: rows of the left side that have a partner, or have none; no columns of the right side.
   *
   * @defaultValue 'inner'
   */
  readonly type?: T;
  /**
   * Partners are near in event time, which both streams know (`eventTime`): the right row's time is from
   * `left - beforeMs` to `left + afterMs`. `on` has an equality besides.
   */
  readonly within?: JoinInterval;
  /**
   * A left row's partner is the version of its key that was valid at its time, of event time that both streams
   * know: the last right row at that time or before. `on` has equalities only; `type` is `inner` or `left`.
   */
  readonly asOf?: JoinAsOf;
  /**
   * In a job that streams: rows of both sides are kept, and each meets those of the other side that came before it, so
   * neither side has to end. `on` has an equality. A job that reads its input to the end gives the same rows.
   */
  readonly keep?: JoinKeep;
  /**
   * Partners are in the same window of event time, which both streams know: one that is tumbling, or once in each of those
   * that are sliding or cumulating. `on` has an equality besides.
   */
  readonly window?: Window<true>;
}

/** What helps the planner; the rows are the same without. */
export interface JoinHints {
  /**
   * The side that is kept in memory.
   *
   * @defaultValue the one that is expected to have fewer rows; 'right' where too little is known of them
   */
  readonly build?: JoinSide;
  /**
   * Every task gets the whole build side, and rows of the other side stay where they are: faster where the
   * build side is small. Not for joins that give out rows of the build side alone.
   *
   * With `build: 'right'` the other stream is a side input of this one, in a job that streams as well: it is read to its
   * end before the first row of this one, whose event time is known behind the join.
   *
   * @defaultValue where the build side is expected to be small, and `build` is not given
   */
  readonly broadcast?: boolean;
}

/** The columns of one side in what comes out; nullable where the other side's rows come alone. */
export type SideOf<C, Side extends JoinSide, T extends JoinType> = T extends
  | 'full'
  | (Side extends 'left' ? 'right' : 'left')
  ? NullableColumns<C>
  : C;

/** The same columns, each of which may be null. */
export type NullableColumns<C> = {
  readonly [Name in keyof C]: C[Name] extends Column<
    infer K extends ColumnKind,
    infer V,
    boolean,
    infer Own
  >
    ? Column<K, V, true, Own>
    : never;
};

/** What comes out of a join by `select`; `window` is where the rows' window begins and ends, of a join in windows. */
export type JoinSelect<C, D, T extends JoinType, S> = (
  left: SideOf<C, 'left', T>,
  right: SideOf<D, 'right', T>,
  window: JoinWindow,
) => S;

/** The columns of a join without `select`. */
export type Joined<C, D, T extends JoinType> = T extends 'semi' | 'anti'
  ? C
  : Together<SideOf<C, 'left', T>, SideOf<D, 'right', T>>;

/** Asks for `select` where both sides have a column of one name. */
export type Unnamed<C, D, T extends JoinType> = [T] extends ['semi' | 'anti']
  ? unknown
  : [keyof C & keyof D] extends [never]
    ? unknown
    : {
        readonly select: `both have a column "${keyof C & keyof D & string}": name them with select`;
      };

/** What follows the other stream in a `crossJoin` without `select`. */
export type CrossJoinRest<C, D> = [keyof C & keyof D] extends [never]
  ? [options?: Pick<JoinHints, 'build'>, verb?: VerbOptions]
  : [options: Unnamed<C, D, 'inner'>, verb?: VerbOptions];

/** What `join` and `crossJoin` were given, unchecked. */
export interface GivenJoin {
  /** Null for every pair. */
  readonly on: ((left: never, right: never) => unknown) | null;
  readonly type?: unknown;
  readonly build?: unknown;
  readonly broadcast?: unknown;
  readonly within?: unknown;
  readonly window?: unknown;
  readonly asOf?: unknown;
  readonly keep?: unknown;
  readonly select?: unknown;
}

/**
 * The node of a join, or of what `select` makes of its pairs.
 *
 * @throws JOB_ARGUMENT_INVALID, EXPR_TYPE_MISMATCH, PLAN_DUPLICATE_NAME
 */
export function joinedNode(
  name: 'join' | 'crossJoin',
  inputs: readonly [NodeDraft, NodeDraft],
  given: GivenJoin,
  verb: VerbOptions | undefined,
): NodeDraft {
  const { content, shown, pair, windows } = joinParts(inputs, given);
  const node = appendNode(inputs, content, verb);
  const { select } = given;
  if (select === undefined) return hasEnds(content) ? withoutEnds(node, shown) : node;
  return appendNode([node], selectContent(callPairLambda(name, pair, select as never, windows)));
}

interface JoinParts {
  readonly content: NodeContent;
  /** What comes out of it without `select`. */
  readonly shown: Schema;
  /** What `select` sees: the columns as they come out. */
  readonly pair: PairSchema;
  /** The third row that it sees. */
  readonly windows: JoinWindow;
}

function joinParts(inputs: readonly [NodeDraft, NodeDraft], given: GivenJoin): JoinParts {
  const [left, right] = inputs.map((input) => input.content.schema) as [Schema, Schema];
  const type = oneOf('type', given.type ?? 'inner', joinTypes);
  const buildSide = oneOf('build', given.build ?? 'right', ['left', 'right'] as const);
  const isBroadcast = given.broadcast === true;
  const rightNames = namesBeside(left, right);
  if (given.select === undefined && !isOneSided(type)) checkNames(right, rightNames);
  if (isBroadcast && joinRowsOf(type, buildSide).build !== 'none') {
    const message = `a ${type} join can't broadcast its ${buildSide} side, whose rows it gives out alone`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Leave broadcast out, or build the other side: build: "left" or "right".',
    });
  }
  const pair = { left, right, rightNames };
  const { keys: equalities, condition } = conditionsOf(given.on, pair);
  const hasCondition = condition !== null;
  const hasKeys = equalities.length > 0;
  const near = nearnessOf(inputs, { ...given, type, rightNames, hasKeys, hasCondition });
  const start = near?.key ?? null;
  const keys = start === null ? equalities : [...equalities, start];
  const nearness = near?.nearness ?? null;
  const keep = keepIn(given.keep, { isNear: near !== null, hasKeys });
  const sides = {
    left: nullableIf(becomesNull(type, 'left'), left),
    right: nullableIf(becomesNull(type, 'right'), right),
  };
  const named = sides.right.fields.map((field, index) => {
    return { ...field, name: rightNames[index] ?? field.name };
  });
  const shown = isOneSided(type) ? left : { fields: [...sides.left.fields, ...named] };
  const schema = { fields: [...shown.fields, ...endFieldsOf(near, type)] };
  const sidesOf = { rightNames, buildSide, isBroadcast };
  const join = { kind: 'join', type, keys, condition, nearness, keep, ...sidesOf } as const;
  const hasHint = given.build !== undefined || given.broadcast !== undefined;
  return {
    content: { ...join, hasHint, schema },
    shown,
    pair: { ...sides, rightNames },
    windows: windowRowOf(near, type),
  };
}

function hasEnds(content: NodeContent): boolean {
  return content.kind === 'join' && content.nearness?.kind === 'windows';
}

/** The ends of windows are for `select` to ask for. */
function withoutEnds(node: NodeDraft, shown: Schema): NodeDraft {
  const columns = shown.fields.map((field) => ({ name: field.name, expr: columnExpr(field) }));
  return appendNode([node], { kind: 'select', columns, schema: shown });
}

function oneOf<T extends string>(name: string, value: unknown, values: readonly T[]): T {
  const found = values.find((one) => one === value);
  if (found !== undefined) return found;
  const message = `${name} of join is ${describe(value)}`;
  throw typedError('JOB_ARGUMENT_INVALID', message, {
    hint: `Give one of ${values.map((one) => `"${one}"`).join(', ')}.`,
  });
}

/** Names for the right side's columns that the left side does not have. */
function namesBeside(left: Schema, right: Schema): string[] {
  const own = new Set([...left.fields, ...right.fields].map((field) => field.name));
  return right.fields.map(({ name }) => {
    if (!left.fields.some((field) => field.name === name)) return name;
    let number = 2;
    while (own.has(`${name}_${number}`)) number++;
    own.add(`${name}_${number}`);
    return `${name}_${number}`;
  });
}

function checkNames({ fields }: Schema, names: readonly string[]): void {
  const twice = fields.find(({ name }, index) => names[index] !== name);
  if (twice === undefined) return;
  throw typedError('PLAN_DUPLICATE_NAME', `both sides of join have a column "${twice.name}"`, {
    hint: 'Name the columns: join(users, { on, select: (order, user) => ({ id: order.id, name: user.name }) }).',
  });
}

function nullableIf(isNull: boolean, schema: Schema): Schema {
  if (!isNull) return schema;
  return { fields: schema.fields.map((field) => ({ ...field, nullable: true })) };
}

interface Conditions {
  readonly keys: readonly JoinKeyPair[];
  readonly condition: Expr | null;
}

function conditionsOf(on: GivenJoin['on'], pair: PairSchema): Conditions {
  if (on === null) return { keys: [], condition: null };
  const given = callPairLambda('join', pair, on);
  const whole = conditionIn('join', given, {
    needed: 'a condition over both rows',
    example: 'Compare a column of the one with one of the other: order.user.eq(user.id).',
  });
  const keys: JoinKeyPair[] = [];
  let condition: Expr | null = null;
  for (const part of conjunctsOf(whole)) {
    const key = keyPairIn(part, pair);
    if (key !== null) keys.push(key);
    else condition = condition === null ? part : logicExpr('and', condition, part);
  }
  return { keys, condition };
}

/** The parts that all must hold. */
function conjunctsOf(expr: Expr): Expr[] {
  if (expr.kind !== 'logic' || expr.op !== 'and') return [expr];
  return [...conjunctsOf(expr.left), ...conjunctsOf(expr.right)];
}

/** The keys of an equality between the two sides; null for any other condition. */
function keyPairIn(part: Expr, { left, rightNames }: PairSchema): JoinKeyPair | null {
  if (part.kind !== 'compare' || part.op !== 'eq') return null;
  const leftNames = left.fields.map((field) => field.name);
  const isOf = (expr: Expr, names: readonly string[]) => {
    const read = new Set<string>();
    addColumnNames(expr, read);
    return read.size > 0 && [...read].every((name) => names.includes(name));
  };
  if (isOf(part.left, leftNames) && isOf(part.right, rightNames)) {
    return sameTypes(part.left, part.right);
  }
  if (isOf(part.right, leftNames) && isOf(part.left, rightNames)) {
    return sameTypes(part.right, part.left);
  }
  return null;
}

/** Both keys in a type that holds all values of either. */
function sameTypes(left: Expr, right: Expr): JoinKeyPair {
  const type = exactTypeOf(left.type, right.type);
  if (type === null) {
    const [a, b] = [left, right].map((expr) => `"${exprText(expr)}" (${typeText(expr.type)})`);
    const message = `join compares keys exactly, and no type holds both ${a} and ${b}`;
    throw typedError('EXPR_TYPE_MISMATCH', message, {
      hint: 'Cast one of them, so that both have the same type: order.user.cast(t.int64()).',
    });
  }
  const cast = (expr: Expr) => (isSameType(expr.type, type) ? expr : castExpr(expr, type, false));
  return { left: cast(left), right: cast(right) };
}
