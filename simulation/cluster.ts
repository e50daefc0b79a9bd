/**
 * A simulated cluster: a world, its network and its nodes, and a fault plan carried out on them.
 * A scenario adds nodes with programs and judges, and runs it.
 */
import { type Fault, type FaultPlan, type JobFault, theLeader } from './faults.ts';
import type { DiskFault, SimDiskState } from './sim-disk-state.ts';
import { SimNet } from './sim-net.ts';
import { type Program, SimNode } from './sim-node.ts';
import { World } from './world.ts';

type CallFault = Extract<Fault, { readonly call: number }>;
type TimedFault = Extract<Fault, { readonly atMs: number }>;

export interface ClusterOptions {
  readonly seed: number;
  /** Which node leads now, for faults that are aimed at it; null when none does. */
  readonly leaderNow?: () => string | null;
  /** Carries out what befalls a job. */
  readonly onJobFault?: (fault: JobFault) => void;
}

export class Cluster {
  readonly world: World;
  readonly net: SimNet;
  readonly nodes = new Map<string, SimNode>();
  readonly #leaderNow: () => string | null;
  readonly #onJobFault: (fault: JobFault) => void;

  constructor(options: ClusterOptions) {
    this.world = new World(options.seed);
    this.net = new SimNet(this.world);
    this.#leaderNow = options.leaderNow ?? (() => null);
    this.#onJobFault = options.onJobFault ?? (() => undefined);
  }

  /**
   * Adds a node; it starts within the next 50 ms.
   *
   * @param diskState - Of the machine, where it is one of several processes there. @defaultValue it has its own
   */
  addNode(name: string, plan: FaultPlan, program: Program, diskState?: SimDiskState): SimNode {
    const clock = plan.clocks[name] ?? { skewMs: 0, drift: 0 };
    const disk = diskState && { diskState };
    const options = { name, clock, program, restartMs: 500, ...disk };
    const node = new SimNode(this.world, this.net, options);
    this.nodes.set(name, node);
    this.world.after(this.world.stream(`start ${name}`).float() * 50, () => node.start());
    return node;
  }

  /** Puts the faults in place; those aimed at calls are disarmed at `untilMs`. */
  armFaults(faults: readonly Fault[], untilMs: number): void {
    for (const fault of faults) this.#arm(fault);
    this.world.after(untilMs, () => {
      for (const node of this.nodes.values()) {
        node.diskState.clearFaults();
      }
    });
  }

  #arm(fault: Fault): void {
    switch (fault.kind) {
      case 'crashAtDiskCall': {
        const kind = fault.when === 'before' ? 'crashBefore' : 'crashAfter';
        this.#armCall(fault, { kind, downMs: fault.downMs, cause: fault.cause }, 1);
        return;
      }
      case 'fsyncFails':
        this.nodes.get(fault.node)?.diskState.faultOfFsync.set(fault.fsync, { kind: 'fail' });
        return;
      case 'diskCallFails':
        this.#armCall(fault, { kind: 'fail', isFull: fault.isFull }, fault.times);
        return;
      case 'cancelInState':
      case 'taskFault':
      case 'atStep':
        this.#onJobFault(fault);
        return;
      default:
        this.world.after(fault.atMs, () => {
          this.world.note('world', 'fault', fault.kind);
          this.#carryOut(fault);
        });
    }
  }

  #armCall({ node, call, below }: CallFault, fault: DiskFault, times: number): void {
    const state = this.nodes.get(node)?.diskState;
    if (below !== undefined) {
      state?.faultsBelow.push({ folder: `${below}/`, fault, callsBefore: call, timesLeft: times });
      return;
    }
    for (let index = 0; index < times; index++) state?.faultOfCall.set(call + index, fault);
  }

  #carryOut(fault: TimedFault): void {
    switch (fault.kind) {
      case 'crash':
        this.#target(fault.node)?.crashFor(fault.downMs, 'fault', fault.cause);
        return;
      case 'pause':
        this.#target(fault.node)?.pause(fault.forMs);
        return;
      case 'breakConnections':
        this.net.breakConnectionsOf(this.#target(fault.node)?.name ?? '');
        return;
      case 'cut':
        this.#cut(fault);
        return;
      case 'slowNet':
        this.net.extraLatencyMs = fault.extraMs;
        this.world.after(fault.forMs, () => {
          this.net.extraLatencyMs = 0;
        });
        return;
      case 'lossyNet':
        this.net.breakChance = fault.chance;
        this.world.after(fault.forMs, () => {
          this.net.breakChance = 0;
        });
        return;
      default:
        this.#onJobFault(fault);
    }
  }

  #cut({ side, direction, forMs, flapMsMax }: Extract<Fault, { kind: 'cut' }>): void {
    const inside = side.flatMap((name) => this.#target(name)?.name ?? []);
    const outside = [...this.nodes.keys()].filter((name) => !inside.includes(name));
    const endsAtMs = this.world.nowMs + forMs;
    const cutOnce = (): void => {
      const leftMs = endsAtMs - this.world.nowMs;
      if (leftMs <= 0) return;
      const pieceMs = Math.min(leftMs, flapMsMax === undefined ? leftMs : this.#flapMs(flapMsMax));
      if (direction !== 'in') this.net.cut(inside, outside, pieceMs);
      if (direction !== 'out') this.net.cut(outside, inside, pieceMs);
      this.world.after(pieceMs + this.#flapMs(300), cutOnce);
    };
    cutOnce();
  }

  #flapMs(maxMs: number): number {
    return 20 + this.net.chance.float() * maxMs;
  }

  #target(name: string): SimNode | undefined {
    return this.nodes.get(name === theLeader ? (this.#leaderNow() ?? '') : name);
  }
}
