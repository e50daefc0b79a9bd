/**
 * What tasks write for, and read of, a blocking edge: each sender's map output is cut into partitions, and a
 * reader takes a rectangle of partitions and senders. As planned, that is one partition of all senders; what
 * is known of their sizes at run time may change it (coordinator/adaptive/).
 */

/** Indexes from `from` on, before `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What one task reads of a blocking edge: neighbouring partitions of what neighbouring tasks have sent. */
export interface MapOutputRead {
  readonly partitions: Span;
  readonly senders: Span;
}

/** What the readers of a blocking edge read, as chosen when the sizes of its partitions were known. */
export interface AdaptedReads {
  /** Partitions that each sender writes: as many as there were readers in the plan. */
  readonly partitionCount: number;
  /** By index of the reading task; `all` when each of them reads all. */
  readonly ofReaders: readonly MapOutputRead[] | 'all';
}

/** Edge id → the bytes of each partition that a task has written to its file. */
export type PartitionBytes = Readonly<Record<string, readonly number[]>>;
