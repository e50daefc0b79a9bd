/**
 * Goal: the supervisor over real calls with a coordinator and a launcher that only note what they are asked: it joins whoever leads,
 * its slots and executors belong to one life, ends are told until they are taken, and it leaves before it ends what runs.
 */
import { describe, expect, test } from 'vitest';
import type { Env } from '../../../base/env/env.ts';
import { sha256Of } from '../../../base/env/sha256.ts';
import { createRpcClient } from '../../../base/rpc/client.ts';
import type { JsonValue } from '../../../base/rpc/message.ts';
import { createRpcServer } from '../../../base/rpc/server.ts';
import { codeOf, typedError } from '../../../base/typed-error.ts';
import {
  type ExecutorEnded,
  type JoinRequest,
  memberMethods,
} from '../../../coordinator/protocol/members.ts';
import type { ExecutorSpec, ProcessEnd } from '../../../worker/supervisor/executor-launcher.ts';
import {
  type SupervisorChange,
  type SupervisorHandle,
  startSupervisor,
} from '../../../worker/supervisor/supervisor.ts';
import { runOnNode } from '../../support/run-on-node.ts';

const timing = { heartbeatMs: 100, leaseMs: 2_000, driftMax: 0.01 };
const module = new TextEncoder().encode('export default 1;');
const bundle = sha256Of(module);
const deadlineMs = 5_000;

interface Launched {
  readonly spec: ExecutorSpec;
  readonly print: (text: string) => Promise<void>;
  readonly end: (end: Partial<ProcessEnd>) => void;
  readonly kills: ('asked' | 'now')[];
}

class Scene {
  readonly env: Env;
  /** What the coordinator was told, in its order. */
  readonly told: string[] = [];
  readonly ends: ExecutorEnded[] = [];
  readonly joins: JoinRequest[] = [];
  readonly launched: Launched[] = [];
  readonly changes: SupervisorChange[] = [];
  /** Whether processes end when they are asked to. */
  isObedient = true;
  incarnation = 1;
  /** Answers of the coordinator that tests change. */
  heartbeat = (): JsonValue => ({ kind: 'answered' });
  takeEnd = (): JsonValue => null;
  supervisor: SupervisorHandle = { address: '', stop: async () => undefined };

  constructor(env: Env) {
    this.env = env;
  }

  async start(coordinators = ['node:1']): Promise<void> {
    const server = createRpcServer(this.env);
    server.handle(memberMethods.join, (body) => {
      this.joins.push(body as never);
      return { kind: 'registered', incarnation: this.incarnation, term: 1 };
    });
    server.handle(memberMethods.heartbeat, () => this.heartbeat());
    server.handle(memberMethods.leave, () => this.#note('leave'));
    server.handle(memberMethods.executorEnded, (body) => {
      const answer = this.takeEnd();
      this.ends.push(body as never);
      return answer;
    });
    server.handle(memberMethods.readBundle, () => {
      this.#note('readBundle');
      return { data: Buffer.from(module).toString('base64'), isLast: true };
    });
    await server.listen('node:1');
    this.supervisor = await startSupervisor(this.env, {
      ...{ workerId: 'w', address: 'node:2', coordinators, slots: 2, memoryBytes: 200 },
      ...{ dataDir: '/data', timing, onChange: (change) => this.changes.push(change) },
      launcher: {
        launch: (spec, onOutput) => this.#launch(spec, onOutput),
        prepare: () => this.#note('prepare'),
        close: async () => undefined,
      },
    });
    await this.until(() => this.joins.length > 0 && this.changes.length > 0);
  }

  /** As the coordinator does. */
  async call(method: string, body: object): Promise<JsonValue> {
    const client = createRpcClient(this.env, { address: 'node:2' });
    const life = { workerId: 'w', incarnation: this.incarnation };
    try {
      return await client.call(method, { ...life, ...body } as JsonValue, { deadlineMs });
    } finally {
      client.close();
    }
  }

  startExecutor(executorId: string, more: object = {}): Promise<JsonValue> {
    const slots = { slots: 1, slotMemoryBytes: 100 };
    const about = { jobId: 'job', epoch: 1, coordinator: 'node:1', bundle, ...slots };
    return this.call(memberMethods.startExecutor, { executorId, ...about, ...more });
  }

  async until(isSo: () => boolean): Promise<void> {
    for (let wait = 0; wait < 400; wait++) {
      if (isSo()) return;
      await this.env.timers.sleep(25);
    }
    expect.unreachable('it never was so');
  }

  #note(what: string): null {
    this.told.push(what);
    return null;
  }

  #launch(spec: ExecutorSpec, onOutput: (bytes: Uint8Array) => Promise<void>) {
    const ended = Promise.withResolvers<ProcessEnd>();
    const end = (how: Partial<ProcessEnd>) => {
      ended.resolve({ exitCode: null, signal: null, lastWords: '', ...how });
    };
    const one: Launched = {
      ...{ spec, end, kills: [] },
      print: (text) => onOutput(new TextEncoder().encode(text)),
    };
    this.launched.push(one);
    return {
      ended: ended.promise,
      kill: (how: 'asked' | 'now') => {
        one.kills.push(how);
        this.#note(`kill ${spec.executorId} ${how}`);
        if (this.isObedient || how === 'now') end({ signal: 'SIGTERM' });
      },
    };
  }
}

async function inScene(work: (scene: Scene) => Promise<void>): Promise<void> {
  await runOnNode(async (env) => {
    const scene = new Scene(env);
    await work(scene);
    await scene.supervisor.stop();
  });
}

describe('membership', () => {
  test('it joins with what it has, and its heartbeats go on', () =>
    inScene(async (scene) => {
      let beats = 0;
      scene.heartbeat = () => {
        beats++;
        return { kind: 'answered' };
      };
      await scene.start();
      await scene.until(() => beats > 20);
      expect(scene.joins).toMatchObject([
        { workerId: 'w', address: 'node:2', slots: 2, memoryBytes: 200, executors: [] },
      ]);
      expect(scene.changes).toEqual([{ kind: 'joined', coordinator: 'node:1' }]);
    }));

  test('it follows whoever leads, and says what keeps it from joining', () =>
    inScene(async (scene) => {
      const standby = createRpcServer(scene.env);
      const details = { address: 'node:1' };
      standby.handle(memberMethods.join, () => {
        throw typedError('CLUSTER_NOT_LEADING', 'another one leads', { details });
      });
      await standby.listen('node:3');
      await scene.start(['node:4', 'node:3']);
      expect(scene.changes.at(-1)).toEqual({ kind: 'joined', coordinator: 'node:1' });
      expect(scene.joins).toHaveLength(1);
    }));

  test('calls for another life and another worker are refused, and have done nothing', () =>
    inScene(async (scene) => {
      await scene.start();
      const slots = { jobId: 'job', attempt: 1, slots: 1, memoryBytes: 1, keepMs: 1_000 };
      for (const other of [{ incarnation: 2 }, { incarnation: 0 }, { workerId: 'v' }]) {
        for (const method of [memberMethods.reserve, memberMethods.readLog]) {
          const refused = scene.call(method, { ...slots, ...other });
          await expect(refused).rejects.toMatchObject({ info: { code: 'MEMBER_FENCED' } });
        }
        const refused = scene.startExecutor('e', other);
        await expect(refused).rejects.toMatchObject({ info: { code: 'MEMBER_FENCED' } });
      }
      expect(scene.launched).toEqual([]);
    }));

  test.each<['fenced' | 'expired']>([['fenced'], ['expired']])(
    'when its life is %s, all is killed at once, slots are free, and it joins anew',
    (reason) =>
      inScene(async (scene) => {
        await scene.start();
        await scene.call(memberMethods.reserve, {
          ...{ jobId: 'job', attempt: 1, slots: 2, memoryBytes: 200, keepMs: 1e6 },
        });
        await scene.startExecutor('e');
        await scene.until(() => scene.launched.length > 0);
        scene.incarnation = 2;
        let isOver = true;
        scene.heartbeat = () => {
          if (reason === 'expired') throw typedError('RPC_BUSY', 'no answer');
          return { kind: isOver ? 'fenced' : 'answered' };
        };
        await scene.until(() => scene.changes.some(({ kind }) => kind === 'ended'));
        isOver = false;
        await scene.until(() => scene.joins.length > 1);
        expect(scene.changes).toContainEqual({ kind: 'ended', reason });
        expect(scene.launched[0]?.kills).toEqual(['now']);
        expect(scene.joins[1]?.executors).toEqual([]);
        expect(scene.joins[1]?.instance).not.toBe(scene.joins[0]?.instance);
        await scene.until(() => scene.changes.at(-1)?.kind === 'joined');
        const again = { jobId: 'b', attempt: 1, slots: 2, memoryBytes: 200, keepMs: 1_000 };
        expect(await scene.call(memberMethods.reserve, again)).toEqual({ answer: 'granted' });
        // Nobody hears of what the coordinator has given up itself.
        expect(scene.ends).toEqual([]);
      }),
  );

  test('it says goodbye before it ends what runs, which is killed when it does not end', () =>
    inScene(async (scene) => {
      await scene.start();
      scene.isObedient = false;
      await scene.startExecutor('e');
      await scene.until(() => scene.launched.length > 0);
      await scene.supervisor.stop();
      expect(scene.told).toEqual(['prepare', 'readBundle', 'leave', 'kill e asked', 'kill e now']);
      await expect(scene.call(memberMethods.readLog, { jobId: 'job', from: 0 })).rejects.toThrow();
    }));
});

test('slots are promised, confirmed and given back', () =>
  inScene(async (scene) => {
    await scene.start();
    const reserve = (jobId: string, slots: number) =>
      scene.call(memberMethods.reserve, {
        jobId,
        attempt: 1,
        slots,
        memoryBytes: 1,
        keepMs: 1_000,
      });
    expect(await reserve('a', 2)).toEqual({ answer: 'granted' });
    expect(await reserve('b', 1)).toEqual({ answer: 'refused' });
    const a = { jobId: 'a', attempt: 1 };
    expect(await scene.call(memberMethods.confirm, a)).toEqual({ answer: 'confirmed' });
    await scene.env.timers.sleep(2_000);
    expect(await reserve('b', 1)).toEqual({ answer: 'refused' });
    expect(await scene.call(memberMethods.release, a)).toEqual({ answer: 'released' });
    expect(await reserve('b', 1)).toEqual({ answer: 'granted' });
  }));

describe('executors', () => {
  test('one that is asked for twice is started once, with its module on this disk', () =>
    inScene(async (scene) => {
      await scene.start();
      await Promise.all([scene.startExecutor('e'), scene.startExecutor('e')]);
      await scene.until(() => scene.launched.length > 0);
      await scene.startExecutor('f');
      await scene.until(() => scene.launched.length > 1);
      expect(scene.launched.map(({ spec }) => spec.executorId)).toEqual(['e', 'f']);
      expect(scene.told).toEqual(['prepare', 'readBundle']);
      expect(scene.launched[0]?.spec).toMatchObject({
        ...{ workerId: 'w', jobId: 'job', epoch: 1, slots: 1, slotMemoryBytes: 100 },
        ...{ coordinator: 'node:1', spillDir: '/data/spill' },
        bundle: { hash: bundle, path: `/data/bundles/${bundle}.mjs` },
        address: expect.stringMatching(/^unix:\/data\/run\/[0-9a-f]{8}\.c$/),
        exchangeAddress: expect.stringMatching(/^unix:\/data\/run\/[0-9a-f]{8}\.x$/),
      });
    }));

  test('the end of one is told until the coordinator has taken it', () =>
    inScene(async (scene) => {
      await scene.start();
      await scene.startExecutor('e');
      await scene.until(() => scene.launched.length > 0);
      let refusals = 2;
      scene.takeEnd = () => {
        if (refusals-- > 0) throw typedError('RPC_BUSY', 'not now');
        return null;
      };
      scene.launched[0]?.end({ exitCode: 7, lastWords: 'Error: no such table\n  at …\n' });
      await scene.until(() => scene.ends.length > 0);
      await scene.env.timers.sleep(3_000);
      expect(scene.ends).toMatchObject([
        {
          ...{ workerId: 'w', incarnation: 1, executorId: 'e' },
          error: {
            ...{ code: 'EXECUTOR_LOST', retryable: true },
            message: 'executor of job "job" on worker "w" ended with exit code 7, saying "at …"',
          },
        },
      ]);
    }));

  test('one whose module can not be had ends before it starts', () =>
    inScene(async (scene) => {
      await scene.start();
      await scene.startExecutor('e', { bundle: 'f'.repeat(64) });
      await scene.until(() => scene.ends.length > 0);
      expect(scene.ends[0]?.error.code).toBe('BUNDLE_DAMAGED');
      expect(scene.launched).toEqual([]);
    }));

  test('a stop resolves when the process is gone; one that does not end is killed; nobody is told', () =>
    inScene(async (scene) => {
      await scene.start();
      scene.isObedient = false;
      await scene.startExecutor('e');
      await scene.until(() => scene.launched.length > 0);
      const before = scene.env.clock.mono();
      await scene.call(memberMethods.stopExecutor, { executorId: 'e' });
      expect(scene.env.clock.mono() - before).toBeGreaterThan(1_500);
      expect(scene.launched[0]?.kills).toEqual(['asked', 'now']);
      await scene.call(memberMethods.stopExecutor, { executorId: 'never' });
      await scene.startExecutor('e');
      await scene.env.timers.sleep(1_000);
      expect([scene.launched.length, scene.ends]).toEqual([1, []]);
    }));

  test('an id that is no part of a path is refused', () =>
    inScene(async (scene) => {
      await scene.start();
      const refused = scene.startExecutor('e', { jobId: '../other' }).catch(codeOf);
      expect(await refused).toBe('JOB_ID_INVALID');
      const log = scene.call(memberMethods.readLog, { jobId: '../bundles', from: 0 }).catch(codeOf);
      expect(await log).toBe('JOB_ID_INVALID');
    }));

  test('what they print is in the log of their job', () =>
    inScene(async (scene) => {
      await scene.start();
      for (const id of ['e', 'f']) await scene.startExecutor(id);
      await scene.until(() => scene.launched.length > 1);
      for (const [index, one] of scene.launched.entries()) await one.print(`line ${index}\n`);
      expect(await scene.call(memberMethods.readLog, { jobId: 'job', from: 7 })).toEqual({
        ...{ text: 'line 1\n', next: 14, isEnd: true },
      });
    }));
});

test('two workers can not have one folder', () =>
  inScene(async (scene) => {
    await scene.start();
    const others = { ...scene.env.process, identity: 'another', hasEnded: () => false };
    const again = startSupervisor(
      { ...scene.env, process: others },
      {
        ...{ workerId: 'v', address: 'node:5', coordinators: ['node:1'], dataDir: '/data' },
        ...{ slots: 1, memoryBytes: 1, onChange: () => undefined },
        launcher: {
          launch: () => expect.unreachable(),
          prepare: () => undefined,
          close: async () => undefined,
        },
      },
    );
    expect(await again.catch(codeOf)).toBe('WORKER_FOLDER_IN_USE');
  }));
