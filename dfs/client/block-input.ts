/**
 * Reading one block: asks the replicas in the order given, verifies what comes, and goes on with another one from the byte where a
 * replica failed. No byte is handed out whose checksum was not compared here.
 *
 *     [ dn-1 ✗ damaged ] ─▶ told to the namenode     [ dn-2 ✗ silent ]     [ dn-3 ✓ ] ─▶ bytes from where dn-1 ended
 *
 * Before: dfs/client/block-output.ts. After: dfs/datanode/block-sender.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import type { ExtendedBlock } from '../protocol/block.ts';
import { damagedChunkOf } from '../transfer/chunk-checksums.ts';
import { FrameStream } from '../transfer/frame-stream.ts';
import type { Packet } from '../transfer/transfer-frame.ts';

export interface BlockInputOptions {
  readonly block: ExtendedBlock;
  /** Transfer addresses, the best first. */
  readonly locations: readonly string[];
  readonly checksum: Checksum;
  readonly token: string;
  /** Asked for at once, and so the most that is kept: a multiple of the largest chunk. @defaultValue 4 MiB */
  readonly requestBytes?: number;
  /** A replica is silent for so long: the next one. @defaultValue 6,000 */
  readonly silentMs?: number;
  /** A replica is damaged, as it says itself or as its bytes show. */
  readonly onDamaged: (location: string) => void;
}

type InputEnv = Pick<Env, 'timers' | 'net'>;

export class BlockInput {
  readonly #env: InputEnv;
  readonly #options: BlockInputOptions;
  /** Why locations are not asked any more. */
  readonly #failures = new Map<string, string>();
  #stream: FrameStream | null = null;
  #streamsFrom = '';

  constructor(env: InputEnv, options: BlockInputOptions) {
    this.#env = env;
    this.#options = options;
  }

  /**
   * The bytes of a range, in order; fewer when the block has no more.
   * @throws DFS_BLOCK_UNREADABLE when no replica is left that has them
   */
  async *read(startBytes: number, lengthBytes: number): AsyncGenerator<Uint8Array> {
    const { requestBytes = 4 * 1024 * 1024 } = this.#options;
    const endBytes = startBytes + lengthBytes;
    let at = startBytes;
    while (at < endBytes) {
      const nextAt = (Math.floor(at / requestBytes) + 1) * requestBytes;
      const pieces = await this.#readFromAny(at, Math.min(nextAt, endBytes) - at);
      for (const piece of pieces) {
        at += piece.length;
        yield piece;
      }
      if (pieces.length === 0) return; // The block ends here.
    }
  }

  close(): void {
    this.#stream?.close();
    this.#stream = null;
  }

  /** Verified bytes from `startBytes` on, at least one unless the block ends there. */
  async #readFromAny(startBytes: number, lengthBytes: number): Promise<Uint8Array[]> {
    for (const location of this.#options.locations) {
      if (this.#failures.has(location)) continue;
      try {
        return await this.#readFrom(location, startBytes, lengthBytes);
      } catch (error) {
        this.#giveUp(location, error);
      }
    }
    throw this.#unreadable(startBytes);
  }

  async #readFrom(
    location: string,
    startBytes: number,
    lengthBytes: number,
  ): Promise<Uint8Array[]> {
    const { block, token, silentMs = 6_000 } = this.#options;
    const stream = await this.#streamOf(location);
    await stream.send({ kind: 'read', block, startBytes, lengthBytes, token });
    const ready = await stream.next(silentMs);
    if (ready.kind !== 'ready') throw refusedError(location, ready);
    const endBytes = Math.min(startBytes + lengthBytes, ready.lengthBytes);
    // The namenode knows that the block has so much: a replica with less is none to believe.
    if (ready.lengthBytes < Math.min(block.lengthBytes, startBytes + lengthBytes)) {
      throw typedError(
        'DFS_REPLICA_STALE',
        `"${location}" has ${ready.lengthBytes} bytes of block ${block.blockId}`,
        {
          hint: 'Another replica is used.',
          retryable: true,
          details: { location },
        },
      );
    }
    const pieces: Uint8Array[] = [];
    let at = startBytes;
    for (;;) {
      const packet = await stream.next(silentMs);
      if (packet.kind !== 'packet') throw refusedError(location, packet);
      this.#verify(location, packet, ready.chunkBytes, at);
      const piece = packet.bytes.subarray(at - packet.startBytes, endBytes - packet.startBytes);
      if (piece.length > 0) pieces.push(piece);
      at += piece.length;
      if (packet.isLast) break;
    }
    if (at < endBytes) throw damagedError(location, block.blockId, at);
    return pieces;
  }

  /** Chunks from the one that has the next byte on, with their checksums. */
  #verify(location: string, packet: Packet, chunkBytes: number, at: number): void {
    const { block, checksum } = this.#options;
    const { startBytes, bytes, sums } = packet;
    const isNext =
      startBytes <= at && at - startBytes < chunkBytes && startBytes % chunkBytes === 0;
    const run = { chunkBytes, startBytes, checksumBefore: 0 };
    if (!isNext || damagedChunkOf(checksum, bytes, run, sums) !== null) {
      throw damagedError(location, block.blockId, startBytes);
    }
  }

  async #streamOf(location: string): Promise<FrameStream> {
    if (this.#stream !== null && this.#streamsFrom === location && !this.#stream.isClosed) {
      return this.#stream;
    }
    this.close();
    this.#stream = await FrameStream.connect(this.#env, this.#options.checksum, location);
    this.#streamsFrom = location;
    return this.#stream;
  }

  #giveUp(location: string, error: unknown): void {
    this.close();
    this.#failures.set(location, error instanceof Error ? error.message : String(error));
    if (codeOf(error) === 'DFS_REPLICA_DAMAGED') this.#options.onDamaged(location);
  }

  #unreadable(startBytes: number) {
    const { block, locations } = this.#options;
    const reasons = locations.map((location) => `${location}: ${this.#failures.get(location)}`);
    const message = `block ${block.blockId} can not be read from byte ${startBytes} on`;
    return typedError(
      'DFS_BLOCK_UNREADABLE',
      `${message}; ${reasons.join('; ') || 'it has no replica'}`,
      {
        hint: 'Start the datanodes that have a replica; "fsck" says which. Without them its bytes are gone.',
        retryable: true,
        details: { blockId: block.blockId, byteOffset: startBytes },
      },
    );
  }
}

function refusedError(
  location: string,
  answer: { readonly kind: string; readonly reason?: string },
) {
  const { reason = `an answer that is none: ${answer.kind}` } = answer;
  const code = reason === 'DFS_REPLICA_DAMAGED' ? 'DFS_REPLICA_DAMAGED' : 'DFS_READ_REFUSED';
  return typedError(code, `"${location}" says ${reason}`, {
    hint: 'Another replica is used.',
    retryable: true,
    details: { location, reason },
  });
}

function damagedError(location: string, blockId: number, byteOffset: number) {
  const message = `what "${location}" sends of block ${blockId} is damaged at ${byteOffset}`;
  return typedError('DFS_REPLICA_DAMAGED', message, {
    hint: 'Another replica is used, and the namenode is told.',
    retryable: true,
    details: { location, blockId, byteOffset },
  });
}
