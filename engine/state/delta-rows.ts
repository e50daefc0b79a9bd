/**
 * Delta rows: the entries of a table as bytes, by key group, to be written to a file and read back: what an
 * incremental checkpoint has of an operator's state.
 *
 *     table ──write, a slice at a time──▶ records (entry-record.ts), key groups ascending ──read──▶ table
 *
 * Deleted entries are among them: they hide what older files have of their keys.
 */
import { keyGroupCount } from '../keys/key-group.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import { copyImage, imageBytesOf, RecordKey } from './entry-record.ts';
import type { EntryTable } from './entry-table.ts';

/** Where the next slice begins. */
export interface RowsCursor {
  readonly group: number;
  readonly slot: number;
}

export const firstRows: RowsCursor = { group: 0, slot: 0 };

/**
 * Writes records from a place of the table on, as many as there is room for.
 *
 * @returns The bytes written, and where to go on; `next` is null at the end, and `neededBytes` what the
 * next record takes.
 */
export function writeRows(
  { memory }: MemoryScope,
  table: EntryTable,
  from: RowsCursor,
  to: { readonly address: number; readonly roomBytes: number },
): { readonly sizeBytes: number; readonly next: RowsCursor | null; readonly neededBytes: number } {
  let sizeBytes = 0;
  let { group, slot } = from;
  for (; group < keyGroupCount; group++, slot = 0) {
    for (; slot < table.slotCountOf(group); slot++) {
      const record = table.recordAt(group, slot);
      if (record === 0) continue;
      const neededBytes = imageBytesOf(memory, record);
      if (sizeBytes + neededBytes > to.roomBytes) {
        return { sizeBytes, next: { group, slot }, neededBytes };
      }
      sizeBytes += copyImage(memory, record, to.address + sizeBytes);
    }
  }
  return { sizeBytes, next: null, neededBytes: 0 };
}

/** Puts records into a table, in place of those with their keys; answers how many they are. */
export function readRows(
  { memory }: MemoryScope,
  table: EntryTable,
  from: { readonly address: number; readonly sizeBytes: number },
): number {
  const key = new RecordKey();
  const end = from.address + from.sizeBytes;
  let count = 0;
  for (let record = from.address; record < end; count++) {
    table.putImage(key.of(memory, record), record);
    record += imageBytesOf(memory, record);
  }
  return count;
}
