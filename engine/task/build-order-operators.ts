/** Builders of operators that look at the order of rows. */
import { assert } from '../../base/assert.ts';
import { AnalyticOperator } from '../operators/analytic/analytic-operator.ts';
import { PartitionTopOperator } from '../operators/analytic/partition-top-operator.ts';
import { BoundariesOperator } from '../operators/boundaries-operator.ts';
import { RunningTopOperator } from '../operators/changes/running-top-operator.ts';
import { RangeOperator } from '../operators/range-operator.ts';
import { SortOperator } from '../operators/sort-operator.ts';
import type { OperatorBuilders } from './operator-builder.ts';

export const orderBuilders = {
  sort: ({ order }, { context, input }) => new SortOperator(context, { schema: input, order }),
  top: ({ order, count }, { context, input }) =>
    new SortOperator(context, { schema: input, order, count }),
  runningTop: (spec, { context, input }) => new RunningTopOperator(context, { ...spec, input }),
  partitionTop: (spec, { context, input }) =>
    new PartitionTopOperator(context, { ...spec, schema: input }),
  analytic: (spec, { context, input }) => new AnalyticOperator(context, { ...spec, input }),
  boundaries: (spec, { context, input }) => new BoundariesOperator(context, { ...spec, input }),
  range(_, { build, rangePartitioners = [] }) {
    assert(build !== undefined, 'boundaries come in at the build side');
    return new RangeOperator({ build, partitioners: rangePartitioners });
  },
} satisfies Partial<OperatorBuilders>;
