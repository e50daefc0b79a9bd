/**
 * Makes the rows of event ranges: a kernel writes the columns that are wanted straight into the slot's
 * memory. Channels, urls and names are views of tables that are made once and shared by all batches.
 *
 *     batch ──▶ columns   one block: 8 or 16 bytes per row and column
 *               text      one block: the texts of these rows
 *               tables    one block: of the reader, retained by each batch
 *
 * Before: connectors/generator/generator-connector.ts · After: engine/batch/batch.ts
 */
import { assert } from '../../base/assert.ts';
import { Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { batchTextBytesMax } from '../../engine/batch/batch-builder.ts';
import { utf8ViewSize, writeView } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { DueRows, ReadResult, Split, SplitReader } from '../../engine/contracts/source.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { nexmarkLayout } from '../../engine/kernels/nexmark-kernels.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { valuesSizeOf } from '../../engine/schema/field-type.ts';
import { eventBytesOf, eventRangeOf, type NexmarkOptions, pacedLaneOf } from './nexmark-options.ts';
import { nexmarkTables } from './nexmark-tables.ts';
import { type EventRange, PacedRange } from './paced-range.ts';

const twoTo32 = 2 ** 32;

export class NexmarkReader implements SplitReader {
  readonly #context: SlotContext;
  readonly #options: NexmarkOptions;
  /** All fields of the kind, in the kernel's order; the context's schema may have some of them. */
  readonly #fieldNames: readonly string[];
  #state: BlockHandle = 0;
  #tables: BlockHandle = 0;
  #range: EventRange | null = null;
  /** Of a lane that is given out by the clock. */
  #paced: PacedRange | null = null;
  #due: DueRows | null = null;
  #next = 0;
  /** Events gone through, over all splits. */
  #eventCount = 0;

  constructor(options: NexmarkOptions, fieldNames: readonly string[], context: SlotContext) {
    this.#options = options;
    this.#fieldNames = fieldNames;
    this.#context = context;
  }

  get bytesRead(): number {
    return eventBytesOf(this.#options.kind, this.#eventCount);
  }

  get dueAtMs(): number {
    return this.#paced?.dueAtMs ?? Number.POSITIVE_INFINITY;
  }

  get due(): DueRows | null {
    return this.#due;
  }

  open(split: Split): void {
    assert(this.#range === null && this.#paced === null, 'the split before has ended');
    if (this.#state === 0) this.#prepare();
    const at = (split.position ?? null) as number | null;
    const lane = pacedLaneOf(split.payload);
    if (lane !== null) {
      this.#paced = new PacedRange(lane, at);
      return;
    }
    this.#range = eventRangeOf(split.payload);
    const { from, to } = this.#range;
    if (at !== null) this.#eventCount += at - from;
    this.#goTo({ from: at ?? from, to });
  }

  /** The number of the next event. */
  snapshot(): Json {
    return this.#paced === null ? this.#next : this.#paced.at;
  }

  read(): ReadResult {
    if (this.#paced !== null) return this.#readDue(this.#paced);
    const range = this.#range;
    assert(range !== null, 'a split is open');
    while (this.#next < range.to) {
      const batch = this.#nextBatch();
      if (batch !== null) return batch;
    }
    this.#range = null;
    return 'end';
  }

  position(): string {
    return `event ${this.#next}`;
  }

  close(): void {
    const { memory } = this.#context.scope;
    if (this.#state !== 0) memory.release(this.#state);
    if (this.#tables !== 0) memory.release(this.#tables);
    this.#state = this.#tables = 0;
    this.#range = this.#paced = null;
  }

  #readDue(paced: PacedRange): ReadResult {
    if (paced.isDone) {
      this.#paced = null;
      return 'end';
    }
    const { clock } = this.#context;
    assert(clock !== undefined, 'who reads by the clock has one');
    const due = paced.next(clock.mono());
    if (due === null) return 'waiting';
    this.#goTo(due);
    const batch = this.#nextBatch();
    this.#due = { fromMs: paced.dueMsOf(due.from), toMs: paced.dueMsOf(this.#next - 1) };
    paced.advance(this.#next);
    return batch ?? 'more';
  }

  #goTo({ from, to }: EventRange): void {
    this.#next = from;
    this.#setUint64(nexmarkLayout.next, from);
    this.#setUint64(nexmarkLayout.end, to);
  }

  /** The next rows, or null when the events up to here had none of the kind. */
  #nextBatch(): Batch | null {
    const { schema, scope } = this.#context;
    const blocks: BlockHandle[] = [];
    try {
      const sizes = schema.fields.map(({ type }) => valuesSizeOf(type, batchRowsMax));
      const columnsBlock = this.#allocate(
        sizes.reduce((sum, size) => sum + size, 0),
        blocks,
      );
      const textBlock = this.#allocate(batchTextBytesMax, blocks);
      let at = addressOf(columnsBlock);
      const columns = schema.fields.map(({ name, type }, index) => {
        const values = at;
        at += sizes[index] ?? 0;
        this.#setUint32(nexmarkLayout.columns + this.#fieldIndexOf(name) * 4, values);
        return { type, validity: 0, values };
      });
      const text = addressOf(textBlock);
      this.#setUint32(nexmarkLayout.text, text);
      this.#setUint32(nexmarkLayout.textEnd, text + batchTextBytesMax);
      const rowCount = this.#run();
      if (rowCount > 0) {
        if (this.#tables !== 0) scope.memory.retain(this.#tables);
        const shared = this.#tables === 0 ? [] : [this.#tables];
        return new Batch(scope.memory, {
          schema,
          rowCount,
          columns,
          blocks: [...blocks.splice(0), ...shared],
        });
      }
      return null;
    } finally {
      for (const block of blocks) scope.memory.release(block);
    }
  }

  #run(): number {
    const { kernels, scope } = this.#context;
    const state = addressOf(this.#state);
    const rowCount = kernelOf(kernels, this.#options)(state);
    const word = (state + nexmarkLayout.next) >>> 2;
    const { uint32 } = scope.memory;
    const before = this.#next;
    this.#next = (uint32[word + 1] ?? 0) * twoTo32 + (uint32[word] ?? 0);
    this.#eventCount += this.#next - before;
    return rowCount;
  }

  #prepare(): void {
    const { scope } = this.#context;
    this.#state = scope.allocate(nexmarkLayout.size);
    const start = addressOf(this.#state);
    scope.memory.bytes.fill(0, start, start + nexmarkLayout.size);
    const { seed, baseTimeMs, eventsPerSecond, outOfOrderGroup } = this.#options;
    this.#setUint64(nexmarkLayout.seed, seed);
    this.#setUint64(nexmarkLayout.baseTime, baseTimeMs);
    scope.memory.float64[(start + nexmarkLayout.rate) / 8] = eventsPerSecond;
    this.#setUint32(nexmarkLayout.group, outOfOrderGroup);
    this.#setUint32(nexmarkLayout.rowsMax, batchRowsMax);
    this.#prepareTables();
  }

  /** Writes the tables as views and texts, all in one block; those of columns not wanted are left out. */
  #prepareTables(): void {
    const { scope } = this.#context;
    const wanted = nexmarkTables[this.#options.kind].map(({ column, texts }) =>
      this.#needsTable(column) ? texts().map((text) => encoder.encode(text)) : [],
    );
    const all = wanted.flat();
    if (all.length === 0) return;
    const viewBytes = all.length * utf8ViewSize;
    this.#tables = scope.allocate(all.reduce((sum, text) => sum + text.length, viewBytes));
    let view = addressOf(this.#tables);
    let text = view + viewBytes;
    wanted.forEach((table, index) => {
      this.#setUint32(nexmarkLayout.tables + index * 4, view);
      for (const bytes of table) {
        scope.memory.bytes.set(bytes, text);
        writeView(scope.memory, view, text, bytes.length);
        view += utf8ViewSize;
        text += bytes.length;
      }
    });
  }

  /** The size of a person's `extra` depends on the texts before it. */
  #needsTable(column: string): boolean {
    const names = this.#context.schema.fields.map(({ name }) => name);
    return names.includes(column) || (this.#options.kind === 'persons' && names.includes('extra'));
  }

  #fieldIndexOf(name: string): number {
    const index = this.#fieldNames.indexOf(name);
    assert(index >= 0, 'the generator has the fields of its schema');
    return index;
  }

  #allocate(sizeBytes: number, blocks: BlockHandle[]): BlockHandle {
    const block = this.#context.scope.allocate(sizeBytes);
    blocks.push(block);
    return block;
  }

  #setUint32(offset: number, value: number): void {
    const { uint32 } = this.#context.scope.memory;
    uint32[(addressOf(this.#state) + offset) >>> 2] = value;
  }

  #setUint64(offset: number, value: number): void {
    this.#setUint32(offset, value % twoTo32);
    this.#setUint32(offset + 4, Math.floor(value / twoTo32));
  }
}

const encoder = new TextEncoder();

function kernelOf(kernels: Kernels, { kind }: NexmarkOptions): (state: number) => number {
  if (kind === 'bids') return kernels.nexmarkBids;
  return kind === 'auctions' ? kernels.nexmarkAuctions : kernels.nexmarkPersons;
}
