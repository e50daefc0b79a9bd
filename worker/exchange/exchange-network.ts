/**
 * The network of a process as its executor sees it: opens channels to tasks elsewhere, and tells when one brings nothing more. The
 * program behind it runs in a thread of its own (worker/threads/thread-network.ts), or here where roles share a thread.
 *
 * Before: worker/remote-ends.ts. After: worker/exchange/network-program.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { ByteNet } from '../../base/env/byte-net.ts';
import type { Env } from '../../base/env/env.ts';
import type { Address } from '../../base/env/net.ts';
import type { Doorbell } from '../../base/env/slot-runner.ts';
import { toWire, type WireError } from '../../base/typed-error.ts';
import type { ExchangeJob } from './greeting.ts';
import { type IncomingChannel, NetworkProgram } from './network-program.ts';
import type { RemoteChannel } from './remote-channel.ts';

export type LostHandler = (keys: readonly string[], error: WireError) => void;

export interface ExchangeNetwork {
  /** Where others find the channels that tasks here write. */
  readonly address: Address;
  /** Index of its doorbell among those of the slots. */
  readonly bell: number;
  /** Channels of other attempts are gone; null: of all. */
  begin(job: ExchangeJob | null): void;
  open(outgoing: readonly RemoteChannel[], incoming: readonly IncomingChannel[]): void;
  closeChannels(keys: readonly string[]): void;
  /** From now on this handler hears of channels that bring nothing more, and no other. */
  onLost(handler: LostHandler): void;
  stop(): Promise<void>;
}

export interface InlineNetworkOptions {
  readonly net: ByteNet;
  readonly checksum: Checksum;
  readonly address: Address;
  /** This process, by a name that no other has. */
  readonly name: string;
  readonly bell: number;
  readonly bellOf: (index: number) => Doorbell;
  readonly yieldToEvents: () => Promise<void>;
}

/** Runs the program in this thread. */
export async function startInlineNetwork(
  env: Pick<Env, 'clock' | 'timers' | 'observe'>,
  { address, bell, ...options }: InlineNetworkOptions,
): Promise<ExchangeNetwork> {
  let lost: LostHandler = () => undefined;
  const program = new NetworkProgram({
    ...options,
    ...{ clock: env.clock, timers: env.timers, bell: options.bellOf(bell) },
    lost: (keys, error) => lost(keys, toWire(error)),
    refused: (remote, reason) => env.observe.event('exchange.refused', { remote, reason }),
  });
  const listening = await program.listen(address);
  const ended = program.run();
  return {
    ...{ address: listening, bell },
    begin: (job) => program.begin(job),
    open: (outgoing, incoming) => program.open(outgoing, incoming),
    closeChannels: (keys) => program.closeChannels(keys),
    onLost: (handler) => {
      lost = handler;
    },
    stop: async () => {
      await program.stop();
      await ended;
    },
  };
}
