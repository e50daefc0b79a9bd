/** What each kind of logical node says of itself in `explain`, without its kind and schema. */
import { exprText, namedExprText } from '../expr/expr-text.ts';
import { schemaText } from '../schema/schema.ts';
import { analyticSpecText } from './analytic-functions.ts';
import { connectorText, eventTimeText, ingestionTimeText, rateText } from './explain-ends.ts';
import {
  aggregateNodeText,
  exprOrderText,
  groupText,
  orderedAggregateNodeText,
  orderedText,
  orderText,
} from './explain-groups.ts';
import { joinNodeText, lookupText } from './explain-joins.ts';
import { patternNodeText, processNodeText } from './explain-keyed.ts';
import type { LogicalNode } from './logical-graph.ts';
import { applyTable, type SpecOfKind, type SpecTable } from './operator-table.ts';
import { windowText } from './window-spec.ts';

const texts: SpecTable<LogicalNode, string> = {
  source: ({ source }) => `${connectorText(source)}${rateText(source)}`,
  where: ({ predicate }) => exprText(predicate),
  select: ({ columns }) => columns.map(namedExprText).join(', '),
  explodeWords({ as, input, carried }) {
    const words = `${as} = each of words(${exprText(input)})`;
    return [words, ...carried.map(namedExprText)].join(', ');
  },
  derive: ({ columns }) => columns.map(namedExprText).join(', '),
  lookup: lookupText,
  filter: () => 'function',
  map: () => 'function',
  flatMap: () => 'function',
  reduce: ({ keys }) => `by ${keys.map(namedExprText).join(', ')}: function`,
  aggregate: aggregateNodeText,
  orderedAggregate: orderedAggregateNodeText,
  eventTime: eventTimeText,
  ingestionTime: ingestionTimeText,
  distinct: () => '',
  orderBy: ({ order }) => orderText(order),
  limit: ({ count }) => String(count),
  analytic: ({ partition, order, functions }) =>
    orderedText(
      partition.map(namedExprText),
      exprOrderText(order),
      functions.map(analyticSpecText),
    ),
  windowFunction: ({ window, keys }) =>
    groupText([windowText(window), ...keys.map(namedExprText)], ['process']),
  process: processNodeText,
  pattern: patternNodeText,
  mapReduce: mapReduceText,
  join: joinNodeText,
  intersect: ({ isAll }) => (isAll ? 'all' : 'distinct'),
  except: ({ isAll }) => (isAll ? 'all' : 'distinct'),
  union: () => '',
  deadLetters: () => '',
  aside: () => '',
  sink: ({ sink }) => connectorText(sink),
};

/** Their names: those that operators have without the user's doing. */
export const nodeKinds: ReadonlySet<string> = new Set(Object.keys(texts));

export function nodeText(node: LogicalNode): string {
  return applyTable(texts, node);
}

function mapReduceText(node: SpecOfKind<LogicalNode, 'mapReduce'>): string {
  const names = ['map'];
  if (node.hasCombine) names.push('combine');
  if (node.hasPartition) names.push('partition');
  const group = node.group.length > 0 ? ` by ${node.group.map(namedExprText).join(', ')}` : '';
  const order = node.order.length > 0 ? ` in order of ${exprOrderText(node.order)}` : '';
  return `${names.join(', ')}, reduce${group}${order}; pairs ${schemaText(node.pairs)}`;
}
