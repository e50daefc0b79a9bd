/**
 * How large the table of a partial phase may become: what is in it is found slower the larger it is, but
 * rows that find their group there do not travel.
 *
 *     rows per group     8 and more          the keys come often: the table stays in the core's own cache
 *                        1.02 to 8           a larger table would hold more of the keys that come again
 *                        below 1.02          few keys come twice: a larger table would be no better
 *
 * Counts are since the table was empty, and are looked at when it is full. With 100,000 keys, as likely
 * as each other, a table of 65,536 slots would give out 6 rows of 10, and one of four times the slots none.
 */

/**
 * Slots to begin with: 6 MiB with one aggregate. What is lost by probes that miss the core's own cache is
 * won by rows that do not travel: words of 1 GB of text on two threads took 3.45 s with 2^16 slots, 3.13 s
 * with 2^18 and 3.04 s with 2^20, which leaves no cache to others (medians of 3, no other load).
 * (Tried and dropped: a full table that stays, and passes rows of other keys on as groups of their own.
 * On text as many rows went on, since its words change from part to part, and it took 10 % longer. And
 * a full table that keeps its frequent half: a third fewer rows went on, and choosing and moving those
 * that stay cost as much as it saved.)
 */
export const partialSlotsFirst = 1 << 18;

/**
 * Slots where keys hardly come twice: the table stays in the core's own cache. For 100 million rows of ten
 * million keys the partial phase took 2.5 s of two threads with it, 4.8 s with 2^18 slots.
 */
const partialSlotsLeast = 1 << 13;

/** Slots at most: a million and a half groups. */
const partialSlotsLast = 1 << 21;
/** Of the memory that the slot has, a table takes at most this part, while it grows half as much again. */
const memoryShare = 8;

const rowsPerGroupEnough = 8;
const rowsPerGroupMin = 1.02;

export interface FullTable {
  readonly groupCount: number;
  readonly slotCount: number;
  /** Of slots and keys. */
  readonly sizeBytes: number;
}

/**
 * The slots that a full table should have: more, to which it grows; or fewer or as many, once its groups are
 * given out.
 *
 * @param rowCount - Rows that were added since the table was empty.
 */
export function partialSlotsOf(
  { groupCount, slotCount, sizeBytes }: FullTable,
  rowCount: number,
  memoryBytes: number,
): number {
  const rowsPerGroup = rowCount / groupCount;
  if (rowsPerGroup >= rowsPerGroupEnough) return slotCount;
  if (rowsPerGroup < rowsPerGroupMin) return Math.min(slotCount, partialSlotsLeast);
  const isTooLarge = sizeBytes * 2 > memoryBytes / memoryShare;
  return slotCount >= partialSlotsLast || isTooLarge ? slotCount : slotCount * 2;
}
