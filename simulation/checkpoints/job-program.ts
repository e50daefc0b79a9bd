/**
 * One start of a program that runs the job: a coordinator and a worker with slots, each a process of its own on one machine,
 * wired together as the command line does it.
 *
 *     program 0   coordinator c0 ◀──rpc──▶ worker w0 ─▶ slots      one disk: input, output, checkpoints
 *     program 1   coordinator c1 ◀──rpc──▶ worker w1 ─▶ slots      begins where program 0 was when it died, or sleeps
 *
 * Processes are apart so that one can die, or be paused, without the other: a worker whose coordinator is gone works on for
 * nobody, and must do no harm.
 */
import { crc32c } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import { framedByteNet } from '../../base/env/framed-byte-net.ts';
import type { Connection, Net } from '../../base/env/net.ts';
import type { Rng } from '../../base/env/rng.ts';
import { toWire, type WireError } from '../../base/typed-error.ts';
import type { stepCheckpoints } from '../../coordinator/checkpoint/checkpoint-state.ts';
import { startCoordinator } from '../../coordinator/coordinator-service.ts';
import type { CheckpointRequest } from '../../coordinator/job/checkpointed-job.ts';
import type { JobOutcome } from '../../coordinator/job/job-outcome.ts';
import type { stepJob } from '../../coordinator/job/job-state.ts';
import { createMemoryRegister } from '../../coordinator/lease/memory-register.ts';
import { buildJob, fingerprintOf } from '../../engine/api/build-job.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import { startInlineNetwork } from '../../worker/exchange/exchange-network.ts';
import { startWorker } from '../../worker/worker.ts';
import type { Cluster } from '../cluster.ts';
import { JoinedWorkers } from '../joined-workers.ts';
import type { SimDiskState } from '../sim-disk-state.ts';
import type { SimNode } from '../sim-node.ts';
import { SimSlots, type SimSlotsOptions, type SlotFaults } from '../sim-slots.ts';
import { giveSlotMemory, takeSlotMemory } from '../slot-memory-pool.ts';
import type { SumsJob } from './sums-job.ts';

export interface ProgramOutcome {
  readonly status: JobOutcome['status'];
  readonly error: WireError | null;
}

export interface JobProgramOptions {
  readonly cluster: Cluster;
  readonly diskState: SimDiskState;
  /** From 0 on. */
  readonly index: number;
  readonly job: SumsJob;
  readonly parallelism: number;
  readonly slotCount: number;
  readonly checkpoints: CheckpointRequest;
  /** The environment as a process of the program has it: with an ear for events and an eye on messages. */
  readonly envOf: (env: Env, node: SimNode, program: JobProgram) => Env;
  readonly slots: (program: JobProgram) => Pick<SimSlotsOptions, 'makeTask' | 'plant'> & {
    readonly faults: SlotFaults;
  };
  /**
   * Whether tasks are on two workers of one process, with connections between them that break; then there are at least two slots.
   * @defaultValue false
   */
  readonly isApart?: boolean | undefined;
  /** A connection between workers was broken. */
  readonly onBreak: () => void;
  readonly stepCheckpoints?: typeof stepCheckpoints | undefined;
  readonly step?: typeof stepJob | undefined;
  readonly onOutcome: (outcome: ProgramOutcome) => void;
}

/** What a job needs at most. */
const slotMemoryBytes = 24 << 20;
/** No slot is so slow that a checkpoint takes as long as one may. */
const lookMsMax = 0.3;
const spillFolder = '/node/spill';
/** Behind those of any slots. */
const networkBell = 99;
/** Of a write to a connection between workers. */
const breakChance = 0.1;
const noFlags = Object.freeze({ overwrite: false });
const noClocks = { clocks: {}, faults: [] };

export class JobProgram {
  readonly index: number;
  readonly parallelism: number;
  readonly coordinator: SimNode;
  worker: SimNode | null = null;
  readonly #options: JobProgramOptions;
  /** Of all lives of the worker. */
  readonly #slots: SimSlots[] = [];
  /** Of the newest life: the slots of its workers, and the numbers of their first. */
  #groups: { readonly slots: SimSlots; readonly firstSlot: number }[] = [];
  readonly #memories: SlotMemory[] = [];

  constructor(options: JobProgramOptions) {
    const { cluster, index, diskState, parallelism } = options;
    this.#options = options;
    this.index = index;
    this.parallelism = parallelism;
    const start = (env: Env) => void this.#runToOutcome(env);
    this.coordinator = cluster.addNode(`c${index}`, noClocks, start, diskState);
  }

  /** Whether any process of it is there. */
  get isUp(): boolean {
    return this.coordinator.isUp || this.worker?.isUp === true;
  }

  get pausedUntilMs(): number {
    return Math.max(this.coordinator.pausedUntilMs, this.worker?.pausedUntilMs ?? 0);
  }

  killSlot(slotIndex: number): void {
    const group = this.#groups.findLast(({ firstSlot }) => firstSlot <= slotIndex);
    group?.slots.kill(slotIndex - group.firstSlot);
  }

  /** Ends all of its processes; what they had open is closed by their system. */
  end(): void {
    this.coordinator.crash('the program ends', 'killed');
    this.worker?.crash('the program ends', 'killed');
  }

  /** Once all its processes are gone: takes apart what is left of them, and gives the memories back. */
  release(): void {
    for (const slots of this.#slots) slots.release();
    for (const memory of this.#memories.splice(0)) giveSlotMemory(memory);
  }

  async #runToOutcome(env: Env): Promise<void> {
    const { onOutcome } = this.#options;
    try {
      onOutcome(await this.#run(env));
    } catch (error) {
      onOutcome({ status: 'failed', error: toWire(error) });
    }
  }

  async #run(env: Env): Promise<ProgramOutcome> {
    const { cluster, diskState, index, job, parallelism, checkpoints, envOf } = this.#options;
    const { stepCheckpoints: rules, step } = this.#options;
    const watched = envOf(env, this.coordinator, this);
    const coordinator = await startCoordinator(watched, {
      address: `c${index}:7000`,
      nodeId: `c${index}`,
      register: createMemoryRegister(),
      connectors: job.connectors,
      ...(rules !== undefined && { stepCheckpoints: rules }),
      ...(step !== undefined && { step }),
    });
    const start = (own: Env) => void this.#startWorker(own);
    this.worker = cluster.addNode(`w${index}`, noClocks, start, diskState);
    const { graph } = buildJob(job.definition, {}, noFlags);
    const fingerprint = fingerprintOf(graph);
    const module = { file: 'job.ts', params: {}, flags: noFlags, fingerprint };
    const submission = { graph, parallelism, module, checkpoints, latencyIntervalMs: null };
    const handle = await coordinator.submit(submission);
    const { status, error } = await handle.done;
    return { status, error };
  }

  /** A worker that its coordinator does not answer is started again; one without a coordinator is not. */
  async #startWorker(env: Env): Promise<void> {
    const node = this.worker;
    if (node === null) return;
    this.#groups = [];
    try {
      if (this.#options.isApart === true) await this.#startApart(env, node);
      else await this.#startTogether(env, node);
    } catch (error) {
      env.observe.event('worker.not-started', { error: String(error) });
      const reason = 'the worker is not taken in';
      if (this.coordinator.isUp) node.crashFor(50, reason, 'killed');
      else node.crash(reason, 'killed');
    }
  }

  async #startTogether(env: Env, node: SimNode): Promise<void> {
    const { index, slotCount, envOf } = this.#options;
    await startWorker(envOf(env, node, this), {
      ...{ workerId: node.name, slotCount, slotMemoryBytes, exchangeBytes: 1 },
      address: `w${index}:7001`,
      coordinatorAddress: `c${index}:7000`,
      spillDir: spillFolder,
      runner: this.#newSlots(env, node, 0).runner,
    });
  }

  /** What the coordinator and the slots say is watched as ever; what workers say among them is not. */
  async #startApart(env: Env, node: SimNode): Promise<void> {
    const { index, slotCount, envOf } = this.#options;
    const host = `w${index}`;
    const joinedAddress = `${host}:7001`;
    const watched = envOf(env, node, this);
    const joined = new JoinedWorkers(watched, {
      ...{ address: joinedAddress, coordinatorAddress: `c${index}:7000`, workerCount: 2 },
      inner: env.net,
    });
    await joined.start();
    const own = { ...watched, net: env.net };
    const net = framedByteNet(
      breakingNet(env.net, env.rng.stream('exchange'), this.#options.onBreak),
    );
    const half = Math.ceil(slotCount / 2);
    const starts = [half, Math.max(1, slotCount - half)].map(async (count, worker) => {
      const slots = this.#newSlots(env, node, worker * half);
      const network = await startInlineNetwork(own, {
        ...{ net, checksum: crc32c, name: `${host} ${worker}`, bell: networkBell },
        address: `${host}:${7200 + worker}`,
        bellOf: (bell) => slots.bellOf(bell),
        yieldToEvents: () => env.timers.sleep(0),
      });
      await startWorker(own, {
        ...{ workerId: `${node.name} ${worker}`, slotCount: count, slotMemoryBytes },
        ...{ exchangeBytes: 1, network, runner: slots.runner },
        address: `${host}:${7100 + worker}`,
        coordinatorAddress: joinedAddress,
        spillDir: `${spillFolder}-${worker}`,
      });
    });
    await Promise.all(starts);
  }

  #newSlots(env: Env, node: SimNode, firstSlot: number): SimSlots {
    const { diskState, job } = this.#options;
    const { incarnation } = node;
    if (incarnation === null)
      throw new Error('assertion failed: a worker starts on a node that is up');
    const slots = new SimSlots({
      life: incarnation,
      env: this.#options.envOf(env, node, this),
      diskState,
      connectors: job.connectors,
      importModule: () => Promise.resolve({ default: job.definition }),
      memoryOf: (_slotIndex, memoryBytes) => {
        const memory = takeSlotMemory(memoryBytes);
        this.#memories.push(memory);
        return memory;
      },
      lookMsMax,
      ...shifted(this.#options.slots(this), firstSlot),
    });
    this.#slots.push(slots);
    this.#groups.push({ slots, firstSlot });
    return slots;
  }
}

/** What is told of the slots of a worker names them as the coordinator does. */
function shifted(
  { faults, makeTask, ...rest }: ReturnType<JobProgramOptions['slots']>,
  firstSlot: number,
): ReturnType<JobProgramOptions['slots']> {
  return {
    ...rest,
    ...(makeTask && {
      makeTask: (options, deployment, slot) => makeTask(options, deployment, slot + firstSlot),
    }),
    faults: {
      toSlot: (message, slot, answer) => faults.toSlot(message, slot + firstSlot, answer),
      fromSlot: (message, slot) => faults.fromSlot(message, slot + firstSlot),
    },
  };
}

/** Some connections are closed in the midst of what they carry; what was under way is lost. */
function breakingNet(net: Net, chance: Rng, onBreak: () => void): Net {
  const breaking = (connection: Connection): Connection => ({
    remote: connection.remote,
    send: (frame) => {
      if (chance.float() >= breakChance) return connection.send(frame);
      onBreak();
      connection.close();
      return true;
    },
    onFrame: (handler) => connection.onFrame(handler),
    onDrain: (handler) => connection.onDrain(handler),
    onClose: (handler) => connection.onClose(handler),
    close: () => connection.close(),
  });
  return {
    listen: (address, accept) => net.listen(address, (connection) => accept(breaking(connection))),
    connect: async (address, deadlineMs) => breaking(await net.connect(address, deadlineMs)),
  };
}
