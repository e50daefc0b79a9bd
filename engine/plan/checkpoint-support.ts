/**
 * Checkpoint support: what each kind of operator does at a barrier. A plan with an operator that can't take part is
 * refused before it starts, by name and with what to do instead.
 *
 *     nothing     keeps nothing between two batches, or gives it out at the barrier
 *     part        hands out notes and rows (engine/contracts/snapshot.ts)
 *     refused     why not, and what to do
 *
 * Most of those that are refused hold all rows until the input has ended: a snapshot would be their whole input, and a
 * job that ends is run again from its start. In front of a build side they may stand: they have ended when the first
 * barrier comes.
 * After: coordinator/job/job-master.ts.
 */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { firstVerticesOf } from './first-vertices.ts';
import { joinRowsOf } from './join-type.ts';
import { applyTable, type SpecTable } from './operator-table.ts';
import type { OperatorSpec, PhysicalGraph } from './physical-graph.ts';

/** Why an operator takes part in no checkpoint: a sentence without its full stop, and a hint. */
export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

export type CheckpointSupport = 'nothing' | 'part' | Refusal;

function checkpointSupportOf(spec: OperatorSpec): CheckpointSupport {
  return applyTable(supports, spec);
}

/** The error of a plan whose first operator that can't take part is named; null where all can that see a barrier. */
export function unsupportedIn(graph: PhysicalGraph): TypedError | null {
  const { alone } = firstVerticesOf(graph);
  for (const { id, chain } of graph.vertices) {
    if (alone.has(id)) continue;
    for (const spec of chain) {
      const support = checkpointSupportOf(spec);
      if (typeof support === 'string') continue;
      return typedError(
        'CHECKPOINT_UNSUPPORTED',
        `operator "${spec.name}" takes part in no checkpoint: ${support.reason}`,
        { hint: support.hint, details: { operator: spec.id, kind: spec.kind } },
      );
    }
  }
  return null;
}

const nothing = () => 'nothing' as const;
const part = () => 'part' as const;

/** Of operators that give out nothing before their input has ended. */
function holdsAll(what: string) {
  const hint =
    'Run the job without a checkpoint interval: it ends, and runs again from its start where it fails. ' +
    'Where it is to go on for ever, group by windows of event time.';
  return () => ({ reason: `${what} holds all rows until the end`, hint });
}

const supports: SpecTable<OperatorSpec, CheckpointSupport> = {
  source: ({ isSample }) => (isSample === true ? holdsAll('a sample of the input')() : 'part'),
  sink: part,
  checkTimes: part,
  eventTime: part,
  ingestionTime: part,
  limit: part,
  filter: nothing,
  project: nothing,
  explodeWords: nothing,
  filterRows: nothing,
  mapRows: nothing,
  flatMap: nothing,
  map: nothing,
  assignWindows: nothing,
  eachWindow: nothing,
  registers: nothing,
  repeat: nothing,
  lookup: nothing,
  aggregate: holdsAll('an aggregate without windows'),
  fold: holdsAll('a reduce without windows'),
  digest: holdsAll('a digest of values'),
  orderedAggregate: holdsAll('an aggregate of sorted rows'),
  analytic: holdsAll('a function of other rows'),
  partitionTop: holdsAll('a choice of the first rows'),
  sort: holdsAll('a sort'),
  top: holdsAll('a top'),
  combine: holdsAll('mapReduce'),
  reduce: holdsAll('mapReduce'),
  boundaries: holdsAll('a sort in ranges'),
  range: holdsAll('a sort in ranges'),
  join: ({ type, buildSide }) =>
    joinRowsOf(type, buildSide).build === 'none'
      ? 'part'
      : {
          reason: `rows of its ${buildSide} side come at the end, with or without a partner`,
          hint: `Make it an inner or a ${buildSide === 'left' ? 'right' : 'left'} join, or join two streams with "within", "asOf" or "keep".`,
        },
  asOfProbe: part,
  windowAggregate: part,
  orderedWindow: part,
  windowFunction: part,
  runningAggregate: part,
  runningTop: part,
  firstRows: part,
  intervalJoin: part,
  regularJoin: part,
  asOfJoin: part,
  process: part,
  pattern: part,
};
