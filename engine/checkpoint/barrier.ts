/**
 * Barrier: the mark in a stream that parts what belongs to a checkpoint from what comes after it.
 *
 * @see Chandy and Lamport 1985; Carbone et al. 2015 for the alignment of several channels.
 */
import type { CheckpointMode } from '../contracts/checkpoint-mode.ts';

/** What the tasks of a job are told of a checkpoint, and a barrier takes along. */
export interface CheckpointTrigger {
  /** From 1 on; grows. */
  readonly checkpointId: number;
  /** @defaultValue aligned */
  readonly mode?: CheckpointMode;
  /** Of an aligned one: milliseconds after which a task that still waits has it turn unaligned. @defaultValue never */
  readonly timeoutMs?: number;
  /** Whether sources give out nothing behind the barrier, until they are told to go on. @defaultValue false */
  readonly halts?: boolean;
  /** When it was triggered: milliseconds since 1970. @defaultValue nobody measures that */
  readonly triggeredAtMs?: number;
}

export interface Barrier extends CheckpointTrigger {
  readonly kind: 'barrier';
  /** Of that which a gate gives out: how long it waited from the first channel's barrier to the last one's. */
  readonly alignmentMs?: number;
}
