/**
 * Barrier: the mark in a stream that parts what belongs to a checkpoint from what comes after it.
 *
 * @see Chandy and Lamport 1985; Carbone et al. 2015 for the alignment of several channels.
 */
export interface Barrier {
  readonly kind: 'barrier';
  /** From 1 on; grows. */
  readonly checkpointId: number;
  /** Of that which a gate gives out: how long it waited from the first channel's barrier to the last one's. */
  readonly alignmentMs?: number;
}
