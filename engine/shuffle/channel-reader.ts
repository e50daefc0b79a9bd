/**
 * Channel reader: the receiving end of one channel. A message is copied once, from the ring into this
 * slot's memory, and becomes a batch in place.
 *
 * A message larger than a slot of the ring comes in fragments: its block is kept until it is whole.
 *
 * The sender may announce a barrier ahead of what is in the ring (`ahead`). What was sent behind it is read after the announcement
 * has been taken: a message that turns out to be such a one is put aside until then.
 * Before: engine/memory/ring.ts. After: engine/stream/input-gate.ts.
 */
import { decodeBody } from '../batch/wire.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { RingReader } from '../memory/ring.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import {
  type Announcement,
  type ChannelAhead,
  type ElementReader,
  isMark,
  type StreamElement,
} from '../stream/stream-element.ts';
import { barrierOf, decodeMark } from './mark-message.ts';

export interface ChannelReaderOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
  readonly ring: RingReader;
}

/** What was read, and lies behind a barrier that was not taken. */
interface Aside {
  readonly element: StreamElement;
  readonly message: Uint8Array<ArrayBuffer>;
  readonly endPlace: number;
}

export class ChannelReader implements ElementReader, ChannelAhead {
  onMessage: ChannelAhead['onMessage'] = null;
  readonly #options: ChannelReaderOptions;
  /** Seen, and not taken; oldest first. */
  readonly #announced: Announcement[] = [];
  #aside: Aside | null = null;
  /** The block that a message is copied into. */
  #block: BlockHandle = 0;
  #sizeBytes = 0;

  constructor(options: ChannelReaderOptions) {
    this.#options = options;
  }

  get ahead(): ChannelAhead {
    return this;
  }

  get endPlace(): number | null {
    return this.#options.ring.endPlace;
  }

  takeAnnouncement(): Announcement | null {
    this.#look();
    return this.#announced.shift() ?? null;
  }

  messagesUpTo(place: number): readonly Uint8Array<ArrayBuffer>[] {
    const aside = this.#aside;
    const first = aside !== null && !isBehind(aside.endPlace, place) ? [aside.message] : [];
    return [...first, ...this.#options.ring.copyUpTo(place)];
  }

  read(): StreamElement | 'waiting' {
    if (this.#aside !== null) return this.#readAside(this.#aside);
    const { scope, ring } = this.#options;
    const outcome = ring.tryRead((sizeBytes) => {
      this.#block = scope.allocate(sizeBytes);
      this.#sizeBytes = sizeBytes;
      const start = addressOf(this.#block);
      return scope.memory.bytes.subarray(start, start + sizeBytes);
    });
    if (outcome === 'empty') return 'waiting';
    if (outcome === 'failed') return 'failed';
    this.#look();
    const [next] = this.#announced;
    if (outcome === 'ended') return next === undefined ? 'end' : 'waiting';
    const isEarly = next !== undefined && isBehind(ring.place, next.place);
    const message = isEarly || this.onMessage !== null ? this.#copy() : null;
    const element = this.#element();
    if (isEarly && message !== null) {
      this.#aside = { element, message, endPlace: ring.place };
      return 'waiting';
    }
    if (message !== null) this.onMessage?.(message);
    return element;
  }

  close(): void {
    if (this.#block !== 0) this.#options.scope.memory.release(this.#block);
    this.#block = 0;
    const element = this.#aside?.element;
    this.#aside = null;
    if (typeof element === 'object' && !isMark(element)) element.release();
  }

  #readAside({ element, message, endPlace }: Aside): StreamElement | 'waiting' {
    const [next] = this.#announced;
    if (next !== undefined && isBehind(endPlace, next.place)) return 'waiting';
    this.#aside = null;
    this.onMessage?.(message);
    return element;
  }

  /** Takes in what the sender has announced. */
  #look(): void {
    const { ring } = this.#options;
    for (let note = ring.takeNote(); note !== null; note = ring.takeNote()) {
      this.#announced.push({ barrier: barrierOf(...note.numbers), place: note.place });
    }
  }

  #copy(): Uint8Array<ArrayBuffer> {
    const start = addressOf(this.#block);
    return new Uint8Array(
      this.#options.scope.memory.bytes.subarray(start, start + this.#sizeBytes),
    );
  }

  #element(): StreamElement {
    const { scope, kernels, schema } = this.#options;
    const body = { block: this.#block, sizeBytes: this.#sizeBytes };
    this.#block = 0;
    const mark = decodeMark(scope.memory, addressOf(body.block));
    if (mark === null) return decodeBody(kernels, scope, schema, body);
    scope.memory.release(body.block);
    return mark;
  }
}

/** Whether a place comes after another one; both are counts that wrap. */
function isBehind(place: number, other: number): boolean {
  return ((place - other) | 0) > 0;
}
