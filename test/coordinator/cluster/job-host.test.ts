/**
 * Goal: a job's tasks are in the processes of its slots, each part knows where the others are, and with a process its tasks
 * have failed and no others.
 */
import { expect, test } from 'vitest';
import { typedError } from '../../../base/typed-error.ts';
import type {
  Executor,
  ExecutorSpec,
  ReadyExecutor,
} from '../../../coordinator/cluster/executors.ts';
import { HeldSlots } from '../../../coordinator/cluster/held-slots.ts';
import { JobHost } from '../../../coordinator/cluster/job-host.ts';
import type { TaskHost } from '../../../coordinator/job/task-host.ts';
import type { DeployRequest } from '../../../coordinator/protocol.ts';
import { SlotWorkers, settle } from '../../support/slot-workers.ts';

/** A process that takes what it is told, and tells it. */
class FakeExecutor implements Executor {
  readonly executorId: string;
  readonly workerId: string;
  readonly incarnation: number;
  readonly slots: number;
  readonly told: string[] = [];
  readonly deployed: DeployRequest[] = [];
  readonly #registered = Promise.withResolvers<ReadyExecutor>();
  readonly ready = this.#registered.promise;
  readonly #onLost: (error: Error) => void;
  readyNow: ReadyExecutor | null = null;
  isLost = false;
  isEnded = false;
  failsToDeploy = false;

  constructor(spec: ExecutorSpec, number: number, onLost: (error: Error) => void) {
    this.executorId = `x${number}`;
    this.workerId = spec.workerId;
    this.incarnation = spec.incarnation;
    this.slots = spec.slots;
    this.#onLost = onLost;
    this.ready.catch(() => undefined); // Who waits for it hears of it.
  }

  register(): void {
    const tell = async (what: string) => void this.told.push(what);
    const host: TaskHost = {
      slotCount: this.slots,
      deploy: async (request) => {
        if (this.failsToDeploy) throw new Error('no answer');
        this.deployed.push(request);
      },
      stopTasks: ({ taskIds }) => tell(`stopTasks ${taskIds.join()}`),
      stop: () => tell('stop'),
      triggerCheckpoint: ({ checkpointId }) => tell(`trigger ${checkpointId}`),
      orderSources: ({ order }) => tell(`order ${order}`),
      cancelCheckpoint: () => tell('cancel'),
      ask: async () => [],
    };
    this.readyNow = {
      ...{ host, exchangeAddress: `unix:${this.executorId}` },
      spillFolder: `/spill/${this.executorId}`,
    };
    this.#registered.resolve(this.readyNow);
  }

  lose(reason: unknown): void {
    if (this.isLost) return;
    this.isLost = true;
    const error = typedError('EXECUTOR_LOST', String(reason), { retryable: true });
    this.#registered.reject(error);
    this.#onLost(error);
  }

  end(): void {
    this.isEnded = true;
    this.isLost = true;
    this.#registered.reject(new Error('ended'));
  }
}

function scene(slotsOf: Readonly<Record<string, number>>, slotCount: number) {
  const workers = new SlotWorkers();
  for (const [workerId, slots] of Object.entries(slotsOf)) workers.begin(workerId, slots);
  const queue = workers.newQueue();
  const slots = new HeldSlots({
    queue,
    isAlive: (life) => workers.isAlive(life),
    wanted: {
      ...{ jobId: 'job', namespace: 'default', priority: 0, order: 0, isFailFast: false },
      ...{ memoryBytesPerSlot: 1, strategy: 'pack', local: {} },
    },
  });
  const executors: FakeExecutor[] = [];
  const lost: string[] = [];
  const begun: number[] = [];
  const host = new JobHost({
    ...{ jobId: 'job', slotCount, slotMemoryBytes: 1, bundle: 'b', slots },
    executors: {
      start: (spec, onLost) => {
        const one = new FakeExecutor(spec, executors.length, onLost as never);
        executors.push(one);
        return one;
      },
    },
    onTaskLost: ({ epoch }, { taskId, attempt }) => lost.push(`${epoch} ${taskId} ${attempt}`),
    onBegun: (epoch) => begun.push(epoch),
  });
  const deploy = (
    tasks: Readonly<Record<string, number>>,
    attempt = 1,
    epoch = 1,
    inputs: Readonly<Record<string, number>> = {},
  ) => {
    return host.deploy({
      jobId: 'job',
      epoch,
      attempt,
      slots: tasks,
      inputs,
    } as unknown as DeployRequest);
  };
  return { workers, queue, host, executors, lost, begun, deploy };
}

async function registered(executors: readonly FakeExecutor[]): Promise<void> {
  await settle();
  for (const one of executors) one.register();
  await settle();
}

test('each process gets its tasks, by its own slots, and where the others are', async () => {
  const { executors, begun, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const deployed = deploy({ a: 0, b: 1, c: 2, d: 3 });
  await registered(executors);
  await deployed;
  expect(executors.map(({ slots }) => slots)).toEqual([2, 2]);
  expect(executors.map(({ deployed: [request] }) => request?.slots)).toEqual([
    { a: 0, b: 1 },
    { c: 0, d: 1 },
  ]);
  expect(executors.map(({ deployed: [request] }) => request?.elsewhere)).toEqual([
    { c: 'unix:x1', d: 'unix:x1' },
    { a: 'unix:x0', b: 'unix:x0' },
  ]);
  expect(begun).toEqual([1]);
});

test('with a process its tasks have failed, and what comes next to its slots waits for another', async () => {
  const { executors, lost, begun, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const first = deploy({ a: 0, c: 2 });
  await registered(executors);
  await first;
  executors[1]?.lose('crashed');
  expect(lost).toEqual(['1 c 1']);
  const again = deploy({ a: 0, c: 2 }, 2);
  await settle();
  expect(executors).toHaveLength(3);
  expect(executors[2]).toMatchObject({ workerId: executors[1]?.workerId, slots: 2 });
  executors[2]?.register();
  await again;
  expect(executors[0]?.deployed.map(({ attempt }) => attempt)).toEqual([1, 2]);
  expect(executors[2]?.deployed.map(({ slots }) => slots)).toEqual([{ c: 0 }]);
  expect(begun).toEqual([1]);
});

test('slots of a worker that is gone are found on another', async () => {
  const { workers, queue, executors, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const first = deploy({ a: 0, c: 2 });
  await registered(executors);
  await first;
  const [one] = executors;
  workers.begin('w3', 4);
  workers.join(queue, 'w3');
  workers.end(one?.workerId ?? '');
  queue.workerGone(one?.workerId ?? '');
  one?.lose('its worker is gone');
  const again = deploy({ a: 0 }, 2);
  await settle();
  expect(executors[2]).toMatchObject({ workerId: 'w3', slots: 2 });
  executors[2]?.register();
  await again;
  expect(executors[2]?.deployed).toHaveLength(1);
});

const unreached = (address: string) => ({
  ...{ code: 'EXCHANGE_LOST', kind: 'system' as const, message: 'rows did not come' },
  ...{ retryable: true, details: { address } },
});

test('of two workers that do not reach each other one is left, though both are there', async () => {
  const { workers, queue, host, executors, lost, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const first = deploy({ a: 0, c: 2 });
  await registered(executors);
  await first;
  workers.begin('w3', 2);
  workers.join(queue, 'w3');
  const [one, other] = executors;
  const failure = { jobId: 'job', epoch: 1, taskId: 'a', attempt: 1 };
  host.taskFailed({ ...failure, error: { ...unreached('unix:x1'), code: 'DISK_IO' } as never });
  host.taskFailed({ ...failure, error: unreached('unix:x9') as never });
  expect(lost).toEqual([]);
  host.taskFailed({ ...failure, error: unreached('unix:x1') as never });
  // The other one says the same of the first.
  host.taskFailed({ ...failure, taskId: 'c', error: unreached('unix:x0') as never });
  expect([one?.isLost, other?.isLost, lost]).toEqual([true, true, ['1 a 1', '1 c 1']]);
  const again = deploy({ a: 0, c: 2 }, 2);
  await settle();
  const placed = executors.slice(2).map(({ workerId, slots }) => `${workerId} ${slots}`);
  expect(placed.sort()).toEqual([`${one?.workerId} 2`, 'w3 2']);
  await registered(executors.slice(2));
  await again;
});

test('a region one of whose processes does not come fails whole, and nothing of it is deployed', async () => {
  const { executors, lost, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const deployed = deploy({ a: 0, c: 2 });
  await settle();
  executors[0]?.register();
  executors[1]?.lose('does not load');
  await deployed;
  expect(lost.toSorted()).toEqual(['1 a 1', '1 c 1']);
  expect(executors[0]?.deployed).toEqual([]);
});

test('who does not take a deployment is lost', async () => {
  const { executors, lost, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const deployed = deploy({ a: 0, c: 2 });
  await settle();
  if (executors[1] !== undefined) executors[1].failsToDeploy = true;
  await registered(executors);
  await deployed;
  expect([lost, executors[1]?.isLost]).toEqual([['1 c 1'], true]);
});

test('tasks that were stopped are not lost, and are stopped where they are', async () => {
  const { host, executors, lost, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const deployed = deploy({ a: 0, c: 2 });
  await registered(executors);
  await deployed;
  await host.stopTasks({ jobId: 'job', epoch: 1, attempt: 1, taskIds: ['c'] });
  expect(executors.map(({ told }) => told)).toEqual([[], ['stopTasks c']]);
  executors[1]?.lose('crashed');
  expect(lost).toEqual([]);
});

test('an attempt ends with its processes, and the next one has others in the same slots', async () => {
  const { workers, host, executors, begun, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const first = deploy({ a: 0 });
  await registered(executors);
  await first;
  await host.stop({ jobId: 'job', epoch: 1 });
  expect(executors.map(({ isEnded, told }) => [isEnded, told])).toEqual([
    [true, ['stop']],
    [true, ['stop']],
  ]);
  const second = deploy({ a: 0 }, 1, 2);
  await settle();
  await registered(executors.slice(2));
  await second;
  expect([executors.length, begun]).toEqual([4, [1, 2]]);
  expect(workers.calls.filter((call) => call.startsWith('reserve'))).toHaveLength(2);
  host.close();
  await settle();
  expect(workers.taken).toEqual({ w1: 0, w2: 0 });
});

test('an attempt that is stopped while it waits for its slots starts nothing', async () => {
  const { workers, queue, host, executors, deploy } = scene({ w1: 2 }, 4);
  const deployed = deploy({ a: 0 });
  await settle();
  await host.stop({ jobId: 'job', epoch: 1 });
  workers.begin('w2', 2);
  workers.join(queue, 'w2');
  await deployed;
  expect(executors).toEqual([]);
});

test('barriers go to all processes, and one that does not take it has failed', async () => {
  const { host, executors, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const deployed = deploy({ a: 0, c: 2 });
  await registered(executors);
  await deployed;
  await host.triggerCheckpoint({ jobId: 'job', epoch: 1, checkpointId: 7 } as never);
  await host.triggerCheckpoint({ jobId: 'job', epoch: 0, checkpointId: 8 } as never);
  expect(executors.map(({ told }) => told)).toEqual([['trigger 7'], ['trigger 7']]);
});

test('a barrier that comes while tasks are being deployed is told to them, too', async () => {
  const { host, executors, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const deployed = deploy({ a: 0, c: 2 });
  await settle();
  const told = host.triggerCheckpoint({ jobId: 'job', epoch: 1, checkpointId: 7 } as never);
  await registered(executors);
  await Promise.all([deployed, told]);
  expect(executors.map(({ told }) => told)).toEqual([['trigger 7'], ['trigger 7']]);
});

test('readers are told where map outputs are, also those of a process that is gone', async () => {
  const { executors, deploy } = scene({ w1: 2, w2: 2 }, 4);
  const written = deploy({ a: 0, c: 2 });
  await registered(executors);
  await written;
  executors[1]?.lose('crashed');
  await deploy({ r: 0 }, 1, 1, { a: 1, c: 1, other: 1 });
  expect(executors[0]?.deployed.at(-1)?.inputFolders).toEqual({ a: '/spill/x0', c: '/spill/x1' });
});
