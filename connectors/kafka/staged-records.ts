/**
 * Staged records: what a transaction has written, kept in a file beside the checkpoints until it is known to be committed,
 * for Kafka may end one that is open for too long.
 *
 *     <job's checkpoints>/staged/<transactional id>/<epoch>-<task>-<n>      one file for each transaction
 *
 *     sent ─▶ added to the file ─▶ barrier: fsync, noted in the checkpoint ─▶ committed, or written again ─▶ removed
 *
 * Writers write, in slot threads; the committer reads and removes. A frame says how long it is and has a checksum, so that
 * what is cut off or changed is found where it is needed, and is never sent.
 *
 * On disk: docs/formats/staged-records.md.
 * Before: connectors/kafka/transaction-slots.ts. After: connectors/kafka/kafka-transactions.ts.
 */
import { assert } from '../../base/assert.ts';
import { crc32c } from '../../base/checksum.ts';
import type { Disk, FileId, SyncDisk } from '../../base/env/disk.ts';
import { folderOf } from '../../base/env/whole-files.ts';
import { typedError } from '../../base/typed-error.ts';
import type { EncodedBatch } from './kafka-client.ts';

/** Where the records of a transaction are. A type alias, as `Json` wants it. */
export type StagedNote = {
  /** Below the folder of the job's checkpoints. */
  readonly path: string;
  readonly sizeBytes: number;
};

/** Where writers stage; the committer tells them. A type alias, as `Json` wants it. */
export type StagingPlace = {
  /** Of the job's checkpoints. */
  readonly folder: string;
  /** Below it: of this sink alone. */
  readonly name: string;
  readonly epoch: number;
};

// On disk: never renumber.
const magic = new TextEncoder().encode('MRKAFKA1');
/** Partition, count of records, length and checksum, 4 bytes each, little-endian. */
const frameHeaderBytes = 16;
const checkedHeaderBytes = 12;

/** The folder of a sink, below that of the job's checkpoints: its transactional id, as far as it makes a name. */
export function stagingName(transactionalId: string): string {
  const plain = transactionalId.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
  const checksum = crc32c(new TextEncoder().encode(transactionalId));
  return `staged/${plain}-${checksum.toString(16).padStart(8, '0')}`;
}

export interface StagedWriterOptions extends StagingPlace {
  readonly disk: SyncDisk;
  readonly taskIndex: number;
  /** Bytes of one transaction. */
  readonly bytesMax: number;
}

/** Writes the files of one task, one after the other. */
export class StagedWriter {
  readonly #options: StagedWriterOptions;
  #count = 0;
  #open: { readonly path: string; readonly file: FileId } | null = null;
  #sizeBytes = 0;

  constructor(options: StagedWriterOptions) {
    this.#options = options;
  }

  /** @throws KAFKA_STAGED_TOO_LARGE, and errors of the disk. */
  add(batches: readonly EncodedBatch[]): void {
    for (const batch of batches) this.#add(batch);
  }

  /** Makes the file durable; null where nothing was added since the last one. @throws Errors of the disk. */
  end(): StagedNote | null {
    const open = this.#open;
    if (open === null) return null;
    const { disk } = this.#options;
    this.#open = null;
    try {
      disk.fsync(open.file);
    } finally {
      disk.close(open.file);
    }
    disk.syncDir(folderOf(this.#full(open.path)));
    return { path: open.path, sizeBytes: this.#sizeBytes };
  }

  /** Gives up the file that is open; the committer of a later attempt removes it. */
  close(): void {
    if (this.#open !== null) this.#options.disk.close(this.#open.file);
    this.#open = null;
  }

  #add({ partition, recordCount, bytes }: EncodedBatch): void {
    const { disk, bytesMax } = this.#options;
    this.#open ??= this.#begin();
    const sizeBytes = this.#sizeBytes + frameHeaderBytes + bytes.length;
    if (sizeBytes > bytesMax) throw tooLargeError(bytesMax);
    const header = new DataView(new ArrayBuffer(frameHeaderBytes));
    header.setUint32(0, partition, true);
    header.setUint32(4, recordCount, true);
    header.setUint32(8, bytes.length, true);
    header.setUint32(12, frameChecksum(header, bytes), true);
    disk.write(this.#open.file, new Uint8Array(header.buffer), this.#sizeBytes);
    disk.write(this.#open.file, bytes, this.#sizeBytes + frameHeaderBytes);
    this.#sizeBytes = sizeBytes;
  }

  #begin(): { readonly path: string; readonly file: FileId } {
    const { disk, name, epoch, taskIndex } = this.#options;
    const path = `${name}/${epoch}-${taskIndex}-${this.#count++}`;
    const folder = folderOf(this.#full(path));
    disk.makeDir(folder);
    // The folders may be new: their names are durable with the first file.
    disk.syncDir(folderOf(folder));
    disk.syncDir(this.#options.folder);
    const file = disk.open(this.#full(path), 'createNew');
    disk.write(file, magic, 0);
    this.#sizeBytes = magic.length;
    return { path, file };
  }

  #full(path: string): string {
    return `${this.#options.folder}/${path}`;
  }
}

/** The batches of a transaction, in their order. @throws KAFKA_TRANSACTION_LOST where they are not as they were written. */
export async function* readStaged(
  disk: Disk,
  folder: string,
  { path, sizeBytes }: StagedNote,
): AsyncGenerator<EncodedBatch> {
  const full = `${folder}/${path}`;
  const stat = isStagedPath(path) ? await disk.stat(full) : null;
  if (stat === null) throw damagedError(full, 'is not there');
  if (stat.sizeBytes < sizeBytes) throw damagedError(full, `ends at byte ${stat.sizeBytes}`);
  const file = await disk.open(full, 'read');
  try {
    const start = await bytesAt(disk, file, { at: 0, count: magic.length });
    if (!start.every((byte, index) => byte === magic[index])) {
      throw damagedError(full, 'does not begin as one of them does');
    }
    for (let at = magic.length; at < sizeBytes; ) {
      const head = await bytesAt(disk, file, { at, count: frameHeaderBytes });
      const header = new DataView(head.buffer);
      const length = header.getUint32(8, true);
      const end = at + frameHeaderBytes + length;
      if (end > sizeBytes) throw damagedError(full, `is not as it was written at byte ${at}`);
      const bytes = await bytesAt(disk, file, { at: at + frameHeaderBytes, count: length });
      if (frameChecksum(header, bytes) !== header.getUint32(12, true)) {
        throw damagedError(full, `is not as it was written at byte ${at}`);
      }
      const partition = header.getUint32(0, true);
      yield { partition, recordCount: header.getUint32(4, true), bytes };
      at = end;
    }
  } finally {
    await disk.close(file);
  }
}

/** Removes the file of a transaction that is committed. */
export async function removeStaged(disk: Disk, folder: string, path: string): Promise<void> {
  if (isStagedPath(path)) await disk.unlink(`${folder}/${path}`);
}

/** Removes what attempts up to this one have left; all that a checkpoint names is committed by then. */
export async function removeLeftovers(disk: Disk, place: StagingPlace): Promise<void> {
  const folder = `${place.folder}/${place.name}`;
  if ((await disk.stat(folder)) === null) return;
  for (const { name } of await disk.list(folder)) {
    const epoch = /^(\d+)-\d+-\d+$/.exec(name)?.[1];
    if (epoch !== undefined && Number(epoch) <= place.epoch) await disk.unlink(`${folder}/${name}`);
  }
}

/** A path from a manifest leads nowhere else. */
function isStagedPath(path: string): boolean {
  return /^staged\/[A-Za-z0-9_-]+\/\d+-\d+-\d+$/.test(path);
}

async function bytesAt(
  disk: Disk,
  file: FileId,
  { at, count }: { readonly at: number; readonly count: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  // A file that became shorter meanwhile gives zeros, which no checksum takes.
  assert((await disk.read(file, bytes, at)) <= count, 'no more is read than was asked for');
  return bytes;
}

function frameChecksum(header: DataView, bytes: Uint8Array): number {
  return crc32c(bytes, crc32c(new Uint8Array(header.buffer, 0, checkedHeaderBytes)));
}

function tooLargeError(bytesMax: number): Error {
  return typedError(
    'KAFKA_STAGED_TOO_LARGE',
    `a transaction of kafka.sink has more records than the ${bytesMax} bytes that are kept until it is committed`,
    {
      hint: 'Make checkpoints closer to each other (--checkpoint-interval), or raise "stagedBytesMax" of the sink.',
      details: { bytesMax },
    },
  );
}

function damagedError(path: string, problem: string): Error {
  return typedError(
    'KAFKA_TRANSACTION_LOST',
    `Kafka has aborted a transaction, and the file "${path}" with its records ${problem}`,
    {
      hint: 'Look at the disk. Go on from an older checkpoint: "millrace checkpoints DIR" lists them.',
      details: { path },
    },
  );
}
