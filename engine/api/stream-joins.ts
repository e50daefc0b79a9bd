/**
 * `join`, `crossJoin`, `lookup`: verbs that put rows of something else beside a stream's own. Adds them to `Stream`, whose
 * file has no room for them; who makes streams imports this file.
 */
import { appendNode, type VerbOptions } from '../plan/logical-node.ts';
import { addMethods } from './add-methods.ts';
import type { ColumnKind } from './column-kind.ts';
import {
  type CrossJoinRest,
  type GivenJoin,
  type Joined,
  type JoinHints,
  type JoinOptions,
  type JoinSelect,
  type JoinType,
  joinedNode,
  type Unnamed,
} from './join.ts';
import { type LookedUp, type LookupOptions, type LookupType, lookupParts } from './lookup.ts';
import type { Shown } from './row.ts';
import type { Selected } from './select.ts';
import { Stream } from './stream.ts';
import type { StructType } from './value-type.ts';

declare module './stream.ts' {
  interface Stream<C> {
    /**
     * Pairs of rows of this stream (left) and another (right) for which a condition is true; and rows without
     * a partner, as `type` says. Rows come in any order.
     *
     * Columns of both come out; where both have one of the same name, `select` names what comes out. The other
     * stream (`build` says which) is kept in memory.
     *
     * `within` and `window` ask that partners are near in event time as well, and bound what a stream keeps; `asOf` looks up the
     * version that was valid at a row's time. `keep` keeps rows of both sides of a stream, so that neither has to end.
     *
     * @throws PLAN_DUPLICATE_NAME, PLAN_NO_EVENT_TIME, EXPR_TYPE_MISMATCH where keys can't be compared exactly
     * @example `orders.join(users, { on: (order, user) => order.user.eq(user.id), type: 'semi' })`
     */
    join<D, const S extends object, T extends JoinType = 'inner'>(
      other: Stream<D>,
      options: JoinOptions<C, D, T> & {
        readonly select: JoinSelect<C, D, T, S>;
      },
      verb?: VerbOptions,
    ): Stream<Shown<Selected<S>>>;
    /**
     * The same with all columns of both, whose names are different.
     *
     * @example `orders.join(rates, { on: (order, rate) => order.currency.eq(rate.code), asOf: {} })`
     */
    join<D, T extends JoinType = 'inner'>(
      other: Stream<D>,
      options: JoinOptions<C, D, T> & Unnamed<C, D, T>,
      verb?: VerbOptions,
    ): Stream<Shown<Joined<C, D, T>>>;

    /**
     * Asks another system for a row by key, whose columns (`found`) follow the row's own. Rows wait beside each other.
     *
     * @throws JOB_ARGUMENT_INVALID, PLAN_DUPLICATE_NAME
     * @example `orders.lookup(t.struct({ city: t.utf8() }), { key: (order) => order.user, lookup: async (user) => cities.get(user) ?? null })`
     */
    lookup<F, K extends ColumnKind, V, T extends LookupType = 'left'>(
      found: StructType<F>,
      options: LookupOptions<C, F, K, V, T>,
      verb?: VerbOptions,
    ): Stream<LookedUp<C, F, T>>;

    /**
     * Every row of this stream beside every row of another, which is kept in memory by every task.
     *
     * @throws PLAN_DUPLICATE_NAME
     */
    crossJoin<D, const S extends object>(
      other: Stream<D>,
      options: Pick<JoinHints, 'build'> & { readonly select: (left: C, right: D) => S },
      verb?: VerbOptions,
    ): Stream<Shown<Selected<S>>>;
    /**
     * The same with all columns of both, whose names are different.
     *
     * @example `orders.crossJoin(limits)`
     */
    crossJoin<D>(
      other: Stream<D>,
      ...rest: CrossJoinRest<C, D>
    ): Stream<Shown<Joined<C, D, 'inner'>>>;
  }
}

addMethods(Stream, {
  join(this: unknown, other: unknown, options: GivenJoin, verb?: VerbOptions) {
    const sides = [Stream.nodeIn('join', this), Stream.nodeIn('join', other)] as const;
    return new Stream(joinedNode('join', sides, options, verb));
  },
  lookup(this: unknown, found: StructType<unknown>, options: never, verb?: VerbOptions) {
    const node = Stream.nodeIn('lookup', this);
    const { content, functions } = lookupParts(node.content.schema, found.schema, options);
    return new Stream(appendNode([node], content, verb, functions));
  },
  crossJoin(this: unknown, other: unknown, ...rest: unknown[]) {
    const [options, verb] = rest as [Omit<GivenJoin, 'on'>?, VerbOptions?];
    const sides = [Stream.nodeIn('crossJoin', this), Stream.nodeIn('crossJoin', other)] as const;
    return new Stream(joinedNode('crossJoin', sides, { ...options, on: null }, verb));
  },
});
