/** The records of a key group, by hash: the order of a run on disk. */
import { assert } from '../../base/assert.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { EntryTable } from './entry-table.ts';

/** A hash and a number below this fit in the 53 bits that a double has for whole numbers. */
const numbersMax = 2 ** 21;

export function sortedRecords(
  { uint32 }: SlotMemory,
  table: EntryTable,
  group: number,
): Float64Array {
  const count = table.entryCountOf(group);
  assert(count < numbersMax, 'a key group has fewer than two million entries in memory');
  const records = new Float64Array(count);
  const places = new Float64Array(count);
  let found = 0;
  for (let slot = 0; slot < table.slotCountOf(group); slot++) {
    const record = table.recordAt(group, slot);
    if (record === 0) continue;
    records[found] = record;
    places[found] = uint32[record >>> 2]! * numbersMax + found;
    found++;
  }
  // Numbers without a comparison function are sorted natively: some five times as fast.
  places.sort();
  return places.map((place) => records[place % numbersMax]!);
}
