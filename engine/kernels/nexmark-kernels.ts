/**
 * The Nexmark kernels as TypeScript sees them. Conventions: engine/kernels/kernels.ts; what the values
 * are: engine/kernels/nexmark.ts.
 */

/**
 * Byte offsets of the fields of a generator's state. Tables are views of texts: of bids the channels
 * (4 hot ones, then 10,000) and their urls; of persons 99 names, 10 cities and 6 states.
 */
export const nexmarkLayout = {
  /** u64: number of the next event; moves on with each call. */
  next: 0,
  /** u64: where to stop, exclusive. */
  end: 8,
  /** u64. */
  seed: 16,
  /** u64, in ms. */
  baseTime: 24,
  /** f64: events per second of event time. */
  rate: 32,
  /** u32: so many events in a row are mixed up; 0 or 1: none. */
  group: 40,
  /** u32: rows that the columns have room for. */
  rowsMax: 44,
  /** u32: where the next text goes; moves on with each call. */
  text: 48,
  /** u32: end of the room for texts. */
  textEnd: 52,
  /** 4 × u32: addresses of tables. */
  tables: 56,
  /** 10 × u32: addresses of the columns' values, in the order of the fields; 0: not wanted. */
  columns: 72,
  size: 112,
} as const;

/** Events of one kind: of each 50 the first is a person, three are auctions, the others bids. */
export interface NexmarkKernels {
  /**
   * Makes rows of bids from `next` on until `end`, `rowsMax` or the room for texts is reached (a row
   * is begun when 96 bytes are left).
   * @returns Count of rows.
   */
  nexmarkBids(state: number): number;
  /** The same for auctions; a row is begun when 704 bytes are left. */
  nexmarkAuctions(state: number): number;
  /** The same for persons; a row is begun when 288 bytes are left. */
  nexmarkPersons(state: number): number;
}
