/**
 * Two processes' network programs in one thread, with rings whose other ends the test writes and reads, and a net in between that
 * can cut, damage and count what passes.
 */
import type { ByteConnection, ByteHandlers, ByteNet } from '../../../base/env/byte-net.ts';
import { createDoorbell } from '../../../base/env/doorbell.ts';
import { loadChecksum } from '../../../base/env/fast-checksum.ts';
import type { Address } from '../../../base/env/net.ts';
import { createRealClock } from '../../../base/env/real-clock.ts';
import { createRealTimers } from '../../../base/env/real-timers.ts';
import { RingReader, RingWriter, ringBytes } from '../../../engine/memory/ring.ts';
import {
  NetworkProgram,
  type NetworkProgramOptions,
} from '../../../worker/exchange/network-program.ts';
import { receivingSlots } from '../../../worker/exchange/remote-channel.ts';

export const slotCount = 4;
export const slotBytes = 4096;

export interface Ends {
  readonly writer: RingWriter;
  readonly reader: RingReader;
}

export type ProgramOptions = Partial<NetworkProgramOptions> & Pick<NetworkProgramOptions, 'net'>;

export class ExchangeScene {
  readonly sender: NetworkProgram;
  readonly receiver: NetworkProgram;
  readonly lost: { readonly keys: readonly string[]; readonly code: string }[] = [];
  readonly refused: string[] = [];
  address: Address = '';
  readonly #bells = new Int32Array(new SharedArrayBuffer(8));
  readonly #runs: Promise<void>[] = [];

  constructor(sender: ProgramOptions, receiver: ProgramOptions) {
    this.sender = this.#program(0, sender);
    this.receiver = this.#program(1, receiver);
  }

  async start(address: Address, epochs = { sender: 1, receiver: 1 }): Promise<void> {
    this.sender.begin({ jobId: 'job', epoch: epochs.sender });
    this.receiver.begin({ jobId: 'job', epoch: epochs.receiver });
    this.address = await this.sender.listen(address);
    this.#runs.push(this.sender.run(), this.receiver.run());
  }

  open(key: string): Ends {
    const near = ringOf(slotCount);
    const far = ringOf(receivingSlots(slotCount));
    this.sender.open([{ key, ring: near, bell: 0 }], []);
    this.receiver.open([], [{ key, ring: far, bell: 1, address: this.address }]);
    return {
      writer: new RingWriter(near, () => this.#bell(0).ring()),
      reader: new RingReader(far, () => this.#bell(1).ring()),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.sender.stop(), this.receiver.stop()]);
    await Promise.all(this.#runs);
  }

  #bell(index: number) {
    return createDoorbell(this.#bells, index);
  }

  #program(index: number, options: ProgramOptions): NetworkProgram {
    return new NetworkProgram({
      clock: createRealClock(),
      timers: createRealTimers(),
      checksum: loadChecksum(),
      bell: this.#bell(index),
      bellOf: () => ({ ...this.#bell(index), ring: () => undefined }),
      yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
      name: index === 0 ? 'sender' : 'receiver',
      lost: (keys, error) => this.lost.push({ keys, code: error.info.code }),
      refused: (_, reason) => this.refused.push(reason),
      giveUpMs: 5_000,
      ...options,
    });
  }
}

function ringOf(slots: number) {
  const buffer = new SharedArrayBuffer(ringBytes(slots, slotBytes));
  return { buffer, slotCount: slots, slotBytes };
}

/** Writes what fits and reads what is there, until all have ended; what came, by channel: numbers of messages and notes. */
export async function passAll(
  channels: readonly Ends[],
  messages: readonly (readonly Uint8Array[])[],
  deadlineMs = 10_000,
): Promise<number[][]> {
  const came = channels.map((): number[] => []);
  const sent = channels.map(() => 0);
  const reads = channels.map(({ reader }, index) => readerInto(reader, came[index] ?? []));
  const open = new Set(channels.keys());
  for (const endsAt = Date.now() + deadlineMs; open.size > 0 && Date.now() < endsAt; ) {
    channels.forEach(({ writer }, index) => {
      const list = messages[index] ?? [];
      const at = sent[index] ?? 0;
      const message = list[at];
      if (at > list.length || (message !== undefined && !writer.tryWrite(message))) return;
      if (message === undefined) writer.end();
      else if (at % 16 === 0) writer.note([at, 0, 0]);
      sent[index] = at + 1;
    });
    for (const index of open) {
      const outcome = reads[index]?.() ?? 'ended';
      if (outcome === 'ended' || outcome === 'failed') open.delete(index);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (open.size > 0)
    throw new Error(
      `channels ${[...open]} do not end; of them came ${came.map((one) => one.length)}`,
    );
  return came;
}

/** Reads one message at a time, which may come in parts: as its number, where its bytes are right, else as -1. */
function readerInto(reader: RingReader, came: number[]) {
  let target = new Uint8Array(0);
  return () => {
    const outcome = reader.tryRead((sizeBytes) => {
      target = new Uint8Array(sizeBytes);
      return target;
    });
    if (outcome === 'message') came.push(numberOf(target));
    return outcome;
  };
}

/** A message that says its number and has bytes that follow from it. */
export function messageOf(number: number, sizeBytes: number): Uint8Array {
  const bytes = Uint8Array.from(
    { length: Math.max(4, sizeBytes) },
    (_, at) => (number * 31 + at) & 255,
  );
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}

function numberOf(bytes: Uint8Array): number {
  const number = new DataView(bytes.buffer).getUint32(0, true);
  const right = messageOf(number, bytes.length);
  return bytes.every((byte, at) => byte === right[at]) ? number : -1;
}

export interface Fault {
  /**
   * Looks at bytes on their way to the receiver. `cut` ends the connection in front of them; with `leave` the sender does not hear of
   * that; `lose` drops the bytes.
   */
  readonly toReceiver: (
    bytes: Uint8Array,
    connection: number,
  ) => Uint8Array | 'cut' | 'leave' | 'lose';
  /** Changes pieces on their way to the sender. */
  readonly toSender?: (pieces: readonly Uint8Array[], connection: number) => readonly Uint8Array[];
}

/** A net that does something to what the receiver gets. */
export function faultyNet(net: ByteNet, fault: Fault): ByteNet {
  let connections = 0;
  return {
    listen: (address, accept) => net.listen(address, accept),
    async connect(address, deadlineMs, handlers) {
      const number = ++connections;
      let connection: ByteConnection | null = null;
      let isLeft = false;
      const watched: ByteHandlers = {
        onDrain: () => handlers.onDrain(),
        onClose: (error) => {
          if (!isLeft) handlers.onClose(error);
        },
        onBytes: (bytes) => {
          const passed = isLeft ? 'lose' : fault.toReceiver(bytes, number);
          if (passed === 'lose') return;
          if (typeof passed !== 'string') return handlers.onBytes(passed);
          if (passed === 'cut') connection?.close();
          isLeft = passed === 'leave';
          handlers.onClose(new Error('cut by the test'));
        },
      };
      const real = await net.connect(address, deadlineMs, watched);
      connection = real;
      const { toSender = (pieces: readonly Uint8Array[]) => pieces } = fault;
      return {
        remote: real.remote,
        write: (pieces) => real.write(toSender(pieces, number)),
        close: () => {
          if (!isLeft) real.close();
        },
      };
    },
  };
}
