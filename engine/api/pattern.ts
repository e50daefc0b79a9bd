/**
 * Patterns as jobs write them: a stage after the other, each with what its rows are like. Data and the user's functions;
 * nothing is matched here.
 *
 * Before: engine/api/match-verb.ts · After: engine/plan/pattern-spec.ts
 */
import { typedError } from '../../base/typed-error.ts';
import type { Expr } from '../expr/expr.ts';
import {
  type AfterMatch,
  type Contiguity,
  type PatternStage,
  patternStagesMax,
} from '../plan/pattern-spec.ts';
import type { PatternFunctions } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import type { Column } from './column.ts';
import { callLambda, conditionIn, describe, type Shown, type ValuesOf } from './row.ts';

/** Rows of a match by stage, in the order of time; those of an optional stage may be none. */
export type RowsOfStage<C, Name extends string> = {
  readonly [N in Name]: readonly ValuesOf<C>[];
};

/** What rows of a stage are like. */
export interface StageCondition<C, M> {
  /**
   * An expression that is true for rows of the stage.
   *
   * @defaultValue all rows may be
   */
  readonly where?: (row: C) => Column<'bool', boolean, boolean>;
  /**
   * A function that has a say as well, and sees the rows that were matched before.
   *
   * @defaultValue `where` says all
   */
  readonly test?: (row: ValuesOf<C>, rows: M) => boolean;
}

/** What rows of a stage are like, and how many it has. */
export interface StageOptions<C, M> extends StageCondition<C, M> {
  /** Exactly so many rows, from 1 on, or from `min` to `max`. @defaultValue 1 */
  readonly times?: number | { readonly min: number; readonly max?: number };
  /** Any number of rows from one on: `times: { min: 1 }`. @defaultValue false */
  readonly oneOrMore?: boolean;
  /** Whether a match may do without the stage. @defaultValue false */
  readonly optional?: boolean;
  /** Whether a row that can be one more of this stage is no row of a later one. @defaultValue false: both are tried */
  readonly greedy?: boolean;
  /** Whether the rows of the stage follow each other without others between them. @defaultValue false */
  readonly consecutive?: boolean;
}

interface Parts {
  readonly schema: Schema;
  readonly stages: readonly PatternStage[];
  readonly conditions: readonly (Expr | null)[];
  readonly tests: PatternFunctions['tests'];
  readonly withinMs: number | null;
}

/**
 * A sequence of rows of a key. Each method makes a new pattern, one stage longer.
 *
 * @example `pattern.begin('small', { where: (p) => p.amount.lt(1) }).next('large', { where: (p) => p.amount.gt(500) })`
 */
export class Pattern<C, M> {
  readonly #parts: Parts;

  /** Made by `match` only. */
  constructor(parts: Parts) {
    this.#parts = parts;
    Object.freeze(this);
  }

  /** What `match` reads of it. Not part of the public API. */
  static partsOf = (of: Pattern<never, never>): Parts => of.#parts;

  /** The row right after the one before is of this stage. */
  next<Name extends string>(
    name: Name,
    options?: StageOptions<C, M>,
  ): Pattern<C, Shown<M & RowsOfStage<C, Name>>> {
    return this.#rows(name, 'next', options);
  }

  /** The next row of this stage, wherever it is: rows of other kinds in between are passed over. */
  followedBy<Name extends string>(
    name: Name,
    options?: StageOptions<C, M>,
  ): Pattern<C, Shown<M & RowsOfStage<C, Name>>> {
    return this.#rows(name, 'followedBy', options);
  }

  /** Any later row of this stage: a match for each of them. */
  followedByAny<Name extends string>(
    name: Name,
    options?: StageOptions<C, M>,
  ): Pattern<C, Shown<M & RowsOfStage<C, Name>>> {
    return this.#rows(name, 'followedByAny', options);
  }

  /** The row right after the one before is none of these. */
  notNext(name: string, options: StageCondition<C, M>): Pattern<C, M> {
    return this.#longer(name, { kind: 'notNext', contiguity: 'next' }, options);
  }

  /** No such row comes before the next stage; as the last stage, none before the time of `within` is over. */
  notFollowedBy(name: string, options: StageCondition<C, M>): Pattern<C, M> {
    return this.#longer(name, { kind: 'notFollowedBy', contiguity: 'followedBy' }, options);
  }

  /** The last row is at most so many milliseconds, 0 or more, after the first one. */
  within(withinMs: number): Pattern<C, M> {
    if (Number.isSafeInteger(withinMs) && withinMs >= 0) {
      return new Pattern({ ...this.#parts, withinMs });
    }
    throw invalid(`within is ${describe(withinMs)}`, 'Give whole milliseconds: within(60_000).');
  }

  #rows<N extends string>(name: N, contiguity: Contiguity, options?: StageOptions<C, M>) {
    const kind = 'rows' as const;
    return this.#longer<Shown<M & RowsOfStage<C, N>>>(name, { kind, contiguity }, options);
  }

  #longer<Next = M>(
    name: string,
    how: Pick<PatternStage, 'kind' | 'contiguity'>,
    options: StageOptions<C, M> = {},
  ): Pattern<C, Next> {
    const { schema, stages, conditions, tests } = this.#parts;
    checkStage(name, how.kind, stages, options);
    const stage: PatternStage = {
      ...{ name, ...how, ...countsOf(name, options) },
      isOptional: options.optional === true,
      isConsecutive: options.consecutive === true,
      isGreedy: options.greedy === true,
      hasTest: options.test !== undefined,
    };
    return new Pattern({
      ...this.#parts,
      stages: [...stages, stage],
      conditions: [...conditions, whereOf(schema, options.where)],
      tests: [...tests, (options.test ?? null) as never],
    });
  }
}

/** Begins a pattern: what `match` gives. */
export interface PatternStart<C> {
  /** The first stage of a pattern. */
  begin<Name extends string>(
    name: Name,
    options?: StageOptions<C, Record<never, never>>,
  ): Pattern<C, RowsOfStage<C, Name>>;
}

export function patternStart(schema: Schema): PatternStart<never> {
  const none = { stages: [], conditions: [], tests: [], withinMs: null };
  const empty = new Pattern<never, Record<never, never>>({ schema, ...none });
  return Object.freeze({
    begin: (name: string, options?: never) => empty.followedBy(name, options) as never,
  });
}

/** Where matching goes on after a match: what began before that place is dropped. */
export type AfterMatchOf<Name> =
  | 'noSkip'
  | 'toNext'
  | 'pastLast'
  | { readonly toFirst: Name }
  | { readonly toLast: Name };

export function afterMatchOf(
  given: AfterMatchOf<string>,
  stages: readonly PatternStage[],
): AfterMatch {
  if (given === 'noSkip' || given === 'toNext' || given === 'pastLast') return { kind: given };
  const { toFirst, toLast } = (given ?? {}) as { toFirst?: string; toLast?: string };
  const stage = stages.findIndex(({ name, kind }) => {
    return kind === 'rows' && name === (toFirst ?? toLast);
  });
  if (stage >= 0) return { kind: toFirst === undefined ? 'toLast' : 'toFirst', stage };
  const names = stages.filter(({ kind }) => kind === 'rows').map(({ name }) => `"${name}"`);
  throw invalid(
    `after names no place: ${JSON.stringify(given)}`,
    `Write 'noSkip', 'toNext', 'pastLast', { toFirst: … } or { toLast: … } with one of ${names.join(', ')}.`,
  );
}

/** What only the whole pattern shows. @throws JOB_ARGUMENT_INVALID */
export function checkPattern({ stages, withinMs }: Parts): void {
  const last = stages.at(-1);
  if (stages.every(({ kind, isOptional }) => kind !== 'rows' || isOptional)) {
    throw invalid('all of it is optional', 'Leave at least one stage that a match must have.');
  }
  if (last?.kind === 'notNext' || (last?.kind === 'notFollowedBy' && withinMs === null)) {
    throw invalid(
      `it ends with ${last.kind} "${last.name}"`,
      'A pattern may end with notFollowedBy and within(…), which says when the match is one.',
    );
  }
  if (last?.isGreedy && last.max !== last.min) {
    throw invalid(
      `its last stage "${last.name}" is greedy`,
      'Nothing comes behind that could end it: leave greedy out, or add a stage.',
    );
  }
}

function whereOf<C>(schema: Schema, where: StageCondition<C, never>['where']): Expr | null {
  if (where === undefined) return null;
  return conditionIn('match', callLambda('match', schema, where as never), {
    needed: 'a condition',
    example: 'Compare the column with something: { where: (row) => row.amount.gt(500) }.',
  });
}

function checkStage<C, M>(
  name: unknown,
  kind: PatternStage['kind'],
  stages: readonly PatternStage[],
  { optional, test }: StageOptions<C, M>,
): void {
  if (typeof name !== 'string' || name === '' || stages.some((one) => one.name === name)) {
    const example = "begin('small', { where: … }).next('large', { where: … })";
    throw invalid(
      `a stage is named ${describe(name)}`,
      `Each stage has a name of its own: ${example}.`,
    );
  }
  if (stages.length === patternStagesMax) {
    throw invalid(
      `it has more than ${patternStagesMax} stages`,
      'Match a part of it, and that again.',
    );
  }
  if (test !== undefined && typeof test !== 'function') {
    throw invalid(
      `test of "${name}" is ${describe(test)}`,
      'Give a function: test: (row, rows) => ….',
    );
  }
  const before = stages.at(-1);
  if (before === undefined || before.kind === 'rows') return;
  if (kind === 'rows' && optional !== true) return;
  throw invalid(
    `"${name}" stands behind ${before.kind} "${before.name}"`,
    'Behind what must not come there is a stage of rows that a match must have.',
  );
}

function countsOf<C, M>(
  name: string,
  { times, oneOrMore }: StageOptions<C, M>,
): Pick<PatternStage, 'min' | 'max'> {
  if (oneOrMore === true && times === undefined) return { min: 1, max: null };
  const { min, max = null } =
    typeof times === 'object' && times !== null ? times : { min: times ?? 1, max: times ?? 1 };
  const isCount = (count: unknown) => Number.isSafeInteger(count) && (count as number) >= 1;
  if (oneOrMore !== true && isCount(min) && (max === null || (isCount(max) && max >= min))) {
    return { min, max };
  }
  throw invalid(
    `"${name}" has ${JSON.stringify(times)} rows`,
    'Write times: 3, times: { min: 2, max: 5 }, times: { min: 2 } or oneOrMore: true.',
  );
}

function invalid(what: string, hint: string): Error {
  return typedError('JOB_ARGUMENT_INVALID', `the pattern of match can't be: ${what}`, { hint });
}
