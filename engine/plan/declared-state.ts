/**
 * Declared state: what the operators of a job keep between rows, and what that depends on, as plain data: written into the
 * manifest of each checkpoint, and compared with when another version of the job goes on from one.
 *
 *     process      keys with their types · states and broadcast states · whether it sets timers
 *     windows      keys · the windows, when they come out, each result
 *     joins        keys · type, condition, how near or how long
 *     source       its connector: positions are its own        sink   the same of what is to be committed
 *
 * Of the logical graph: how many operators carry out one, and what columns they have pruned, is the planner's choice.
 *
 * On disk: docs/formats/checkpoint.md. Before: engine/plan/logical-graph.ts. After: coordinator/compatibility/compatibility.ts.
 */
import type { Expr, NamedExpr } from '../expr/expr.ts';
import { exprText } from '../expr/expr-text.ts';
import { type Field, typeText } from '../schema/field-type.ts';
import { aggregateText, orderedAggregateNodeText } from './explain-groups.ts';
import { nodeText } from './explain-nodes.ts';
import type {
  AggregateSpec,
  IdOrigin,
  JoinNearness,
  LogicalGraph,
  LogicalNode,
} from './logical-graph.ts';
import { applyTable, type SpecOfKind, type SpecTable } from './operator-table.ts';
import { patternText } from './pattern-spec.ts';
import type { StateHistory, StateKind, StateTtl } from './state-spec.ts';
import { type EventWindow, windowFiringText, windowSpecText } from './window-spec.ts';

/** A state as it is declared; what is said of its past is not on disk. */
export interface DeclaredState extends StateHistory {
  readonly name: string;
  readonly kind: StateKind | 'broadcast';
  readonly key: Field | null;
  readonly value: Field;
  readonly ttl: StateTtl | null;
}

/** What the meaning of kept rows depends on, under the name that people have for it. */
export interface Setting {
  readonly name: string;
  readonly text: string;
}

export interface DeclaredOperator {
  readonly operatorId: string;
  readonly name: string;
  /** Of the logical graph. */
  readonly kind: string;
  /** Null: the user gave the id. */
  readonly idOrigin: IdOrigin | null;
  /** The nearest such operators that it gets its rows from: with the rest it tells apart operators that are alike. */
  readonly reads: readonly string[];
  /** What it keeps its state by. */
  readonly keys: readonly Field[];
  readonly settings: readonly Setting[];
  /** Results of an aggregate: a state that has more of them can do without some. */
  readonly results: readonly Setting[];
  readonly states: readonly DeclaredState[];
  readonly hasTimers: boolean;
}

type Declared = Partial<
  Pick<DeclaredOperator, 'keys' | 'settings' | 'results' | 'states' | 'hasTimers'>
>;
type NodeOf<Kind extends LogicalNode['kind']> = SpecOfKind<LogicalNode, Kind>;

/** Operators that may keep something, in the order of the graph. */
export function declaredStates({ nodes }: LogicalGraph): DeclaredOperator[] {
  /** By id: itself, where it keeps something, or what it reads. */
  const nearest = new Map<string, readonly string[]>();
  return nodes.flatMap((node): DeclaredOperator[] => {
    const declared = applyTable(declarations, node);
    const reads = [...new Set(node.inputs.flatMap((id) => nearest.get(id) ?? []))].sort();
    nearest.set(node.id, declared === null ? reads : [node.id]);
    if (declared === null) return [];
    const { id: operatorId, name, kind, idOrigin = null } = node;
    const nothing = { keys: [], settings: [], results: [], states: [], hasTimers: false };
    return [{ operatorId, name, kind, idOrigin, reads, ...nothing, ...declared }];
  });
}

const nothing = () => null;
/** What has no rule of its own: only what says the same of itself is the same. */
const whatItSays = (node: LogicalNode): Declared => ({
  settings: [{ name: 'what it does', text: nodeText(node) }],
});
/** Counts, and how far times have come: of no meaning to another operator, and no loss. */
const counts = (): Declared => ({});

const declarations: SpecTable<LogicalNode, Declared | null> = {
  source: ({ source }) => ({ settings: [{ name: 'connector', text: source.connector }] }),
  sink: ({ sink }) => ({ settings: [{ name: 'connector', text: sink.connector }] }),
  eventTime: counts,
  ingestionTime: counts,
  where: nothing,
  select: nothing,
  explodeWords: nothing,
  derive: nothing,
  lookup: nothing,
  filter: nothing,
  map: nothing,
  flatMap: nothing,
  union: nothing,
  deadLetters: nothing,
  aside: nothing,
  reduce: whatItSays,
  distinct: whatItSays,
  orderBy: whatItSays,
  limit: whatItSays,
  analytic: whatItSays,
  mapReduce: whatItSays,
  intersect: whatItSays,
  except: whatItSays,
  windowFunction: ({ window, keys }) => ({
    keys: keys.map(keyField),
    settings: windowSettings(window),
  }),
  aggregate: ({ window, keys, aggregates }) => ({
    keys: keys.map(keyField),
    settings: windowSettings(window),
    results: aggregates.map(resultOf),
  }),
  orderedAggregate: (node) => ({
    keys: node.keys.map(keyField),
    settings: [{ name: 'what it does', text: orderedAggregateNodeText(node) }],
  }),
  join: joinDeclaration,
  process: processDeclaration,
  pattern: ({ keys, pattern, conditions }) => ({
    keys: keys.map(keyField),
    settings: [
      { name: 'pattern', text: patternText(pattern) },
      { name: 'conditions', text: conditions.map((one) => one && exprText(one)).join('; ') },
    ],
  }),
};

function keyField({ name, expr: { type, nullable } }: NamedExpr): Field {
  return { name, type, nullable };
}

function windowSettings(window: EventWindow | null): Setting[] {
  if (window === null) return [{ name: 'windows', text: 'none' }];
  const { spec, firing } = window;
  return [
    { name: 'windows', text: windowSpecText(spec) },
    { name: 'when windows come out', text: `at their end${windowFiringText(firing)}` },
  ];
}

/** `sum(price) of int64`. */
function resultOf(spec: AggregateSpec): Setting {
  const { name, input } = spec;
  const [, text = ''] = aggregateText(spec).split(/ = (.*)/s);
  return { name, text: input === null ? text : `${text} of ${typeText(input.type)}` };
}

function joinDeclaration({ type, keys, condition, nearness, keep }: NodeOf<'join'>): Declared {
  const kept =
    keep === null ? '' : `, rows kept ${keep.ttlMs === null ? 'for ever' : `${keep.ttlMs} ms`}`;
  const settings = [
    { name: 'type', text: type },
    { name: 'how near partners are', text: `${nearText(nearness)}${kept}` },
    { name: 'condition', text: condition === null ? 'none' : exprText(condition) },
  ];
  return { keys: keys.map(({ left }) => sideKey(left)), settings };
}

/** Without the names of columns. */
function nearText(nearness: JoinNearness | null): string {
  switch (nearness?.kind) {
    case undefined:
      return 'at any time';
    case 'interval':
      return `within ${nearness.beforeMs} ms before to ${nearness.afterMs} ms after`;
    case 'asOf':
      return `the version then, ${nearness.toleranceMs === null ? 'of any age' : `up to ${nearness.toleranceMs} ms older`}`;
    case 'windows':
      return `in the same windows ${JSON.stringify(nearness.windows)}`;
    case 'window':
      return `in the same window of ${nearness.sizeMs} ms`;
  }
}

function sideKey(expr: Expr): Field {
  return { name: exprText(expr), type: expr.type, nullable: expr.nullable };
}

function processDeclaration({ keys, states, control, hasTimers }: NodeOf<'process'>): Declared {
  const broadcast = (control?.states ?? []).map((one) => ({
    ...one,
    kind: 'broadcast' as const,
    ttl: null,
  }));
  return { keys: keys.map(keyField), states: [...states, ...broadcast], hasTimers };
}
