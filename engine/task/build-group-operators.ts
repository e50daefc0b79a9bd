/** Builders of operators that put rows into groups, of keys and windows. */
import { assert } from '../../base/assert.ts';
import { AggregateOperator } from '../operators/aggregate-operator.ts';
import { DigestOperator } from '../operators/analytic/digest-operator.ts';
import { OrderedAggregateOperator } from '../operators/analytic/ordered-aggregate-operator.ts';
import { FirstRowsOperator } from '../operators/changes/first-rows-operator.ts';
import { RunningAggregateOperator } from '../operators/changes/running-aggregate-operator.ts';
import type { Operator } from '../operators/operator.ts';
import { CountAggregateOperator } from '../operators/windows/count-aggregate-operator.ts';
import { OrderedWindowOperator } from '../operators/windows/ordered-window-operator.ts';
import { SessionAggregateOperator } from '../operators/windows/session-aggregate-operator.ts';
import { WindowAggregateOperator } from '../operators/windows/window-aggregate-operator.ts';
import type { BuildOperatorOptions, OperatorBuilders, SpecOf } from './operator-builder.ts';

export const groupBuilders = {
  aggregate: (spec, { context, input }) => new AggregateOperator(context, { ...spec, input }),
  orderedAggregate: (spec, { context, input }) =>
    new OrderedAggregateOperator(context, { ...spec, input }),
  digest: (spec, { context, input }) => new DigestOperator(context, { ...spec, input }),
  runningAggregate: (spec, { context, input }) =>
    new RunningAggregateOperator(context, { ...spec, input }),
  firstRows: ({ keys }, { context, input }) => new FirstRowsOperator(context, { input, keys }),
  windowAggregate: buildWindowAggregate,
  orderedWindow: (spec, { context, input }) =>
    new OrderedWindowOperator(context, { ...spec, input }),
} satisfies Partial<OperatorBuilders>;

function buildWindowAggregate(
  spec: SpecOf<'windowAggregate'>,
  { context, input }: BuildOperatorOptions,
): Operator {
  const { window, column } = spec;
  if (window.kind === 'count') {
    const { rows, slideRows } = window;
    return new CountAggregateOperator(context, { ...spec, rows, slideRows, input });
  }
  if (window.kind === 'session') {
    assert(column !== null, 'sessions have a time');
    const { gapMs } = window;
    return new SessionAggregateOperator(context, { ...spec, column, gapMs, input });
  }
  return new WindowAggregateOperator(context, { ...spec, window, input });
}
