/**
 * The nodes of an `aggregate`. Mostly one; where some of its aggregates need another way through the rows (in an
 * order, approximately), each way is a node of its own, and a last one puts their rows together by key.
 *
 *     plain aggregates ──── select keys, a, null ─┐
 *     those in an order ─── select keys, null, b ─┴─ union ─ aggregate by keys: first(a), first(b)
 *
 * Each way gives a row per key, and of each column one is not null, so the last node adds nothing. Why no join: its
 * keys that are null have no partner.
 */
import type { NamedExpr } from '../expr/expr.ts';
import { columnExpr } from '../expr/expr-factory.ts';
import { nullLiteral } from '../expr/literal.ts';
import { appendNode, type NodeContent, type NodeDraft } from '../plan/logical-node.ts';
import { comesOnce, type EventWindow } from '../plan/window-spec.ts';
import { type Field, fieldIndexOf, fieldOf, type Schema } from '../schema/schema.ts';
import { Aggregate } from './aggregates.ts';
import { Column } from './column.ts';
import { withAside } from './endpoints.ts';
import { aggregateContent, type Grouping } from './grouping.ts';
import { callLambda } from './row.ts';
import { ordersIn } from './sort-order.ts';
import { type AggregateOptions, updatesIn } from './updates.ts';
import { windowOfRows } from './window.ts';

type Aggregates = Readonly<Record<string, unknown>>;

/** @throws PLAN_DUPLICATE_NAME */
export function aggregateNode(
  node: NodeDraft,
  { keys, window, late }: Grouping,
  aggregates: Aggregates,
  options?: AggregateOptions,
): NodeDraft {
  const input = node.content.schema;
  const grouping = { keys, window: window ?? windowOfRows(keys, node) };
  const updates = updatesIn(options);
  const ways = waysOf(aggregates, input, window !== null && canBeGroupedAgain(window));
  if (ways.length <= 1) {
    const content = aggregateContent(grouping, aggregates, input);
    const updated = updates === null ? content : ({ ...content, updates } as NodeContent);
    return withAside(appendNode([node], updated, options), late);
  }
  const names = Object.keys(aggregates);
  const parts = ways.map((way, at) => {
    // All see the same rows: what is late is counted and written once.
    if (at > 0) return appendNode([node], aggregateContent(lateElsewhere(grouping), way, input));
    return withAside(appendNode([node], aggregateContent(grouping, way, input)), late);
  });
  const fields = parts.flatMap((part) => part.content.schema.fields);
  const results = names.flatMap((name) => fields.filter((field) => field.name === name));
  const common = (parts[0]?.content.schema.fields ?? []).filter(
    ({ name }) => !names.includes(name),
  );
  const plainKeys = common.map((key): NamedExpr => ({ name: key.name, expr: columnExpr(key) }));
  const schema = { fields: [...common, ...results.map((field) => ({ ...field, nullable: true }))] };
  const sides = parts.map((part) => {
    const columns = [...plainKeys, ...results.map((field) => resultIn(part, field))];
    return appendNode([part], { kind: 'select', columns, schema });
  });
  const united = appendNode(sides, { kind: 'union', schema });
  const merged = results.map(({ name, type }) => {
    return { name, function: 'first', input: columnExpr(fieldOf(name, type, true)) } as const;
  });
  const output = { fields: [...common, ...results] };
  const rows = windowOfRows(plainKeys, united);
  const content = { kind: 'aggregate', window: rows, keys: plainKeys, aggregates: merged } as const;
  return appendNode([united], { ...content, schema: output }, options);
}

function lateElsewhere({ window, ...grouping }: Grouping): Grouping {
  return { ...grouping, window: window && { ...window, isLateElsewhere: true } };
}

function resultIn({ content }: NodeDraft, { name, type }: Field): NamedExpr {
  const own = content.schema.fields[fieldIndexOf(content.schema, name)];
  return { name, expr: own === undefined ? nullLiteral(type) : columnExpr(own) };
}

/** The aggregates by how they go through the rows; what needs no order goes with those that have one. */
function waysOf(aggregates: Aggregates, input: Schema, isByPane: boolean): Aggregates[] {
  const entries = Object.entries(aggregates ?? {});
  const found = new Map(entries.map(([name, aggregate]) => [name, wayOf(aggregate, input)]));
  const ordered = [...found.values()].find((way) => way.startsWith('ordered'));
  const sorted = ordered ?? [...found.values()].find((way) => way === 'as they come');
  const ways = new Map<string, Record<string, unknown>>();
  for (const [name, aggregate] of entries) {
    const needed = found.get(name) ?? '';
    // Without an order distinct values and all others are one aggregate, but in panes, which have no sets.
    const isPlain = needed === 'distinct' && sorted === undefined && !isByPane;
    const own = isPlain ? 'plain' : isByPane ? wayOfPanes(needed, aggregate, input) : needed;
    const isFree = own === 'as they come' || own === 'plain';
    const way = isFree ? (sorted ?? own) : own;
    ways.set(way, { ...ways.get(way), [name]: aggregate });
  }
  return [...ways.values()];
}

/** Distinct values of one column are grouped by; those of another are other groups. */
function wayOfPanes(way: string, aggregate: unknown, input: Schema): string {
  if (way !== 'distinct' || !(aggregate instanceof Aggregate)) return way;
  const value = callLambda('agg.countDistinct', input, aggregate.input as never);
  return `distinct ${JSON.stringify(Column.exprIn(value))}`;
}

/** Windows of a size that are given out once: their groups can be grouped again. */
function canBeGroupedAgain({ spec, firing }: EventWindow): boolean {
  return 'sizeMs' in spec && comesOnce(firing);
}

function wayOf(aggregate: unknown, input: Schema): string {
  if (!(aggregate instanceof Aggregate)) return 'plain';
  const { function: kind, orderBy } = aggregate;
  // Those of one column share its sketch.
  if (kind === 'approxDistinct' || kind === 'approxQuantile') {
    const value = callLambda(`agg.${kind}`, input, aggregate.input as never);
    return `${kind} ${JSON.stringify(Column.exprIn(value))}`;
  }
  // A set of values is kept by the operator that does not sort.
  if (kind === 'countDistinct') return 'distinct';
  if (orderBy === null) return kind === 'stringAgg' ? 'as they come' : 'plain';
  const verb = `orderBy of ${kind}`;
  return `ordered ${JSON.stringify(ordersIn(verb, callLambda(verb, input, orderBy)))}`;
}
