/**
 * Channel output: the sending end of one channel. Rows gather here until they make a message.
 *
 *     append ──▶ collector (rows of many batches) ──publish──▶ one body ──tryWrite──▶ ring, or file
 *
 * A message goes out with 8,192 rows, when it fills a slot of the ring, or on flush. While it waits
 * for room in the ring nothing more is taken: what a channel holds is bounded by one batch and one
 * message, and by an overdraft while a barrier pushes out what is in front of it. A batch that fills a message by itself is encoded straight from where it lies.
 *
 * A latency mark goes out right behind the message with the rows before it, whenever that is: it sends nothing sooner,
 * so it waits as long as they do. One that waits and the next become one.
 *
 * Rows may show more text than there is in memory: a join gives out the text of one row with each of its partners.
 * Such a batch goes in parts of up to 8 MiB.
 */
import { type Batch, batchRowsMax } from '../batch/batch.ts';
import { encodedSizeOf, encodeRows } from '../batch/wire.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import { addressOf, type BlockHandle } from '../memory/slot-memory.ts';
import { RowCollector, type RowCollectorOptions } from '../stream/row-collector.ts';
import { joinedLatency, type LatencyMark, type StreamMark } from '../stream/stream-element.ts';
import { encodeMark, markMessageBytes, modeNumberOf } from './mark-message.ts';

/** Rows from which a batch goes as it is. */
const wholeBatchRows = batchRowsMax / 2;

/** Of a batch with more bytes than this only some rows go at once; a row that is larger goes alone. */
const partBytesMax = 8 << 20;

/** Where messages go: a ring, or a partition of a map output. */
export interface MessageWriter {
  /** Takes a message, which lies in the slot's memory; false when there is no room: the same again later. */
  tryWrite(message: Uint8Array): boolean;
  /** No message follows. */
  end(): void;
  /** What was written must not become a result. */
  fail(): void;
  /** Tells the reader three numbers ahead of the messages; a file has no reader yet. */
  note?(numbers: [number, number, number]): void;
}

/** What may wait beyond one message for each channel, for all channels of an exchange together. */
export interface Overdraft {
  usedBytes: number;
  readonly maxBytes: number;
}

/** Rows or a mark on their way. */
interface Message {
  readonly block: BlockHandle;
  readonly sizeBytes: number;
  /** Of a barrier; 0 of a latency mark; null of what belongs to the state of the channel. */
  readonly checkpointId: number | null;
}

export interface ChannelOutputOptions extends RowCollectorOptions {
  readonly writer: MessageWriter;
  /** Bytes in front of a message that the writer may use. @defaultValue 0 */
  readonly headroomBytes?: number;
  /** Text from which a message goes out: what a slot of the ring carries. */
  readonly messageBytes: number;
  /** @defaultValue nothing waits beyond one message */
  readonly overdraft?: Overdraft;
}

export class ChannelOutput {
  readonly #options: ChannelOutputOptions;
  readonly #collector: RowCollector;
  readonly #headroomBytes: number;
  /** Those that wait for room, oldest first: one, but for what a barrier has pushed out of the chain. */
  readonly #messages: Message[] = [];
  /** Whether more messages than one may wait. */
  #hasOverdraft = false;
  /** Behind the rows that have gathered. */
  #latency: LatencyMark | null = null;
  /** Rows that have been taken of a batch without a list that goes in parts. */
  #partRows = 0;
  /** The numbers 0 to 8,191; made when first needed. */
  #places: BlockHandle = 0;

  constructor(options: ChannelOutputOptions) {
    this.#options = options;
    this.#collector = new RowCollector(options);
    this.#headroomBytes = options.headroomBytes ?? 0;
  }

  /** Whether a message waits for room in the ring. */
  get isFull(): boolean {
    return this.#messages.length > 0;
  }

  /** Whether messages line up where there is no room, as long as the overdraft lasts. */
  setOverdraft(hasOverdraft: boolean): void {
    this.#hasOverdraft = hasOverdraft;
  }

  get hasRows(): boolean {
    return this.#collector.rowCount > 0;
  }

  /**
   * Takes up to `count` stored rows of the batch, listed as u32 at `rows` (0: the first ones);
   * answers how many. Fewer than `count` means that the ring is full; rows without a list are taken
   * all or none, for their rest could not be named; then the next call is with the same batch.
   */
  append(batch: Batch, rows: number, count: number): number {
    if (rows === 0 && count > 1 && this.#textBytesOf(batch, 0, count) > partBytesMax) {
      return this.#appendInParts(batch, count);
    }
    let done = 0;
    while (done < count && this.#hasRoom()) {
      const at = rows === 0 ? 0 : rows + done * 4;
      if (!this.hasRows && count - done >= wholeBatchRows) {
        const part = this.#rowsAtOnce(batch, at, count - done);
        this.#encode(batch, at, part);
        done += part;
      } else {
        done += this.#collect(batch, at, count - done);
      }
    }
    this.pump();
    return done;
  }

  /** Sends what has gathered; false when the ring is full. */
  flush(): boolean {
    if (!this.#hasRoom()) return false;
    if (!this.hasRows) return true;
    this.#publish();
    return this.#hasRoom();
  }

  /** Sends a mark behind all rows; false when the ring is full: call again. */
  mark(mark: StreamMark): boolean {
    if (mark.kind === 'latency') {
      this.#latency = joinedLatency(this.#latency, mark);
      this.pump();
      return true;
    }
    if (mark.kind === 'barrier' && mark.timeoutMs !== undefined) return this.#sendAnnounced(mark);
    if (!this.flush()) return false;
    this.#encodeMark(mark);
    this.pump();
    return true;
  }

  /**
   * Announces a barrier to the reader ahead of all that waits here, which it answers copies of: they belong to the
   * checkpoint. Where the barrier waits already, in the turn of an aligned one, only what is in front of it does.
   */
  overtake(barrier: Barrier): readonly Uint8Array<ArrayBuffer>[] {
    if (this.hasRows) this.#publish();
    const { scope, writer } = this.#options;
    const found: Uint8Array<ArrayBuffer>[] = [];
    for (const { block, sizeBytes, checkpointId } of this.#messages) {
      if (checkpointId !== null) continue;
      const start = addressOf(block) + this.#headroomBytes;
      found.push(new Uint8Array(scope.memory.bytes.subarray(start, start + sizeBytes)));
    }
    writer.note?.(notedOf(barrier));
    return found;
  }

  /** Goes on with the waiting messages; true when none is left. */
  pump(): boolean {
    if (!this.#write()) return false;
    if (this.#latency === null || this.hasRows) return true;
    this.#encodeMark(this.#latency);
    this.#latency = null;
    return this.#write();
  }

  /** No message follows; all must be flushed. */
  end(): void {
    this.#options.writer.end();
  }

  /** Says that what was sent must not become a result. */
  fail(): void {
    this.#options.writer.fail();
  }

  close(): void {
    for (const message of this.#messages.splice(0)) this.#release(message);
    if (this.#places !== 0) this.#options.scope.memory.release(this.#places);
    this.#collector.close();
  }

  /** Writes the messages that wait; true when none is left. */
  #write(): boolean {
    const { scope, writer } = this.#options;
    for (let [message] = this.#messages; message !== undefined; [message] = this.#messages) {
      const start = addressOf(message.block) + this.#headroomBytes;
      const bytes = scope.memory.bytes.subarray(start, start + message.sizeBytes);
      if (!writer.tryWrite(bytes)) return false;
      this.#messages.shift();
      this.#release(message);
    }
    return true;
  }

  /** Whether one more message may be made. */
  #hasRoom(): boolean {
    if (this.pump()) return true;
    const { overdraft } = this.#options;
    return (
      this.#hasOverdraft && overdraft !== undefined && overdraft.usedBytes < overdraft.maxBytes
    );
  }

  /** In its turn, and announced once it is in the ring: who waits for it there knows how long. */
  #sendAnnounced(barrier: Barrier): boolean {
    const { checkpointId } = barrier;
    const isWaiting = this.#messages.some((message) => message.checkpointId === checkpointId);
    if (!isWaiting) {
      if (!this.flush()) return false;
      this.#encodeMark(barrier);
    }
    if (!this.pump()) return false;
    this.#options.writer.note?.(notedOf(barrier));
    return true;
  }

  #encodeMark(mark: StreamMark): void {
    const { scope } = this.#options;
    const checkpointId = mark.kind === 'barrier' ? mark.checkpointId : null;
    const address = this.#add(
      markMessageBytes,
      checkpointId ?? (mark.kind === 'latency' ? 0 : null),
    );
    encodeMark(scope.memory, address, mark);
  }

  /** Room for a message behind those that wait; answers its address. */
  #add(sizeBytes: number, checkpointId: number | null): number {
    const block = this.#options.scope.allocate(this.#headroomBytes + sizeBytes);
    this.#messages.push({ block, sizeBytes, checkpointId });
    if (this.#options.overdraft) this.#options.overdraft.usedBytes += sizeBytes;
    return addressOf(block) + this.#headroomBytes;
  }

  #release({ block, sizeBytes }: Message): void {
    this.#options.scope.memory.release(block);
    if (this.#options.overdraft) this.#options.overdraft.usedBytes -= sizeBytes;
  }

  /** Takes rows without a list by a list of all; answers none of them before the last. */
  #appendInParts(batch: Batch, count: number): number {
    const list = batch.selection !== 0 ? batch.selection : this.#placesAt();
    this.#partRows += this.append(batch, list + this.#partRows * 4, count - this.#partRows);
    if (this.#partRows < count) return 0;
    this.#partRows = 0;
    return count;
  }

  #placesAt(): number {
    const { scope } = this.#options;
    if (this.#places === 0) {
      this.#places = scope.allocate(batchRowsMax * 4);
      const start = addressOf(this.#places) >>> 2;
      for (let row = 0; row < batchRowsMax; row++) scope.memory.uint32[start + row] = row;
    }
    return addressOf(this.#places);
  }

  #textBytesOf(batch: Batch, rows: number, count: number): number {
    return this.#collector.textBytesOf(batch, rows === 0 ? batch.selection : rows, count);
  }

  /** How many of the rows go in one message; all that have no list. */
  #rowsAtOnce(batch: Batch, rows: number, count: number): number {
    let part = count;
    while (rows !== 0 && part > 1 && this.#textBytesOf(batch, rows, part) > partBytesMax) {
      part = Math.ceil(part / 2);
    }
    return part;
  }

  /** Puts rows together with earlier ones; publishes when there is a message's worth. */
  #collect(batch: Batch, rows: number, count: number): number {
    const { messageBytes } = this.#options;
    const { room } = this.#collector;
    let taken = rows === 0 && room < count ? 0 : Math.min(count, room);
    let textBytes = this.#collector.textBytesOf(batch, rows, taken);
    if (textBytes > partBytesMax) {
      taken = this.#rowsAtOnce(batch, rows, taken);
      textBytes = this.#collector.textBytesOf(batch, rows, taken);
    }
    const isTooMuch = this.hasRows && this.#collector.textBytes + textBytes > messageBytes;
    if (taken === 0 || isTooMuch) {
      this.#publish();
      return 0;
    }
    this.#collector.append(batch, rows, taken);
    const isFull = this.#collector.room === 0 || this.#collector.textBytes >= messageBytes;
    if (isFull) this.#publish();
    return taken;
  }

  #publish(): void {
    const batch = this.#collector.peek();
    this.#encode(batch, 0, batch.rowCount);
    batch.release();
    this.#collector.clear();
  }

  #encode(batch: Batch, rows: number, count: number): void {
    const { kernels } = this.#options;
    const address = this.#add(encodedSizeOf(kernels, batch, rows, count), null);
    encodeRows(kernels, batch, rows, count, address);
  }
}

function notedOf(barrier: Barrier): [number, number, number] {
  const { checkpointId, triggeredAtMs = Number.NaN } = barrier;
  return [checkpointId, modeNumberOf(barrier), triggeredAtMs];
}
