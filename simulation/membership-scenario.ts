/**
 * Scenario: three workers register with a coordinator and send heartbeats, over rpc, while connections
 * break, networks are slow or cut one way, machines stop for seconds, and programs die.
 *
 *     worker-1 ──┐  register, heartbeat
 *     worker-2 ──┼──────────────────────▶ coordinator: membership; after a crash it starts from its log
 *     worker-3 ──┘
 *
 * Judged: no worker is lost while its heartbeats come in; one that is silent is lost within the bound, as
 * long as the coordinator could listen; when the coordinator says that nothing of a lost life runs any
 * more, nothing does; incarnations only grow; when all faults are over, all are alive.
 */
import type { Env } from '../base/env/env.ts';
import { createRpcClient } from '../base/rpc/client.ts';
import { createRpcServer } from '../base/rpc/server.ts';
import {
  defaultMembershipConfig,
  type MembershipConfig,
  type stepMember,
} from '../coordinator/membership/member-state.ts';
import {
  type MemberChange,
  MembershipKeeper,
} from '../coordinator/membership/membership-keeper.ts';
import { HeartbeatSender, type MembershipAnswer } from '../worker/membership/heartbeat-sender.ts';
import type { stepWorkerLease } from '../worker/membership/worker-lease.ts';
import { Cluster } from './cluster.ts';
import { drawFaultPlan, type FaultPlan } from './faults.ts';
import type { Verdict } from './leader-lease-scenario.ts';
import type { Incarnation } from './sim-node.ts';

/** A wrong part in place of a right one: how tests show that the judges would notice. */
export interface MembershipPlant {
  readonly step?: typeof stepMember;
  readonly workerStep?: typeof stepWorkerLease;
}

export interface MembershipScenarioOptions {
  readonly seed: number;
  readonly plant?: MembershipPlant;
  readonly plan?: FaultPlan;
}

const workers = ['worker-1', 'worker-2', 'worker-3'] as const;
const coordinatorAddress = 'coordinator:7070';
const clockDriftMax = 0.01;
const faultsEndMs = 25_000;
/** A lease of the last fault, and everybody registers again. */
const endMs = faultsEndMs + 20_000;
/** Short, so that a lease can end within a run. */
const config: MembershipConfig = {
  ...defaultMembershipConfig,
  leaseMs: 6_000,
  lostMsMax: 6_000,
  driftMax: clockDriftMax,
};
const callDeadlineMs = 3_000;
/** Between a tick and the next, and what a clock may be wrong by in a bound. */
const slackMs = 700;

/** Runs one seed; call it inside `inMacrotask`. */
export function runMembership(options: MembershipScenarioOptions): Verdict {
  return new MembershipScenario(options).run();
}

interface WorkerLife {
  readonly incarnation: Incarnation | null;
  readonly sender: HeartbeatSender;
}

class MembershipScenario {
  readonly #options: MembershipScenarioOptions;
  readonly #cluster: Cluster;
  readonly #plan: FaultPlan;
  readonly #workers = new Map<string, WorkerLife>();
  /** In true time: when the coordinator took in a heartbeat that it answered. */
  readonly #heardAtMs = new Map<string, number>();
  /** The same, in time in which the coordinator was not stopped. */
  readonly #heardAtListenedMs = new Map<string, number>();
  /** What the metadata log would hold: the newest life of each worker. */
  readonly #log = new Map<string, { readonly instance: string; readonly incarnation: number }>();
  readonly #counts = { lost: 0, suspected: 0, trusted: 0, joined: 0, expired: 0 };
  #keeper: { readonly incarnation: Incarnation | null; readonly it: MembershipKeeper } | null =
    null;
  /** In true time: since when the coordinator has been listening without a break. */
  #listensSinceMs = 0;
  #listenedMs = 0;
  /** When the coordinator last showed that it is not stopped. */
  #lookedAtMs = 0;

  constructor(options: MembershipScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({ seed: options.seed, leaderNow: () => 'coordinator' });
    const nodes = [...workers, 'coordinator'];
    const rng = this.#cluster.world.stream('faults');
    const limits = { nodes, diskNodes: nodes, untilMs: faultsEndMs, driftMax: clockDriftMax };
    this.#plan = options.plan ?? drawFaultPlan(rng, limits);
  }

  run(): Verdict {
    const { world } = this.#cluster;
    this.#cluster.addNode('coordinator', this.#plan, (env) => this.#startCoordinator(env));
    for (const name of workers) {
      this.#cluster.addNode(name, this.#plan, (env) => this.#startWorker(name, env));
    }
    world.addJudge('the silent are lost', () => this.#judgeBound());
    this.#cluster.armFaults(this.#plan.faults, faultsEndMs);
    world.run(endMs);
    for (const name of workers) {
      const kind = this.#keeper?.it.stateOf(name).kind;
      const isRunning = (this.#workers.get(name)?.sender.incarnation() ?? 0) > 0;
      if (world.failure !== null || (kind === 'alive' && isRunning)) continue;
      world.fail(
        'all are back',
        `${name} is ${kind} ${endMs - faultsEndMs} ms after the last fault`,
      );
    }
    return {
      seed: this.#options.seed,
      failure: world.failure,
      traceHash: world.trace.digest(),
      plan: this.#plan,
      eventCount: world.eventCount,
      counts: { ...this.#counts },
    };
  }

  #startCoordinator(env: Env): void {
    const { world } = this.#cluster;
    const step = this.#options.plant?.step;
    const node = this.#cluster.nodes.get('coordinator');
    const keeper = new MembershipKeeper(env, {
      config,
      onChange: (name, change) => this.#onChange(env, name, change),
      ...(step !== undefined && { step }),
    });
    for (const [name, life] of this.#log) keeper.restore(name, life);
    this.#keeper = { incarnation: node?.incarnation ?? null, it: keeper };
    this.#listensSinceMs = world.nowMs;
    // Looks often enough to know when the node was stopped.
    this.#lookedAtMs = world.nowMs;
    env.timers.every(50, () => {
      const gapMs = world.nowMs - this.#lookedAtMs;
      this.#listenedMs += Math.min(gapMs, 60);
      if (gapMs > 200) this.#listensSinceMs = world.nowMs;
      this.#lookedAtMs = world.nowMs;
    });
    const server = createRpcServer(env, { onDisconnected: (which) => keeper.disconnected(which) });
    server.handle('worker.register', (body, { connection }) => {
      const { name, instance } = body as { name: string; instance: string };
      const answer = keeper.register(name, { instance, connection });
      if (answer.kind === 'registered') this.#registered(name, instance, answer.incarnation);
      return { ...answer };
    });
    server.handle('worker.heartbeat', (body, { connection }) => {
      const { name, ...beat } = body as {
        name: string;
        incarnation: number;
        senderDelayMs: number;
      };
      const answer = keeper.heartbeat(name, { ...beat, connection });
      if (answer.kind === 'answered') this.#heard(name, beat.incarnation);
      return { ...answer };
    });
    server.listen(coordinatorAddress).catch((error: unknown) => {
      env.observe.event('listen-failed', { error: String(error) });
    });
  }

  #registered(name: string, instance: string, incarnation: number): void {
    const before = this.#log.get(name)?.incarnation ?? 0;
    if (incarnation < before) {
      this.#cluster.world.fail('incarnations grow', `${name}: ${incarnation} after ${before}`);
    }
    this.#log.set(name, { instance, incarnation });
    this.#heard(name, incarnation);
  }

  #heard(name: string, incarnation: number): void {
    const { world } = this.#cluster;
    this.#heardAtMs.set(name, world.nowMs);
    this.#heardAtListenedMs.set(name, this.#listenedMs);
    const newest = this.#log.get(name)?.incarnation ?? 0;
    if (incarnation !== newest) {
      world.fail('old lives are fenced', `${name}: life ${incarnation} was heard beside ${newest}`);
    }
  }

  #onChange(env: Env, name: string, change: MemberChange): void {
    const { world } = this.#cluster;
    if (change.kind !== 'left') this.#counts[change.kind]++;
    if (change.kind !== 'lost') return;
    const silenceMs = this.#listenedMs - (this.#heardAtListenedMs.get(name) ?? 0);
    if (change.reason === 'silent' && silenceMs < config.lostMsMin - slackMs) {
      world.fail('the heard are not lost', `${name} was lost ${silenceMs} ms after a heartbeat`);
    }
    // By the coordinator's own clock: from then on it may say that nothing of that life runs.
    env.timers.after(Math.max(0, change.mayRunUntilMs - env.clock.mono()), () => {
      const life = this.#workers.get(name);
      if (!life?.incarnation?.isAlive) return;
      if (life.sender.incarnation() === change.incarnation) {
        world.fail('leases end', `${name}: life ${change.incarnation} runs after its lease`);
      }
    });
  }

  #judgeBound(): string | null {
    const { world } = this.#cluster;
    const keeper = this.#keeper;
    // One that was stopped, and has not taken note of it yet, may still lose whom it has to.
    const isStopped = world.nowMs - this.#lookedAtMs > 200;
    if (!keeper?.incarnation?.isAlive || isStopped) return null;
    for (const name of workers) {
      const state = keeper.it.stateOf(name);
      if (state.kind !== 'alive' && state.kind !== 'suspect') continue;
      const sinceMs = Math.max(this.#heardAtMs.get(name) ?? 0, this.#listensSinceMs);
      const silenceMs = world.nowMs - sinceMs;
      const boundMs = (config.lostMsMax + slackMs) * (1 + 2 * clockDriftMax);
      if (silenceMs > boundMs) return `${name} is ${state.kind} after ${silenceMs} ms of silence`;
    }
    return null;
  }

  #startWorker(name: string, env: Env): void {
    const client = createRpcClient(env, { address: coordinatorAddress, connectDeadlineMs: 600 });
    const deadline = { deadlineMs: callDeadlineMs };
    const ask = async (method: string, body: Record<string, string | number>) =>
      (await client.call(method, { name, ...body }, deadline)) as unknown as MembershipAnswer;
    const step = this.#options.plant?.workerStep;
    const judgeFenced = (fenced: number): void => {
      if (sender.incarnation() !== fenced) return;
      this.#cluster.world.fail('the fenced end', `${name} goes on with life ${fenced}`);
    };
    const sender = new HeartbeatSender(env, {
      ...config,
      calls: {
        register: (instance) => ask('worker.register', { instance }),
        heartbeat: async (incarnation, senderDelayMs) => {
          const answer = await ask('worker.heartbeat', { incarnation, senderDelayMs });
          if (answer.kind === 'fenced') env.timers.after(1, () => judgeFenced(incarnation));
          return answer;
        },
      },
      onJoined: () => {
        this.#counts.joined++;
      },
      onEnded: (_, reason) => {
        if (reason === 'expired') this.#counts.expired++;
      },
      ...(step !== undefined && { step }),
    });
    const incarnation = this.#cluster.nodes.get(name)?.incarnation ?? null;
    this.#workers.set(name, { incarnation, sender });
  }
}
