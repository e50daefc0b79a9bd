/**
 * The clocks of a cut: what one task has taken and sent, channel by channel, with a checksum; and where each barrier was in it.
 *
 * Where barriers are aligned a checksum over the bytes of messages is enough. Where rows may be kept on their way, or come again,
 * each row is looked at by itself, since a message may then end somewhere else than the cut.
 *
 * After: simulation/checkpoints/cut-oracle.ts.
 */
import { crc32c } from '../../base/checksum.ts';
import { readTaskMetrics } from '../../engine/task/task-metrics.ts';
import { textsOfMessage } from './row-texts.ts';
import type { ChannelMessage } from './watched-task.ts';

/** Rows of a channel up to a moment. */
export interface Count {
  readonly rows: number;
  readonly checksum: number;
}

/** What one task says of itself. */
export interface TaskClock {
  writing(channel: number, message: ChannelMessage): void;
  wrote(channel: number, message: ChannelMessage): void;
  announcing(channel: number, checkpointId: number): void;
  ended(channel: number): void;
  read(channel: number, message: ChannelMessage, place: number): void;
  announced(channel: number, checkpointId: number, place: number): void;
  restoresRows(): void;
  begins(checkpointId: number): void;
}

const utf8 = new TextEncoder();

/** One more row. */
export function withRow({ rows, checksum }: Count, text: string): Count {
  return { rows: rows + 1, checksum: crc32c(utf8.encode(text), checksum) };
}

/** One end of a channel. */
class CountedChannel {
  now: Count = { rows: 0, checksum: 0 };
  /** By checkpoint: what came before its barrier, or before the snapshot. */
  readonly at = new Map<number, Count>();
  hasEnded = false;
  /** By checkpoint: slots of the ring that had been written when its barrier was announced. */
  readonly announcedAt = new Map<number, number>();
  /** By checkpoint: the other count that may be right. */
  readonly #others = new Map<number, Count>();
  /** Checksums up to each row; none where rows are not looked at one by one. */
  readonly #sums: number[] | null;
  /** Rows in front of the message that was read last, and where that ends in the ring. */
  #last: { readonly before: Count; readonly place: number } | null = null;

  constructor(looksAtRows: boolean) {
    this.#sums = looksAtRows ? [0] : null;
  }

  add(message: ChannelMessage, place = 0): void {
    this.#last = { before: this.now, place };
    if (message.kind !== 'rows') return;
    const { count, bytes, schema } = message;
    if (this.#sums === null) {
      const checksum = crc32c(bytes, this.now.checksum);
      this.now = { rows: this.now.rows + count, checksum };
      return;
    }
    for (const text of textsOfMessage(schema, bytes)) {
      this.now = withRow(this.now, text);
      this.#sums.push(this.now.checksum);
    }
  }

  mark(checkpointId: number): void {
    this.at.set(checkpointId, this.now);
  }

  /** The snapshot begins: what was read behind the announcement of its barrier is put aside. */
  begins(checkpointId: number): void {
    const last = this.#last;
    const isBehind = (place: number | undefined) =>
      place !== undefined && last !== null && last.place > place;
    const isAside = isBehind(this.announcedAt.get(checkpointId));
    this.at.set(checkpointId, isAside && last !== null ? last.before : this.now);
    // Behind that of an earlier one, which this one has overtaken, it may be aside or not.
    const isOpen = [...this.announcedAt].some(
      ([id, place]) => id < checkpointId && isBehind(place),
    );
    if (!isAside && isOpen && last !== null) this.#others.set(checkpointId, last.before);
  }

  /** What was taken at a snapshot, which of two counts fits where either may be. */
  settle(checkpointId: number, rows: number): void {
    const other = this.#others.get(checkpointId);
    if (other?.rows === rows) this.at.set(checkpointId, other);
  }

  before(checkpointId: number): Count | null {
    return this.at.get(checkpointId) ?? (this.hasEnded ? this.now : null);
  }

  /** The checksum up to a row; null where that is still to come. */
  upTo(rows: number): number | null {
    return this.#sums?.[rows] ?? null;
  }
}

/** Rows of a task that a checkpoint has kept: in front of its first operator, and in its outputs. */
export interface RowsAround {
  readonly inFront: number;
  readonly inOutbox: number;
}

export class CountedTask implements TaskClock {
  readonly #metrics: ArrayBufferLike;
  readonly #looksAtRows: boolean;
  readonly #outputs: CountedChannel[] = [];
  readonly #inputs: CountedChannel[] = [];
  /** By checkpoint: rows that the chain had given out as the barrier left it. */
  readonly #given = new Map<number, number>();
  /** By checkpoint: rows that the chain had been given as the barrier came to it. */
  readonly #worked = new Map<number, number>();
  /** Rows that it was given behind a restart, and that came in no channel; null as long as nobody knows how many. */
  #restoredRows: number | null = 0;

  constructor(metrics: ArrayBufferLike, looksAtRows: boolean) {
    this.#metrics = metrics;
    this.#looksAtRows = looksAtRows;
  }

  writing(_channel: number, message: ChannelMessage): void {
    if (message.kind === 'barrier') this.#leaves(message.checkpointId);
  }

  wrote(channel: number, message: ChannelMessage): void {
    const output = this.#end(this.#outputs, channel);
    output.add(message);
    if (message.kind === 'barrier') output.mark(message.checkpointId);
  }

  announcing(channel: number, checkpointId: number): void {
    this.#leaves(checkpointId);
    const output = this.#end(this.#outputs, channel);
    // One that went in its turn is announced behind that.
    if (!output.at.has(checkpointId)) output.mark(checkpointId);
  }

  ended(channel: number): void {
    this.#end(this.#outputs, channel).hasEnded = true;
  }

  read(channel: number, message: ChannelMessage, place: number): void {
    this.#end(this.#inputs, channel).add(message, place);
  }

  announced(channel: number, checkpointId: number, place: number): void {
    this.#end(this.#inputs, channel).announcedAt.set(checkpointId, place);
  }

  restoresRows(): void {
    this.#restoredRows = null;
  }

  begins(checkpointId: number): void {
    for (const input of this.#inputs) input?.begins(checkpointId);
    this.#worked.set(checkpointId, this.#rowsIn);
  }

  sentAt(channel: number, checkpointId: number): Count | null {
    return this.#end(this.#outputs, channel).before(checkpointId);
  }

  sentUpTo(channel: number, rows: number): number | null {
    return this.#end(this.#outputs, channel).upTo(rows);
  }

  takenUpTo(channel: number, rows: number): number | null {
    return this.#end(this.#inputs, channel).upTo(rows);
  }

  /** A channel that nobody has read yet had no rows then. @param fitting - What it should be. */
  takenAt(channel: number, checkpointId: number, fitting: number): Count | null {
    const input = this.#end(this.#inputs, channel);
    input.settle(checkpointId, fitting);
    if (this.#worked.has(checkpointId))
      return input.at.get(checkpointId) ?? { rows: 0, checksum: 0 };
    return this.#isFinished ? input.now : null;
  }

  /** Rows that the first of the chain was given, or has read, up to a checkpoint; null of one that it had no part in. */
  workedAt(checkpointId: number): number | null {
    return this.#worked.get(checkpointId) ?? (this.#isFinished ? this.#rowsIn : null);
  }

  /** What is wrong within the task: rows that it holds, or that its barrier has overtaken and nobody has kept. */
  objection(checkpointId: number, { inFront, inOutbox }: RowsAround): string | null {
    const given = this.#given.get(checkpointId);
    const sent = this.#outputs.reduce((sum, one) => sum + (one.at.get(checkpointId)?.rows ?? 0), 0);
    if (given !== undefined && given !== sent + inOutbox) {
      return `it gave out ${given} rows in front of its barrier, its channels have ${sent}, ${inOutbox} are kept`;
    }
    const worked = this.#worked.get(checkpointId);
    const taken = this.#inputs.reduce(
      (sum, one) => sum + (one?.at.get(checkpointId)?.rows ?? 0),
      0,
    );
    if (this.#inputs.length === 0 || worked === undefined) return null;
    // It was given all of them before the first that came in a channel, and so before the first barrier.
    this.#restoredRows ??= Math.max(0, worked + inFront - taken);
    if (worked + inFront === taken + this.#restoredRows) return null;
    return `it has read ${taken} rows in front of the barrier, worked on ${worked}, and kept ${inFront}`;
  }

  #leaves(checkpointId: number): void {
    if (this.#given.has(checkpointId)) return;
    this.#given.set(checkpointId, readTaskMetrics(this.#metrics).output.rowsIn);
  }

  get #rowsIn(): number {
    return readTaskMetrics(this.#metrics).operators[0]?.rowsIn ?? 0;
  }

  get #isFinished(): boolean {
    return readTaskMetrics(this.#metrics).state === 'finished';
  }

  #end(ends: CountedChannel[], channel: number): CountedChannel {
    ends[channel] ??= new CountedChannel(this.#looksAtRows);
    return ends[channel];
  }
}
