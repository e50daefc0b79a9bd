/**
 * Barrier aligner: the barriers of several channels as one.
 *
 *     channel 0   a b │n  c d      brought barrier n: is not read until all have
 *     channel 1   p q r s │n       is read on; then the barrier of all goes out, and all are read again
 *     channel 2   x (end)          counts as one that has brought it
 *
 * So no row behind a barrier is worked on before the snapshot, and all rows in front of one are. Barriers of a checkpoint
 * that is at-least-once are counted, and nothing is blocked: rows behind them may come first.
 *
 * A channel that brings a later barrier and not the one that is waited for says that this checkpoint was given up
 * before it reached that channel: it will never come there. Then only the later one is waited for.
 *
 * An unaligned barrier does not wait: it passes as soon as one channel has it (engine/stream/unaligned-gate.ts), and so does an aligned
 * one whose time is up.
 * Before: engine/stream/input-gate.ts. After: engine/task/mark-passage.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Barrier } from './barrier.ts';

/** A barrier that some channels have brought. */
interface Waited {
  readonly barrier: Barrier;
  readonly brought: Set<number>;
  /** When it was first heard of. */
  readonly sinceMs: number;
}

export class BarrierAligner {
  readonly #hasEnded: boolean[];
  /** By checkpoint, oldest first. */
  readonly #waited = new Map<number, Waited>();
  /** The barrier that went out last, or was given up with all before it. */
  #passedId = 0;
  /** Given up, later than that. */
  readonly #cancelled = new Set<number>();
  readonly #dropped: number[] = [];

  /** @param channelCount - 1 or more. */
  constructor(channelCount: number) {
    this.#hasEnded = new Array<boolean>(channelCount).fill(false);
  }

  /** Whether some channel has brought a barrier that others have not. */
  get isAligning(): boolean {
    return this.#waited.size > 0;
  }

  /** Whether the channel must not be read: what is behind its barrier comes later. */
  isBlocked(channel: number): boolean {
    if (this.#waited.size === 0) return false;
    for (const { barrier, brought } of this.#waited.values()) {
      if (barrier.mode !== 'at-least-once' && brought.has(channel)) return true;
    }
    return false;
  }

  /** Whether the barrier went out, or never will. */
  isOver(checkpointId: number): boolean {
    return checkpointId <= this.#passedId || this.#cancelled.has(checkpointId);
  }

  /** Whether the channel has brought the barrier, which has not gone out. */
  hasBrought(channel: number, checkpointId: number): boolean {
    return this.#waited.get(checkpointId)?.brought.has(channel) === true;
  }

  /** The channel has brought a barrier; answers that of all once all have. */
  arrive(channel: number, barrier: Barrier, nowMs = 0): Barrier | null {
    assert(!this.isBlocked(channel), 'a channel that is blocked is not read');
    const { checkpointId } = barrier;
    for (const [id, { brought }] of this.#waited) {
      if (id < checkpointId && !brought.has(channel)) this.#drop(id);
    }
    const waited = this.#heardOf(barrier, nowMs);
    waited?.brought.add(channel);
    return waited === null ? null : this.#barrierOfAll(() => nowMs);
  }

  /** A barrier is on its way in a channel: its time counts from here on. */
  announce(barrier: Barrier, nowMs: number): void {
    this.#heardOf(barrier, nowMs);
  }

  /** The channel has ended; answers as `arrive`. */
  end(channel: number, now: () => number = () => 0): Barrier | null {
    this.#hasEnded[channel] = true;
    return this.#barrierOfAll(now);
  }

  /** When an aligned barrier that is waited for has to turn unaligned; infinity for never. */
  get dueAtMs(): number {
    let dueAtMs = Number.POSITIVE_INFINITY;
    for (const { barrier, sinceMs } of this.#waited.values()) {
      dueAtMs = Math.min(dueAtMs, sinceMs + (barrier.timeoutMs ?? Number.POSITIVE_INFINITY));
    }
    return dueAtMs;
  }

  /** The oldest barrier whose time is up; null where none is. */
  due(nowMs: number): Barrier | null {
    for (const { barrier, sinceMs } of this.#waited.values()) {
      const { timeoutMs = Number.POSITIVE_INFINITY } = barrier;
      if (nowMs >= sinceMs + timeoutMs) return barrier;
    }
    return null;
  }

  /** Checkpoints that will not go through, since later ones were first: the task has to say so. */
  takeDropped(): readonly number[] {
    return this.#dropped.splice(0);
  }

  /** The barrier goes out now, whoever has brought it; answers how long it has waited. */
  pass(checkpointId: number, nowMs: number): number {
    const waited = this.#waited.get(checkpointId);
    this.#passedId = Math.max(this.#passedId, checkpointId);
    this.#waited.delete(checkpointId);
    for (const id of this.#waited.keys()) if (id < checkpointId) this.#drop(id);
    for (const id of this.#cancelled) if (id <= checkpointId) this.#cancelled.delete(id);
    return waited === undefined ? 0 : nowMs - waited.sinceMs;
  }

  /** The checkpoint is given up: its barrier is waited for no more, and goes out no more. */
  cancel(checkpointId: number): void {
    if (checkpointId <= this.#passedId) return;
    this.#waited.delete(checkpointId);
    this.#cancelled.add(checkpointId);
  }

  /** Null for one that went out, was given up, or was overtaken by a later one on some channel. */
  #heardOf(barrier: Barrier, nowMs: number): Waited | null {
    const { checkpointId } = barrier;
    const known = this.#waited.get(checkpointId);
    if (known !== undefined) return known;
    if (this.isOver(checkpointId)) return null;
    for (const id of this.#waited.keys()) {
      if (id < checkpointId) continue;
      this.#drop(checkpointId);
      return null;
    }
    const waited = { barrier, brought: new Set<number>(), sinceMs: nowMs };
    this.#waited.set(checkpointId, waited);
    return waited;
  }

  #drop(checkpointId: number): void {
    this.#waited.delete(checkpointId);
    this.#dropped.push(checkpointId);
  }

  /** The newest that all channels have brought. */
  #barrierOfAll(now: () => number): Barrier | null {
    let found: Barrier | null = null;
    for (const { barrier, brought } of this.#waited.values()) {
      const isThere = (hasEnded: boolean, channel: number) => hasEnded || brought.has(channel);
      if (brought.size > 0 && this.#hasEnded.every(isThere)) found = barrier;
    }
    if (found === null) return null;
    return { ...found, alignmentMs: this.pass(found.checkpointId, now()) };
  }
}
