/**
 * Merged source: reads the lanes that it is handed beside each other, always that with the least event time.
 *
 *     lane 0   split a1, a2, …   newest row 10:03
 *     lane 1   split b1, b2, …   newest row 10:01   ◀── is read next
 *
 * A lane is a sequence of splits whose rows come roughly in the order of time: a file, a topic partition, or
 * every other part of a file. Read so, the lanes of a task stay together in time, and windows behind them are
 * complete soon. Which lane the rows on their way belong to is said to `SplitTimes`, where the
 * watermark comes from.
 *
 * Where it is aligned with other sources (engine/time/source-alignment.ts) a lane that is too far ahead of these is not
 * asked, and is not idle by that.
 *
 * Invariants:
 * - A lane has one reader, and its splits come in their order.
 * - A batch that the outbox refused is kept and offered again before anything more is read.
 * Before: engine/contracts/source.ts. After: engine/time/split-times.ts, engine/task/operator-chain.ts.
 */
import { assert } from '../../base/assert.ts';
import { closeAll } from '../../base/close-all.ts';
import type { SourceSnapshot } from '../contracts/snapshot.ts';
import {
  type DueRows,
  type Skipped,
  type Split,
  type SplitReader,
  sumOfSkipped,
} from '../contracts/source.ts';
import type { SourceAlignment } from '../time/source-alignment.ts';
import type { SplitTimes } from '../time/split-times.ts';
import type { Outbox } from './operator.ts';
import { ReadRows } from './read-rows.ts';
import {
  openSplitOf,
  type SourceReport,
  type SourceState,
  type TaskSource,
} from './source-operator.ts';

export interface MergedSourceOptions {
  /** One for each lane. */
  readonly newReader: () => SplitReader;
  readonly times: SplitTimes;
  readonly mono: () => number;
  /** With other sources, which it waits for. @defaultValue it reads whenever it can */
  readonly alignment?: SourceAlignment | null;
}

interface Lane {
  readonly number: number;
  readonly reader: SplitReader;
  /** Splits that have not been opened. */
  readonly waiting: Split[];
  /** The split that it reads; null between two. */
  open: Split | null;
}

export class MergedSourceOperator implements TaskSource {
  readonly #options: MergedSourceOptions;
  readonly #lanes = new Map<number, Lane>();
  /** Ids of splits that were read to their ends. */
  readonly #finished: string[] = [];
  #hasLast = false;
  #isStopped = false;
  /** Whether nobody knows of a split to come: lanes that have come to the end of theirs wait for rows. */
  #isDry = false;
  /** Whether no lane had rows when they were asked last. */
  #isWaiting = false;
  readonly #unsent = new ReadRows();
  /** The lane read last. */
  #current: Lane | null = null;

  constructor(options: MergedSourceOptions) {
    this.#options = options;
  }

  /** All splits are asked for at once, so that each lane can begin. */
  get wantsSplit(): boolean {
    return !this.#hasLast && !this.#isStopped;
  }

  get bytesRead(): number {
    let sum = 0;
    for (const { reader } of this.#lanes.values()) sum += reader.bytesRead;
    return sum;
  }

  get skipped(): Skipped | null {
    return sumOfSkipped([...this.#lanes.values()].flatMap(({ reader }) => reader.skipped ?? []));
  }

  get dueAtMs(): number {
    let earliest = this.#options.alignment?.dueAtMs ?? never;
    if (!this.#isWaiting) return earliest;
    for (const { reader, open } of this.#lanes.values()) {
      if (open !== null) earliest = Math.min(earliest, dueAtOf(reader));
    }
    return earliest;
  }

  get due(): DueRows | null {
    return this.#current?.reader.due ?? null;
  }

  get rowCount(): number {
    return this.#unsent.rowCount;
  }

  position(): string {
    return this.#current?.reader.position() ?? 'before the first split';
  }

  inspect(): SourceReport {
    const lanes = [...this.#lanes.values()];
    const open = lanes.filter(hasSplit);
    const isEnded = (open.length === 0 && this.#hasLast) || this.#isStopped;
    const reading = this.#isWaiting ? 'waiting' : 'reading';
    const waitsFor = this.#options.alignment?.report ?? null;
    const state = waitsFor === null ? reading : 'held';
    return {
      splits: this.#options.times.lanes().map(({ splitId }) => splitId),
      position: open.length === 0 ? null : this.position(),
      state: isEnded ? 'ended' : open.length === 0 ? 'asking' : state,
      rowCount: this.#unsent.rowCount,
      ...(waitsFor !== null && { waitsFor }),
      lanes: this.#options.times.lanes(),
    };
  }

  offerSplit(split: Split | null | 'later'): void {
    if (this.#isStopped) return; // It was asked for before anyone knew.
    assert(this.wantsSplit, 'a split is offered when it is wanted');
    const { newReader, times } = this.#options;
    if (split === 'later') {
      this.#isDry = true;
      if (this.#lanes.size === 0) times.expect(0);
      times.setEndless();
      return;
    }
    if (split === null) {
      this.#hasLast = true;
      times.expect(this.#lanes.size);
      this.#endLanes(); // Those that came to the end of theirs before anyone knew that it was the last.
      return;
    }
    const { number, count } = split.lane ?? { number: 0, count: 1 };
    times.expect(count);
    let lane = this.#lanes.get(number);
    if (lane === undefined) {
      lane = { number, reader: newReader(), waiting: [], open: null };
      this.#lanes.set(number, lane);
      times.begin(number, split.id);
    }
    this.#isDry = false;
    lane.waiting.push(split);
  }

  step(outbox: Outbox, deadLetters: Outbox | null = null): SourceState {
    const state = this.#unsent.isEmpty ? this.#read(deadLetters !== null) : 'more';
    return this.#unsent.offer(outbox, deadLetters) ? state : 'full';
  }

  snapshot(): SourceSnapshot | null {
    if (!this.#unsent.isUpTo(this.#current?.reader ?? null)) return null;
    const open = [...this.#lanes.values()].flatMap((lane) =>
      lane.open === null ? [] : [openSplitOf(lane.open, lane.reader)],
    );
    return { finished: [...this.#finished], open };
  }

  getStuck(): void {
    this.#options.alignment?.getStuck(this.#options.mono());
  }

  stop(): void {
    this.#isStopped = true;
    this.#options.alignment?.end();
  }

  close(): void {
    this.#options.alignment?.end();
    this.#unsent.close();
    closeAll([...this.#lanes.values()].map(({ reader }) => reader));
  }

  /** Reads the lane with the least time that has something now. */
  #read(hasDeadLetters: boolean): SourceState {
    const current = this.#current?.reader ?? null;
    if (hasDeadLetters && current !== null && this.#unsent.takeLetters(current)) return 'more';
    const { times, mono } = this.#options;
    const lanes = [...this.#lanes.values()].filter(hasSplit);
    this.#isWaiting = false;
    this.#noteDryLanes();
    if (lanes.length === 0 && this.#isOver()) return this.#end();
    this.#tellOthers();
    lanes.sort((a, b) => earlierFirst(times.newestOf(a.number), times.newestOf(b.number)));
    for (const lane of lanes) {
      if (this.#mustWait(lane, lanes)) return 'waiting';
      const result = this.#readLane(lane, hasDeadLetters);
      this.#isWaiting = result === 'waiting';
      if (!this.#isWaiting) return 'more';
      // Rows that are to come at a known time are the next ones in the order of time, and their lane is not idle.
      if (dueAtOf(lane.reader) < never) return 'waiting';
      // Nobody knows what a side has that does not answer: it may not be passed by.
      if (lane.reader.hasNothing === false) times.leaveOut(lane.number);
      else times.foundEmpty(lane.number, mono());
    }
    return 'waiting';
  }

  #readLane(lane: Lane, hasDeadLetters: boolean): 'more' | 'waiting' {
    const { times, mono } = this.#options;
    if (lane.open === null) this.#openNext(lane);
    this.#current = lane;
    const result = lane.reader.read();
    if (hasDeadLetters) this.#unsent.takeLetters(lane.reader);
    if (result === 'waiting' || result === 'more') return result;
    if (result === 'end') {
      this.#endSplit(lane);
      this.#endLanes();
    } else {
      times.enter(lane.number);
      times.setDue(lane.reader.due?.toMs ?? mono());
      this.#unsent.put(result);
    }
    return 'more';
  }

  #openNext(lane: Lane): void {
    const split = lane.waiting.shift();
    assert(split !== undefined, 'a lane without a split is not read');
    lane.reader.open(split);
    lane.open = split;
    this.#options.times.begin(lane.number, split.id);
  }

  #endSplit(lane: Lane): void {
    assert(lane.open !== null, 'what ends was open');
    this.#finished.push(lane.open.id);
    lane.open = null;
  }

  /** Lanes of a source without an end that have nothing to read: they are idle in time, and hold time till then. */
  #noteDryLanes(): void {
    if (!this.#isDry) return;
    const { times, mono } = this.#options;
    for (const lane of this.#lanes.values()) {
      if (!hasSplit(lane)) times.foundEmpty(lane.number, mono());
    }
  }

  /** Lanes without splits have ended once no more splits come; until then they hold the watermark. */
  #endLanes(): void {
    if (!this.#hasLast) return;
    for (const lane of this.#lanes.values()) {
      if (!hasSplit(lane)) this.#options.times.end(lane.number);
    }
  }

  /** The sources that it is aligned with are told how far it is. */
  #tellOthers(): void {
    const { times, mono, alignment = null } = this.#options;
    if (alignment === null) return;
    const nowMs = mono();
    alignment.tell({ watermarkMs: times.watermark(nowMs), isIdle: times.isIdle(nowMs) });
  }

  /** Whether a lane is too far ahead of the other sources; so are those behind it then, and none of them is asked. */
  #mustWait(lane: Lane, lanes: readonly Lane[]): boolean {
    const { times, mono, alignment = null } = this.#options;
    if (alignment?.mustWait(times.reachedBy(lane.number), mono()) !== true) return false;
    for (const { number } of lanes.slice(lanes.indexOf(lane))) times.leaveOut(number);
    return true;
  }

  #end(): 'done' {
    this.#options.alignment?.end();
    return 'done';
  }

  #isOver(): boolean {
    this.#endLanes();
    return this.#hasLast;
  }
}

const never = Number.POSITIVE_INFINITY;

/** When a reader that waits has rows; infinity when nobody knows. */
function dueAtOf({ dueAtMs = never }: SplitReader): number {
  return dueAtMs;
}

function hasSplit({ open, waiting }: Lane): boolean {
  return open !== null || waiting.length > 0;
}

/** Minus infinity, for lanes that have not begun, comes first. */
function earlierFirst(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
