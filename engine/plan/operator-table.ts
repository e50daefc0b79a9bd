/**
 * Tables by the kind of an operator, or of a logical node: what has to be said of every kind is said in a record
 * with an entry for each, so that a new kind does not compile until all of its entries are written.
 *
 *     const names: SpecTable<OperatorSpec, string> = { filter: (spec) => …, project: (spec) => …, … };
 *     applyTable(names, spec);
 *
 * Tables are put together of parts with entries that belong together, by spreading them.
 */

/** One of a union of specs, by its kind. Several kinds may share a spec. */
export type SpecOfKind<Spec extends { readonly kind: string }, Kind extends Spec['kind']> = Spec & {
  readonly kind: Kind;
};

/** For each of the kinds a function of its spec, and of what else there is. */
export type SpecTable<
  Spec extends { readonly kind: string },
  Result,
  Rest extends readonly unknown[] = [],
  Kinds extends Spec['kind'] = Spec['kind'],
> = {
  readonly [Kind in Kinds]: (spec: SpecOfKind<Spec, Kind>, ...rest: Rest) => Result;
};

/** Calls the entry of the spec's kind. */
export function applyTable<
  Spec extends { readonly kind: string },
  Result,
  Rest extends readonly unknown[],
>(table: SpecTable<Spec, Result, Rest>, spec: Spec, ...rest: Rest): Result {
  // The compiler does not see that the entry and the spec are of one kind.
  const entry = table[spec.kind as Spec['kind']] as (spec: Spec, ...rest: Rest) => Result;
  return entry(spec, ...rest);
}
