/**
 * Goal: two workers that are given parts of one deployment make channels of the same names and sizes; tasks whose channel is lost fail,
 * each once; and what is stopped is closed.
 */
import { expect, test } from 'vitest';
import { toWire, type WireError } from '../../base/typed-error.ts';
import { planJob } from '../../coordinator/planner/planner.ts';
import { type DeployRequest, taskIdOf } from '../../coordinator/protocol.ts';
import { buildJob } from '../../engine/api/build-job.ts';
import wordcount from '../../jobs/wordcount/job.ts';
import type { ExchangeNetwork, LostHandler } from '../../worker/exchange/exchange-network.ts';
import { makeRings } from '../../worker/exchange-rings.ts';
import { RemoteEnds } from '../../worker/remote-ends.ts';
import type { TaskAttempt } from '../../worker/threads/slot-messages.ts';

const { graph: logical } = buildJob(wordcount, { input: 'in.txt', output: 'out.csv' });
const graph = planJob(logical, { parallelism: 2 });
const networkBell = 9;

/** What the worker with the tasks of one index is given; of each vertex the other task is elsewhere. */
function partOf(worker: number): DeployRequest {
  const tasks = graph.vertices.flatMap(({ id, parallelism }) =>
    Array.from({ length: parallelism }, (_, index) => ({ taskId: taskIdOf(id, index), index })),
  );
  const own = tasks.filter(({ index }) => index === worker);
  const others = tasks.filter(({ index }) => index !== worker);
  return {
    ...{
      jobId: 'job',
      epoch: 1,
      attempt: 3,
      graph,
      inputs: {},
      slotWeights: {},
      prepared: {},
      checkpoints: null,
    },
    module: { file: '', params: {}, flags: { overwrite: false }, fingerprint: '' },
    slots: Object.fromEntries(own.map(({ taskId }) => [taskId, 0])),
    elsewhere: Object.fromEntries(others.map(({ taskId, index }) => [taskId, `worker ${index}`])),
  };
}

function endsOf(worker: number) {
  const closed: string[] = [];
  const failed: (TaskAttempt & { readonly error: WireError })[] = [];
  let lost: LostHandler = () => undefined;
  const network: ExchangeNetwork = {
    ...{ address: `worker ${worker}`, bell: networkBell, begin: () => {}, open: () => {} },
    closeChannels: (keys) => void closed.push(...keys),
    onLost: (handler) => {
      lost = handler;
    },
    stop: async () => {},
  };
  const ends = new RemoteEnds(network, { jobId: 'job', epoch: 1 }, (report) => failed.push(report));
  const request = partOf(worker);
  const rings = ends.ringsOf(request);
  makeRings(graph, (vertex, index) => request.slots[taskIdOf(vertex, index)], 1 << 20, rings);
  ends.open(rings);
  if (rings === null) throw new Error('there are tasks elsewhere');
  return {
    ends,
    rings,
    closed,
    failed,
    lose: (keys: string[], error: WireError) => lost(keys, error),
  };
}

test('what one sends is what the other gets, and the rings fit', () => {
  const [first, second] = [endsOf(0).rings, endsOf(1).rings];
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    const keys = from.outgoing.map(({ key }) => key);
    expect(keys.sort()).toEqual(to.incoming.map(({ key }) => key).sort());
    for (const { key, ring } of from.outgoing) {
      const other = to.incoming.find((one) => one.key === key)?.ring;
      expect(other?.slotBytes).toBe(ring.slotBytes);
      expect(other?.slotCount).toBe(ring.slotCount * 2);
    }
  }
  expect(first.outgoing.length).toBeGreaterThan(0);
  expect(second.outgoing.length).toBeGreaterThan(0);
});

test('tasks of channels that are lost fail once each; others do not', () => {
  const { rings, failed, lose } = endsOf(0);
  const keys = rings.incoming.map(({ key }) => key);
  const tasks = new Set(keys.map((key) => rings.tasks.get(key)?.taskId));
  const error = toWire(new Error('gone'));
  lose([...keys, ...keys, 'a channel of nobody'], error);
  expect(failed.map(({ taskId, attempt }) => [taskId, attempt])).toEqual(
    [...tasks].map((taskId) => [taskId, 3]),
  );
});

test('channels of tasks that are stopped are closed, once', () => {
  const { ends, rings, closed } = endsOf(0);
  const taskIds = [...new Set([...rings.tasks.values()].map(({ taskId }) => taskId))];
  ends.close(2, taskIds);
  expect(closed).toEqual([]);
  ends.close(3, taskIds);
  ends.close(3, taskIds);
  expect(closed.sort()).toEqual([...rings.tasks.keys()].sort());
});

test('a worker without a network takes no tasks that have others elsewhere', () => {
  const ends = new RemoteEnds(null, { jobId: 'job', epoch: 1 }, () => undefined);
  expect(() => ends.ringsOf(partOf(0))).toThrow('this one has no exchange');
  const { elsewhere: _, ...alone } = partOf(0);
  expect(ends.ringsOf(alone)).toBeNull();
});
