/**
 * Answers reads of replicas: whole chunks that hold what was asked for, each compared with its checksum just before, and sent with it, so
 * that the reader can compare again what the network made of it.
 *
 * A connection may ask again and again; who asks bounds what is under way by what it asks for.
 *
 * Before: dfs/datanode/transfer-server.ts. After: dfs/datanode/replicas/replica-reader.ts.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { Env } from '../../base/env/env.ts';
import { codeOf } from '../../base/typed-error.ts';
import type { FrameStream } from '../transfer/frame-stream.ts';
import type { ReadMessage } from '../transfer/transfer-frame.ts';
import type { ReplicaReader } from './replicas/replica-reader.ts';
import type { ReplicaStore } from './replicas/replica-store.ts';

export interface SenderOptions {
  readonly store: ReplicaStore;
  readonly checksum: Checksum;
}

/** 256 KiB: a read of the disk, and a frame. */
const pieceBytes = 256 * 1024;
/** A reader that asks nothing for so long is let go. */
const idleMs = 60_000;

/** Answers the first read and all that follow on the connection. */
export async function sendBlocks(
  env: Pick<Env, 'observe'>,
  options: SenderOptions,
  stream: FrameStream,
  first: ReadMessage,
): Promise<void> {
  let message = first;
  for (;;) {
    await sendRange(env, options, stream, message);
    let next: Awaited<ReturnType<FrameStream['next']>>;
    try {
      next = await stream.next(idleMs);
    } catch (error) {
      if (stream.isClosed || codeOf(error) === 'DFS_PEER_SILENT') break; // The reader has what it wanted.
      throw error;
    }
    if (next.kind !== 'read') break;
    message = next;
  }
  stream.close();
}

async function sendRange(
  env: Pick<Env, 'observe'>,
  { store }: SenderOptions,
  stream: FrameStream,
  message: ReadMessage,
): Promise<void> {
  const { block, startBytes, lengthBytes } = message;
  let reader: ReplicaReader | null = null;
  try {
    reader = await store.openReader(block);
    await sendPackets(store, stream, reader, { blockId: block.blockId, startBytes, lengthBytes });
  } catch (error) {
    if (stream.isClosed) return;
    env.observe.event('datanode.read-failed', { blockId: block.blockId, error: String(error) });
    await stream.send({ kind: 'failed', index: 0, reason: codeOf(error) ?? String(error) });
  } finally {
    await reader?.close();
  }
}

async function sendPackets(
  store: ReplicaStore,
  stream: FrameStream,
  reader: ReplicaReader,
  range: { readonly blockId: number; readonly startBytes: number; readonly lengthBytes: number },
): Promise<void> {
  const { replica } = reader;
  const readableBytes = Math.min(replica.visibleBytes, reader.lengthBytes);
  const { chunkBytes } = replica;
  const tailChecksum = 0; // Of interest to writers only.
  await stream.send({ kind: 'ready', lengthBytes: readableBytes, chunkBytes, tailChecksum });
  const endBytes = Math.min(range.startBytes + range.lengthBytes, readableBytes);
  let sequence = 0;
  let at = Math.min(range.startBytes, endBytes);
  do {
    const nextPieceAt = (Math.floor(at / pieceBytes) + 1) * pieceBytes;
    const end = Math.min(endBytes, Math.max(nextPieceAt, at + chunkBytes));
    const { startBytes, bytes, sums } = await store.noticingDamage(replica, () =>
      reader.read(at, end - at),
    );
    at = Math.min(endBytes, Math.max(end, startBytes + bytes.length));
    const isLast = at >= endBytes;
    const packet = { kind: 'packet', startBytes, bytes, sums, isSync: false, isLast } as const;
    await stream.send({ ...packet, sequence: ++sequence });
  } while (at < endBytes);
}
