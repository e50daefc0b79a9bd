/**
 * Goal: records that are staged come back as they were written, or not at all: each byte of a file cut off or changed is
 * noticed, a file of an earlier version is read, and no path leads elsewhere.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { createRealDisk } from '../../../base/env/real-disk.ts';
import { createRealSyncDisk } from '../../../base/env/real-sync-disk.ts';
import { codeOf } from '../../../base/typed-error.ts';
import type { EncodedBatch } from '../../../connectors/kafka/kafka-client.ts';
import {
  readStaged,
  removeLeftovers,
  removeStaged,
  type StagedNote,
  StagedWriter,
  stagingName,
} from '../../../connectors/kafka/staged-records.ts';
import { readOnlyDisk } from '../../support/read-only-disk.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const name = stagingName('counts/of bids');
const batches: readonly EncodedBatch[] = [
  { partition: 3, recordCount: 2, bytes: Uint8Array.of(1, 2, 3, 4, 5) },
  { partition: 0, recordCount: 1, bytes: Uint8Array.of(255) },
];

function writerIn(folder: string, { epoch = 2, bytesMax = 1_000 } = {}): StagedWriter {
  const disk = createRealSyncDisk();
  return new StagedWriter({ disk, folder, name, epoch, taskIndex: 1, bytesMax });
}

async function read(folder: string, note: StagedNote, disk = createRealDisk()) {
  const found: EncodedBatch[] = [];
  for await (const batch of readStaged(disk, folder, note)) found.push(batch);
  return found;
}

const codeOfRead = (...args: Parameters<typeof read>) => read(...args).then(() => 'read', codeOf);

test('batches come back in their order, of each transaction its own', async () => {
  const folder = tempFolder();
  const writer = writerIn(folder);
  expect(writer.end()).toBe(null);
  writer.add(batches);
  const first = writer.end() as StagedNote;
  writer.add(batches.slice(1));
  const second = writer.end() as StagedNote;
  expect([first.path, second.path]).toEqual([`${name}/2-1-0`, `${name}/2-1-1`]);
  expect(await read(folder, first)).toEqual(batches);
  expect(await read(folder, second)).toEqual(batches.slice(1));
});

test('every byte that is cut off or changed is noticed', async () => {
  const folder = tempFolder();
  const writer = writerIn(folder);
  writer.add(batches);
  const note = writer.end() as StagedNote;
  const whole = readFileSync(join(folder, note.path));
  const readOf = (bytes: Uint8Array) =>
    codeOfRead('job', note, readOnlyDisk(new Map([[`job/${note.path}`, bytes]])));
  expect(await readOf(whole)).toBe('read');
  for (let at = 0; at < whole.length; at++) {
    expect([at, await readOf(whole.subarray(0, at))]).toEqual([at, 'KAFKA_TRANSACTION_LOST']);
    const changed = Uint8Array.from(whole, (byte, index) => (index === at ? byte ^ 0x10 : byte));
    expect([at, await readOf(changed)]).toEqual([at, 'KAFKA_TRANSACTION_LOST']);
  }
});

test('what is added behind the bytes that were noted does not count', async () => {
  const folder = tempFolder();
  const writer = writerIn(folder);
  writer.add(batches);
  const note = writer.end() as StagedNote;
  const longer = Buffer.concat([readFileSync(join(folder, note.path)), Buffer.from('more')]);
  const disk = readOnlyDisk(new Map([[`job/${note.path}`, longer]]));
  expect(await read('job', note, disk)).toEqual(batches);
});

test.each(['../staged/a/1-0-0', 'staged/../1-0-0', 'staged/a/b/1-0-0', '/etc/passwd', ''])(
  'the path "%s" is none of a file with records',
  async (path) => {
    const files = new Map([[`job/${path}`, new Uint8Array(100)]]);
    const note = { path, sizeBytes: 8 };
    expect(await codeOfRead('job', note, readOnlyDisk(files))).toBe('KAFKA_TRANSACTION_LOST');
  },
);

test('a transaction is as large as it may be, and no larger', () => {
  const writer = writerIn(tempFolder(), { bytesMax: 8 + 2 * 16 + 6 });
  writer.add(batches);
  expect(() => writer.add(batches.slice(1))).toThrow(/more records than the 46 bytes/);
});

test('what attempts up to this one have left is removed, and not what a later one writes', async () => {
  const folder = tempFolder();
  const notes = [1, 2, 3].map((epoch) => {
    const writer = writerIn(folder, { epoch });
    writer.add(batches);
    return writer.end() as StagedNote;
  });
  await removeLeftovers(createRealDisk(), { folder, name, epoch: 2 });
  const left = await Promise.all(notes.map((note) => codeOfRead(folder, note)));
  expect(left).toEqual(['KAFKA_TRANSACTION_LOST', 'KAFKA_TRANSACTION_LOST', 'read']);
  for (let times = 0; times < 2; times++) {
    await removeStaged(createRealDisk(), folder, notes[2]?.path ?? '');
  }
  expect(await codeOfRead(folder, notes[2] as StagedNote)).toBe('KAFKA_TRANSACTION_LOST');
});

test('a file of version 1 is read', async () => {
  const fixture = resolve(import.meta.dirname, '../../fixtures/formats/v1/kafka');
  const note = { path: 'staged/counts-c6d4e0bd/3-0-1', sizeBytes: 46 };
  expect(await read(fixture, note)).toEqual(batches);
});
