/**
 * Writing one block: bytes become packets, packets go through a pipeline, and what was asked for is answered when it is so on every node.
 *
 *     write ──▶ packet of `packetBytes`, with checksums ──▶ stepPipelineClient ──▶ connection to the first node
 *     flush: it is on every node's system     sync: on every node's disk     close: complete there
 *
 * What is not acknowledged is kept here, for a pipeline that is set up anew gets it again; `windowBytes` is the most of it, and
 * `write` waits above that.
 *
 * Before: dfs/client/pipeline-client.ts. After: dfs/datanode/pipeline/block-receiver.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Checksum } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import type { Connection } from '../../base/env/net.ts';
import { codeOf, TypedError, typedError } from '../../base/typed-error.ts';
import type { ExtendedBlock } from '../protocol/block.ts';
import { checksumsOf } from '../transfer/chunk-checksums.ts';
import type { PipelineTimes } from '../transfer/pipeline-times.ts';
import { sendIfOpen } from '../transfer/send-if-open.ts';
import {
  decodeFrame,
  encodeMessage,
  encodePacket,
  type Packet,
  packetBytesMax,
} from '../transfer/transfer-frame.ts';
import {
  newPipelineClient,
  type PipelineClientEffect,
  type PipelineClientEvent,
  type PipelineClientState,
  type PipelineClientStep,
  stepPipelineClient,
} from './pipeline-client.ts';

/** What a writer asks of the namenode in the middle of a block. Calls may be repeated. */
export interface PipelineNamenode {
  /** updateBlockForPipeline: a stamp that nobody has had. */
  renew(): Promise<number>;
  /** updatePipeline: the block is on these nodes now, with that stamp, and at least that length. */
  update(generationStamp: number, nodes: readonly string[], ackedBytes: number): Promise<void>;
}

export interface BlockOutputOptions {
  readonly block: ExtendedBlock;
  readonly isAppend: boolean;
  /** Transfer addresses, in the order of the pipeline. */
  readonly nodes: readonly string[];
  readonly namenode: PipelineNamenode;
  readonly checksum: Checksum;
  readonly chunkBytes: number;
  readonly packetBytes: number;
  readonly windowBytes: number;
  readonly reserveBytes: number;
  readonly token: string;
  readonly times: PipelineTimes;
  /** @defaultValue the right one; tests put a wrong one in its place */
  readonly step?: typeof stepPipelineClient;
}

type OutputEnv = Pick<Env, 'clock' | 'timers' | 'net' | 'observe'>;

const tickMs = 500;
const connectDeadlineMs = 3_000;
/** Between two tries to reach the namenode. */
const namenodeRetryMs = 400;
/** A pipeline that the namenode can't be told of for so long is given up. */
const namenodePatienceMs = 60_000;

interface Waiter {
  readonly sequence: number;
  resolve(): void;
  reject(error: unknown): void;
}

export class BlockOutput {
  readonly #env: OutputEnv;
  readonly #options: BlockOutputOptions;
  #state: PipelineClientState;
  #connection: Connection | null = null;
  /** Not acknowledged yet, by sequence. */
  readonly #packets = new Map<number, Packet>();
  #unackedBytes = 0;
  #lastSequence = 0;
  /** Not yet in a packet. */
  #pending: Uint8Array;
  #pendingBytes = 0;
  #endBytes: number;
  /** Of the last chunk, up to `#endBytes` less what is pending. */
  #tailChecksum = 0;
  readonly #waiters: Waiter[] = [];
  #onRoom: (() => void)[] = [];
  readonly #cancelTick: () => void;
  readonly #begun: Promise<void>;
  #begin: () => void = () => undefined;

  constructor(env: OutputEnv, options: BlockOutputOptions) {
    this.#env = env;
    this.#options = options;
    const { block, isAppend, nodes, packetBytes, chunkBytes } = options;
    const isPacketSize = packetBytes % chunkBytes === 0 && packetBytes <= packetBytesMax;
    assert(isPacketSize, 'a packet has whole chunks, and fits into a frame');
    this.#pending = new Uint8Array(packetBytes);
    this.#endBytes = block.lengthBytes;
    this.#begun = new Promise((resolve) => {
      this.#begin = resolve;
    });
    const { generationStamp, lengthBytes } = block;
    const nowMs = env.clock.mono();
    const first = newPipelineClient({ nodes, generationStamp, lengthBytes, isAppend, nowMs });
    this.#state = first.state;
    this.#cancelTick = env.timers.every(tickMs, () =>
      this.#dispatch({ kind: 'tick', nowMs: env.clock.mono() }),
    );
    this.#take(first);
  }

  /** Nodes of the pipeline, the stamp that they have, those that were left out. */
  get state(): PipelineClientState {
    return this.#state;
  }

  /** Of the block, with what was written and may not be acknowledged yet. */
  get lengthBytes(): number {
    return this.#endBytes + this.#pendingBytes;
  }

  /** Settles when the first pipeline is set up, or when it can't be. @throws DFS_PIPELINE_ABANDONED, DFS_PIPELINE_LOST */
  async begin(): Promise<void> {
    await this.#begun;
    this.#checkGoesOn();
  }

  /** Takes bytes in; answers when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      while (this.#unackedBytes >= this.#options.windowBytes) {
        this.#checkGoesOn();
        await new Promise<void>((resolve) => this.#onRoom.push(resolve));
      }
      this.#checkGoesOn();
      const take = Math.min(bytes.length - from, this.#roomInPacket());
      this.#pending.set(bytes.subarray(from, from + take), this.#pendingBytes);
      this.#pendingBytes += take;
      from += take;
      if (this.#roomInPacket() === 0) this.#cutPacket(false, false);
    }
  }

  /** Answers when all that was written is on every node, and can be read there (hflush). */
  async flush(): Promise<void> {
    if (this.#pendingBytes > 0) this.#cutPacket(false, false);
    await this.#acknowledged(this.#lastSequence);
  }

  /** Answers when all that was written is on the disk of every node (hsync). */
  async sync(): Promise<void> {
    this.#cutPacket(true, false);
    await this.#acknowledged(this.#lastSequence);
  }

  /** Answers when the block is complete and durable on every node. */
  async close(): Promise<void> {
    this.#cutPacket(true, true);
    await this.#acknowledged(this.#lastSequence);
  }

  /** Lets the pipeline go without completing the block. */
  abandon(): void {
    this.#dispatch({ kind: 'refused', reason: 'the writer has given up' });
  }

  /** Packets end with a chunk, or where somebody waits for them. */
  #roomInPacket(): number {
    const { packetBytes, chunkBytes } = this.#options;
    const wholeBytes = packetBytes - (this.#endBytes % chunkBytes);
    return wholeBytes - this.#pendingBytes;
  }

  #cutPacket(isSync: boolean, isLast: boolean): void {
    this.#checkGoesOn();
    const { checksum, chunkBytes } = this.#options;
    const startBytes = this.#endBytes;
    const bytes = this.#pending.slice(0, this.#pendingBytes);
    const run = { chunkBytes, startBytes, checksumBefore: this.#tailChecksum };
    const sums = checksumsOf(checksum, bytes, run);
    const sequence = ++this.#lastSequence;
    const packet: Packet = { kind: 'packet', sequence, startBytes, bytes, sums, isSync, isLast };
    this.#endBytes += bytes.length;
    this.#pendingBytes = 0;
    if (bytes.length > 0) {
      this.#tailChecksum = this.#endBytes % chunkBytes === 0 ? 0 : (sums.at(-1) ?? 0);
    }
    this.#packets.set(sequence, packet);
    this.#unackedBytes += bytes.length;
    const facts = { sequence, endBytes: this.#endBytes, isLast };
    this.#dispatch({ kind: 'packet', packet: facts, nowMs: this.#env.clock.mono() });
  }

  #acknowledged(sequence: number): Promise<void> {
    this.#checkGoesOn();
    if (this.#state.ackedSequence >= sequence) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ sequence, resolve, reject }));
  }

  #checkGoesOn(): void {
    const { phase } = this.#state;
    if (phase === 'abandoned' || phase === 'failed') throw this.#failure();
  }

  #failure(): TypedError {
    const { block } = this.#options;
    const { phase, reason, failedNodes } = this.#state;
    const details = { blockId: block.blockId, nodes: failedNodes.join(', '), reason };
    const options = { retryable: phase === 'abandoned', details };
    return phase === 'abandoned'
      ? typedError(
          'DFS_PIPELINE_ABANDONED',
          `block ${block.blockId} could not be begun: ${reason}`,
          {
            ...options,
            hint: 'The namenode gives another block on other datanodes; the client asks for it by itself.',
          },
        )
      : typedError('DFS_PIPELINE_LOST', `block ${block.blockId} can not be written on: ${reason}`, {
          ...options,
          hint: 'What was acknowledged is kept by the datanodes. Start datanodes that are down, then open the file again to write on.',
        });
  }

  #dispatch(event: PipelineClientEvent): void {
    const step = this.#options.step ?? stepPipelineClient;
    this.#take(step(this.#state, event, this.#options.times));
  }

  #take({ state, effects }: PipelineClientStep): void {
    const before = this.#state;
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
    if (state.phase === 'streaming' && before.phase !== 'streaming') this.#begin();
    if (['finished', 'abandoned', 'failed'].includes(state.phase)) this.#end();
  }

  #carryOut(effect: PipelineClientEffect): void {
    switch (effect.kind) {
      case 'connect':
        void this.#connect(this.#state.attempt);
        return;
      case 'disconnect':
        this.#connection?.close();
        this.#connection = null;
        return;
      case 'send':
        this.#send(effect.sequences);
        return;
      case 'renew':
        void this.#askNamenode(async (namenode) => {
          const generationStamp = await namenode.renew();
          return { kind: 'renewed', generationStamp, nowMs: this.#env.clock.mono() };
        });
        return;
      case 'update':
        void this.#askNamenode(async (namenode, { generationStamp, nodes, ackedBytes }) => {
          await namenode.update(generationStamp, nodes, ackedBytes);
          return { kind: 'updated', nowMs: this.#env.clock.mono() };
        });
        return;
      case 'acked':
        this.#onAcked(effect.sequence);
        return;
    }
  }

  #send(sequences: readonly number[]): void {
    for (const sequence of sequences) {
      const packet = this.#packets.get(sequence);
      assert(packet !== undefined, 'a packet is kept until it is acknowledged');
      if (this.#connection !== null) {
        sendIfOpen(this.#connection, encodePacket(this.#options.checksum, packet));
      }
    }
  }

  #onAcked(sequence: number): void {
    for (const [key, { bytes }] of this.#packets) {
      if (key > sequence) break;
      this.#packets.delete(key);
      this.#unackedBytes -= bytes.length;
    }
    while ((this.#waiters[0]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) {
      this.#waiters.shift()?.resolve();
    }
    this.#giveRoom();
  }

  #giveRoom(): void {
    for (const resolve of this.#onRoom.splice(0)) resolve();
  }

  #end(): void {
    this.#cancelTick();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure());
    this.#begin();
    this.#giveRoom();
  }

  /** Sets the pipeline up with the nodes that are left. */
  async #connect(attempt: number): Promise<void> {
    const { net, clock } = this.#env;
    const [first = '', ...targets] = this.#state.nodes;
    const fail = (index: number, reason: string) => {
      this.#dispatch({ kind: 'nodeFailed', index, reason, attempt, nowMs: clock.mono() });
    };
    let connection: Connection;
    try {
      connection = await net.connect(first, connectDeadlineMs);
    } catch (error) {
      fail(0, codeOf(error) ?? String(error));
      return;
    }
    if (this.#state.attempt !== attempt || this.#state.phase !== 'connecting') {
      return connection.close();
    }
    this.#connection = connection;
    connection.onClose(() => fail(0, 'the connection to it was lost'));
    connection.onFrame((frame) => this.#onAnswer(frame, attempt, fail));
    const { checksum, block, isAppend, chunkBytes, reserveBytes, token } = this.#options;
    const { generationStamp, hasBlock, ackedBytes, ackedSequence } = this.#state;
    const mode = hasBlock || isAppend ? 'reopen' : 'create';
    sendIfOpen(
      connection,
      encodeMessage(checksum, {
        ...{ kind: 'write', mode, generationStamp, chunkBytes, reserveBytes, targets, token },
        block: { ...block, lengthBytes: ackedBytes },
        firstSequence: ackedSequence + 1,
      }),
    );
  }

  #onAnswer(
    frame: Uint8Array,
    attempt: number,
    fail: (index: number, reason: string) => void,
  ): void {
    const answer = decodeFrame(this.#options.checksum, frame);
    const nowMs = this.#env.clock.mono();
    switch (answer?.kind) {
      case 'ready':
        if (this.#lastSequence === 0) this.#tailChecksum = answer.tailChecksum;
        this.#dispatch({ kind: 'ready', attempt, nowMs });
        return;
      case 'ack':
        this.#dispatch({ kind: 'ack', sequence: answer.sequence, attempt, nowMs });
        return;
      case 'failed':
        fail(answer.index, answer.reason);
        return;
      default:
        fail(0, 'its answer was damaged');
        return;
    }
  }

  /** Asks until there is an answer; a refusal ends the block. */
  async #askNamenode(
    ask: (namenode: PipelineNamenode, state: PipelineClientState) => Promise<PipelineClientEvent>,
  ): Promise<void> {
    const { clock, timers } = this.#env;
    const { attempt, phase } = this.#state;
    const untilMs = clock.mono() + namenodePatienceMs;
    const isWanted = () => this.#state.attempt === attempt && this.#state.phase === phase;
    while (isWanted()) {
      try {
        const event = await ask(this.#options.namenode, this.#state);
        if (isWanted()) this.#dispatch(event);
        return;
      } catch (error) {
        const isFinal = error instanceof TypedError && !error.info.retryable;
        if (isFinal || clock.mono() > untilMs) {
          if (isWanted()) this.#dispatch({ kind: 'refused', reason: String(error) });
          return;
        }
        await timers.sleep(namenodeRetryMs);
      }
    }
  }
}
