/**
 * Ring notes: what the writer of a ring tells its reader ahead of the messages in it: three numbers, and how many slots had
 * been written by then.
 *
 *     word `noted`   notes so far            writer   note into its place, then the count
 *     16 places      slots, three numbers    reader   count, note, count once more: the place may have been used again
 *
 * A note is there before any message that is written behind it, so who has read a message finds the notes in front of it.
 * A reader that is 16 behind loses the oldest, for their places may be written while it reads.
 * Before: engine/memory/ring.ts. After: engine/shuffle/channel-reader.ts.
 */
import { type RingPort, ringWords } from './ring-step.ts';

export interface RingNote {
  /** Slots written when the note was left. */
  readonly place: number;
  readonly numbers: readonly [number, number, number];
}

export const notesKept = 16;
export const noteBytes = 32;

export class RingNotes {
  readonly #numbers: Float64Array;
  readonly #port: Pick<RingPort, 'load' | 'store'>;
  /** Added by this side, or taken by it. */
  #count = 0;

  /** @param offset - Of the places in the buffer: `notesKept` of `noteBytes` each. */
  constructor(buffer: SharedArrayBuffer, offset: number, port: Pick<RingPort, 'load' | 'store'>) {
    this.#numbers = new Float64Array(buffer, offset, (notesKept * noteBytes) / 8);
    this.#port = port;
  }

  add(place: number, numbers: RingNote['numbers']): void {
    this.#numbers.set([place, ...numbers], startOf(this.#count));
    this.#count = (this.#count + 1) | 0;
    this.#port.store(ringWords.noted, this.#count);
  }

  /** The oldest that was not taken; null where there is none. */
  take(): RingNote | null {
    for (;;) {
      const behind = (this.#port.load(ringWords.noted) - this.#count) | 0;
      if (behind === 0) return null;
      if (behind >= notesKept) this.#count = (this.#count + behind - notesKept + 1) | 0;
      const start = startOf(this.#count);
      const [place = 0, first = 0, second = 0, third = 0] = this.#numbers.slice(start, start + 4);
      if (((this.#port.load(ringWords.noted) - this.#count) | 0) >= notesKept) continue;
      this.#count = (this.#count + 1) | 0;
      return { place, numbers: [first, second, third] };
    }
  }
}

function startOf(count: number): number {
  return ((count >>> 0) % notesKept) * (noteBytes / 8);
}
