/**
 * Operator ids: by what state is found again after a job has changed. Made of what an operator is by itself, so that what is
 * added, removed, renamed or edited elsewhere moves none:
 *
 *     { id: 'totals' }               totals               as given
 *     { name: 'Top words' }          top-words            of the name
 *     keyBy(user).process(…)         process-user         of the kind, and what it goes by: the columns of a key, the connector of a
 *     read(files.source(…))          source-files         source or a sink, the column of an event time
 *     the second one like it         process-user-2       of the order of the graph: one put in front of it moves it
 *
 * Only the last kind can move, so `explain` names those, and a job does not go on where one may have
 * (coordinator/compatibility/ambiguous-ids.ts).
 *
 * Not part of an id: what may change while the state stays: states, windows, aggregates, paths, inputs, parallelism.
 * @see Apache Flink, "Assigning operator IDs": there a derived id follows from all that is in front of the operator.
 * Before: engine/plan/logical-node.ts.
 */
import { exprText } from '../expr/expr-text.ts';
import type { IdOrigin, LogicalNode } from './logical-graph.ts';

/** An operator without its place. */
type Content<Node = LogicalNode> = Node extends unknown
  ? Omit<Node, 'id' | 'name' | 'inputs'>
  : never;

/** What an id is derived from. */
export interface IdParts {
  readonly content: Content;
  /** As the user gave it. */
  readonly name: string | undefined;
}

export interface DerivedId {
  readonly id: string;
  readonly origin: IdOrigin;
}

const baseMax = 48;

/**
 * Ids in the order of `all`; null for those that have one.
 *
 * @param given - Ids that the user gave: none of them is derived.
 */
export function derivedIds(
  all: readonly (IdParts | null)[],
  given: ReadonlySet<string>,
): (DerivedId | null)[] {
  const bases = all.map((one) => one && baseOf(one));
  const counts = Map.groupBy(bases, (one) => one?.base ?? '');
  const taken = new Set(given);
  return bases.map((one) => {
    if (one === null) return null;
    const { base, isNumbered, origin } = one;
    const id = freeId(base, isNumbered, taken);
    taken.add(id);
    const isAlone = counts.get(base)?.length === 1 && id === (isNumbered ? `${base}-1` : base);
    return { id, origin: isAlone ? origin : 'order' };
  });
}

interface Base {
  readonly base: string;
  /** Whether the first one has a number too. */
  readonly isNumbered: boolean;
  readonly origin: IdOrigin;
}

function baseOf({ content, name }: IdParts): Base {
  const named = slugOf(name ?? '');
  if (named !== '') return { base: named, isNumbered: false, origin: 'name' };
  const label = slugOf(labelsOf(content as LogicalNode).join(' '));
  const { kind } = content;
  if (label === '') return { base: kind, isNumbered: true, origin: 'kind' };
  return { base: `${kind}-${label}`, isNumbered: false, origin: 'kind' };
}

/** What an operator goes by, in its own words. */
function labelsOf(content: LogicalNode): readonly string[] {
  switch (content.kind) {
    case 'source':
      return [content.source.connector];
    case 'sink':
      return [content.sink.connector];
    case 'eventTime':
    case 'ingestionTime':
      return [content.column];
    case 'aggregate':
    case 'orderedAggregate':
    case 'reduce':
    case 'process':
    case 'windowFunction':
    case 'pattern':
      return content.keys.map(({ name }) => name);
    case 'join':
      return content.keys.map(({ left }) => exprText(left));
    default:
      return [];
  }
}

function slugOf(text: string): string {
  const slug = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return slug.slice(0, baseMax).replace(/^-+|-+$/g, '');
}

function freeId(base: string, isNumbered: boolean, taken: ReadonlySet<string>): string {
  if (!isNumbered && !taken.has(base)) return base;
  for (let number = isNumbered ? 1 : 2; ; number++) {
    const id = `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}
