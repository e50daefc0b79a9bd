/**
 * Channel reader: the receiving end of one channel. A message is copied once, from the ring into this
 * slot's memory, and becomes a batch in place.
 *
 * A message larger than a slot of the ring comes in fragments: its block is kept until it is whole.
 * Before: engine/memory/ring.ts. After: engine/stream/input-gate.ts.
 */
import { decodeBody } from '../batch/wire.ts';
import type { Kernels } from '../kernels/kernels.ts';
import type { RingReader } from '../memory/ring.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import type { ElementReader, StreamElement } from '../stream/stream-element.ts';
import { decodeMark } from './mark-message.ts';

export interface ChannelReaderOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
  readonly ring: RingReader;
}

export class ChannelReader implements ElementReader {
  readonly #options: ChannelReaderOptions;
  /** The block that a message is copied into. */
  #block: BlockHandle = 0;
  #sizeBytes = 0;

  constructor(options: ChannelReaderOptions) {
    this.#options = options;
  }

  read(): StreamElement | 'waiting' {
    const { scope, kernels, schema, ring } = this.#options;
    const outcome = ring.tryRead((sizeBytes) => {
      this.#block = scope.allocate(sizeBytes);
      this.#sizeBytes = sizeBytes;
      const start = addressOf(this.#block);
      return scope.memory.bytes.subarray(start, start + sizeBytes);
    });
    if (outcome === 'empty') return 'waiting';
    if (outcome === 'ended') return 'end';
    if (outcome === 'failed') return 'failed';
    const body = { block: this.#block, sizeBytes: this.#sizeBytes };
    this.#block = 0;
    const mark = decodeMark(scope.memory, addressOf(body.block));
    if (mark !== null) {
      scope.memory.release(body.block);
      return mark;
    }
    return decodeBody(kernels, scope, schema, body);
  }

  close(): void {
    if (this.#block !== 0) this.#options.scope.memory.release(this.#block);
    this.#block = 0;
  }
}
