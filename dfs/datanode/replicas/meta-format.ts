/**
 * The meta file of a replica: what the block file beside it is, and a CRC32C for each chunk of it.
 *
 *     0    header    written once: version, chunk size, block id
 *     32   record A ┐ state, generation stamp, length, checksum of the last, incomplete chunk.
 *     72   record B ┘ The newer one counts; the next is written over the older one
 *     112  one CRC32C per complete chunk, in order
 *
 * Why two records: a chunk that is not full yet has another checksum after each write, and a power cut may keep the new bytes
 * with the old checksum or the other way round. What was promised is never overwritten: a complete chunk's checksum is
 * written once, an incomplete one's goes into the record that is not the promise. Nothing is renamed, so no crash can part the two files.
 *
 * Records carry the header's checksum in theirs, so one of another replica is none of this one.
 * On disk: never renumber. See docs/formats/replica.md.
 * After: dfs/datanode/replicas/replica-writer.ts.
 */
import type { Checksum } from '../../../base/checksum.ts';
import { isChunkSize } from '../../transfer/chunk-checksums.ts';

const metaVersion = 1;
/** Where the records are. */
export const recordStarts = [32, 72] as const;
const recordBytes = 40;
/** Of header and records; the checksums begin here. */
export const metaPrefixBytes = 112;
export const checksumBytes = 4;

const headerBytes = 32;
const magic = 'MRREPLCA';
const checksumKindCrc32c = 1;
/** On disk: never renumber. */
const stateCodes = { writing: 1, finalized: 2, temporary: 3 } as const;
const stateOfCode: ReadonlyMap<number, string> = new Map(
  Object.entries(stateCodes).map(([state, code]) => [code, state]),
);

/** What a replica is on disk; that somebody recovers it is known in memory only. */
export type StoredState = keyof typeof stateCodes;

export interface MetaHeader {
  readonly blockId: number;
  readonly chunkBytes: number;
}

export interface ReplicaRecord {
  /** Grows with each record. */
  readonly sequence: number;
  readonly state: StoredState;
  readonly generationStamp: number;
  readonly lengthBytes: number;
  /** So much is durable, data and checksums: what is missing of it was damaged. */
  readonly syncedBytes: number;
  /** Of the last chunk, up to `lengthBytes`; 0 when that ends with a chunk. */
  readonly tailChecksum: number;
}

export interface DecodedMeta {
  readonly header: MetaHeader;
  /** Part of the checksum of each record. */
  readonly headerChecksum: number;
  /** By place; null for one that is not whole. */
  readonly records: readonly [ReplicaRecord | null, ReplicaRecord | null];
}

export function encodeMetaHeader(checksum: Checksum, header: MetaHeader): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < magic.length; at++) bytes[at] = magic.charCodeAt(at);
  view.setUint32(8, metaVersion, true);
  view.setUint32(12, header.chunkBytes, true);
  setUint53(view, 16, header.blockId);
  view.setUint32(24, checksumKindCrc32c, true);
  view.setUint32(28, checksum(bytes.subarray(0, 28)), true);
  return bytes;
}

/** @param headerChecksum - The last four bytes of the header, as a number. */
export function encodeRecord(
  checksum: Checksum,
  headerChecksum: number,
  record: ReplicaRecord,
): Uint8Array {
  const bytes = new Uint8Array(recordBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, record.sequence, true);
  view.setUint32(4, stateCodes[record.state], true);
  setUint53(view, 8, record.generationStamp);
  setUint53(view, 16, record.lengthBytes);
  setUint53(view, 24, record.syncedBytes);
  view.setUint32(32, record.tailChecksum, true);
  view.setUint32(36, checksum(bytes.subarray(0, 36), headerChecksum), true);
  return bytes;
}

export function headerChecksumOf(header: Uint8Array): number {
  return viewOf(header).getUint32(28, true);
}

/**
 * Reads header and records.
 * @param bytes - The first `metaPrefixBytes` of the file, or all there are.
 * @returns The reason, in words, where the header is none of this version.
 */
export function decodeMeta(checksum: Checksum, bytes: Uint8Array): DecodedMeta | string {
  if (bytes.length < headerBytes) return 'the meta file ends within its header';
  const view = viewOf(bytes);
  const headerChecksum = view.getUint32(28, true);
  const isOurs = [...magic].every((character, at) => bytes[at] === character.charCodeAt(0));
  if (!isOurs || headerChecksum !== checksum(bytes.subarray(0, 28))) {
    return 'the header of the meta file is damaged';
  }
  const version = view.getUint32(8, true);
  const kind = view.getUint32(24, true);
  const header = { chunkBytes: view.getUint32(12, true), blockId: uint53At(view, 16) };
  if (version !== metaVersion || kind !== checksumKindCrc32c || !isChunkSize(header.chunkBytes)) {
    return `the meta file has version ${version}, this datanode reads version ${metaVersion}`;
  }
  const records = recordStarts.map((start) =>
    decodeRecord(checksum, headerChecksum, bytes.subarray(start, start + recordBytes)),
  );
  return { header, headerChecksum, records: [records[0] ?? null, records[1] ?? null] };
}

function decodeRecord(
  checksum: Checksum,
  headerChecksum: number,
  bytes: Uint8Array,
): ReplicaRecord | null {
  if (bytes.length < recordBytes) return null;
  const view = viewOf(bytes);
  if (view.getUint32(36, true) !== checksum(bytes.subarray(0, 36), headerChecksum)) return null;
  const state = stateOfCode.get(view.getUint32(4, true));
  if (state === undefined) return null;
  return {
    sequence: view.getUint32(0, true),
    state: state as StoredState,
    generationStamp: uint53At(view, 8),
    lengthBytes: uint53At(view, 16),
    syncedBytes: uint53At(view, 24),
    tailChecksum: view.getUint32(32, true),
  };
}

/** The place of the newer record; null where neither is whole. */
export function newerPlaceOf({ records: [a, b] }: DecodedMeta): 0 | 1 | null {
  if (a === null && b === null) return null;
  if (a === null) return 1;
  return b === null || a.sequence > b.sequence ? 0 : 1;
}

/** Size of the meta file of a replica of that length. */
export function metaBytesOf(lengthBytes: number, chunkBytes: number): number {
  return metaPrefixBytes + Math.floor(lengthBytes / chunkBytes) * checksumBytes;
}

export function encodeChecksums(sums: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(sums.length * checksumBytes);
  const view = viewOf(bytes);
  for (let index = 0; index < sums.length; index++)
    view.setUint32(index * 4, sums[index] ?? 0, true);
  return bytes;
}

export function decodeChecksums(bytes: Uint8Array): Uint32Array {
  const view = viewOf(bytes);
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, index) =>
    view.getUint32(index * 4, true),
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

function uint53At(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
