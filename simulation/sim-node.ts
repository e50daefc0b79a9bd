/**
 * A simulated machine: its disk and clock outlive the program on it. Each start of the program is an
 * incarnation; a crash ends it between two events. What a dead incarnation waits for never comes:
 * its promises are never resolved, its timers and frames are dropped.
 *
 *     start ──▶ incarnation 1 ──crash──▶ down ──restart──▶ incarnation 2 …
 *                                        disk loses what was not synced
 *
 * A paused node (a long garbage collection, a suspended virtual machine) does nothing for a while,
 * but its clock goes on and all that was due happens afterwards, in order.
 */
import type { Env } from '../base/env/env.ts';
import type { Rng } from '../base/env/rng.ts';
import { createSeededRngSource } from '../base/env/seeded-rng.ts';
import type { CrashCause, Life } from './life.ts';
import { SimDisk } from './sim-disk.ts';
import { SimDiskState } from './sim-disk-state.ts';
import type { SimNet } from './sim-net.ts';
import { type ClockFault, SimClock, SimTimers } from './sim-time.ts';
import { NodeExit, type World } from './world.ts';

/** What runs on a node: a role's start function, or several. */
export type Program = (env: Env) => void;

export interface NodeOptions {
  readonly name: string;
  readonly clock: ClockFault;
  readonly program: Program;
  /** Time from an exit of the program itself to its restart. */
  readonly restartMs: number;
  /** The disk that it shares with other nodes: processes of one machine. @defaultValue its own */
  readonly diskState?: SimDiskState;
}

export class SimNode {
  readonly name: string;
  readonly world: World;
  readonly net: SimNet;
  readonly options: NodeOptions;
  readonly diskState: SimDiskState;
  readonly chance: Rng;
  incarnation: Incarnation | null = null;
  pausedUntilMs = 0;
  #incarnationCount = 0;

  constructor(world: World, net: SimNet, options: NodeOptions) {
    this.name = options.name;
    this.world = world;
    this.net = net;
    this.options = options;
    this.chance = world.stream(`node ${options.name}`);
    this.diskState = options.diskState ?? new SimDiskState(world.stream(`disk ${options.name}`));
  }

  get isUp(): boolean {
    return this.incarnation !== null;
  }

  start(): void {
    if (this.incarnation !== null) return;
    this.#incarnationCount++;
    this.world.note(this.name, 'start', String(this.#incarnationCount));
    this.incarnation = new Incarnation(this, this.#incarnationCount);
    this.options.program(this.incarnation.env);
  }

  /**
   * Ends the program now. A power cut leaves on the disk what was synced and, by chance, parts of
   * the rest; a killed process leaves all that it wrote, durable or not.
   */
  crash(reason: string, cause: CrashCause): void {
    if (this.incarnation === null) return;
    this.world.note(this.name, 'crash', reason);
    this.incarnation = null;
    this.pausedUntilMs = 0;
    if (cause === 'powerCut') this.diskState.crash();
    this.net.nodeCrashed(this.name);
  }

  /** Crashes, and starts again after `downMs`. */
  crashFor(downMs: number, reason: string, cause: CrashCause): void {
    this.crash(reason, cause);
    this.world.after(downMs, () => this.start());
  }

  pause(forMs: number): void {
    this.pausedUntilMs = Math.max(this.pausedUntilMs, this.world.nowMs + forMs);
  }

  /** Ends the program from inside; never returns to it. */
  exit(code: number): never {
    this.crashFor(this.options.restartMs, `exit ${code}`, 'killed');
    throw new NodeExit('the node is down');
  }
}

/** One life of a program, with the environment that it was given. */
export class Incarnation implements Life {
  readonly node: SimNode;
  readonly number: number;
  readonly env: Env;

  constructor(node: SimNode, number: number) {
    this.node = node;
    this.number = number;
    this.env = this.#makeEnv();
  }

  get world(): World {
    return this.node.world;
  }

  get nodeName(): string {
    return this.node.name;
  }

  get isAlive(): boolean {
    return this.node.incarnation === this;
  }

  get pausedUntilMs(): number {
    return this.node.pausedUntilMs;
  }

  crashFor(downMs: number, reason: string, cause: CrashCause): void {
    if (this.isAlive) this.node.crashFor(downMs, reason, cause);
  }

  after(trueMs: number, fire: () => void): () => void {
    let isCancelled = false;
    const attempt = (): void => {
      if (isCancelled || !this.isAlive) return;
      const pauseMs = this.node.pausedUntilMs - this.node.world.nowMs;
      if (pauseMs > 0) this.node.world.after(pauseMs, attempt);
      else fire();
    };
    const cancel = this.node.world.after(trueMs, attempt);
    return () => {
      isCancelled = true;
      cancel();
    };
  }

  #makeEnv(): Env {
    const { node, number } = this;
    const { world, options } = node;
    const rng = createSeededRngSource(node.chance.u32());
    const secrets = rng.stream('secrets');
    return {
      clock: new SimClock(world, options.clock, node.chance.float() * 1_000_000),
      timers: new SimTimers(this, options.clock, rng.stream('timer lateness')),
      rng,
      secrets: { hex: (byteCount) => hexOf(secrets, byteCount) },
      disk: new SimDisk(this, node.diskState, rng.stream('disk latency')),
      net: node.net.adapterOf(this),
      process: {
        exit: (code) => node.exit(code),
        onSignal: () => () => {},
        memory: () => ({ residentBytes: 0, residentPeakBytes: 0 }),
        processorTimes: () => ({ busyMs: 0, idleMs: 0 }),
        identity: `${node.name}_${number}`,
        hasEnded: (identity) => identity !== `${node.name}_${number}`,
        cores: 2,
      },
      observe: {
        event: (name, fields) => {
          if (this.isAlive)
            world.note(`${node.name}.${number}`, name, JSON.stringify(fields ?? {}));
        },
      },
      buggify: makeBuggify(rng.stream('buggify')),
    };
  }
}

/** A quarter of the points are on in a life; one that is on is taken one time in twenty. */
function makeBuggify(rng: Rng): (point: string) => boolean {
  const isOn = new Map<string, boolean>();
  return (point) => {
    if (!isOn.has(point)) isOn.set(point, rng.float() < 0.25);
    return isOn.get(point) === true && rng.float() < 0.05;
  };
}

function hexOf(rng: Rng, byteCount: number): string {
  let text = '';
  while (text.length < byteCount * 2) text += rng.u32().toString(16).padStart(8, '0');
  return text.slice(0, byteCount * 2);
}
