/**
 * The ring between two threads: byte messages from one writer to one reader through slots in shared
 * memory. All that threads share of data passes through rings.
 *
 *     words, each in cache lines of its own     slot 0            slot 1           …
 *     published consumed waits waits mark       size size bytes   size size bytes
 *
 * Neither side ever waits here: `tryWrite` answers false when the ring is full and `tryRead` answers
 * `empty`, and the thread does something else or sleeps on its doorbell. The protocol and why no
 * wake-up is lost: engine/memory/ring-step.ts. Beside the messages the writer leaves notes, which need no room and are seen
 * before the messages that they overtake (engine/memory/ring-notes.ts). A thread that carries slots to and from another process
 * has ends of its own (engine/memory/ring-slots.ts).
 *
 * Contract:
 * - One `RingWriter` and one `RingReader` per buffer in all threads together (not checked).
 * - A thread notes its doorbell's count, then tries all its rings, then waits on that count.
 * - Its bound in bytes is `ringBytes(slotCount, slotBytes)`, whatever the size of a message.
 * Before: engine/shuffle/channel-writer.ts · After: engine/shuffle/channel-reader.ts
 */
import { assert } from '../../base/assert.ts';
import { noteBytes, notesKept, type RingNote, RingNotes } from './ring-notes.ts';
import {
  beginMark,
  beginMessage,
  type Fragment,
  newReaderState,
  newWriterState,
  type ReaderOutcome,
  type ReaderPort,
  type ReaderState,
  type RingPort,
  type RingWord,
  ringMarks,
  ringWords,
  stepReader,
  stepWriter,
  type WriterPort,
  type WriterState,
} from './ring-step.ts';

/** Two cache lines per word, since processors fetch lines in pairs. */
const wordStride = 128 / 4;
/** Behind the words are the notes. */
const notesOffset = Object.keys(ringWords).length * wordStride * 4;
const headerBytes = notesOffset + noteBytes * notesKept;
/** At the start of a slot: u32 bytes of the fragment, u32 bytes of the message. */
export const slotHeaderBytes = 16;

export interface RingOptions {
  /** At least `ringBytes(slotCount, slotBytes)` bytes, zeroed. */
  readonly buffer: SharedArrayBuffer;
  readonly slotCount: number;
  /** A multiple of 16, above 16. */
  readonly slotBytes: number;
}

/** Bytes of shared memory that a ring takes. */
export function ringBytes(slotCount: number, slotBytes: number): number {
  return headerBytes + slotCount * slotBytes;
}

/** What both ends have: the words and the slots. */
export class RingEnd implements RingPort {
  protected readonly words: Int32Array;
  protected readonly bytes: Uint8Array;
  protected readonly slotBytes: number;
  readonly notes: RingNotes;
  readonly #wake: () => void;

  constructor(options: RingOptions, wake: () => void) {
    const { buffer, slotCount, slotBytes } = options;
    assert(slotCount >= 1, 'a ring has at least one slot');
    assert(slotBytes > slotHeaderBytes && slotBytes % 16 === 0, 'slots are multiples of 16 bytes');
    assert(buffer.byteLength >= ringBytes(slotCount, slotBytes), 'the buffer holds the ring');
    this.words = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.slotBytes = slotBytes;
    this.notes = new RingNotes(buffer, notesOffset, this);
    this.#wake = wake;
  }

  load(word: RingWord): number {
    return Atomics.load(this.words, word * wordStride);
  }

  store(word: RingWord, value: number): void {
    Atomics.store(this.words, word * wordStride, value);
  }

  wakeOther(): void {
    this.#wake();
  }

  protected slotStart(slot: number): number {
    return headerBytes + slot * this.slotBytes;
  }
}

export class RingWriter {
  readonly #port: WriterEnd;
  readonly #state: WriterState;

  /** @param wakeReader - Rings the doorbell of the reader's thread. */
  constructor(options: RingOptions, wakeReader: () => void) {
    this.#port = new WriterEnd(options, wakeReader);
    this.#state = newWriterState(options.slotCount, options.slotBytes - slotHeaderBytes);
  }

  /** Whether a message is written in part: `tryWrite` has to be called again with it. */
  get isWriting(): boolean {
    return this.#state.phase !== 'idle';
  }

  /**
   * Writes the message; false when the ring is full. Then call again with the same message, which
   * may be written in part already, once the doorbell rang.
   */
  tryWrite(message: Uint8Array): boolean {
    const state = this.#state;
    if (state.phase === 'idle') beginMessage(state, message.length);
    assert(message.length === state.messageBytes, 'the message goes on where it stopped');
    this.#port.message = message;
    let outcome = stepWriter(state, this.#port);
    while (outcome === 'again') outcome = stepWriter(state, this.#port);
    this.#port.message = noBytes;
    return outcome === 'done';
  }

  /** Leaves a note behind the messages that are written whole, and wakes the reader. */
  note(numbers: RingNote['numbers']): void {
    this.#port.notes.add(this.#state.published, numbers);
    this.#port.wakeOther();
  }

  /** No message follows. Needs no room, so it never waits. */
  end(): void {
    this.#mark(ringMarks.ended);
  }

  /** The writer failed: what is in the ring is still read, a message in part is not. */
  fail(): void {
    this.#mark(ringMarks.failed);
  }

  #mark(mark: number): void {
    beginMark(this.#state, mark);
    while (stepWriter(this.#state, this.#port) === 'again');
  }
}

export class RingReader {
  readonly #port: ReaderEnd;
  readonly #state: ReaderState;

  /** @param wakeWriter - Rings the doorbell of the writer's thread. */
  constructor(options: RingOptions, wakeWriter: () => void) {
    this.#port = new ReaderEnd(options, wakeWriter);
    this.#state = newReaderState(options.slotCount);
  }

  /** Whether a message was received in part, into what `into` gave for it. */
  get isReading(): boolean {
    return this.#state.messageBytes >= 0;
  }

  /** How many slots have been read: where the next message begins, or goes on. */
  get place(): number {
    return this.#state.consumed;
  }

  /** The oldest note that was not taken; null where there is none. */
  takeNote(): RingNote | null {
    return this.#port.notes.take();
  }

  /** Where the messages end; null as long as more may come. */
  get endPlace(): number | null {
    if (this.#port.load(ringWords.mark) !== ringMarks.ended) return null;
    return this.#port.load(ringWords.published);
  }

  /** Copies of the messages that lie in front of a place and were not read; one that goes on behind it is none of them. */
  copyUpTo(place: number): Uint8Array<ArrayBuffer>[] {
    return this.#port.copyUpTo(this.#state, place);
  }

  /**
   * Reads the next message. `into` is called once per message with its size, and gives the bytes to
   * copy it to; they are kept while fragments are awaited, also across calls that answer `empty`.
   * When `into` throws, the message stays in the ring.
   */
  tryRead(into: (sizeBytes: number) => Uint8Array): Exclude<ReaderOutcome, 'again'> {
    this.#port.into = into;
    let outcome = stepReader(this.#state, this.#port);
    while (outcome === 'again') outcome = stepReader(this.#state, this.#port);
    if (outcome === 'message') this.#port.target = noBytes;
    return outcome;
  }
}

class WriterEnd extends RingEnd implements WriterPort {
  message: Uint8Array = noBytes;

  writeSlot(state: WriterState, fragmentBytes: number): void {
    const start = this.slotStart(state.slot);
    const { writtenBytes, messageBytes } = state;
    this.words[start >>> 2] = fragmentBytes;
    this.words[(start >>> 2) + 1] = messageBytes;
    const fragment = this.message.subarray(writtenBytes, writtenBytes + fragmentBytes);
    this.bytes.set(fragment, start + slotHeaderBytes);
  }
}

class ReaderEnd extends RingEnd implements ReaderPort {
  target: Uint8Array = noBytes;
  into: (sizeBytes: number) => Uint8Array = () => noBytes;

  readSlot(state: ReaderState): Fragment {
    const start = this.slotStart(state.slot);
    const fragmentBytes = this.words[start >>> 2]!;
    const messageBytes = this.words[(start >>> 2) + 1]!;
    if (state.messageBytes < 0) this.#open(messageBytes);
    assert(fragmentBytes <= this.slotBytes - slotHeaderBytes, 'a fragment fits its slot');
    const from = start + slotHeaderBytes;
    this.target.set(this.bytes.subarray(from, from + fragmentBytes), state.receivedBytes);
    return { fragmentBytes, messageBytes };
  }

  copyUpTo({ consumed, slot, slotCount, ...message }: ReaderState, place: number) {
    const copies: Uint8Array<ArrayBuffer>[] = [];
    let copy = message.messageBytes < 0 ? null : new Uint8Array(message.messageBytes);
    let filled = message.messageBytes < 0 ? 0 : message.receivedBytes;
    copy?.set(this.target.subarray(0, filled));
    for (let left = (place - consumed) | 0, at = slot; left > 0; left--) {
      const start = this.slotStart(at);
      const fragmentBytes = this.words[start >>> 2]!;
      copy ??= new Uint8Array(this.words[(start >>> 2) + 1]!);
      const from = start + slotHeaderBytes;
      copy.set(this.bytes.subarray(from, from + fragmentBytes), filled);
      filled += fragmentBytes;
      if (filled === copy.length) {
        copies.push(copy);
        copy = null;
        filled = 0;
      }
      at = at + 1 === slotCount ? 0 : at + 1;
    }
    return copies;
  }

  #open(messageBytes: number): void {
    const target = this.into(messageBytes);
    assert(target.length === messageBytes, 'the target is as large as the message');
    this.target = target;
  }
}

const noBytes = new Uint8Array(0);
