/**
 * The protocol of the ring between two threads, as steps: each call does exactly one access to what
 * the threads share, and keeps everything else in a plain state object.
 *
 *     writer   space? ─▶ write slot ─▶ publish ─▶ reader waits? ─▶ clear its flag ─▶ ring its bell
 *                │ none: flag "writer waits", look again, then `full`
 *     reader   slot?  ─▶ read slot ─▶ consume ─▶ writer waits? ─▶ clear its flag ─▶ ring its bell
 *                │ none: flag "reader waits", look at the mark, look again, then `empty`
 *
 * Why steps: a test drives these very functions through every interleaving of a writer and a reader
 * (test/engine/memory/ring-step.test.ts); engine/memory/ring.ts drives them over shared memory.
 *
 * Why nothing is lost: who finds nothing sets its flag before it looks again, and the other side
 * publishes before it looks at the flag. All words are accessed with Atomics, in one total order, so
 * at least one of the two sees what the other did. A waiter notes its bell's count before it looks,
 * and sleeps only while the count is still that.
 *
 * Invariants:
 * - `published` and `consumed` only grow (modulo 2^32); published - consumed is 0 to `slotCount`.
 * - A slot is the writer's from `consumed` on, and the reader's from `published` on.
 * - A message larger than a slot goes in fragments, in order; its size is in each of them.
 * - The mark (ended or failed) is set after the last message; the reader reports it when no slot is
 *   left, which is why it reads the mark first and then `published` once more.
 */
import { assert, assertNever } from '../../base/assert.ts';

/** The shared words. */
export const ringWords = {
  published: 0,
  consumed: 1,
  readerWaits: 2,
  writerWaits: 3,
  mark: 4,
  /** Notes so far (engine/memory/ring-notes.ts). */
  noted: 5,
} as const;

export type RingWord = (typeof ringWords)[keyof typeof ringWords];

export const ringMarks = { open: 0, ended: 1, failed: 2 } as const;

/** What both sides may do to what they share; each call is one access. */
export interface RingPort {
  load(word: RingWord): number;
  store(word: RingWord, value: number): void;
  /** Rings the other side's doorbell. */
  wakeOther(): void;
}

export interface WriterPort extends RingPort {
  /** Copies the message's next `fragmentBytes`, after `writtenBytes`, into the slot. */
  writeSlot(state: WriterState, fragmentBytes: number): void;
}

export interface ReaderPort extends RingPort {
  /** Copies the slot's fragment behind the `receivedBytes` so far; answers what the slot says. */
  readSlot(state: ReaderState): Fragment;
}

export interface Fragment {
  readonly fragmentBytes: number;
  readonly messageBytes: number;
}

export interface WriterState {
  phase:
    | 'idle'
    | 'loadConsumed'
    | 'register'
    | 'recheck'
    | 'writeSlot'
    | 'publish'
    | 'storeMark'
    | 'checkReader'
    | 'clearReader'
    | 'wakeReader';
  readonly slotCount: number;
  /** Bytes of a message that fit a slot. */
  readonly slotPayload: number;
  published: number;
  /** As last seen. */
  consumed: number;
  /** The slot to write next. */
  slot: number;
  messageBytes: number;
  writtenBytes: number;
  mark: number;
}

export interface ReaderState {
  phase:
    | 'loadPublished'
    | 'register'
    | 'loadMark'
    | 'recheck'
    | 'readSlot'
    | 'consume'
    | 'checkWriter'
    | 'clearWriter'
    | 'wakeWriter';
  readonly slotCount: number;
  consumed: number;
  /** As last seen. */
  published: number;
  /** The slot to read next. */
  slot: number;
  /** Of the message in hand; -1 when none is. */
  messageBytes: number;
  receivedBytes: number;
  mark: number;
}

export type WriterOutcome = 'again' | 'done' | 'full';
export type ReaderOutcome = 'again' | 'message' | 'empty' | 'ended' | 'failed';

export function newWriterState(slotCount: number, slotPayload: number): WriterState {
  return {
    ...{ phase: 'idle', slotCount, slotPayload, published: 0, consumed: 0, slot: 0 },
    ...{ messageBytes: 0, writtenBytes: 0, mark: ringMarks.open },
  };
}

export function newReaderState(slotCount: number): ReaderState {
  return {
    ...{ phase: 'loadPublished', slotCount, consumed: 0, published: 0, slot: 0 },
    ...{ messageBytes: -1, receivedBytes: 0, mark: ringMarks.open },
  };
}

/** Starts a message; step until `done` or `full`. After `full`, step again when woken. */
export function beginMessage(state: WriterState, messageBytes: number): void {
  assert(state.phase === 'idle', 'a message starts when the one before is written');
  assert(state.mark === ringMarks.open, 'nothing is written after the end');
  state.messageBytes = messageBytes;
  state.writtenBytes = 0;
  state.phase = nextWritePhase(state);
}

/** Sets the end mark, or the failure mark, which may come in the middle of a message. */
export function beginMark(state: WriterState, mark: number): void {
  const isBetween = state.phase === 'idle';
  assert(isBetween || mark === ringMarks.failed, 'the end comes after a whole message');
  state.mark = mark;
  state.phase = 'storeMark';
}

/** One access of the writer. `done`: the message is written, or the mark is set. */
export function stepWriter(state: WriterState, port: WriterPort): WriterOutcome {
  switch (state.phase) {
    case 'idle':
      return 'done';
    case 'loadConsumed':
      state.consumed = port.load(ringWords.consumed);
      state.phase = isFull(state) ? 'register' : 'writeSlot';
      return 'again';
    case 'register':
      port.store(ringWords.writerWaits, 1);
      state.phase = 'recheck';
      return 'again';
    case 'recheck':
      state.consumed = port.load(ringWords.consumed);
      state.phase = isFull(state) ? 'loadConsumed' : 'writeSlot';
      return isFull(state) ? 'full' : 'again';
    case 'writeSlot':
      port.writeSlot(state, nextFragmentBytes(state));
      state.phase = 'publish';
      return 'again';
    case 'publish':
      state.writtenBytes += nextFragmentBytes(state);
      state.published = (state.published + 1) | 0;
      state.slot = state.slot + 1 === state.slotCount ? 0 : state.slot + 1;
      port.store(ringWords.published, state.published);
      state.phase = 'checkReader';
      return 'again';
    case 'storeMark':
      port.store(ringWords.mark, state.mark);
      state.phase = 'checkReader';
      return 'again';
    case 'checkReader':
      if (port.load(ringWords.readerWaits) === 0) return writtenOutcome(state);
      state.phase = 'clearReader';
      return 'again';
    case 'clearReader':
      port.store(ringWords.readerWaits, 0);
      state.phase = 'wakeReader';
      return 'again';
    case 'wakeReader':
      port.wakeOther();
      return writtenOutcome(state);
    default:
      return assertNever(state.phase);
  }
}

/** One access of the reader. After `empty`, step again when woken; marks are final. */
export function stepReader(state: ReaderState, port: ReaderPort): ReaderOutcome {
  switch (state.phase) {
    case 'loadPublished':
      state.published = port.load(ringWords.published);
      state.phase = isEmpty(state) ? 'register' : 'readSlot';
      return 'again';
    case 'register':
      port.store(ringWords.readerWaits, 1);
      state.phase = 'loadMark';
      return 'again';
    case 'loadMark':
      state.mark = port.load(ringWords.mark);
      state.phase = 'recheck';
      return 'again';
    case 'recheck':
      state.published = port.load(ringWords.published);
      state.phase = isEmpty(state) ? 'loadPublished' : 'readSlot';
      return isEmpty(state) ? emptyOutcome(state) : 'again';
    case 'readSlot':
      readFragment(state, port);
      state.phase = 'consume';
      return 'again';
    case 'consume':
      state.consumed = (state.consumed + 1) | 0;
      state.slot = state.slot + 1 === state.slotCount ? 0 : state.slot + 1;
      port.store(ringWords.consumed, state.consumed);
      state.phase = 'checkWriter';
      return 'again';
    case 'checkWriter':
      if (port.load(ringWords.writerWaits) === 0) return receivedOutcome(state);
      state.phase = 'clearWriter';
      return 'again';
    case 'clearWriter':
      port.store(ringWords.writerWaits, 0);
      state.phase = 'wakeWriter';
      return 'again';
    case 'wakeWriter':
      port.wakeOther();
      return receivedOutcome(state);
    default:
      return assertNever(state.phase);
  }
}

function isFull(state: WriterState): boolean {
  return ((state.published - state.consumed) | 0) === state.slotCount;
}

function isEmpty(state: ReaderState): boolean {
  return state.published === state.consumed;
}

/** What was seen last may be enough: then nothing shared is looked at. */
function nextWritePhase(state: WriterState): 'loadConsumed' | 'writeSlot' {
  return isFull(state) ? 'loadConsumed' : 'writeSlot';
}

function nextFragmentBytes(state: WriterState): number {
  return Math.min(state.slotPayload, state.messageBytes - state.writtenBytes);
}

function writtenOutcome(state: WriterState): WriterOutcome {
  const isDone = state.mark !== ringMarks.open || state.writtenBytes === state.messageBytes;
  state.phase = isDone ? 'idle' : nextWritePhase(state);
  return isDone ? 'done' : 'again';
}

function readFragment(state: ReaderState, port: ReaderPort): void {
  const { fragmentBytes, messageBytes } = port.readSlot(state);
  const isFirst = state.messageBytes < 0;
  assert(isFirst || messageBytes === state.messageBytes, 'fragments belong to one message');
  state.messageBytes = messageBytes;
  state.receivedBytes += fragmentBytes;
  assert(state.receivedBytes <= messageBytes, 'fragments are no longer than their message');
}

function receivedOutcome(state: ReaderState): ReaderOutcome {
  state.phase = isEmpty(state) ? 'loadPublished' : 'readSlot';
  if (state.receivedBytes < state.messageBytes) return 'again';
  state.messageBytes = -1;
  state.receivedBytes = 0;
  return 'message';
}

function emptyOutcome(state: ReaderState): ReaderOutcome {
  if (state.mark === ringMarks.failed) return 'failed';
  if (state.mark === ringMarks.open) return 'empty';
  assert(state.messageBytes < 0, 'the end comes after a whole message');
  return 'ended';
}
