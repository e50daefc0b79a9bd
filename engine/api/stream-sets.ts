/**
 * `union`, `intersect`, `except`: verbs of streams with the same columns. Adds them to `Stream`, whose file has no room
 * for them; who makes streams imports this file.
 */
import { assert } from '../../base/assert.ts';
import { appendNode } from '../plan/logical-node.ts';
import { addMethods } from './add-methods.ts';
import { Stream } from './stream.ts';
import type { SameColumns, SetOptions, United, UnitingVerb } from './union.ts';
import { unitedContent } from './union.ts';

declare module './stream.ts' {
  interface Stream<C> {
    /**
     * The rows of this stream and of others, in any order. All have the same columns in the same order; a
     * column may be null where it may be in one of them. A stream may be united with itself.
     *
     * @throws PLAN_SCHEMA_MISMATCH, which names the column that differs
     * @example `read(today).union(read(yesterday)).keyBy((bid) => bid.auction)`
     */
    union<D extends SameColumns<C, D>>(
      ...others: readonly [Stream<D>, ...Stream<D>[]]
    ): Stream<United<C, D>>;

    /**
     * The rows that are in this stream and in another, whose columns are the same: each once, or with `all` as
     * often as it is in both. Nulls are equal to nulls, NaN to NaN.
     *
     * @throws PLAN_SCHEMA_MISMATCH, which names the column that differs
     * @example `read(today).select(({ user }) => ({ user })).intersect(friends)`
     */
    intersect<D extends SameColumns<C, D>>(
      other: Stream<D>,
      options?: SetOptions,
    ): Stream<United<C, D>>;

    /** The rows that are not in another stream: each once, or with `all` as often as it is here more than there. */
    except<D extends SameColumns<C, D>>(
      other: Stream<D>,
      options?: SetOptions,
    ): Stream<United<C, D>>;
  }
}

function united(verb: UnitingVerb, streams: readonly unknown[], options?: SetOptions) {
  const nodes = streams.map((one) => Stream.nodeIn(verb, one));
  const [first, ...others] = nodes.map((node) => node.content.schema);
  assert(first !== undefined, 'a verb has a stream of its own');
  const content = unitedContent(verb, [first, ...others], options?.all);
  return new Stream(appendNode(nodes, content, options));
}

addMethods(Stream, {
  union(this: unknown, ...others: readonly unknown[]) {
    return united('union', [this, ...others]);
  },
  intersect(this: unknown, other: unknown, options?: SetOptions) {
    return united('intersect', [this, other], options);
  },
  except(this: unknown, other: unknown, options?: SetOptions) {
    return united('except', [this, other], options);
  },
});
