/**
 * Scenario: three supervisors with executors that only pretend, and a coordinator that queues jobs for their slots, has executors
 * started, and ends them; while connections break, networks are slow or cut one way, machines stop for seconds, disks fail and
 * programs die.
 *
 *     coordinator: members, queue ──reserve, confirm, release, start, stop──▶ worker-1 … 3: supervisor ──▶ executors
 *                                 ◀──join, heartbeat, executorEnded──────────
 *
 * Judged: an executor is started once, and never beyond the slots of its worker; one whose end was answered is gone; when the
 * coordinator says that nothing of a lost life runs any more, nothing does; when all faults are over all ends were told, all slots
 * are free, and nothing is left running.
 */
import type { Env } from '../base/env/env.ts';
import { sha256Of } from '../base/env/sha256.ts';
import { createRpcServer } from '../base/rpc/server.ts';
import { codeOf } from '../base/typed-error.ts';
import { SlotQueue } from '../coordinator/cluster/slot-queue.ts';
import { SupervisorCalls } from '../coordinator/cluster/supervisor-calls.ts';
import {
  defaultMembershipConfig,
  type MembershipConfig,
} from '../coordinator/membership/member-state.ts';
import {
  type MemberChange,
  MembershipKeeper,
} from '../coordinator/membership/membership-keeper.ts';
import {
  type ExecutorEnded,
  type HeartbeatRequest,
  type JoinRequest,
  memberMethods,
  type OfLife,
  type StopExecutorRequest,
} from '../coordinator/protocol/members.ts';
import type { QueuedJob } from '../coordinator/scheduler/queue-state.ts';
import type { stepExecutors } from '../worker/supervisor/executor-book.ts';
import type { ExecutorProcess, ExecutorSpec } from '../worker/supervisor/executor-launcher.ts';
import { startSupervisor } from '../worker/supervisor/supervisor.ts';
import { Cluster } from './cluster.ts';
import { drawFaultPlan, type FaultPlan } from './faults.ts';
import type { Verdict } from './leader-lease-scenario.ts';
import { PretendedProcess } from './pretended-process.ts';

export interface SupervisorScenarioOptions {
  readonly seed: number;
  readonly plan?: FaultPlan;
  /** A wrong rule in place of the right one: how tests show that the judges would notice. */
  readonly step?: typeof stepExecutors;
}

const workers = ['worker-1', 'worker-2', 'worker-3'] as const;
const slotsOfWorker = 2;
const clockDriftMax = 0.01;
/** A heartbeat, and a timer that comes late. */
const noticeMs = 800;
/** Of a timer, and of a process that is killed. */
const lateMs = 100;
const faultsEndMs = 20_000;
const jobsEndMs = faultsEndMs + 2_000;
/** The last job has had its turn. */
const endMs = jobsEndMs + 60_000;
const config: MembershipConfig = {
  ...defaultMembershipConfig,
  leaseMs: 6_000,
  lostMsMax: 6_000,
  driftMax: clockDriftMax,
};
const module = new TextEncoder().encode('export default 1;');
const bundle = sha256Of(module);

/** Runs one seed; call it inside `inMacrotask`. */
export function runSupervisors(options: SupervisorScenarioOptions): Verdict {
  return new SupervisorScenario(options).run();
}

class SupervisorScenario {
  readonly #options: SupervisorScenarioOptions;
  readonly #cluster: Cluster;
  readonly #plan: FaultPlan;
  readonly #processes = new Map<string, PretendedProcess>();
  /** What a metadata log would hold: the newest life of each worker. */
  readonly #log = new Map<string, { readonly instance: string; readonly incarnation: number }>();
  /** Whose ends the coordinator was told, or has asked for. */
  readonly #known = new Set<string>();
  readonly #counts = { lost: 0, jobs: 0, launched: 0, told: 0, killed: 0 };
  #term = 0;
  #queue: SlotQueue | null = null;

  constructor(options: SupervisorScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({ seed: options.seed, leaderNow: () => 'coordinator' });
    const nodes = [...workers, 'coordinator'];
    const rng = this.#cluster.world.stream('faults');
    const limits = { nodes, diskNodes: workers, untilMs: faultsEndMs, driftMax: clockDriftMax };
    this.#plan = options.plan ?? drawFaultPlan(rng, limits);
  }

  run(): Verdict {
    const { world } = this.#cluster;
    this.#cluster.addNode('coordinator', this.#plan, (env) => this.#startCoordinator(env));
    for (const name of workers) {
      this.#cluster.addNode(name, this.#plan, (env) => void this.#startWorker(name, env));
    }
    this.#cluster.armFaults(this.#plan.faults, faultsEndMs);
    world.run(endMs);
    if (world.failure === null) this.#judgeEnd();
    return {
      seed: this.#options.seed,
      failure: world.failure,
      traceHash: world.trace.digest(),
      plan: this.#plan,
      eventCount: world.eventCount,
      counts: { ...this.#counts },
    };
  }

  #judgeEnd(): void {
    const { world } = this.#cluster;
    for (const [executorId, process] of this.#processes) {
      if (process.isAlive) world.fail('nothing is left', `${executorId} still runs`);
      const [name = '', life] = executorId.split('~');
      // What became of a life that was given up nobody asks.
      const isNews = this.#log.get(name)?.incarnation === Number(life);
      if (process.hasEndedItself && isNews && !this.#known.has(executorId)) {
        world.fail('ends are told', `nobody heard of the end of ${executorId}`);
      }
    }
    for (const name of workers) {
      const free = this.#queue?.state.workers.get(name)?.freeSlots;
      if (free !== slotsOfWorker) world.fail('slots come back', `${name} has ${free} free slots`);
    }
  }

  #startCoordinator(env: Env): void {
    const calls = new SupervisorCalls(env, ++this.#term);
    const queue = new SlotQueue(env, { calls, tryMs: 3_000, avoidMs: 300 });
    this.#queue = queue;
    const joined = new Map<string, number>();
    const members = new MembershipKeeper(env, {
      config,
      onChange: (name, change) => {
        if (change.kind === 'suspected') queue.workerTrusted(name, false);
        else if (change.kind === 'trusted') queue.workerTrusted(name, true);
        else {
          queue.workerGone(name);
          calls.forget(name);
          this.#gone(env, name, change);
        }
      },
    });
    for (const [name, life] of this.#log) members.restore(name, life);
    const wanted = new Set<string>();
    const stop = (request: StopExecutorRequest) => this.#stopUntilHeard(env, calls, request);
    const server = createRpcServer(env, { onDisconnected: (which) => members.disconnected(which) });
    server.handle(memberMethods.join, async (body, { connection }) => {
      const { workerId, instance, address, ...room } = body as unknown as JoinRequest;
      const answer = members.register(workerId, { instance, connection });
      if (answer.kind !== 'registered') return { kind: 'refused' };
      const { incarnation } = answer;
      this.#log.set(workerId, { instance, incarnation });
      calls.know(workerId, incarnation, address);
      const life = { workerId, incarnation };
      const unheld = room.reserved.filter((one) => !queue.isHeld({ ...life, ...one }));
      await Promise.all(unheld.map((one) => calls.release({ ...life, ...one })));
      joined.set(workerId, incarnation);
      queue.workerJoined({ ...life, slots: room.slots, memoryBytes: room.memoryBytes });
      for (const executorId of room.executors) {
        if (!wanted.has(executorId)) void stop({ ...life, executorId });
      }
      return { kind: 'registered', incarnation, term: this.#term };
    });
    server.handle(memberMethods.heartbeat, (body, { connection }) => {
      const { workerId, incarnation, senderDelayMs } = body as unknown as HeartbeatRequest;
      const beat = { incarnation, connection, senderDelayMs };
      if (members.heartbeat(workerId, beat).kind !== 'answered') return { kind: 'fenced' };
      return { kind: joined.get(workerId) === incarnation ? 'answered' : 'rejoin' };
    });
    server.handle(memberMethods.executorEnded, (body) => {
      this.#known.add((body as unknown as ExecutorEnded).executorId);
      this.#counts.told++;
      return null;
    });
    server.handle(memberMethods.readBundle, () => {
      return { data: Buffer.from(module).toString('base64'), isLast: true };
    });
    server.listen('coordinator:7070').catch((error: unknown) => {
      env.observe.event('listen-failed', { error: String(error) });
    });
    const start = (life: OfLife, executorId: string, slots: number): Promise<void> => {
      if (!this.#known.has(executorId)) wanted.add(executorId);
      const about = { jobId: 'job', epoch: 1, bundle, coordinator: 'coordinator:7070' };
      return calls.startExecutor({ ...life, ...about, executorId, slots, slotMemoryBytes: 1 });
    };
    const end = (life: OfLife, executorId: string): Promise<void> => {
      wanted.delete(executorId);
      return stop({ ...life, executorId });
    };
    this.#runJobs(env, { queue, start, end });
  }

  /** Jobs with one executor for each worker that they have slots on, which end after a while whatever became of them. */
  #runJobs(
    env: Env,
    {
      queue,
      start,
      end,
    }: {
      readonly queue: SlotQueue;
      readonly start: (life: OfLife, executorId: string, slots: number) => Promise<void>;
      readonly end: (life: OfLife, executorId: string) => Promise<void>;
    },
  ): void {
    const chance = env.rng.stream('jobs');
    const term = this.#term;
    let order = 0;
    const runJob = async (): Promise<void> => {
      const jobId = `job-${term}-${++order}`;
      const room = { slots: chance.int(1, 5), memoryBytesPerSlot: 1, local: {} };
      const about = { namespace: 'default', priority: 0, order, isFailFast: false };
      const job: QueuedJob = { jobId, ...about, ...room, strategy: 'spread' };
      const { key, placement } = await queue.acquire(job);
      this.#counts.jobs++;
      const parts = Object.entries(placement).map(([workerId, { incarnation, slots }]) => {
        const executorId = `${workerId}~${incarnation}~${jobId}`;
        return { life: { workerId, incarnation }, executorId, slots };
      });
      for (const { life, executorId, slots } of parts) {
        // Whether it was done nobody knows: it is ended with the job.
        const ask = () =>
          start(life, executorId, slots).catch((error: unknown) => {
            env.observe.event('not-started', { executorId, code: codeOf(error) });
          });
        void ask();
        // Calls come twice, and late.
        if (chance.float() < 0.2) env.timers.after(chance.int(1, 3_000), () => void ask());
      }
      await env.timers.sleep(chance.int(50, 1_500));
      await Promise.all(parts.map(({ life, executorId }) => end(life, executorId)));
      queue.release(key);
    };
    env.timers.every(900, () => {
      if (this.#cluster.world.nowMs < jobsEndMs) {
        runJob().catch((error: unknown) => {
          env.observe.event('job-not-run', { code: codeOf(error) });
        });
      }
    });
  }

  /** Until it is answered, or the life is over. */
  async #stopUntilHeard(env: Env, calls: SupervisorCalls, request: StopExecutorRequest) {
    this.#known.add(request.executorId);
    while (true) {
      try {
        await calls.stopExecutor(request);
        const process = this.#processes.get(request.executorId);
        if (process?.isAlive) {
          this.#cluster.world.fail('the stopped are gone', `${request.executorId} runs`);
        }
        return;
      } catch (error) {
        // Its life is over, or the coordinator has not heard of it again since it was started itself.
        if (codeOf(error) === 'WORKER_LOST' || codeOf(error) === 'MEMBER_FENCED') return;
        await env.timers.sleep(300);
      }
    }
  }

  #gone(env: Env, name: string, change: MemberChange): void {
    if (change.kind !== 'lost') return;
    this.#counts.lost++;
    const untilMs = Math.max(0, change.mayRunUntilMs - env.clock.mono());
    env.timers.after(untilMs + lateMs, () => this.#judgeLife(name, change.incarnation));
  }

  /** A machine that was stopped ends what runs within a heartbeat after it goes on. */
  #judgeLife(name: string, incarnation: number): void {
    const { world, nodes } = this.#cluster;
    const goneOnForMs = world.nowMs - (nodes.get(name)?.pausedUntilMs ?? 0);
    if (goneOnForMs < noticeMs) {
      world.after(noticeMs, () => this.#judgeLife(name, incarnation));
      return;
    }
    for (const [executorId, process] of this.#processes) {
      if (process.isAlive && executorId.startsWith(`${name}~${incarnation}~`)) {
        world.fail('leases end', `${executorId} runs after its life`);
      }
    }
  }

  async #startWorker(name: string, env: Env): Promise<void> {
    try {
      await startSupervisor(env, {
        ...{ workerId: name, address: `${name}:1`, coordinators: ['coordinator:7070'] },
        ...{ slots: slotsOfWorker, memoryBytes: 100, dataDir: '/data', timing: config },
        onChange: () => undefined,
        ...(this.#options.step !== undefined && { step: this.#options.step }),
        launcher: {
          prepare: () => undefined,
          launch: (spec) => this.#launch(name, env, spec),
          close: async () => undefined,
        },
      });
    } catch (error) {
      // A disk that fails: whoever runs it starts it again.
      env.observe.event('worker-not-started', { name, code: codeOf(error) });
      env.process.exit(1);
    }
  }

  #launch(name: string, env: Env, spec: ExecutorSpec): ExecutorProcess {
    const { world } = this.#cluster;
    const { executorId, slots } = spec;
    const node = this.#cluster.nodes.get(name)?.incarnation ?? null;
    if (this.#processes.has(executorId)) world.fail('once', `${executorId} was started again`);
    const process = new PretendedProcess(env, { slots, isHostAlive: () => node?.isAlive === true });
    this.#processes.set(executorId, process);
    this.#counts.launched++;
    const own = [...this.#processes].filter(([id]) => id.startsWith(`${name}~`));
    const busy = own.reduce(
      (sum, [, one]) => sum + (one.isAlive && !one.isKilled ? one.slots : 0),
      0,
    );
    if (busy > slotsOfWorker) world.fail('slots suffice', `${busy} slots run on ${name}`);
    void process.ended.then(() => {
      if (process.isKilled) this.#counts.killed++;
    });
    return process;
  }
}
