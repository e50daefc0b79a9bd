/** Builders of operators that look at one row at a time, and of those that make time of rows. */
import { AssignWindowsOperator } from '../operators/assign-windows-operator.ts';
import { CheckTimesOperator } from '../operators/check-times-operator.ts';
import { EachWindowOperator } from '../operators/each-window-operator.ts';
import { EventTimeOperator } from '../operators/event-time-operator.ts';
import { ExplodeWordsOperator } from '../operators/explode-words-operator.ts';
import { FilterOperator } from '../operators/filter-operator.ts';
import { IngestionTimeOperator } from '../operators/ingestion-time-operator.ts';
import { LimitOperator } from '../operators/limit-operator.ts';
import { ProjectOperator } from '../operators/project-operator.ts';
import { RegistersOperator } from '../operators/registers-operator.ts';
import { RepeatOperator } from '../operators/repeat-operator.ts';
import type { EventTimeSpec } from '../plan/logical-graph.ts';
import { SplitTimes } from '../time/split-times.ts';
import type { OperatorBuilders } from './operator-builder.ts';

export const rowBuilders = {
  filter: ({ predicate }, { context }) => new FilterOperator(context, predicate),
  project: ({ output, columns }, { context }) => new ProjectOperator(context, { output, columns }),
  explodeWords: (spec, { context, input }) => new ExplodeWordsOperator(context, { ...spec, input }),
  assignWindows: (spec, { context, input }) =>
    new AssignWindowsOperator(context, { ...spec, input }),
  eachWindow: (spec, { context, input }) => new EachWindowOperator(context, { ...spec, input }),
  repeat: (spec, { context, input }) => new RepeatOperator(context, { ...spec, input }),
  registers: (spec, { context, input }) => new RegistersOperator(context, { ...spec, input }),
  limit: ({ count }) => new LimitOperator(count),

  eventTime(spec, { context, input, splitTimes, clock }) {
    const [mono, wall] = [() => clock.mono(), () => clock.wall()];
    const times = splitTimes ?? undividedTimes(spec);
    return new EventTimeOperator(context, { ...spec, input, times, mono, wall });
  },
  ingestionTime(spec, { context, clock }) {
    const [mono, wall] = [() => clock.mono(), () => clock.wall()];
    return new IngestionTimeOperator(context, { ...spec, mono, wall });
  },
  checkTimes(spec, { context, input, clock }) {
    const wall = () => clock.wall();
    return new CheckTimesOperator(context, { ...spec, input, wall });
  },
} satisfies Partial<OperatorBuilders>;

/** Rows that others sent: nobody knows which lane they are of, so all are one. */
function undividedTimes(spec: EventTimeSpec): SplitTimes {
  const times = new SplitTimes(spec);
  times.expect(1);
  times.begin(0, 'all rows');
  times.enter(0);
  return times;
}
