/**
 * Ends of a ring for a thread that carries its slots, as they are, from a ring of one process to a ring of another:
 *
 *     writer ─▶ [ring] ─▶ SlotReader ═══ other process ═══▶ SlotWriter ─▶ [ring] ─▶ reader
 *
 * The reader and the writer are plain ones and notice nothing. Counts of slots are the same on both sides, so a place that
 * a note names means the same in both rings; how many slots the rings have may differ.
 *
 * A SlotReader shows slots where they lie and gives them back when it is told to: until then the writer can not write there.
 * A SlotWriter gives out the room of the next slot before it is published; what lies there until then is seen by nobody.
 * Before: engine/memory/ring-slot-step.ts. After: worker/exchange/send-channel.ts, worker/exchange/receive-channel.ts.
 */
import { assert } from '../../base/assert.ts';
import { RingEnd, type RingOptions, slotHeaderBytes } from './ring.ts';
import type { RingNote } from './ring-notes.ts';
import {
  beginReturn,
  type LookOutcome,
  newSlotReaderState,
  type SlotReaderState,
  stepLook,
  stepReturn,
} from './ring-slot-step.ts';
import {
  beginMark,
  beginMessage,
  newWriterState,
  ringMarks,
  ringWords,
  stepWriter,
  type WriterPort,
  type WriterState,
} from './ring-step.ts';

/** A slot as it lies in the ring. */
export interface RingSlot {
  /** Bytes of the message that it belongs to. */
  readonly messageBytes: number;
  readonly fragment: Uint8Array;
}

export class SlotReader {
  readonly #port: SlotReaderEnd;
  readonly #state: SlotReaderState = newSlotReaderState();

  /** @param wakeWriter - Rings the doorbell of the writer's thread. */
  constructor(options: RingOptions, wakeWriter: () => void) {
    this.#port = new SlotReaderEnd(options, wakeWriter);
  }

  /** Slots that are known to be written. */
  get seen(): number {
    return this.#state.seen;
  }

  /** Looks whether there are more slots; when there are none it is woken by the next. */
  look(): Exclude<LookOutcome, 'again'> {
    let outcome = stepLook(this.#state, this.#port);
    while (outcome === 'again') outcome = stepLook(this.#state, this.#port);
    return outcome;
  }

  /** The oldest note that was not taken. All in front of slots that were seen are there. */
  takeNote(): RingNote | null {
    return this.#port.notes.take();
  }

  /** @param place - Of a slot that was seen and not given back. */
  slotAt(place: number): RingSlot {
    const { consumed, seen } = this.#state;
    assert(((place - consumed) | 0) >= 0 && ((seen - place) | 0) > 0, 'the slot is kept');
    return this.#port.slotAt(place);
  }

  /** Gives back the slots in front of a place. */
  giveBack(place: number): void {
    beginReturn(this.#state, place);
    while (stepReturn(this.#state, this.#port) === 'again');
  }
}

export class SlotWriter {
  readonly #port: SlotWriterEnd;
  readonly #state: WriterState;

  /** @param wakeReader - Rings the doorbell of the reader's thread. */
  constructor(options: RingOptions, wakeReader: () => void) {
    this.#port = new SlotWriterEnd(options, wakeReader);
    this.#state = newWriterState(options.slotCount, options.slotBytes - slotHeaderBytes);
  }

  /** How many slots the reader has done with; when that changes the writer is woken. */
  consumed(): number {
    this.#port.store(ringWords.writerWaits, 1);
    this.#state.consumed = this.#port.load(ringWords.consumed);
    return this.#state.consumed;
  }

  /** Room for the fragment of the next slot, which must be free. */
  room(fragmentBytes: number): Uint8Array {
    const { published, consumed, slotCount, slot, slotPayload } = this.#state;
    assert(((published - consumed) | 0) < slotCount, 'there is a free slot');
    assert(fragmentBytes <= slotPayload, 'a fragment fits its slot');
    return this.#port.roomAt(slot, fragmentBytes);
  }

  /** The next slot is filled. */
  publish(fragmentBytes: number, messageBytes: number): void {
    this.#port.messageBytes = messageBytes;
    beginMessage(this.#state, fragmentBytes);
    let outcome = stepWriter(this.#state, this.#port);
    while (outcome === 'again') outcome = stepWriter(this.#state, this.#port);
    assert(outcome === 'done', 'there was a free slot');
  }

  /** Leaves a note behind the slots that are published, and wakes the reader. */
  note(numbers: RingNote['numbers']): void {
    this.#port.notes.add(this.#state.published, numbers);
    this.#port.wakeOther();
  }

  end(): void {
    this.#mark(ringMarks.ended);
  }

  fail(): void {
    this.#mark(ringMarks.failed);
  }

  #mark(mark: number): void {
    beginMark(this.#state, mark);
    while (stepWriter(this.#state, this.#port) === 'again');
  }
}

class SlotReaderEnd extends RingEnd {
  readonly #slotCount: number;

  constructor(options: RingOptions, wake: () => void) {
    super(options, wake);
    this.#slotCount = options.slotCount;
  }

  slotAt(place: number): RingSlot {
    // Counts wrap at 2^32, so the number of slots must divide that: rings have a power of two of them.
    const start = this.slotStart((place >>> 0) % this.#slotCount);
    const fragmentBytes = this.words[start >>> 2]!;
    assert(fragmentBytes <= this.slotBytes - slotHeaderBytes, 'a fragment fits its slot');
    const from = start + slotHeaderBytes;
    return {
      messageBytes: this.words[(start >>> 2) + 1]!,
      fragment: this.bytes.subarray(from, from + fragmentBytes),
    };
  }
}

class SlotWriterEnd extends RingEnd implements WriterPort {
  messageBytes = 0;

  roomAt(slot: number, fragmentBytes: number): Uint8Array {
    const from = this.slotStart(slot) + slotHeaderBytes;
    return this.bytes.subarray(from, from + fragmentBytes);
  }

  /** The fragment is there already. */
  writeSlot({ slot }: WriterState, fragmentBytes: number): void {
    const word = this.slotStart(slot) >>> 2;
    this.words[word] = fragmentBytes;
    this.words[word + 1] = this.messageBytes;
  }
}
