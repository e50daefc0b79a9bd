/**
 * Goal: edits elsewhere leave an operator its id: shown by editing the jobs of `jobs/`. What could move says so.
 */
import { expect, test } from 'vitest';
import { planJob, planRules } from '../../../coordinator/planner/planner.ts';
import { buildJob } from '../../../engine/api/build-job.ts';
import type { JobDefinition, JobOutputs } from '../../../engine/api/define-job.ts';
import { keptAs } from '../../../engine/plan/kept-as.ts';
import type { LogicalNode } from '../../../engine/plan/logical-graph.ts';
import { appendNode, finishGraph } from '../../../engine/plan/logical-node.ts';
import carts from '../../../jobs/carts/job.ts';
import fraud from '../../../jobs/fraud/job.ts';
import hotItems from '../../../jobs/hot-items/job.ts';
import kafkaCounts from '../../../jobs/kafka-counts/job.ts';
import ledger from '../../../jobs/ledger/job.ts';
import rules from '../../../jobs/rules/job.ts';
import sessions from '../../../jobs/sessions/job.ts';
import { rowsSink, tableSource } from '../../support/plan-runner.ts';

const output = 'out/';
const values: [JobDefinition, Record<string, unknown>][] = [
  [ledger, { input: 'in/', output }],
  [fraud, { input: 'in/', output, small: 1, large: 500, within: 60 }],
  [rules, { input: 'in/', rules: 'rules/', output }],
  [carts, { input: 'in/', output, within: 60 }],
  [sessions, { input: 'in/', output, gap: 1800, late: 60 }],
  [hotItems, { input: 'in/', output, size: 60 }],
  [kafkaCounts, { brokers: 'a:9092', from: 'b', to: 'c', delivery: 'at-least-once', size: 1 }],
];
const cases = values.map(([job, given]) => [job.name, job, given] as const);

interface AnyStream {
  readonly filter: (keep: () => boolean, options?: object) => AnyStream;
  readonly keyBy: (key: (row: Record<string, unknown>) => unknown) => AnyStream;
  readonly aggregate: (of: object, options?: object) => AnyStream;
  readonly limit: (count: number) => AnyStream;
  readonly writeTo: (sink: unknown) => JobOutputs;
}
interface AnyContext {
  readonly read: (source: unknown, options?: object) => AnyStream;
}
type Build = (context: AnyContext) => JobOutputs;

/** The job with another `build`, which is given the old one. */
function edited(job: JobDefinition, edit: (old: Build) => Build): JobDefinition {
  return { ...job, build: edit(job.build as unknown as Build) as never };
}

const unchanged = (job: JobDefinition) => job;

const edits: readonly (readonly [string, (job: JobDefinition) => JobDefinition])[] = [
  [
    'a filter in front',
    (job) =>
      edited(job, (build) => (context) => {
        const read: AnyContext['read'] = (...given) => context.read(...given).filter(() => true);
        return build({ ...context, read });
      }),
  ],
  [
    'a branch of another source behind, and in front',
    (job) =>
      edited(job, (build) => (context) => {
        const branch = () =>
          context
            .read(tableSource('others', { fields: [] }))
            .limit(3)
            .writeTo(rowsSink('more'));
        return [branch(), build(context), branch()].flat() as JobOutputs;
      }),
  ],
  [
    'an operator with a name in front',
    (job) =>
      edited(job, (build) => (context) => {
        const read: AnyContext['read'] = (...given) =>
          context.read(...given).filter(() => true, { name: 'only good ones' });
        return build({ ...context, read });
      }),
  ],
];

const nodesOf = (job: JobDefinition, given: object): readonly LogicalNode[] =>
  buildJob(job, given as never).graph.nodes;

test.each(cases)('%s: no edit elsewhere moves an id', (_, job, given) => {
  const ids = nodesOf(unchanged(job), given).map(({ kind, id }) => `${kind} ${id}`);
  for (const [what, edit] of edits) {
    const after = new Set(nodesOf(edit(job), given).map(({ kind, id }) => `${kind} ${id}`));
    const moved = ids.filter((id) => !after.has(id));
    expect(moved, what).toEqual([]);
  }
});

test.each(cases)('%s: parallelism and rules of the planner move no state', (_, job, given) => {
  const { graph } = buildJob(job, given as never);
  const keepersAt = (parallelism: number, without: string | null) => {
    const rulesNow = planRules.filter(({ name }) => name !== without);
    const plan = planJob(graph, { parallelism, mode: 'streaming', rules: rulesNow });
    const places = plan.vertices.flatMap(({ chain }) =>
      chain.map((spec) => `${spec.id} ${keptAs(spec)}`),
    );
    expect(new Set(places).size, 'no two keep their state under one name').toBe(places.length);
    return places.filter((place) => !/ (partial|filter|project|filterRows|mapRows)$/.test(place));
  };
  const found = new Set(keepersAt(2, null));
  for (const parallelism of [1, 2, 7]) {
    for (const rule of [null, 'combinerRule', 'filterRule', 'pruneRule', 'narrowRule']) {
      expect(new Set(keepersAt(parallelism, rule)), `${parallelism} tasks, ${rule}`).toEqual(found);
    }
  }
});

const schema = { fields: [] };
const source = (connector: string, options = {}) =>
  appendNode([], { kind: 'source', source: { connector, options: {}, schema }, schema }, options);

test.each`
  drafts                                                          | ids
  ${[source('files')]}                                            | ${['source-files kind']}
  ${[source('files'), source('kafka')]}                           | ${['source-files kind', 'source-kafka kind']}
  ${[source('files'), source('files')]}                           | ${['source-files order', 'source-files-2 order']}
  ${[source('files', { id: 'a' }), source('files')]}              | ${['a given', 'source-files kind']}
  ${[source('files', { id: 'source-files' }), source('files')]}   | ${['source-files given', 'source-files-2 order']}
  ${[source('files', { name: 'Bids' }), source('files')]}         | ${['bids name', 'source-files kind']}
  ${[source('files', { name: 'b' }), source('f', { name: 'B' })]} | ${['b order', 'b-2 order']}
`('$ids', ({ drafts, ids }) => {
  const { nodes } = finishGraph('job', drafts).graph;
  expect(nodes.map(({ id, idOrigin = 'given' }) => `${id} ${idOrigin}`)).toEqual(ids);
});

test('an id has no part of what a run is told', () => {
  const idsWith = (given: object) => nodesOf(ledger, given).map(({ id }) => id);
  expect(idsWith({ input: 'in/', output })).toEqual(idsWith({ input: 'b.ndjson', output: 'x/' }));
});
