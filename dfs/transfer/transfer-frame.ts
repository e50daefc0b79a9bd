/**
 * Frames between client and datanodes, on a connection of the net seam, which brings each whole and in order:
 *
 *     client ──▶ node 0 ──▶ node 1 ──▶ node 2     write (once), then packets
 *            ◀──        ◀──        ◀──            ready (once), then acks; or failed, and nothing behind it
 *
 *     message   u32 kind   u32 CRC32C of the rest   JSON
 *     packet    u32 kind   u32 flags   u64 sequence   u64 first byte in the block
 *               u32 bytes of data   u32 count of checksums   u32 CRC32C of these 32 bytes   checksums   data
 *
 * A packet's data is protected by its chunks' checksums, which every node verifies; its header by one of its own, for a damaged
 * place would put right bytes where they do not belong. On the wire: never renumber.
 */
import type { Checksum } from '../../base/checksum.ts';
import type { ExtendedBlock } from '../protocol/block.ts';
import { isChunkSize } from './chunk-checksums.ts';

/** The first message of a connection that writes a block. */
export interface WriteMessage {
  readonly kind: 'write';
  /** As it was before; of a replica that is reopened, `lengthBytes` were acknowledged. */
  readonly block: ExtendedBlock;
  /**
   * `create`: a new replica. `reopen`: the next writer of one that is there, under `generationStamp`. `copy`: a replica of a block that
   * is complete; nobody sees it before it is whole.
   */
  readonly mode: 'create' | 'reopen' | 'copy';
  readonly generationStamp: number;
  readonly chunkBytes: number;
  readonly reserveBytes: number;
  /** Of the first packet. */
  readonly firstSequence: number;
  /** Transfer addresses of the nodes behind this one, in order. */
  readonly targets: readonly string[];
  readonly token: string;
}

/** Asks for bytes of a replica: `ready`, then packets of whole chunks that hold the range, the last one marked; or `failed`. */
export interface ReadMessage {
  readonly kind: 'read';
  /** The generation stamp that the replica has at least. */
  readonly block: ExtendedBlock;
  readonly startBytes: number;
  readonly lengthBytes: number;
  readonly token: string;
}

export type TransferMessage =
  | WriteMessage
  | ReadMessage
  | ReadyMessage
  /** All nodes from here on have written the packets up to this one, and what it asked for beyond. */
  | { readonly kind: 'ack'; readonly sequence: number }
  /** The node `index` places behind the one that says so has failed; 0 is itself. */
  | { readonly kind: 'failed'; readonly index: number; readonly reason: string };

export interface Packet {
  readonly kind: 'packet';
  /** Grows by one, over all connections of the block. */
  readonly sequence: number;
  readonly startBytes: number;
  readonly bytes: Uint8Array;
  /** One per chunk (chunk-checksums.ts). */
  readonly sums: Uint32Array;
  /** It is acknowledged when it, and all before it, is durable. */
  readonly isSync: boolean;
  /** The block ends with it: the replica is finalized before it is acknowledged. */
  readonly isLast: boolean;
}

/** All nodes from here on have the replica open; this is how the nearest one has it. */
export interface ReadyMessage {
  readonly kind: 'ready';
  /** That can be read, or is there to be written on. */
  readonly lengthBytes: number;
  readonly chunkBytes: number;
  /** Of the last chunk, if it is not full. */
  readonly tailChecksum: number;
}

const messageKind = 0x4d42_0001;
const packetKind = 0x4d42_0002;
const packetHeaderBytes = 36;
const syncFlag = 1;
const lastFlag = 2;
/** Largest packet: its frame stays below what the net seam takes. */
export const packetBytesMax = 8 * 1024 * 1024;
/** As HDFS has it for the replication of a file. */
const pipelineNodesMax = 512;

export function encodeMessage(checksum: Checksum, message: TransferMessage): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const frame = new Uint8Array(8 + body.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, messageKind, true);
  view.setUint32(4, checksum(body), true);
  frame.set(body, 8);
  return frame;
}

export function encodePacket(checksum: Checksum, packet: Packet): Uint8Array {
  const { sequence, startBytes, bytes, sums, isSync, isLast } = packet;
  const frame = new Uint8Array(packetHeaderBytes + sums.length * 4 + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, packetKind, true);
  view.setUint32(4, (isSync ? syncFlag : 0) | (isLast ? lastFlag : 0), true);
  view.setBigUint64(8, BigInt(sequence), true);
  view.setBigUint64(16, BigInt(startBytes), true);
  view.setUint32(24, bytes.length, true);
  view.setUint32(28, sums.length, true);
  view.setUint32(32, checksum(frame.subarray(0, 32)), true);
  for (const [index, sum] of sums.entries())
    view.setUint32(packetHeaderBytes + index * 4, sum, true);
  frame.set(bytes, packetHeaderBytes + sums.length * 4);
  return frame;
}

/** What a frame says; null where it is damaged or none of ours. The bytes of a packet are those of the frame. */
export function decodeFrame(
  checksum: Checksum,
  frame: Uint8Array,
): TransferMessage | Packet | null {
  if (frame.length < 8) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const kind = view.getUint32(0, true);
  if (kind === packetKind) return decodePacket(checksum, frame, view);
  const body = frame.subarray(8);
  if (kind !== messageKind || view.getUint32(4, true) !== checksum(body)) return null;
  try {
    return checkedMessage(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return null; // Its checksum is right, and it is no JSON: somebody who speaks another protocol.
  }
}

/** What is acted on has the form that it must have, whoever has sent it. */
function checkedMessage(message: TransferMessage): TransferMessage | null {
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
  switch (message.kind) {
    case 'write': {
      const { block, mode, generationStamp, chunkBytes, reserveBytes } = message;
      const { firstSequence, targets } = message;
      const counts = [generationStamp, reserveBytes, firstSequence];
      counts.push(block.blockId, block.generationStamp, block.lengthBytes);
      const isMode = mode === 'create' || mode === 'reopen' || mode === 'copy';
      const areTargets =
        Array.isArray(targets) &&
        targets.length < pipelineNodesMax &&
        targets.every((target) => typeof target === 'string');
      const isRight = isMode && areTargets && isChunkSize(chunkBytes) && counts.every(isCount);
      return isRight ? message : null;
    }
    case 'read': {
      const { block, startBytes, lengthBytes } = message;
      const counts = [startBytes, lengthBytes, block.blockId, block.generationStamp];
      return counts.every(isCount) ? message : null;
    }
    case 'ready': {
      const { lengthBytes, chunkBytes, tailChecksum } = message;
      const isRight = isChunkSize(chunkBytes) && [lengthBytes, tailChecksum].every(isCount);
      return isRight ? message : null;
    }
    case 'ack':
      return isCount(message.sequence) ? message : null;
    case 'failed':
      return isCount(message.index) && typeof message.reason === 'string' ? message : null;
    default:
      return null;
  }
}

function decodePacket(checksum: Checksum, frame: Uint8Array, view: DataView): Packet | null {
  if (frame.length < packetHeaderBytes) return null;
  if (view.getUint32(32, true) !== checksum(frame.subarray(0, 32))) return null;
  const flags = view.getUint32(4, true);
  const dataBytes = view.getUint32(24, true);
  const sumCount = view.getUint32(28, true);
  const dataStart = packetHeaderBytes + sumCount * 4;
  if (frame.length !== dataStart + dataBytes) return null;
  const sums = Uint32Array.from({ length: sumCount }, (_, index) =>
    view.getUint32(packetHeaderBytes + index * 4, true),
  );
  return {
    kind: 'packet',
    sequence: Number(view.getBigUint64(8, true)),
    startBytes: Number(view.getBigUint64(16, true)),
    bytes: frame.subarray(dataStart),
    sums,
    isSync: (flags & syncFlag) !== 0,
    isLast: (flags & lastFlag) !== 0,
  };
}
