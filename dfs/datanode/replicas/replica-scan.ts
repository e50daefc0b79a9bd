/**
 * What a start finds on a volume, and what it makes of it. Only the newest record counts; it says what was promised.
 *
 *     newest record   files                                       the replica is
 *     finalized       both records alike, sizes right              finalized; its bytes are read by the scrubber
 *     finalized       the other record is another                  verified as a whole, finished if it is right
 *     writing         chunks verified one by one, from the first    waiting to be recovered, as far as they go
 *     writing         … and they end before what was synced         damaged: something that was promised is gone
 *     temporary                                                    removed: nobody will go on with it
 *     none            a meta file without a whole record           put aside: nobody can say what it was
 *
 * Before: dfs/datanode/replicas/meta-format.ts. After: dfs/datanode/replicas/replica-store.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import type { Disk, FileId } from '../../../base/env/disk.ts';
import {
  checksumBytes,
  type DecodedMeta,
  decodeChecksums,
  decodeMeta,
  metaBytesOf,
  metaPrefixBytes,
  newerPlaceOf,
  type ReplicaRecord,
} from './meta-format.ts';
import type { Replica } from './replica.ts';
import type { OpenedMeta } from './replica-files.ts';
import { sizeObjectionTo } from './replica-reader.ts';
import type { ReplicaPaths, Volume } from './volume.ts';

/** What was found under the name of one block. */
export type Found =
  | {
      readonly kind: 'replica';
      readonly replica: Replica;
      /** The other record is still to be written. */
      readonly isUnfinished: boolean;
    }
  | { readonly kind: 'removable' }
  | { readonly kind: 'unusable'; readonly reason: string };

interface Files {
  readonly blockBytes: number | null;
  readonly metaBytes: number;
  readonly decoded: DecodedMeta;
}

/** 1 MiB at a time is verified. */
const verifyBytes = 1024 * 1024;

/** Ids of all blocks that a volume has a file of, ascending. */
export async function blockIdsOf({ disk, folder }: Volume): Promise<number[]> {
  const ids = new Set<number>();
  for (const { name, kind } of await disk.list(`${folder}/blocks`)) {
    if (kind !== 'folder') continue;
    for (const entry of await disk.list(`${folder}/blocks/${name}`)) {
      const [, digits] = /^blk_(\d{1,16})(?:\.meta)?$/.exec(entry.name) ?? [];
      if (digits !== undefined) ids.add(Number(digits));
    }
  }
  return [...ids].sort((a, b) => a - b);
}

/** Looks at one block of a volume; changes nothing. */
export async function inspectReplica(
  volume: Volume,
  checksum: Checksum,
  blockId: number,
): Promise<Found> {
  const paths = volume.pathsOf(blockId);
  const blockBytes = (await volume.disk.stat(paths.block))?.sizeBytes ?? null;
  const metaStat = await volume.disk.stat(paths.meta);
  if (metaStat === null) return { kind: 'unusable', reason: 'it has no meta file' };
  const decoded = await readPrefix(volume.disk, checksum, paths);
  if (typeof decoded === 'string') return { kind: 'unusable', reason: decoded };
  if (decoded.header.blockId !== blockId) {
    return { kind: 'unusable', reason: `its meta file is that of block ${decoded.header.blockId}` };
  }
  const newest = newestOf(decoded);
  if (newest === null) return { kind: 'unusable', reason: 'its meta file has no whole record' };
  const isNothing = newest.state === 'writing' && newest.syncedBytes === 0 && blockBytes === null;
  if (newest.state === 'temporary' || isNothing) return { kind: 'removable' };
  const files = { blockBytes, metaBytes: metaStat.sizeBytes, decoded };
  const row = rowOf(volume, paths, files, newest);
  if (newest.state === 'finalized') return await inspectFinalized(row, checksum, files, newest);
  return await inspectWriting(row, checksum, files, newest);
}

/** What it takes to open the files of a replica that was looked at. @returns A reason where they have changed since. */
export async function readOpenedMeta(
  replica: Replica,
  checksum: Checksum,
): Promise<OpenedMeta | string> {
  const { volume, paths, blockId } = replica;
  if ((await volume.disk.stat(paths.meta)) === null) return 'its meta file is gone';
  const blockBytes = (await volume.disk.stat(paths.block))?.sizeBytes ?? -1;
  if (blockBytes < replica.lengthBytes) return 'its block file is too short';
  const decoded = await readPrefix(volume.disk, checksum, paths);
  if (typeof decoded === 'string') return decoded;
  const newestPlace = newerPlaceOf(decoded);
  const newest = newestOf(decoded);
  if (newestPlace === null || newest === null) return 'its meta file has no whole record';
  const isSame = decoded.header.blockId === blockId;
  if (!isSame || newest.generationStamp !== replica.generationStamp) {
    return 'its meta file is another one';
  }
  const { header, headerChecksum } = decoded;
  return { header, headerChecksum, sequence: newest.sequence, newestPlace };
}

function newestOf(decoded: DecodedMeta): ReplicaRecord | null {
  const place = newerPlaceOf(decoded);
  return place === null ? null : decoded.records[place];
}

async function readPrefix(
  disk: Disk,
  checksum: Checksum,
  { meta }: ReplicaPaths,
): Promise<DecodedMeta | string> {
  const file = await disk.open(meta, 'read');
  try {
    const bytes = new Uint8Array(metaPrefixBytes);
    return decodeMeta(checksum, bytes.subarray(0, await disk.read(file, bytes, 0)));
  } finally {
    await disk.close(file);
  }
}

function rowOf(
  volume: Volume,
  paths: ReplicaPaths,
  { decoded }: Files,
  newest: ReplicaRecord,
): Replica {
  const { generationStamp, lengthBytes, tailChecksum } = newest;
  const { blockId, chunkBytes } = decoded.header;
  return {
    ...{ blockId, chunkBytes, volume, paths, generationStamp, lengthBytes, tailChecksum },
    state: newest.state === 'finalized' ? 'finalized' : 'waiting-to-be-recovered',
    visibleBytes: newest.state === 'finalized' ? lengthBytes : 0,
    ...{ writer: null, recovery: null, damage: null },
  };
}

async function inspectFinalized(
  replica: Replica,
  checksum: Checksum,
  files: Files,
  newest: ReplicaRecord,
): Promise<Found> {
  const [a, b] = files.decoded.records;
  const isFinished =
    a !== null &&
    b !== null &&
    JSON.stringify({ ...a, sequence: 0 }) === JSON.stringify({ ...b, sequence: 0 });
  const { blockBytes, metaBytes } = files;
  if (blockBytes === null) return damaged(replica, 'its block file is gone');
  if (isFinished) {
    const objection = sizeObjectionTo(newest.lengthBytes, replica.chunkBytes, {
      blockBytes,
      metaBytes,
    });
    return objection === null
      ? { kind: 'replica', replica, isUnfinished: false }
      : damaged(replica, objection);
  }
  const verified = await verifiedLengthOf(replica, checksum, [newest], newest.lengthBytes);
  if (verified.lengthBytes < newest.lengthBytes) {
    return damaged(replica, `its bytes are right up to ${verified.lengthBytes} only`);
  }
  return { kind: 'replica', replica, isUnfinished: true };
}

async function inspectWriting(
  replica: Replica,
  checksum: Checksum,
  { blockBytes, decoded }: Files,
  newest: ReplicaRecord,
): Promise<Found> {
  const tails = decoded.records.filter(
    (record) => record !== null && record.generationStamp === newest.generationStamp,
  ) as ReplicaRecord[];
  const verified =
    blockBytes === null
      ? { lengthBytes: 0, tailChecksum: 0 }
      : await verifiedLengthOf(replica, checksum, tails, blockBytes);
  Object.assign(replica, verified);
  if (verified.lengthBytes >= newest.syncedBytes) {
    return { kind: 'replica', replica, isUnfinished: false };
  }
  return damaged(
    replica,
    `of ${newest.syncedBytes} bytes that were durable ${verified.lengthBytes} are right`,
  );
}

function damaged(replica: Replica, reason: string): Found {
  replica.damage = reason;
  return { kind: 'replica', replica, isUnfinished: false };
}

/** How far the bytes have their checksums, from the first on, and that of the last chunk if it is not full. */
async function verifiedLengthOf(
  replica: Replica,
  checksum: Checksum,
  tails: readonly ReplicaRecord[],
  endBytes: number,
): Promise<{ lengthBytes: number; tailChecksum: number }> {
  const { volume, paths } = replica;
  const block = await volume.disk.open(paths.block, 'read');
  try {
    const meta = await volume.disk.open(paths.meta, 'read');
    try {
      const complete = await completeBytesOf({ replica, checksum, block, meta, endBytes });
      const tail = await longestTailOf({ replica, checksum, block, endBytes }, complete, tails);
      return tail ?? { lengthBytes: complete, tailChecksum: 0 };
    } finally {
      await volume.disk.close(meta);
    }
  } finally {
    await volume.disk.close(block);
  }
}

interface Verification {
  readonly replica: Replica;
  readonly checksum: Checksum;
  readonly block: FileId;
  readonly endBytes: number;
}

async function completeBytesOf({
  replica,
  checksum,
  block,
  meta,
  endBytes,
}: Verification & { readonly meta: FileId }): Promise<number> {
  const { chunkBytes, volume } = replica;
  const stepBytes = Math.max(chunkBytes, verifyBytes);
  const bytes = new Uint8Array(Math.min(stepBytes, Math.floor(endBytes / chunkBytes) * chunkBytes));
  const stored = new Uint8Array((bytes.length / chunkBytes) * checksumBytes);
  for (let from = 0; bytes.length > 0; from += bytes.length) {
    const blockCount = await volume.disk.read(block, bytes, from);
    const metaCount = await volume.disk.read(meta, stored, metaBytesOf(from, chunkBytes));
    const sums = decodeChecksums(stored.subarray(0, metaCount));
    const count = Math.min(Math.floor(blockCount / chunkBytes), sums.length);
    for (let chunk = 0; chunk < count; chunk++) {
      const start = chunk * chunkBytes;
      const isRight = checksum(bytes.subarray(start, start + chunkBytes)) === sums[chunk];
      const isBehind = from + start + chunkBytes > endBytes;
      if (!isRight || isBehind) return from + start;
    }
    if (count * chunkBytes < bytes.length) return from + count * chunkBytes;
  }
  return 0;
}

/** The longest of the incomplete chunks that records speak of, if it lies behind the complete ones and is right. */
async function longestTailOf(
  { replica, checksum, block, endBytes }: Verification,
  completeBytes: number,
  tails: readonly ReplicaRecord[],
): Promise<{ lengthBytes: number; tailChecksum: number } | null> {
  const { chunkBytes, volume } = replica;
  const candidates = tails
    .filter(({ lengthBytes }) => lengthBytes > completeBytes)
    .filter(
      ({ lengthBytes }) => lengthBytes < completeBytes + chunkBytes && lengthBytes <= endBytes,
    )
    .sort((a, b) => b.lengthBytes - a.lengthBytes);
  const bytes = new Uint8Array(chunkBytes);
  const count = await volume.disk.read(block, bytes, completeBytes);
  for (const { lengthBytes, tailChecksum } of candidates) {
    const tailBytes = lengthBytes - completeBytes;
    const isRight = tailBytes <= count && checksum(bytes.subarray(0, tailBytes)) === tailChecksum;
    if (isRight) return { lengthBytes, tailChecksum };
  }
  return null;
}
