/**
 * Rows as texts, whether they are a message of a channel or a part of a snapshot, so that one can be told from the other: each column by
 * name, in the order of names. A judge's own: it has a memory beside those of slots, and its disk is not one that faults hit.
 */
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import { decodeBody } from '../../engine/batch/wire.ts';
import type { SnapshotPart } from '../../engine/checkpoint/task-snapshot.ts';
import { addressOf } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { SnapshotPartReader } from '../../worker/snapshot/snapshot-part-reader.ts';
import type { SimDiskState } from '../sim-disk-state.ts';
import { kernelsOf, takeSlotMemory } from '../slot-memory-pool.ts';

const memory = takeSlotMemory(8 << 20);
const scope = memory.scope('rows as texts');
const kernels = kernelsOf(memory);

/** Rows of a message that is a body. */
export function textsOfMessage(schema: Schema, bytes: Uint8Array): string[] {
  const block = scope.allocate(bytes.length);
  scope.memory.bytes.set(bytes, addressOf(block));
  return textsOf(decodeBody(kernels, scope, schema, { block, sizeBytes: bytes.length }));
}

/** Rows of a part as it is on the disk. @param folder - Where the paths of parts begin. */
export function textsOfPart(state: SimDiskState, folder: string, part: SnapshotPart): string[] {
  const disk = lookingDisk(state);
  const reader = new SnapshotPartReader({ disk, scope, kernels, folder }, part);
  try {
    const texts: string[] = [];
    for (let batch = reader.read(); batch !== null; batch = reader.read()) {
      texts.push(...textsOf(batch));
    }
    return texts;
  } finally {
    reader.close();
  }
}

function textsOf(batch: Batch): string[] {
  try {
    return readRows(batch).map((row) => {
      const columns = Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return columns.map(([name, value]) => `${name}=${String(value)}`).join(' ');
    });
  } finally {
    batch.release();
  }
}

/** Reads what is there, as the system has it; nothing else is asked of it here. */
function lookingDisk({ names }: SimDiskState): SyncDisk {
  const paths = new Map<number, string>();
  const bytesOf = (file: FileId) => names.get(paths.get(file as number) ?? '')?.cached;
  const own: Pick<SyncDisk, 'open' | 'read' | 'close'> = {
    open: (path) => {
      paths.set(paths.size + 1, path);
      return paths.size as FileId;
    },
    read: (file, into, position) => {
      const bytes = bytesOf(file)?.subarray(position, position + into.length) ?? new Uint8Array(0);
      into.set(bytes);
      return bytes.length;
    },
    close: () => undefined,
  };
  return own as SyncDisk;
}
