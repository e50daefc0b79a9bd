/**
 * One block on its way through this datanode: connections on both sides, the replica's writer, and the state machine between them.
 *
 *     upstream ══packets══▶ ┌ stepPipelineNode ┐ ══packets══▶ downstream
 *              ◀──acks───── │   effects ▼      │ ◀──acks─────
 *                           └── ReplicaWriter ─┘
 *
 * A frame that is forwarded is the frame that came: nothing is encoded again. What is under way is bounded by the client, which stops
 * sending when so much is not acknowledged; `pendingBytesMax` is for a client that does not.
 *
 * Before: dfs/datanode/pipeline/pipeline-node.ts. After: dfs/datanode/replicas/replica-writer.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { Env } from '../../../base/env/env.ts';
import type { Connection } from '../../../base/env/net.ts';
import { codeOf } from '../../../base/typed-error.ts';
import { type PipelineTimes, waitForNodesMs } from '../../transfer/pipeline-times.ts';
import { sendIfOpen } from '../../transfer/send-if-open.ts';
import {
  decodeFrame,
  encodeMessage,
  type Packet,
  type TransferMessage,
  type WriteMessage,
} from '../../transfer/transfer-frame.ts';
import type { Replica } from '../replicas/replica.ts';
import type { ReplicaStore } from '../replicas/replica-store.ts';
import type { ReplicaWriter } from '../replicas/replica-writer.ts';
import {
  newPipelineNode,
  type PipelineNodeEffect,
  type PipelineNodeEvent,
  type PipelineNodeState,
  stepPipelineNode,
} from './pipeline-node.ts';

export interface ReceiverOptions {
  readonly store: ReplicaStore;
  readonly checksum: Checksum;
  readonly times: PipelineTimes;
  /** A pipeline has begun to write it; it is finalized. */
  readonly onReceiving: (replica: Replica) => void;
  readonly onReceived: (replica: Replica) => void;
  /** @defaultValue the right one; tests put a wrong one in its place */
  readonly step?: typeof stepPipelineNode;
}

type ReceiverEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'observe'>;

const tickMs = 500;
const connectDeadlineMs = 3_000;
/** Four times what a client of ours has under way. */
const pendingBytesMax = 64 * 1024 * 1024;

/** Takes a block in; answers when this datanode has nothing more to do with it. */
export async function receiveBlock(
  env: ReceiverEnv,
  options: ReceiverOptions,
  upstream: Connection,
  message: WriteMessage,
): Promise<void> {
  await new BlockReceiver(env, options, upstream, message).run();
}

class BlockReceiver {
  readonly #env: ReceiverEnv;
  readonly #options: ReceiverOptions;
  readonly #upstream: Connection;
  readonly #message: WriteMessage;
  #downstream: Connection | null = null;
  #writer: ReplicaWriter | null = null;
  #state: PipelineNodeState;
  #isUpstreamOpen = true;
  #pendingBytes = 0;
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;

  constructor(
    env: ReceiverEnv,
    options: ReceiverOptions,
    upstream: Connection,
    message: WriteMessage,
  ) {
    this.#env = env;
    this.#options = options;
    this.#upstream = upstream;
    this.#message = message;
    this.#state = newPipelineNode(message.firstSequence, message.targets.length);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async run(): Promise<void> {
    this.#upstream.onClose(() => this.#onUpstreamClosed());
    const isSetUp = await this.#setUp();
    if (!isSetUp) return await this.#leave();
    const cancel = this.#env.timers.every(tickMs, () =>
      this.#dispatch({ kind: 'tick', nowMs: this.#env.clock.mono() }),
    );
    this.#upstream.onFrame((frame) => this.#onUpstreamFrame(frame));
    if (!this.#isUpstreamOpen) this.#dispatch({ kind: 'upstreamClosed' });
    await this.#ended;
    cancel();
    await this.#leave();
  }

  /** Opens the replica, then the pipeline behind. */
  async #setUp(): Promise<boolean> {
    try {
      this.#writer = await this.#openWriter();
    } catch (error) {
      this.#tellUpstream({ kind: 'failed', index: 0, reason: reasonOf(error) });
      return false;
    }
    if (this.#message.mode !== 'copy') this.#options.onReceiving(this.#writer.replica);
    const failure = await this.#setUpDownstream();
    if (failure !== null) {
      this.#tellUpstream(failure);
      return false;
    }
    const { lengthBytes, chunkBytes, tailChecksum } = this.#writer.replica;
    this.#tellUpstream({ kind: 'ready', lengthBytes, chunkBytes, tailChecksum });
    return true;
  }

  #openWriter(): Promise<ReplicaWriter> {
    const { block, mode, generationStamp, chunkBytes, reserveBytes } = this.#message;
    const { store } = this.#options;
    if (mode === 'reopen') return store.reopen(block, generationStamp);
    const { blockId } = block;
    const isTemporary = mode === 'copy';
    return store.create({ blockId, generationStamp, chunkBytes, reserveBytes, isTemporary });
  }

  /** @returns What went wrong, as upstream is told. */
  async #setUpDownstream(): Promise<TransferMessage | null> {
    const [next, ...targets] = this.#message.targets;
    if (next === undefined) return null;
    const { net, timers } = this.#env;
    let connection: Connection;
    try {
      connection = await net.connect(next, connectDeadlineMs);
    } catch (error) {
      return { kind: 'failed', index: 1, reason: reasonOf(error) };
    }
    this.#downstream = connection;
    return await new Promise((resolve) => {
      const limitMs = waitForNodesMs(this.#options.times, targets.length);
      const fail = (index: number, reason: string) => {
        resolve({ kind: 'failed', index, reason });
      };
      const cancel = timers.after(limitMs, () => fail(1, `it was silent for ${limitMs} ms`));
      let isReady = false;
      connection.onClose(() => {
        cancel();
        if (isReady) this.#dispatch({ kind: 'downstreamClosed' });
        else fail(1, 'the connection to it was lost');
      });
      connection.onFrame((frame) => {
        const answer = decodeFrame(this.#options.checksum, frame);
        if (isReady) {
          this.#onDownstreamAnswer(answer);
          return;
        }
        cancel();
        if (answer?.kind === 'failed') {
          fail(answer.index + 1, answer.reason);
          return;
        }
        if (answer?.kind !== 'ready') {
          fail(1, 'its answer was damaged');
          return;
        }
        isReady = true;
        resolve(null);
      });
      connection.send(encodeMessage(this.#options.checksum, { ...this.#message, targets }));
    });
  }

  #onUpstreamFrame(frame: Uint8Array): void {
    const packet = decodeFrame(this.#options.checksum, frame);
    if (packet?.kind !== 'packet') {
      this.#dispatch({ kind: 'writeFailed', reason: 'a frame was damaged' });
      return;
    }
    this.#pendingBytes += packet.bytes.length;
    if (this.#pendingBytes > pendingBytesMax) {
      this.#dispatch({ kind: 'writeFailed', reason: 'more was sent than may be under way' });
      return;
    }
    const { sequence, startBytes, bytes, isLast } = packet;
    const facts = { sequence, endBytes: startBytes + bytes.length, isLast };
    const event = { kind: 'packet', packet: facts, nowMs: this.#env.clock.mono() } as const;
    this.#dispatch(event, { packet, frame });
  }

  #onDownstreamAnswer(answer: TransferMessage | Packet | null): void {
    if (answer?.kind === 'ack') {
      this.#dispatch({ kind: 'downstreamAck', sequence: answer.sequence });
      return;
    }
    const { index, reason } =
      answer?.kind === 'failed' ? answer : { index: 0, reason: 'its answer was damaged' };
    this.#dispatch({ kind: 'downstreamFailed', index, reason });
  }

  #onUpstreamClosed(): void {
    this.#isUpstreamOpen = false;
    this.#dispatch({ kind: 'upstreamClosed' });
  }

  #dispatch(
    event: PipelineNodeEvent,
    came?: { readonly packet: Packet; readonly frame: Uint8Array },
  ): void {
    const step = this.#options.step ?? stepPipelineNode;
    const { state, effects } = step(this.#state, event, this.#options.times);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect, came);
    if (state.kind === 'ended') this.#end();
  }

  #carryOut(
    effect: PipelineNodeEffect,
    came?: { readonly packet: Packet; readonly frame: Uint8Array },
  ): void {
    switch (effect.kind) {
      case 'forward':
        if (came !== undefined && this.#downstream !== null)
          sendIfOpen(this.#downstream, came.frame);
        return;
      case 'write':
        if (came !== undefined) this.#write(came.packet);
        return;
      case 'show':
        if (this.#writer !== null) {
          const { replica } = this.#writer;
          replica.visibleBytes = Math.max(replica.visibleBytes, effect.endBytes);
        }
        return;
      case 'ack':
        this.#tellUpstream({ kind: 'ack', sequence: effect.sequence });
        return;
      case 'fail':
        this.#tellUpstream({ kind: 'failed', index: effect.index, reason: effect.reason });
        return;
      case 'closeDownstream':
        this.#downstream?.close();
        this.#downstream = null;
        return;
      case 'stop':
        return; // `run` stops the writer, and waits for it.
    }
  }

  #write({ sequence, startBytes, bytes, sums, isSync, isLast }: Packet): void {
    const writer = this.#writer;
    if (writer === null) return;
    const work = [writer.append(bytes, startBytes, sums)];
    if (isSync && !isLast) work.push(writer.sync());
    if (isLast) work.push(writer.finalize());
    Promise.all(work).then(
      () => {
        this.#pendingBytes -= bytes.length;
        if (isLast) this.#options.onReceived(writer.replica);
        this.#dispatch({ kind: 'written', sequence });
      },
      (error: unknown) => this.#dispatch({ kind: 'writeFailed', reason: reasonOf(error) }),
    );
  }

  #tellUpstream(message: TransferMessage): void {
    const frame = encodeMessage(this.#options.checksum, message);
    if (this.#isUpstreamOpen) sendIfOpen(this.#upstream, frame);
  }

  async #leave(): Promise<void> {
    this.#downstream?.close();
    this.#upstream.close();
    const writer = this.#writer;
    if (writer !== null && writer.replica.writer === writer) await writer.stop();
  }
}

function reasonOf(error: unknown): string {
  return codeOf(error) ?? String(error);
}
