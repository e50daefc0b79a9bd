/** What each kind of operator says of itself in `explain`, without its kind and schema. */
import { exprText, namedExprText } from '../expr/expr-text.ts';
import { analyticText } from './analytic-functions.ts';
import {
  checkTimesText,
  connectorText,
  eventTimeText,
  ingestionTimeText,
  sourceText,
} from './explain-ends.ts';
import {
  aggregateOperatorText,
  groupText,
  orderedAggregateText,
  orderedText,
  orderedWindowText,
  orderText,
  runningAggregateText,
  windowAggregateText,
  windowFunctionText,
} from './explain-groups.ts';
import {
  asOfText,
  eachWindowText,
  hashJoinText,
  intervalJoinText,
  lookupText,
  regularJoinText,
} from './explain-joins.ts';
import { patternOperatorText, processOperatorText } from './explain-keyed.ts';
import { applyTable, type SpecOfKind, type SpecTable } from './operator-table.ts';
import type { OperatorSpec } from './physical-graph.ts';
import { tumblingText } from './window-spec.ts';

const texts: SpecTable<OperatorSpec, string> = {
  source: sourceText,
  sink: ({ sink }) => connectorText(sink),

  filter: ({ predicate }) => exprText(predicate),
  project: ({ columns }) => columns.map((column) => shortened(namedExprText(column))).join(', '),
  explodeWords: ({ as, column, carried }) =>
    [`${as} = each of words(${column})`, ...carried].join(', '),
  assignWindows: (spec) => [`${spec.as} = ${tumblingText(spec)}`, ...spec.carried].join(', '),
  eachWindow: eachWindowText,
  repeat: ({ column }) => `by ${column}`,
  registers: ({ column, carried }) => [`register, share of ${column}`, ...carried].join(', '),
  limit: ({ count }) => String(count),

  eventTime: eventTimeText,
  ingestionTime: ingestionTimeText,
  checkTimes: checkTimesText,

  aggregate: aggregateOperatorText,
  orderedAggregate: orderedAggregateText,
  digest: ({ keys, column }) => groupText(keys, [`means, weights of ${column}`]),
  runningAggregate: runningAggregateText,
  firstRows: ({ keys }) => groupText(keys, []),
  windowAggregate: windowAggregateText,
  orderedWindow: orderedWindowText,

  sort: ({ order }) => orderText(order),
  range: ({ order }) => orderText(order),
  boundaries: ({ rangeCount, order }) => `of ${rangeCount} ranges by ${orderText(order)}`,
  top: ({ count, order }) => `${count} by ${orderText(order)}`,
  runningTop: runningTopText,
  partitionTop: ({ partition, order, function: rank, count }) =>
    orderedText(partition, orderText(order), [`${rank} <= ${count}`]),
  analytic: ({ partition, order, functions }) =>
    orderedText(partition, orderText(order), functions.map(analyticText)),

  join: hashJoinText,
  intervalJoin: intervalJoinText,
  asOfJoin: asOfText,
  asOfProbe: asOfText,
  regularJoin: regularJoinText,
  lookup: lookupText,

  filterRows: functionText,
  mapRows: functionText,
  flatMap: functionText,
  fold: ({ phase, keys, id }) => `${phase} by ${keys.join(', ')}: function of ${id}`,
  map: functionText,
  combine: functionText,
  reduce: ({ group, order, id }) =>
    `by ${group.join(', ')} in order of ${orderText(order)}: function of ${id}`,
  process: processOperatorText,
  windowFunction: windowFunctionText,
  pattern: patternOperatorText,
};

export function operatorText(operator: OperatorSpec): string {
  return applyTable(texts, operator);
}

function functionText({ id }: OperatorSpec): string {
  return `function of ${id}`;
}

function runningTopText(operator: SpecOfKind<OperatorSpec, 'runningTop'>): string {
  const { count, ranks, everyMs } = operator;
  const order = orderText(operator.order);
  const what =
    ranks === null
      ? `${count} by ${order}`
      : orderedText(ranks.partition, order, [`${ranks.function} <= ${count}`]);
  return `${what}; within ${everyMs} ms`;
}

/** Of an expression that a plan's rows are projected by, in characters: a line as it is written in SQL is shorter. */
const exprLengthMax = 600;

/** Nobody reads an expression as long as the estimate of `approxDistinct` is; its beginning and its end say which it is. */
function shortened(text: string): string {
  if (text.length <= exprLengthMax) return text;
  const [begin, end] = [text.slice(0, 120), text.slice(-40)];
  return `${begin}… ${text.length - begin.length - end.length} characters …${end}`;
}
