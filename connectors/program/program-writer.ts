/**
 * Writes rows to the program: a message per batch through a ring, in order. While a message waits for
 * room nothing more is taken, so what is under way is bounded by the ring and one batch.
 *
 * Before: engine/operators/sink-operator.ts · After: connectors/program/row-drain.ts, in the program
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { encodedSizeOf, encodeRows } from '../../engine/batch/wire.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import { RingWriter } from '../../engine/memory/ring.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { notAttachedError } from './program-errors.ts';
import { nameIn } from './program-options.ts';

export class ProgramWriter implements SinkWriter {
  readonly #context: SlotContext;
  readonly #ring: RingWriter;
  #message: BlockHandle = 0;
  #messageBytes = 0;
  #rowCount = 0;
  #hasEnded = false;

  /** @throws PROGRAM_NOT_ATTACHED */
  constructor(options: Json, context: SlotContext) {
    const { programRing } = context;
    if (!programRing) throw notAttachedError(`sink "${nameIn(options)}"`);
    this.#context = context;
    this.#ring = new RingWriter(programRing.ring, programRing.wakeProgram);
  }

  isReady(): boolean {
    return this.flush();
  }

  write(batch: Batch): void {
    assert(this.#message === 0, 'a writer that is ready has no message');
    const { scope, kernels } = this.#context;
    const { rowCount } = batch;
    this.#messageBytes = encodedSizeOf(kernels, batch, 0, rowCount);
    this.#message = scope.allocate(this.#messageBytes);
    encodeRows(kernels, batch, 0, rowCount, addressOf(this.#message));
    this.#rowCount += rowCount;
    this.flush();
  }

  flush(): boolean {
    if (this.#message === 0) return true;
    const { scope } = this.#context;
    const start = addressOf(this.#message);
    const message = scope.memory.bytes.subarray(start, start + this.#messageBytes);
    if (!this.#ring.tryWrite(message)) return false;
    this.#release();
    return true;
  }

  finish(): Json {
    assert(this.#message === 0, 'a writer is flushed before it finishes');
    this.#ring.end();
    this.#hasEnded = true;
    return { rowCount: this.#rowCount };
  }

  close(): void {
    if (this.#message !== 0) this.#release();
    if (!this.#hasEnded) this.#ring.fail();
    this.#hasEnded = true;
  }

  #release(): void {
    this.#context.scope.memory.release(this.#message);
    this.#message = 0;
  }
}
