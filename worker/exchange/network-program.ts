/**
 * What the network thread of a process does: carries slots between the rings of tasks here and those of tasks in other processes.
 *
 *     rung by slots ─▶ look at all rings: send what is new, tell what has been read
 *     bytes, room   ─▶ the connection that they belong to, at once
 *
 * It computes nothing and waits for nobody; slot threads notice it only as the other end of a ring.
 * Before: worker/exchange/exchange-receiver.ts. After: engine/memory/ring.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { ByteNet } from '../../base/env/byte-net.ts';
import type { Clock } from '../../base/env/clock.ts';
import type { Address, Listener } from '../../base/env/net.ts';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import type { Timers } from '../../base/env/timers.ts';
import type { TypedError } from '../../base/typed-error.ts';
import { ExchangeReceiver } from './exchange-receiver.ts';
import { ExchangeSender } from './exchange-sender.ts';
import type { ExchangeJob } from './greeting.ts';
import type { RemoteChannel } from './remote-channel.ts';

/** Longer than a supervisor takes to see that a worker is gone. */
const giveUpMsDefault = 30_000;
const pingIntervalMs = 2_000;

export interface NetworkProgramOptions {
  readonly net: ByteNet;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly checksum: Checksum;
  /** This thread's own. */
  readonly bell: Doorbell;
  readonly bellOf: (index: number) => Doorbell;
  readonly yieldToEvents: () => Promise<void>;
  /** This process, by a name that no other has. */
  readonly name: string;
  /** Channels bring nothing more, and why. */
  readonly lost: (keys: readonly string[], error: TypedError) => void;
  /** A connection was ended for what came over it. */
  readonly refused: (remote: string, reason: string) => void;
  /** How long a receiver tries to reach a sender. @defaultValue 30 s */
  readonly giveUpMs?: number;
}

/** What a task here reads, and where the task is that writes it. */
export interface IncomingChannel extends RemoteChannel {
  readonly address: Address;
}

export class NetworkProgram {
  readonly #options: NetworkProgramOptions;
  readonly #sender: ExchangeSender;
  readonly #receivers = new Map<Address, ExchangeReceiver>();
  #listener: Listener | null = null;
  #job: ExchangeJob | null = null;
  #isStopped = false;

  constructor(options: NetworkProgramOptions) {
    this.#options = options;
    const { checksum, bellOf, refused } = options;
    this.#sender = new ExchangeSender({
      ...{ checksum, refused },
      wake: (bell) => bellOf(bell).ring(),
    });
  }

  /** Answers with the address that it got. */
  async listen(address: Address): Promise<Address> {
    this.#listener = await this.#options.net.listen(address, (connection) => {
      return this.#sender.accept(connection);
    });
    return this.#listener.address;
  }

  /** Channels of other attempts are gone. */
  begin(job: ExchangeJob | null): void {
    this.#job = job;
    this.#sender.begin(job);
    for (const receiver of this.#receivers.values()) receiver.close();
    this.#receivers.clear();
  }

  open(outgoing: readonly RemoteChannel[], incoming: readonly IncomingChannel[]): void {
    for (const channel of outgoing) this.#sender.offer(channel);
    for (const channel of incoming) this.#receiverOf(channel.address).add(channel);
    this.#options.bell.ring();
  }

  closeChannels(keys: readonly string[]): void {
    for (const key of keys) {
      this.#sender.withdraw(key);
      for (const receiver of this.#receivers.values()) receiver.remove(key);
    }
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const { bell, yieldToEvents, timers } = this.#options;
    const cancelPings = timers.every(pingIntervalMs, () => {
      this.#sender.ping();
      for (const receiver of this.#receivers.values()) receiver.checkSilence();
    });
    while (!this.#isStopped) {
      const seen = bell.count();
      const hasMore = this.#sender.pump();
      for (const receiver of this.#receivers.values()) receiver.pump();
      if (!hasMore) await bell.wait(seen);
      await yieldToEvents();
    }
    cancelPings();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.begin(null);
    this.#options.bell.ring();
    await this.#listener?.close();
  }

  #receiverOf(address: Address): ExchangeReceiver {
    const known = this.#receivers.get(address);
    if (known !== undefined) return known;
    const { net, clock, timers, checksum, name, bellOf, lost } = this.#options;
    const made = new ExchangeReceiver({
      ...{ net, clock, timers, checksum, name, address },
      giveUpMs: this.#options.giveUpMs ?? giveUpMsDefault,
      job: this.#job ?? { jobId: '', epoch: 0 },
      wake: (bell) => bellOf(bell).ring(),
      lost: (keys, error) => {
        this.#receivers.delete(address);
        lost(keys, error);
      },
    });
    this.#receivers.set(address, made);
    return made;
  }
}
