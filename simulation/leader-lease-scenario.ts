/**
 * Scenario: three coordinators compete for the leader lease, whose register is a file on a store
 * node; whoever leads appends to a journal on the same store, which accepts only the newest token.
 *
 *     coordinator-1 ──┐  lease.read, lease.compareAndSwap
 *     coordinator-2 ──┼────────────────────────────────────▶ store: file register, fenced journal
 *     coordinator-3 ──┘  journal.append with the token
 *
 * Judged: never two leaders at one instant of true time; each leadership has a greater token; the
 * journal never takes an older token after a newer one; when all faults are over somebody leads.
 */
import type { Disk } from '../base/env/disk.ts';
import type { Env } from '../base/env/env.ts';
import { createRpcClient } from '../base/rpc/client.ts';
import { createRpcServer } from '../base/rpc/server.ts';
import { codeOf } from '../base/typed-error.ts';
import { openFileRegister } from '../coordinator/lease/file-register.ts';
import type { stepLease } from '../coordinator/lease/leader-lease.ts';
import { type LeaseKeeper, startLeaseKeeper } from '../coordinator/lease/lease-keeper.ts';
import type { LeaseRegister } from '../coordinator/lease/lease-register.ts';
import { createRpcRegister, serveRegister } from '../coordinator/lease/rpc-register.ts';
import { Cluster } from './cluster.ts';
import { drawFaultPlan, type FaultPlan } from './faults.ts';
import type { Incarnation } from './sim-node.ts';
import type { Failure } from './world.ts';

/** A wrong part in place of a right one: how tests show that the judges would notice. */
export interface LeasePlant {
  readonly step?: typeof stepLease;
  readonly disk?: (disk: Disk) => Disk;
  readonly register?: (register: LeaseRegister) => LeaseRegister;
  readonly driftMax?: number;
  /** False: the leader's writes carry no token for the receiver to check. */
  readonly isFenced?: boolean;
}

export interface LeaseScenarioOptions {
  readonly seed: number;
  readonly plant?: LeasePlant;
  /** Replaces the drawn faults, as when a failure is made smaller. */
  readonly plan?: FaultPlan;
}

export interface Verdict {
  readonly seed: number;
  readonly failure: Failure | null;
  readonly traceHash: string;
  readonly plan: FaultPlan;
  readonly eventCount: number;
  /** What happened, so that a run that tests nothing is noticed. */
  readonly counts: Readonly<Record<string, number>>;
}

const coordinators = ['coordinator-1', 'coordinator-2', 'coordinator-3'] as const;
const storeAddress = 'store:7000';
const leaseDurationMs = 2_000;
const rpcDeadlineMs = 1_000;
/** No clock of the simulation is more wrong than this. */
const clockDriftMax = 0.01;
const faultsEndMs = 18_000;
/** Restarts, lost connections, a full lease and an election fit in the calm end. */
const endMs = faultsEndMs + 9_000;

/** Runs one seed; call it inside `inMacrotask`. */
export function runLeaderLease(options: LeaseScenarioOptions): Verdict {
  const scenario = new LeaderLeaseScenario(options);
  return scenario.run();
}

class LeaderLeaseScenario {
  readonly #options: LeaseScenarioOptions;
  readonly #cluster: Cluster;
  readonly #plan: FaultPlan;
  /** The keeper of each coordinator's current incarnation. */
  readonly #keepers = new Map<string, { incarnation: Incarnation | null; keeper: LeaseKeeper }>();
  #newestToken = 0;
  #newestAccepted = 0;
  #leadershipCount = 0;
  #appendCount = 0;

  constructor(options: LeaseScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({
      seed: options.seed,
      leaderNow: () => this.#leaders()[0] ?? null,
    });
    const nodes = [...coordinators, 'store'];
    const rng = this.#cluster.world.stream('faults');
    const limits = { nodes, diskNodes: ['store'], untilMs: faultsEndMs, driftMax: clockDriftMax };
    this.#plan = options.plan ?? drawFaultPlan(rng, limits);
  }

  run(): Verdict {
    const { world } = this.#cluster;
    this.#cluster.addNode('store', this.#plan, (env) => this.#startStore(env));
    for (const name of coordinators) {
      this.#cluster.addNode(name, this.#plan, (env) => this.#startCoordinator(name, env));
    }
    world.addJudge('one leader', () => this.#judgeOneLeader());
    this.#cluster.armFaults(this.#plan.faults, faultsEndMs);
    world.run(endMs);
    if (world.failure === null && this.#leaders().length === 0) {
      world.fail('somebody leads', `nobody leads ${endMs - faultsEndMs} ms after the last fault`);
    }
    return {
      seed: this.#options.seed,
      failure: world.failure,
      traceHash: world.trace.digest(),
      plan: this.#plan,
      eventCount: world.eventCount,
      counts: { leaderships: this.#leadershipCount, appends: this.#appendCount },
    };
  }

  /** Coordinators that believe that they lead, now, by their own clocks; the dead believe nothing. */
  #leaders(): string[] {
    const leaders: string[] = [];
    for (const [name, { incarnation, keeper }] of this.#keepers) {
      if (incarnation?.isAlive && keeper.isLeader()) leaders.push(name);
    }
    return leaders;
  }

  // Time alone only ends leaderships, so two at once begin at an event: asking after each is enough.
  #judgeOneLeader(): string | null {
    const leaders = this.#leaders();
    return leaders.length <= 1 ? null : `${leaders.join(' and ')} lead at once`;
  }

  #startStore(env: Env): void {
    const disk = this.#options.plant?.disk?.(env.disk) ?? env.disk;
    this.#serveStore({ ...env, disk }).catch((error: unknown) => {
      // An fsync may fail while the register is opened: nothing is known, so start again.
      if (codeOf(error) === 'DISK_IO') env.process.exit(70);
      throw error;
    });
  }

  async #serveStore(env: Env): Promise<void> {
    await env.disk.makeDir('/lease');
    const file = await openFileRegister(env, '/lease/register');
    const register = this.#options.plant?.register?.(file) ?? file;
    const { record } = await register.read();
    // The fence is as durable as the register: what the last run accepted had at most its token.
    const server = createRpcServer(env, { term: record?.token ?? 0 });
    serveRegister(server, register);
    server.handle('journal.append', (body) => {
      this.#judgeAppend(Number(body));
      return null;
    });
    await server.listen(storeAddress);
  }

  #judgeAppend(token: number): void {
    this.#appendCount++;
    if (token < this.#newestAccepted) {
      const message = `the journal took token ${token} after token ${this.#newestAccepted}`;
      this.#cluster.world.fail('fenced journal', message);
    }
    this.#newestAccepted = Math.max(this.#newestAccepted, token);
  }

  #startCoordinator(name: string, env: Env): void {
    const { plant } = this.#options;
    const client = createRpcClient(env, { address: storeAddress, connectDeadlineMs: 400 });
    const keeper = startLeaseKeeper(env, {
      register: createRpcRegister(client, { deadlineMs: rpcDeadlineMs }),
      nodeId: name,
      durationMs: leaseDurationMs,
      driftMax: plant?.driftMax ?? clockDriftMax,
      onGained: (token) => this.#judgeToken(token),
      ...(plant?.step !== undefined && { step: plant.step }),
    });
    const incarnation = this.#cluster.nodes.get(name)?.incarnation ?? null;
    this.#keepers.set(name, { incarnation, keeper });
    let appendCount = 0;
    env.timers.every(170, () => {
      if (!keeper.isLeader()) return;
      const token = keeper.token();
      const fence = plant?.isFenced === false ? {} : { term: token };
      const key = `${incarnation?.number} ${name} ${appendCount++}`;
      const options = { deadlineMs: 1_500, idempotencyKey: key, retries: 2, ...fence };
      client.call('journal.append', token, options).catch((error: unknown) => {
        env.observe.event('append-failed', { error: String(error) });
      });
    });
  }

  #judgeToken(token: number): void {
    this.#leadershipCount++;
    if (token <= this.#newestToken) {
      const message = `a leadership began with token ${token} after token ${this.#newestToken}`;
      this.#cluster.world.fail('tokens grow', message);
    }
    this.#newestToken = Math.max(this.#newestToken, token);
  }
}
