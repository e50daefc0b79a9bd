/**
 * The simulated network: hosts are nodes, addresses are `node:port`. Frames of one connection keep
 * their order, as on TCP; frames of different connections overtake each other freely.
 *
 * What can go wrong, all driven by the fault schedule: a cut (one-way or both ways) holds frames
 * until it heals, so that very late messages arrive, and refuses new connections; a connection
 * breaks, and what was under way is lost; a node dies, and its peers notice soon or late.
 */
import { assert } from '../base/assert.ts';
import type { Address, Connection, Net } from '../base/env/net.ts';
import { addressInUseError, unreachableError } from '../base/env/net-error.ts';
import type { Rng } from '../base/env/rng.ts';
import type { Life } from './life.ts';
import { type ConnectionNet, SimConnection } from './sim-connection.ts';
import type { World } from './world.ts';

interface Cut {
  readonly from: ReadonlySet<string>;
  readonly to: ReadonlySet<string>;
  readonly untilMs: number;
}

interface ListenerEntry {
  readonly life: Life;
  readonly accept: (connection: Connection) => void;
}

export class SimNet implements ConnectionNet {
  readonly world: World;
  readonly chance: Rng;
  /** Chance that sending a frame breaks its connection. */
  breakChance = 0;
  /** Added to the latency of every frame, up to this. */
  extraLatencyMs = 0;
  readonly #connections = new Set<SimConnection>();
  readonly #listeners = new Map<Address, ListenerEntry>();
  #cuts: Cut[] = [];

  constructor(world: World) {
    this.world = world;
    this.chance = world.stream('net');
  }

  /** Stops all that is sent from any of `from` to any of `to`, for a while. */
  cut(from: readonly string[], to: readonly string[], forMs: number): void {
    const untilMs = this.world.nowMs + forMs;
    this.#cuts = this.#cuts.filter((cut) => cut.untilMs > this.world.nowMs);
    this.#cuts.push({ from: new Set(from), to: new Set(to), untilMs });
  }

  /** When the way is free again; 0 when it is free now. */
  cutUntilMs(from: string, to: string): number {
    let untilMs = 0;
    for (const cut of this.#cuts) {
      const isCut = cut.untilMs > this.world.nowMs && cut.from.has(from) && cut.to.has(to);
      if (isCut) untilMs = Math.max(untilMs, cut.untilMs);
    }
    return untilMs;
  }

  /** Most frames take 0.2 to 2 ms; one in fifty takes up to 100. */
  latencyMs(): number {
    const isSlow = this.chance.float() < 0.02;
    const ownMs = isSlow ? this.chance.float() * 100 : 0.2 + this.chance.float() * 1.8;
    return ownMs + this.chance.float() * this.extraLatencyMs;
  }

  breakConnectionsOf(node: string): void {
    for (const connection of this.#connections) {
      if (connection.nodeName === node) connection.breakPair();
    }
  }

  nodeCrashed(node: string): void {
    for (const [address, { life }] of this.#listeners) {
      if (life.nodeName === node) this.#listeners.delete(address);
    }
    for (const connection of this.#connections) {
      if (connection.nodeName === node) connection.ownerDied();
    }
  }

  forget(connection: SimConnection): void {
    this.#connections.delete(connection);
  }

  adapterOf(life: Life): Net {
    return {
      listen: async (address, accept) => {
        assert(hostOf(address) === life.nodeName, 'a node listens at its own name');
        if (this.#listeners.has(address)) throw addressInUseError(address);
        this.#listeners.set(address, { life, accept });
        const close = async (): Promise<void> => {
          this.#listeners.delete(address);
        };
        return { address, close };
      },
      connect: (address, deadlineMs) => this.#connect(life, address, deadlineMs),
    };
  }

  #connect(caller: Life, address: Address, deadlineMs: number): Promise<Connection> {
    const from = caller.nodeName;
    const to = hostOf(address);
    return new Promise((resolve, reject) => {
      const fail = (afterMs: number, reason: string): void => {
        caller.after(afterMs, () => reject(unreachableError(address, reason)));
      };
      const outMs = this.latencyMs();
      this.world.after(outMs, () => {
        const isCut = this.cutUntilMs(from, to) > 0 || this.cutUntilMs(to, from) > 0;
        if (isCut) return fail(deadlineMs - outMs, `no answer within ${deadlineMs} ms`);
        const entry = this.#listeners.get(address);
        if (!entry?.life.isAlive) return fail(this.latencyMs(), 'nobody listens there');
        const near = new SimConnection(this, caller, address);
        const far = new SimConnection(this, entry.life, `${from}:0`);
        near.join(far);
        far.join(near);
        this.#connections.add(near).add(far);
        if (!caller.isAlive) near.ownerDied();
        entry.life.after(0, () => entry.accept(far));
        caller.after(this.latencyMs(), () => resolve(near));
      });
    });
  }
}

function hostOf(address: Address): string {
  return address.slice(0, address.lastIndexOf(':'));
}
