/**
 * Change roles: what each kind of node does with changes, and can do with them. The one place to look at, or to
 * add to, when an operator learns to take changes or to give them out (change-plan.ts does the rest).
 *
 *     passes    carries the row kind:  where, select, derive, explode, union
 *     running   gives out what changes while rows come, where all that reads it takes that
 *     atEnd     gives its result at the end of the input: never, where that has none
 *     append    as rows come, but added rows alone:  functions, windows, lookups …
 */
import type { AggregateFunction } from './aggregate-functions.ts';
import type { FirstRanks } from './first-ranks.ts';
import { type JoinType, onlyAdds } from './join-type.ts';
import type { LogicalNode } from './logical-graph.ts';

export type ChangeRole =
  | { readonly kind: 'passes' }
  | {
      readonly kind: 'running';
      /** What it does with rows that go: null where it takes them back, else what can't. */
      readonly refusal: string | null;
      /** Whether its output changes although its input only grows. */
      readonly revises: boolean;
      /** By which columns of its output a row replaces the one before it. */
      readonly key: readonly string[] | null;
    }
  | { readonly kind: 'atEnd' }
  | { readonly kind: 'append' }
  | { readonly kind: 'sink' };

/** What a role depends on besides the node. */
export interface Around {
  /** By input: whether it has no end. */
  readonly isUnbounded: readonly boolean[];
  /** Whether it is a sort that only a limit reads, or that limit. */
  readonly isTop: boolean;
  /** Of an `over` with a rank alone: which ranks a filter, who alone reads it, wants. */
  readonly ranks: FirstRanks | null;
}

export function changeRoleOf(node: LogicalNode, { isUnbounded, isTop, ranks }: Around): ChangeRole {
  switch (node.kind) {
    case 'where':
    case 'select':
    case 'derive':
    case 'explodeWords':
    case 'union':
      return { kind: 'passes' };
    case 'aggregate':
      return node.window === null ? aggregateRole(node) : { kind: 'append' };
    case 'distinct': {
      const key = node.schema.fields.map(({ name }) => name);
      return { kind: 'running', refusal: null, revises: false, key };
    }
    case 'join': {
      if (node.keep !== null) return keptJoinRole(node.type);
      const isKept = isUnbounded[node.buildSide === 'left' ? 0 : 1] === true;
      return { kind: node.nearness === null && isKept ? 'atEnd' : 'append' };
    }
    case 'sink':
      return { kind: 'sink' };
    case 'orderBy':
      return { kind: isTop ? 'passes' : 'atEnd' };
    case 'limit':
      return isTop
        ? { kind: 'running', refusal: null, revises: true, key: null }
        : { kind: 'append' };
    case 'analytic':
      return ranks === null ? { kind: 'atEnd' } : ranksRole(node, ranks);
    case 'orderedAggregate':
      return { kind: node.window === null ? 'atEnd' : 'append' };
    case 'reduce':
    case 'mapReduce':
    case 'intersect':
    case 'except':
      return { kind: 'atEnd' };
    default:
      return { kind: 'append' };
  }
}

/** A join that keeps both sides finds a row that goes among those that it keeps. */
function keptJoinRole(type: JoinType): ChangeRole {
  return { kind: 'running', refusal: null, revises: !onlyAdds(type), key: null };
}

/** Rows of a partition are told apart by their numbers; there are several of one rank. */
function ranksRole(
  { partition }: LogicalNode & { readonly kind: 'analytic' },
  { name, function: rank, count }: FirstRanks,
): ChangeRole {
  const names = partition.map(({ expr }) => (expr.kind === 'column' ? expr.name : null));
  const known = names.filter((one) => one !== null);
  const isKeyed = rank === 'rowNumber' && known.length === names.length;
  const key = isKeyed ? (count === 1 ? known : [...known, name]) : null;
  return { kind: 'running', refusal: null, revises: true, key };
}

/** Functions whose result is known again when a row is gone. */
const retractable: ReadonlySet<AggregateFunction> = new Set(['count', 'sum', 'avg', 'min', 'max']);
/** Estimates are made of several operators, whose own results would change. */
const estimates: ReadonlySet<AggregateFunction> = new Set(['approxDistinct', 'approxQuantile']);

function aggregateRole(node: LogicalNode & { readonly kind: 'aggregate' }): ChangeRole {
  const { aggregates, keys } = node;
  const functions = aggregates.map((one) => one.function);
  const isMixed = functions.includes('countDistinct') && !isOneDistinct(node);
  if (isMixed || functions.some((one) => estimates.has(one))) return { kind: 'atEnd' };
  const last = isOneDistinct(node) ? null : functions.find((one) => !retractable.has(one));
  return {
    kind: 'running',
    refusal: last ?? null,
    revises: true,
    key: keys.map(({ name }) => name),
  };
}

/** Whether all it does is to count the distinct values of one thing. */
function isOneDistinct({ aggregates }: LogicalNode & { readonly kind: 'aggregate' }): boolean {
  const inputs = new Set(aggregates.map(({ input }) => JSON.stringify(input)));
  return inputs.size === 1 && aggregates.every((one) => one.function === 'countDistinct');
}
