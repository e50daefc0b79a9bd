/**
 * Goal: tasks of one source keep its rate together, whether they are in one process or in several; a source waits for those of
 * its group that are in its own process, and for no others, who could not tell it how far they are.
 */
import { expect, test } from 'vitest';
import { files, ndjson } from '../../connectors/files.ts';
import { planJob } from '../../coordinator/planner/planner.ts';
import { type DeployRequest, taskIdOf } from '../../coordinator/protocol.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import { defineJob, t } from '../../engine/api/index.ts';
import { SharedMoment } from '../../engine/time/shared-moment.ts';
import { deploymentsOf } from '../../worker/deployment.ts';
import { SharedSources } from '../../worker/shared-sources.ts';

const Event = t.struct({ n: t.int32(), at: t.timestampMs() });
const job = defineJob({
  name: 'aligned',
  mode: 'streaming',
  build: ({ read }) =>
    read(files.source({ path: '/in', format: ndjson(Event) }))
      .eventTime((row) => row.at, { alignment: { group: 'all', driftMs: 2_000 } })
      .writeTo(files.sink({ path: '/out/', format: 'ndjson' })),
});
const { graph: logical } = buildJob(job, {}, { overwrite: false, rate: 900 });
const graph = planJob(logical, { parallelism: 3 });
const tasks = graph.vertices.flatMap(({ id, parallelism }) =>
  Array.from({ length: parallelism }, (_, index) => ({ taskId: taskIdOf(id, index), index })),
);

/** The source's tasks of a process that has those of some indexes. */
function sourcesOf(indexes: readonly number[], isOfCluster: boolean) {
  const own = tasks.filter(({ index }) => indexes.includes(index));
  const others = tasks.filter(({ index }) => !indexes.includes(index));
  const request: DeployRequest = {
    ...{ jobId: 'job', epoch: 1, attempt: 1, graph, inputs: {}, slotWeights: {}, prepared: {} },
    ...{ checkpoints: null },
    module: { file: '', params: {}, flags: { overwrite: false }, fingerprint: '' },
    slots: Object.fromEntries(own.map(({ taskId }) => [taskId, 0])),
    ...(isOfCluster && {
      elsewhere: Object.fromEntries(others.map(({ taskId }) => [taskId, 'w'])),
    }),
  };
  const ways = { exchangeBytes: 1 << 20, programRings: {}, folder: '/spill', remote: null };
  const bySlot = deploymentsOf(request, { ...ways, sources: new SharedSources() });
  return [...bySlot.values()].flat().filter(({ vertex }) => vertex.chain[0]?.kind === 'source');
}

function rateOf({ vertex: { chain } }: ReturnType<typeof sourcesOf>[number]) {
  const [source] = chain;
  return source?.kind === 'source' ? source.source.rate : undefined;
}

test.each`
  where                                  | indexes      | isOfCluster | rate
  ${'all tasks of a program'}            | ${[0, 1, 2]} | ${false}    | ${900}
  ${'tasks of a program that run again'} | ${[1]}       | ${false}    | ${900}
  ${'all tasks in one of its processes'} | ${[0, 1, 2]} | ${true}     | ${900}
  ${'two of three in one of several'}    | ${[0, 2]}    | ${true}     | ${600}
  ${'one of three in one of several'}    | ${[1]}       | ${true}     | ${300}
`('$where give out $rate rows a second together', ({ indexes, isOfCluster, rate }) => {
  const sources = sourcesOf(indexes, isOfCluster);
  expect(sources.map(rateOf)).toEqual(indexes.map(() => rate));
  const [first] = sources;
  expect(first?.pace).toBeInstanceOf(SharedArrayBuffer);
  for (const { pace } of sources) expect(pace).toBe(first?.pace);
});

test('sources of other processes hold nobody, those of the same one do until they have begun', () => {
  const [source] = sourcesOf([0, 2], true);
  const { buffer = new SharedArrayBuffer(0), members = [] } = source?.alignment ?? {};
  const moments = members.map((_, place) => new SharedMoment(buffer, place).read());
  expect(moments).toEqual([
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
});
