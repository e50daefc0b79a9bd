/**
 * Checks what the sort wrote: that keys are in order within each file and from one to the next, how many
 * records there are, and their checksum, which is that of the input when none was lost or changed.
 *
 *     chunks of 10,000 records ──map──▶ first key, last key, count, sum ──reduce──▶ one after the other
 */
import { defineJob, t } from 'millrace';
import { console as terminal } from 'millrace/console';
import { files, fixedRecords } from 'millrace/files';
import { compareKeys, keyBytes, RecordSum, recordBytes } from './records.ts';

const chunkBytes = 10_000 * recordBytes;
const Chunk = t.struct({ path: t.utf8(), byte: t.int64({ js: 'number' }), records: t.binary() });

/** What is known of a chunk. */
export interface ChunkFacts {
  readonly path: string;
  readonly byte: number;
  readonly records: number;
  readonly sum: string;
  /** In hexadecimal digits. */
  readonly first: string;
  readonly last: string;
  /** The first record whose key is below that of the one before, counted in the chunk; -1 for none. */
  readonly outOfOrder: number;
  readonly duplicateKeys: number;
}

/** Looks through the records of a chunk. */
export function factsOf(path: string, byte: number, bytes: Uint8Array): ChunkFacts {
  if (bytes.length % recordBytes !== 0) {
    throw new Error(`"${path}" ends in the middle of a record`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sum = new RecordSum();
  let outOfOrder = -1;
  let duplicateKeys = 0;
  for (let at = 0; at < bytes.length; at += recordBytes) {
    sum.add(view, at);
    const order = at === 0 ? -1 : compareKeys(bytes, at - recordBytes, bytes, at);
    if (order === 0) duplicateKeys++;
    if (order > 0 && outOfOrder < 0) outOfOrder = at / recordBytes;
  }
  const first = Buffer.from(bytes.subarray(0, keyBytes)).toString('hex');
  const end = bytes.length - recordBytes;
  const last = Buffer.from(bytes.subarray(end, end + keyBytes)).toString('hex');
  const records = bytes.length / recordBytes;
  return { path, byte, records, sum: sum.text, first, last, outOfOrder, duplicateKeys };
}

/** Puts chunks in their order together. @throws When a record is out of order. */
export function wholeOf(chunks: readonly ChunkFacts[]) {
  const ordered = [...chunks].sort((a, b) =>
    a.path === b.path ? a.byte - b.byte : a.path < b.path ? -1 : 1,
  );
  const sum = new RecordSum();
  let records = 0;
  let duplicateKeys = 0;
  let before = '';
  for (const chunk of ordered) {
    const isFirstLow = chunk.first < before;
    if (isFirstLow || chunk.outOfOrder >= 0) {
      const record = chunk.byte / recordBytes + (isFirstLow ? 0 : chunk.outOfOrder);
      throw new Error(`record ${record} of "${chunk.path}" has a lower key than the one before it`);
    }
    if (chunk.first === before) duplicateKeys++;
    before = chunk.last;
    sum.addText(chunk.sum);
    records += chunk.records;
    duplicateKeys += chunk.duplicateKeys;
  }
  return { records, duplicateKeys, checksum: sum.text, order: 'ascending' };
}

export default defineJob({
  name: 'sort-check',
  params: { input: t.path().describe('the folder, or file, that the sort wrote') },
  build: ({ read, params: { input } }) => {
    const origin = { path: 'path', byte: 'byte' };
    const settings = { bytes: { records: chunkBytes }, origin, isLastShort: true };
    return read(files.source({ path: input, format: fixedRecords(Chunk, settings) }))
      .mapReduce({
        key: t.bool(),
        value: t.utf8(),
        output: t.struct({
          ...{ records: t.int64({ js: 'number' }), duplicateKeys: t.int64({ js: 'number' }) },
          ...{ checksum: t.utf8(), order: t.utf8() },
        }),
        map: ({ path, byte, records }, emit) =>
          emit(true, JSON.stringify(factsOf(path, byte, records))),
        reduce: (_all, chunks) => [
          wholeOf(Array.from(chunks, (chunk) => JSON.parse(chunk) as ChunkFacts)),
        ],
      })
      .writeTo(terminal.sink());
  },
});
