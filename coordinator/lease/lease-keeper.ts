/**
 * Keeps the leader lease of one coordinator: carries out what the step function decides, with the
 * clock and timers of its environment and a register. Holds no rule of its own.
 *
 * Before: coordinator/lease/leader-lease.ts. After: coordinator/lease/file-register.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { CancelTimer } from '../../base/env/timers.ts';
import {
  initialLeaseState,
  isLeading,
  type LeaseConfig,
  type LeaseEffect,
  type LeaseEvent,
  type LeaseLoss,
  type LeaseState,
  stepLease,
  wakeAtOf,
} from './leader-lease.ts';
import type { LeaseRegister, SwapOutcome } from './lease-register.ts';

export interface LeaseKeeperOptions {
  readonly register: LeaseRegister;
  /** Name of this node, for people. */
  readonly nodeId: string;
  /** How long a lease lasts without renewal. @defaultValue 10,000 */
  readonly durationMs?: number;
  /** Largest rate error of any clock in the cluster. @defaultValue 0.01 */
  readonly driftMax?: number;
  /** Called after leadership was gained. */
  readonly onGained?: (token: number) => void;
  /** Called after leadership was lost; `isLeader` may have been false for a moment already. */
  readonly onLost?: (token: number, reason: LeaseLoss) => void;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepLease */
  readonly step?: typeof stepLease;
}

export interface LeaseKeeper {
  /** True while this node may act as the leader; asks the clock each time. */
  isLeader(): boolean;
  /** The fencing token to send with every write; 0 when this node does not lead. */
  token(): number;
  /** Gives the lease back, if held, and ends. */
  stop(): void;
}

type KeeperEnv = Pick<Env, 'clock' | 'timers' | 'secrets' | 'observe'>;
type EventBody = LeaseEvent extends infer E
  ? E extends unknown
    ? Omit<E, 'nowMs'>
    : never
  : never;

export function startLeaseKeeper(env: KeeperEnv, options: LeaseKeeperOptions): LeaseKeeper {
  const keeper = new Keeper(env, options);
  keeper.start();
  return keeper;
}

class Keeper implements LeaseKeeper {
  readonly #env: KeeperEnv;
  readonly #options: LeaseKeeperOptions;
  readonly #config: LeaseConfig;
  #state: LeaseState = initialLeaseState;
  #cancelWake: CancelTimer = () => {};

  constructor(env: KeeperEnv, options: LeaseKeeperOptions) {
    const { nodeId, durationMs = 10_000, driftMax = 0.01 } = options;
    this.#env = env;
    this.#options = options;
    this.#config = {
      nodeId,
      instance: env.secrets.hex(8),
      durationMs,
      driftMax,
      renewMs: durationMs / 4, // Three renewals may fail before the lease is lost.
      pollMs: durationMs / 8,
    };
  }

  start(): void {
    this.#take({ kind: 'wake' });
  }

  isLeader(): boolean {
    return isLeading(this.#state, this.#env.clock.mono());
  }

  token(): number {
    return this.#state.kind === 'leader' && this.isLeader() ? this.#state.record.token : 0;
  }

  stop(): void {
    this.#take({ kind: 'stop' });
  }

  #take(body: EventBody): void {
    const event = { ...body, nowMs: this.#env.clock.mono() } as LeaseEvent;
    const { step = stepLease } = this.#options;
    const { state, effects } = step(this.#state, event, this.#config);
    this.#state = state;
    this.#armWake();
    for (const effect of effects) this.#carryOut(effect);
  }

  #armWake(): void {
    this.#cancelWake();
    const atMs = wakeAtOf(this.#state);
    if (atMs === Number.POSITIVE_INFINITY) {
      this.#cancelWake = () => {};
      return;
    }
    const delayMs = Math.max(0, atMs - this.#env.clock.mono());
    this.#cancelWake = this.#env.timers.after(delayMs, () => this.#take({ kind: 'wake' }));
  }

  #carryOut(effect: LeaseEffect): void {
    switch (effect.kind) {
      case 'read':
        void this.#read(effect.operation);
        return;
      case 'write':
        void this.#write(effect);
        return;
      case 'gained':
        this.#env.observe.event('lease.gained', { token: effect.token });
        this.#options.onGained?.(effect.token);
        return;
      case 'lost':
        this.#env.observe.event('lease.lost', { token: effect.token, reason: effect.reason });
        this.#options.onLost?.(effect.token, effect.reason);
        return;
    }
  }

  async #read(operation: number): Promise<void> {
    let body: EventBody;
    try {
      body = { kind: 'readDone', operation, snapshot: await this.#options.register.read() };
    } catch (error) {
      this.#env.observe.event('lease.read-failed', { error: String(error) });
      body = { kind: 'readFailed', operation };
    }
    this.#take(body);
  }

  async #write(effect: LeaseEffect & { kind: 'write' }): Promise<void> {
    const { operation, expectedVersion, record } = effect;
    const outcome = await this.#options.register.compareAndSwap(expectedVersion, record);
    this.#take(eventOf(outcome, operation));
  }
}

function eventOf(outcome: SwapOutcome, operation: number): EventBody {
  switch (outcome.kind) {
    case 'ok':
      return { kind: 'written', operation, version: outcome.version };
    case 'conflict':
      return { kind: 'conflict', operation };
    case 'failed':
      return { kind: 'writeFailed', operation };
    case 'unknown':
      return { kind: 'writeUnknown', operation };
  }
}
