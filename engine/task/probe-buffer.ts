/**
 * Probe buffer: what comes in at the probe side of a chain while its joins still read their build sides. It keeps
 * so many bytes in memory; what comes after them lies on disk until it is read back, in order.
 *
 *     push ─▶ batch batch mark batch │ run on disk │ mark │ run …  ─▶ shift
 *             └── up to `bytesMax` ──┘
 *
 * Invariants:
 * - What it holds is `bytesMax`, a writer, and what that and a reader need, which is reserved at the start.
 * - Elements come out in the order in which they came in, each at its own input of the vertex.
 *
 * Before: engine/task/build-phase.ts · After: engine/spill/spill-files.ts
 */
import type { Batch } from '../batch/batch.ts';
import { heldBytesOf } from '../batch/held-blocks.ts';
import type { Schema } from '../schema/schema.ts';
import { SpillFiles } from '../spill/spill-files.ts';
import type { SpillReader } from '../spill/spill-reader.ts';
import type { SpillContext } from '../spill/spill-space.ts';
import type { SpillRun, SpillWriter } from '../spill/spill-writer.ts';
import { isMark, type StreamMark } from '../stream/stream-element.ts';

const blockBytes = 64 << 10;
/** Of a slot's memory, and the least: a part of the quarter that no operator has. */
const slotPart = 1 / 32;
const bytesMin = 512 << 10;

type Held = { readonly port: number } & (
  | { readonly element: Batch | StreamMark }
  | { readonly run: SpillRun; readonly schema: Schema }
);

export class ProbeBuffer {
  readonly #files: SpillFiles;
  readonly #bytesMax: number;
  #held: Held[] = [];
  #heldBytes = 0;
  /** Of the run that is being written, whose rows have a schema and a port. */
  #writer: SpillWriter | null = null;
  #open: { readonly port: number; readonly schema: Schema } | null = null;
  #reader: SpillReader | null = null;
  #port = 0;

  /**
   * @param bytesMax - What it keeps in memory. @defaultValue a 32nd of the slot's
   * @throws MEMORY_EXHAUSTED
   */
  constructor(context: SpillContext, bytesMax?: number) {
    const { budgetBytes } = context.scope.memory;
    this.#files = new SpillFiles(context, { blockBytes });
    this.#bytesMax = bytesMax ?? Math.max(bytesMin, Math.floor(budgetBytes * slotPart));
  }

  /** The input of the vertex that what came out last had come in at. */
  get port(): number {
    return this.#port;
  }

  /** Bytes of the batches in memory. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes an element over. @throws Errors of the disk: then it is still the caller's. */
  push(element: Batch | StreamMark, port: number): void {
    if (isMark(element)) {
      this.#endRun();
      this.#held.push({ element, port });
      return;
    }
    const bytes = heldBytesOf(element);
    if (this.#writer === null && this.#heldBytes + bytes <= this.#bytesMax) {
      this.#heldBytes += bytes;
      this.#held.push({ element, port });
      return;
    }
    if (this.#open?.port !== port) this.#endRun();
    this.#open ??= { port, schema: element.schema };
    this.#writer ??= this.#files.create();
    this.#writer.append(element);
    element.release();
  }

  /** The next element, which is the caller's; null when all are out. Nothing is pushed after the first call. */
  shift(): Batch | StreamMark | null {
    if (this.#writer !== null) this.#endWriter(this.#writer);
    for (;;) {
      if (this.#reader !== null) {
        const batch = this.#reader.read();
        if (batch !== 'end') return batch;
        this.#reader.close();
        this.#reader = null;
      }
      const next = this.#held.shift();
      if (next === undefined) return null;
      this.#port = next.port;
      if ('run' in next) {
        this.#reader = this.#files.open(next.run, next.schema);
        continue;
      }
      if (!isMark(next.element)) this.#heldBytes -= heldBytesOf(next.element);
      return next.element;
    }
  }

  /** Releases all memory and removes all files. */
  close(): void {
    for (const held of this.#held.splice(0)) {
      if ('element' in held && !isMark(held.element)) held.element.release();
    }
    this.#files.close();
  }

  #endRun(): void {
    if (this.#writer === null || this.#open === null) return;
    this.#held.push({ ...this.#open, run: this.#writer.cut() });
    this.#open = null;
  }

  #endWriter(writer: SpillWriter): void {
    this.#endRun();
    this.#writer = null;
    writer.close();
  }
}
