/**
 * Values that are JSON objects, as columns by name: they are laid out as lines and read by the kernel that reads
 * NDJSON files, so that a topic and a file of the same records give the same rows.
 *
 *     records   {"id":1} ?? {"id":2} ?? {"id":?} ??      ?? are lengths, keys, times
 *     lines     {"id":1}⏎{"id":2}⏎{"id":?}⏎
 *     rows      1, 2                                      the third is given out as a bad record
 *
 * A line break within a value, which JSON has between its parts only, becomes a carriage return: that is as much,
 * or as little, JSON. A record without a value has no row that it could be, and is bad.
 */
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { utf8ViewSize } from '../../engine/batch/utf8-view.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { BadRecords } from '../formats/bad-records.ts';
import { NdjsonRecords } from '../formats/ndjson-records.ts';
import { metadataColumn, type TableRows } from './metadata-columns.ts';
import type { RecordTable } from './record-table.ts';
import { type RecordValues, refuse, topicPartitionText } from './record-values.ts';
import { type KafkaSourceOptions, metadataKindOf } from './source-options.ts';

const newline = 10;
const carriageReturn = 13;
const space = 32;

export class JsonValues implements RecordValues {
  readonly #context: SlotContext;
  readonly #options: KafkaSourceOptions;
  readonly #partition: number;
  readonly #bad: BadRecords;
  readonly #records: NdjsonRecords;
  readonly #rows: TableRows & { rowCount: number };
  /** By line: the table's row, and the address behind its line break. */
  readonly #rowOfLine = new Uint32Array(batchRowsMax);
  readonly #lineEnds = new Uint32Array(batchRowsMax);
  #lineCount = 0;
  /** Room for views of all lines, to count them with a kernel, and for its second answer. */
  #views: BlockHandle = 0;

  constructor(
    context: SlotContext,
    options: KafkaSourceOptions,
    from: { readonly partition: number; readonly table: RecordTable; readonly bad: BadRecords },
  ) {
    const { partition, table, bad } = from;
    this.#context = context;
    this.#options = options;
    this.#partition = partition;
    this.#bad = bad;
    const fields = context.schema.fields.filter(
      ({ name }) => metadataKindOf(options, name) === null,
    );
    this.#records = new NdjsonRecords({ ...context, schema: { fields } }, bad);
    this.#rows = { table, rows: new Uint32Array(batchRowsMax), rowCount: 0, partition };
  }

  /** @throws KAFKA_RECORD */
  build(table: RecordTable): Batch | null {
    const { scope } = this.#context;
    const lines = scope.allocate(this.#lineBytesOf(table));
    try {
      const end = this.#layOut(table, addressOf(lines));
      if (this.#lineCount === 0) return null;
      this.#separate(addressOf(lines), end);
      this.#parse(table, addressOf(lines), end);
      this.#mapRows();
      const batch = this.#records.takeBatch(lines);
      if (batch.rowCount > 0) return this.#withMetadata(batch, table);
      batch.release();
      return null;
    } finally {
      scope.memory.release(lines);
      table.clear();
    }
  }

  close(): void {
    this.#records.close();
    if (this.#views !== 0) this.#context.scope.memory.release(this.#views);
    this.#views = 0;
  }

  #lineBytesOf({ valueSize, rowCount }: RecordTable): number {
    let total = 1;
    for (let row = 0; row < rowCount; row++) total += Math.max(0, valueSize[row]!) + 1;
    return total;
  }

  /** Copies the values that may be objects, each with a line break behind it; answers with the end of the last. */
  #layOut(table: RecordTable, start: number): number {
    const { bytes } = this.#context.scope.memory;
    let at = start;
    this.#lineCount = 0;
    for (let row = 0; row < table.rowCount; row++) {
      const [from, size] = [table.valueAt[row]!, table.valueSize[row]!];
      if (size <= 0 || this.#isBlank(from, size)) {
        const why = size < 0 ? 'it has no value' : 'it is no JSON object';
        this.#refuse(table, row, why);
        continue;
      }
      bytes.copyWithin(at, from, from + size);
      at += size;
      bytes[at++] = newline;
      this.#rowOfLine[this.#lineCount] = row;
      this.#lineEnds[this.#lineCount++] = at;
    }
    return at;
  }

  /** An empty line is no record to the kernel; here it is a bad one. */
  #isBlank(from: number, size: number): boolean {
    const { bytes } = this.#context.scope.memory;
    if (bytes[from]! > space) return false;
    return bytes.subarray(from, from + size).every((byte) => byte <= space);
  }

  /** Sees to it that line breaks are between values only. */
  #separate(start: number, end: number): void {
    const { kernels, scope } = this.#context;
    const { bytes } = scope.memory;
    if (this.#views === 0) this.#views = scope.allocate(batchRowsMax * utf8ViewSize + 8);
    const views = addressOf(this.#views);
    const result = views + batchRowsMax * utf8ViewSize;
    const count = kernels.splitLines(start, end, 1, views, batchRowsMax, result);
    const isWhole = scope.memory.uint32[result >>> 2]! === end;
    if (isWhole && count === this.#lineCount) return;
    let from = start;
    for (let line = 0; line < this.#lineCount; line++) {
      const lineEnd = this.#lineEnds[line]! - 1;
      for (let at = from; at < lineEnd; at++) if (bytes[at] === newline) bytes[at] = carriageReturn;
      from = lineEnd + 1;
    }
  }

  #parse(table: RecordTable, start: number, end: number): void {
    const path = topicPartitionText(this.#options.topic, this.#partition);
    const offsetOf = (address: number) => table.offsets[this.#rowAt(address)]!;
    const span = { path, end, isLast: true, limit: end, offsetOf };
    for (let from = start; from < end; ) from = this.#records.addRows({ ...span, from });
  }

  /** The table's row of the line that an address is in. */
  #rowAt(address: number): number {
    let [low, high] = [0, this.#lineCount - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lineEnds[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return this.#rowOfLine[low]!;
  }

  /** Which of the table's rows the stored rows are: lines that became none are passed over. */
  #mapRows(): void {
    const { uint32 } = this.#context.scope.memory;
    const { storedRows, rowStarts } = this.#records;
    const { rows } = this.#rows;
    let line = 0;
    for (let row = 0; row < storedRows; row++) {
      const start = uint32[(rowStarts >>> 2) + row]!;
      while (this.#lineEnds[line]! <= start) line++;
      rows[row] = this.#rowOfLine[line]!;
    }
    this.#rows.rowCount = storedRows;
  }

  #withMetadata(values: Batch, table: RecordTable): Batch {
    const { schema, scope } = this.#context;
    const { fields } = schema;
    if (fields.length === values.columns.length) return values;
    const blocks: BlockHandle[] = [];
    try {
      let next = 0;
      const columns = fields.map((field) => {
        const kind = metadataKindOf(this.#options, field.name);
        if (kind !== null) return metadataColumn(field, kind, this.#rows, { scope, blocks });
        const column = values.columns[next++];
        assert(column !== undefined, 'a field of the value is a column of it');
        return column;
      });
      const held = table.take();
      return values.derive({ schema, columns, blocks: [...blocks.splice(0), ...held] });
    } finally {
      for (const block of blocks) scope.memory.release(block);
      values.release();
    }
  }

  #refuse(table: RecordTable, row: number, reason: string): void {
    const { topic } = this.#options;
    const { bytes: all } = this.#context.scope.memory;
    const [at, size] = [table.valueAt[row]!, Math.max(0, table.valueSize[row]!)];
    const place = { topic, partition: this.#partition, offset: table.offsets[row]! };
    refuse(this.#bad, table, row, { bytes: all.subarray(at, at + size), reason, place });
  }
}
