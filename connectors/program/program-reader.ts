/**
 * Reads what the program feeds: batches come through a ring, whole; columns that the job does not use
 * are dropped here.
 *
 * The one split stands for all rows. Its rows have no bytes of input, so none are counted.
 *
 * Before: connectors/program/row-feed.ts, in the program · After: engine/batch/batch.ts
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { ReadResult, SplitReader } from '../../engine/contracts/source.ts';
import { RingReader } from '../../engine/memory/ring.ts';
import { fieldIndexOf, type Schema } from '../../engine/schema/schema.ts';
import { ChannelReader } from '../../engine/shuffle/channel-reader.ts';
import { isMark } from '../../engine/stream/stream-element.ts';
import { inputFailedError, notAttachedError } from './program-errors.ts';
import { nameIn, schemaIn } from './program-options.ts';

export class ProgramReader implements SplitReader {
  readonly bytesRead = 0;
  readonly #context: SlotContext;
  readonly #name: string;
  readonly #all: Schema;
  #channel: ChannelReader | null = null;
  #rowCount = 0;

  constructor(options: Json, context: SlotContext) {
    this.#context = context;
    this.#name = nameIn(options);
    this.#all = schemaIn(options);
  }

  /** Only the task that is given the split touches the ring: it has one reader. */
  open(): void {
    const { scope, kernels, programRing } = this.#context;
    if (!programRing) throw notAttachedError(`source "${this.#name}"`);
    assert(this.#channel === null, 'the rows of a program are read once');
    const ring = new RingReader(programRing.ring, programRing.wakeProgram);
    this.#channel = new ChannelReader({ scope, kernels, schema: this.#all, ring });
  }

  /** @throws TASK_INPUT_FAILED when the program's rows ended with an error, which it tells itself. */
  read(): ReadResult {
    assert(this.#channel !== null, 'a split is open');
    const element = this.#channel.read();
    if (element === 'failed') throw inputFailedError(this.#name);
    assert(!isMark(element), 'a program gives rows only');
    if (typeof element === 'string') return element;
    this.#rowCount += element.rowCount;
    return this.#narrowed(element);
  }

  position(): string {
    return `row ${this.#rowCount} of "${this.#name}"`;
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  #narrowed(batch: Batch): Batch {
    const { schema } = this.#context;
    if (schema.fields.length === this.#all.fields.length) return batch;
    const columns = schema.fields.map(({ name }) => {
      const column = batch.columns[fieldIndexOf(this.#all, name)];
      assert(column !== undefined, 'a plan reads columns that the source has');
      return column;
    });
    const narrow = batch.derive({ schema, columns });
    batch.release();
    return narrow;
  }
}
