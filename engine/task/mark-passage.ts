/**
 * Mark passage: takes watermarks and their like through a chain, one at a time, and wakes operators by the
 * clock.
 *
 *     mark ─▶ operator 0: advance ─▶ its rows go through the chain ─▶ operator 1: advance ─▶ … ─▶ outputs
 *
 * A mark is with an operator only when no batch is under way, so what it says is true of all rows that the
 * operator has seen, and what the operator gives out because of it comes before the mark at the next one.
 *
 * A barrier has each operator hand out its snapshot, with all rows in front of it and none behind.
 *
 * An operator that gives rows out at the end only holds the mark: they may be older. One that promises less
 * than it was promised (`watermarkBehind`) lets that much through.
 * Before: engine/task/operator-chain.ts. After: engine/operators/operator.ts.
 */
import { assert } from '../../base/assert.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import type { SnapshotWriter } from '../contracts/snapshot.ts';
import type { Operator } from '../operators/operator.ts';
import type { ChainedOutbox, Outbox } from '../stream/outbox.ts';
import type { LatencyMark, StreamMark, Watermark } from '../stream/stream-element.ts';
import type { TaskLatency } from './task-latency.ts';
import type { TaskMetrics } from './task-metrics.ts';

export interface Link {
  readonly operator: Operator;
  readonly index: number;
  /** By port; only the first operator of a chain may have two. */
  readonly inputs: readonly ChainedOutbox[];
  /** Where the operator's output goes. */
  readonly output: Outbox;
}

/** Where marks go, and what they pass. */
export interface MarkRoute {
  /** Takes a mark behind the last operator's rows; false asks to be called again with the same. */
  readonly lastMark: (mark: StreamMark) => boolean;
  /** Operators that give rows out at the end only: no promise about time goes past them. */
  readonly holdsTime: ReadonlySet<Operator>;
  readonly metrics: TaskMetrics;
  /** Where latency is noted. @defaultValue nowhere */
  readonly latency?: TaskLatency | null;
  readonly mono: () => number;
  /** Where the operator that is counted under an index hands its snapshot. @defaultValue there are no barriers */
  readonly snapshotOf?: (index: number, barrier: Barrier) => SnapshotWriter;
}

export interface MarkPassageOptions extends MarkRoute {
  /** Goes on with batches of the chain; true when none is left. */
  readonly pumpBatches: () => boolean;
}

export class MarkPassage {
  readonly #links: readonly Link[];
  readonly #options: MarkPassageOptions;
  /** Operators that do something by the clock. */
  readonly #timed: readonly Link[];
  #mark: StreamMark | null = null;
  /** The link that the mark is at. */
  #place = 0;
  /** Whether the link there has been given the mark, and asked to be called again. */
  #isWithin = false;
  /** That was woken, and asked to be called again. */
  #waking: Link | null = null;
  /** By link: the largest time that has been promised behind it. */
  readonly #promised: Float64Array;

  /** By link: the last watermark that it was given, and when. */
  readonly #given: Float64Array;
  readonly #givenAtMs: Float64Array;

  constructor(links: readonly Link[], options: MarkPassageOptions) {
    this.#links = links;
    this.#options = options;
    this.#timed = links.filter(({ operator }) => 'wakeAtMs' in operator);
    this.#promised = new Float64Array(links.length).fill(Number.NEGATIVE_INFINITY);
    this.#given = this.#promised.slice();
    this.#givenAtMs = this.#promised.slice();
  }

  get wakeAtMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { operator } of this.#timed) {
      earliest = Math.min(earliest, operator.wakeAtMs ?? Number.POSITIVE_INFINITY);
    }
    return earliest;
  }

  /** The last watermark that the operator at a place was given, and when by the clock; minus infinity before the first. */
  givenAt(place: number): { readonly timeMs: number; readonly atMs: number } {
    const none = Number.NEGATIVE_INFINITY;
    return { timeMs: this.#given[place] ?? none, atMs: this.#givenAtMs[place] ?? none };
  }

  begin(mark: StreamMark, place = 0): void {
    assert(this.#mark === null, 'one mark goes through a chain at a time');
    this.#mark = mark;
    this.#place = place;
  }

  /** The barrier that is on its way, in its turn; null where none is. */
  get barrier(): Barrier | null {
    return this.#mark?.kind === 'barrier' ? this.#mark : null;
  }

  /** Takes the barrier out; answers the link that it is at. */
  takeBarrier(): number {
    assert(this.barrier !== null, 'a barrier is on its way');
    this.#mark = null;
    this.#isWithin = false;
    return this.#place;
  }

  /** Goes on until no operator is within a mark, or within what it was woken for; false asks to be called again. */
  settle(): boolean {
    if (this.#waking !== null && this.#wakeOne(this.#waking) === 'again') return false;
    return !this.#isWithin || this.#mark === null || this.#pass(this.#mark);
  }

  /** No watermark up to this time goes past the links in front of a place: they have been there. */
  promise(place: number, timeMs: number): void {
    const before = place - 1;
    if (before >= 0) this.#promised[before] = Math.max(this.#promised[before] ?? timeMs, timeMs);
  }

  /**
   * Goes on with the mark, with operators whose time has come, and with marks that begin here; true when none is left. To be
   * called when no batch is left.
   *
   * @param beginsMarks - Whether operators may begin marks of their own.
   */
  pump(beginsMarks = true): boolean {
    for (let isFirst = true; ; isFirst = false) {
      // What operators gave out because of the mark is in front of it.
      if (!isFirst && !this.#options.pumpBatches()) return false;
      if (this.#mark !== null) {
        if (!this.#pass(this.#mark)) return false;
        continue;
      }
      if (this.#timed.length === 0) return true;
      const woken = this.#wake();
      if (woken === 'again') return false;
      if (woken === 'nothing' && !(beginsMarks && this.#take())) return true;
    }
  }

  #wake(): 'nothing' | 'done' | 'again' {
    const nowMs = this.#options.mono();
    for (const link of this.#timed) {
      const { operator } = link;
      if (operator.wake === undefined || (operator.wakeAtMs ?? nowMs + 1) > nowMs) continue;
      return this.#wakeOne(link);
    }
    return 'nothing';
  }

  #wakeOne(link: Link): 'done' | 'again' {
    const { metrics, mono } = this.#options;
    const before = metrics.enter(link.index, 0);
    const isDone = link.operator.wake?.(mono(), link.output) !== false;
    metrics.leave(before);
    this.#waking = isDone ? null : link;
    return isDone ? 'done' : 'again';
  }

  #take(): boolean {
    const nowMs = this.#options.mono();
    for (const link of this.#timed) {
      const mark = link.operator.takeMark?.(nowMs) ?? null;
      if (mark === null) continue;
      const place = this.#links.indexOf(link);
      if (mark.kind === 'watermark') this.#promised[place] = mark.timeMs;
      this.begin(mark, place + 1);
      return true;
    }
    return false;
  }

  /** One operator further; false when it stopped short. */
  #pass(mark: StreamMark): boolean {
    const link = this.#links[this.#place];
    const isThrough = link === undefined ? this.#options.lastMark(mark) : this.#through(link, mark);
    this.#isWithin = !isThrough;
    if (!isThrough) return false;
    if (link === undefined) this.#mark = null;
    this.#place++;
    return true;
  }

  #through(link: Link, mark: StreamMark): boolean {
    if (mark.kind === 'idle') return this.#passIdle(link);
    if (mark.kind === 'latency') return this.#passLatency(link, mark);
    if (mark.kind === 'barrier') return this.#passBarrier(link, mark);
    const before = this.#given[this.#place] ?? Number.NEGATIVE_INFINITY;
    if (mark.timeMs !== before) {
      this.#options.latency?.advancing(link.index, mark, before);
      this.#given[this.#place] = mark.timeMs;
      this.#givenAtMs[this.#place] = this.#options.mono();
    }
    if (!this.#advance(link, mark.timeMs)) return false;
    this.#mark = this.#behind(link, mark);
    return true;
  }

  /** The operator has seen all rows before the mark; what it holds of them is passed. */
  #passLatency({ index }: Link, mark: LatencyMark): boolean {
    this.#options.latency?.passed(index, mark);
    return true;
  }

  /** The operator has worked on all rows in front of the barrier; what it gives out now is in front of it as well. */
  #passBarrier({ operator, index, output }: Link, barrier: Barrier): boolean {
    const { snapshotOf, metrics } = this.#options;
    assert(snapshotOf !== undefined, 'barriers come where snapshots are taken');
    if (operator.snapshot === undefined) return true;
    const before = metrics.enter(index, 0);
    const isTaken = operator.snapshot(snapshotOf(index, barrier), output);
    metrics.leave(before);
    return isTaken;
  }

  /** Idleness goes on where the operator holds nothing that others would then take as late. */
  #passIdle({ operator, index, output }: Link): boolean {
    const { metrics } = this.#options;
    const before = metrics.enter(index, 0);
    const answer = operator.idle?.(output) ?? (operator.advance === undefined ? 'pass' : 'hold');
    metrics.leave(before);
    if (answer === 'again') return false;
    if (answer === 'hold' || this.#options.holdsTime.has(operator)) this.#mark = null;
    return true;
  }

  #advance({ operator, index, output }: Link, timeMs: number): boolean {
    if (operator.advance === undefined) return true;
    const { metrics } = this.#options;
    const before = metrics.enter(index, 0);
    const isDone = operator.advance(timeMs, output);
    metrics.leave(before);
    return isDone;
  }

  /** What goes on behind the operator; null where it holds the time. */
  #behind({ operator }: Link, mark: Watermark): StreamMark | null {
    const { timeMs } = mark;
    const promised = this.#promised[this.#place] ?? Number.NEGATIVE_INFINITY;
    const behind = this.#options.holdsTime.has(operator)
      ? Number.NEGATIVE_INFINITY
      : (operator.watermarkBehind?.(timeMs) ?? timeMs);
    if (behind <= promised) return null;
    this.#promised[this.#place] = behind;
    return behind === timeMs ? mark : earlier(mark, behind);
  }
}

/** A watermark that promises less; event time came there sooner. */
function earlier({ timeMs, clock }: Watermark, earlierMs: number): Watermark {
  if (clock === undefined) return { kind: 'watermark', timeMs: earlierMs };
  const { atMs, perMs } = clock;
  const before = { atMs: atMs - (timeMs - earlierMs) * perMs, perMs };
  return { kind: 'watermark', timeMs: earlierMs, clock: before };
}
