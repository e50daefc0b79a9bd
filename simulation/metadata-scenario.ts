/**
 * Scenario: three coordinators append to one metadata log, a file on a store node, over rpc. Each raises the term
 * now and then, as a new leader does; the store puts snapshots in place of events.
 *
 *     coordinator-1 ──┐  log.append behind what it has read, under its term
 *     coordinator-2 ──┼──────────────────────────────────────────────────▶ store: file log
 *     coordinator-3 ──┘  log.read
 *
 * Judged: the history of all calls is linearizable, those included whose outcome nobody knows; no life of the
 * store shows less than one before; when all faults are over, appends succeed.
 */
import type { Disk } from '../base/env/disk.ts';
import type { Env } from '../base/env/env.ts';
import { createRpcClient, type RpcClient } from '../base/rpc/client.ts';
import { outcomeOf } from '../base/rpc/rpc-error.ts';
import { createRpcServer } from '../base/rpc/server.ts';
import { codeOf } from '../base/typed-error.ts';
import { openFileLog } from '../coordinator/metadata/file-log.ts';
import type {
  AppendOutcome,
  AppendRequest,
  LogPage,
  MetadataLog,
} from '../coordinator/metadata/metadata-log.ts';
import { Cluster } from './cluster.ts';
import { drawFaultPlan, type FaultPlan } from './faults.ts';
import type { Verdict } from './leader-lease-scenario.ts';
import { LogHistory } from './log-history.ts';

/** A wrong part in place of a right one: how tests show that the judges would notice. */
export interface MetadataPlant {
  readonly disk?: (disk: Disk) => Disk;
  readonly log?: (log: MetadataLog) => MetadataLog;
}

export interface MetadataScenarioOptions {
  readonly seed: number;
  readonly plant?: MetadataPlant;
  readonly plan?: FaultPlan;
}

const coordinators = ['coordinator-1', 'coordinator-2', 'coordinator-3'] as const;
const storeAddress = 'store:7000';
const faultsEndMs = 12_000;
const endMs = faultsEndMs + 6_000;
const deadlineMs = 800;

/** Runs one seed; call it inside `inMacrotask`. */
export function runMetadata(options: MetadataScenarioOptions): Verdict {
  return new MetadataScenario(options).run();
}

class MetadataScenario {
  readonly #options: MetadataScenarioOptions;
  readonly #cluster: Cluster;
  readonly #plan: FaultPlan;
  readonly #history: LogHistory;
  readonly #counts = {
    ok: 0,
    conflict: 0,
    fenced: 0,
    failed: 0,
    unknown: 0,
    read: 0,
    compacted: 0,
  };
  #eventCount = 0;
  #lastOkAtMs = 0;

  constructor(options: MetadataScenarioOptions) {
    this.#options = options;
    this.#cluster = new Cluster({ seed: options.seed, leaderNow: () => 'store' });
    const { world } = this.#cluster;
    this.#history = new LogHistory(() => world.nowMs);
    const limits = { nodes: [...coordinators, 'store'], diskNodes: ['store'] };
    const more = { untilMs: faultsEndMs, driftMax: 0.01 };
    this.#plan = options.plan ?? drawFaultPlan(world.stream('faults'), { ...limits, ...more });
  }

  run(): Verdict {
    const { world } = this.#cluster;
    this.#cluster.addNode('store', this.#plan, (env) => this.#startStore(env));
    for (const name of coordinators) {
      this.#cluster.addNode(name, this.#plan, (env) => this.#startCoordinator(name, env));
    }
    this.#cluster.armFaults(this.#plan.faults, faultsEndMs);
    world.run(endMs);
    const objection = world.failure === null ? this.#history.judge() : null;
    if (objection !== null) world.fail('linearizable', objection);
    if (world.failure === null && this.#lastOkAtMs < endMs - 2_000) {
      world.fail(
        'appends succeed',
        `the last one did ${endMs - this.#lastOkAtMs} ms before the end`,
      );
    }
    return {
      seed: this.#options.seed,
      failure: world.failure,
      traceHash: world.trace.digest(),
      plan: this.#plan,
      eventCount: world.eventCount,
      counts: { ...this.#counts, operations: this.#history.length },
    };
  }

  #startStore(env: Env): void {
    const disk = this.#options.plant?.disk?.(env.disk) ?? env.disk;
    this.#serveStore({ ...env, disk }).catch((error: unknown) => {
      // A disk call may fail while the log is opened: nothing is known, so start again.
      if (['DISK_IO', 'DISK_FULL'].includes(codeOf(error) ?? '')) env.process.exit(70);
      throw error;
    });
  }

  async #serveStore(env: Env): Promise<void> {
    const file = await openFileLog(env, '/metadata');
    const log = this.#options.plant?.log?.(file) ?? file;
    const server = createRpcServer(env);
    server.handle('log.read', async () => JSON.parse(JSON.stringify(await log.read(0))));
    server.handle('log.append', async (body) => {
      const request = body as unknown as AppendRequest;
      return { ...(await log.append(request)) };
    });
    await server.listen(storeAddress);
    env.timers.every(1_300, () => {
      this.#compact(log).catch((error: unknown) => {
        env.observe.event('compact-failed', { error: String(error) });
      });
    });
  }

  async #compact(log: MetadataLog): Promise<void> {
    const { snapshot, entries } = await log.read(0);
    const before = (snapshot?.state ?? []) as string[];
    const last = entries.at(-1);
    if (last === undefined) return;
    const state = [...before, ...entries.map(({ event }) => String(event))];
    const { kind } = await log.compact({ position: last.position, term: last.term, state });
    if (kind === 'ok') this.#counts.compacted++;
  }

  #startCoordinator(name: string, env: Env): void {
    const client = createRpcClient(env, { address: storeAddress, connectDeadlineMs: 400 });
    const rng = env.rng.stream('decisions');
    let term = 0;
    const round = async (): Promise<void> => {
      const events = await this.#history.read(() => this.#read(client));
      this.#counts.read++;
      if (rng.int(0, 6) === 0) term = Math.max(term, this.#eventCount) + 1;
      const more = Array.from(
        { length: rng.int(1, 4) },
        () => `${name.slice(-1)}.${this.#eventCount++}`,
      );
      const request = { after: events.length, term, events: more };
      const { kind } = await this.#history.append(request, () => this.#append(client, request));
      this.#counts[kind]++;
      if (kind === 'ok') this.#lastOkAtMs = this.#cluster.world.nowMs;
      if (kind === 'fenced') term = 1 + this.#eventCount;
    };
    env.timers.every(rng.int(90, 220), () => {
      round().catch((error: unknown) => {
        env.observe.event('round-failed', { error: String(error) });
      });
    });
  }

  async #read(client: RpcClient): Promise<LogPage> {
    return (await client.call('log.read', null, {
      deadlineMs,
      isRead: true,
    })) as unknown as LogPage;
  }

  async #append(client: RpcClient, request: AppendRequest): Promise<AppendOutcome> {
    try {
      const body = { ...request, events: [...request.events] };
      return (await client.call('log.append', body, { deadlineMs })) as unknown as AppendOutcome;
    } catch (error) {
      return { kind: outcomeOf(error) };
    }
  }
}
