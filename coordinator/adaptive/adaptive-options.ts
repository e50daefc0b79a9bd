/**
 * The sizes that adaptive choices go by, all of them of map outputs as they lie on disk, which are compressed.
 * Factor and shape follow Spark's adaptive execution; the sizes are smaller, for a task costs less here.
 */

export interface AdaptiveOptions {
  /** Partitions are put together until a task has so much to read; where there is enough for all slots, more. */
  readonly taskBytesMin: number;
  /** A task is not given more partitions than that. */
  readonly taskBytesMax: number;
  /** A partition is skewed that is so many times as large as the median one, */
  readonly skewFactor: number;
  /** and at least this large. */
  readonly skewBytesMin: number;
  /** The least part of a skewed partition that a task reads. */
  readonly splitBytesMin: number;
  /** The largest build side that goes to all tasks, */
  readonly broadcastBytesMax: number;
  /** and what they may read of it together. */
  readonly broadcastCopiesBytesMax: number;
}

const MiB = 1024 ** 2;

export const adaptiveDefaults: AdaptiveOptions = {
  taskBytesMin: MiB,
  taskBytesMax: 64 * MiB,
  skewFactor: 5,
  skewBytesMin: 8 * MiB,
  splitBytesMin: 4 * MiB,
  broadcastBytesMax: 10 * MiB,
  broadcastCopiesBytesMax: 64 * MiB,
};
