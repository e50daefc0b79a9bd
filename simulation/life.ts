/**
 * One life of the program on a node, as its clock, disk and connections see it. A crash ends the
 * life; what was under way for it then finds nobody (`isAlive`) and is dropped.
 */
import type { World } from './world.ts';

/** A power cut takes what was not synced; a kill ends the process and leaves its files alone. */
export type CrashCause = 'powerCut' | 'killed';

export interface Life {
  readonly world: World;
  readonly nodeName: string;
  /** Of the life of a slot. */
  readonly slotIndex?: number;
  readonly isAlive: boolean;
  /** The node does nothing until then. */
  readonly pausedUntilMs: number;
  /** Fires after true time has passed, if this life still lasts, and after a pause. */
  after(trueMs: number, fire: () => void): () => void;
  /** Ends this life; the next begins after `downMs`. */
  crashFor(downMs: number, reason: string, cause: CrashCause): void;
}
