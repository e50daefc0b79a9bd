/**
 * NDJSON: one JSON object per line, its keys in the order of the schema.
 *
 *     {"word":"the","count":12,"note":null}
 *
 * Integers are written with all digits; readers whose numbers end at 2^53 round larger ones. JSON has no
 * NaN and no infinity: to write null instead would be silently wrong, so it is an error. Timestamps and
 * dates are texts, bytes base64; decimals are numbers with all their digits; lists are arrays, structs
 * objects. Text is escaped only where JSON demands it: `"`, `\` and control characters.
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize, viewBytesAddress } from '../../engine/batch/utf8-view.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { NestedJson, notJsonError } from './nested-json.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { isNullAt, type RowWriter } from './row-writer.ts';
import { writeValue } from './value-text.ts';

const encoder = new TextEncoder();
const quote = 34;
const backslash = 92;
/** What follows the backslash for control characters that have a letter. */
const letterOfControl: Readonly<Record<number, string>> = {
  8: 'b',
  9: 't',
  10: 'n',
  12: 'f',
  13: 'r',
};

export class NdjsonWriter implements RowWriter {
  readonly #schema: Schema;
  readonly #output: OutputBuffer;
  readonly #nested: NestedJson;
  /** For each column the bytes from the value before it to its own: `{"word":`, `,"count":`. */
  readonly #keys: readonly Uint8Array[];

  constructor(schema: Schema, output: OutputBuffer) {
    this.#schema = schema;
    this.#output = output;
    this.#nested = new NestedJson(schema);
    this.#keys = schema.fields.map(({ name }, index) =>
      encoder.encode(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    );
  }

  /** Every line says its own names: there is no header. */
  writeHeader(): void {}

  writeRows(batch: Batch): void {
    const { columns, memory } = batch;
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      for (let at = 0; at < columns.length; at++) {
        this.#output.writeBytes(this.#keys[at]!);
        this.#writeValue(memory, columns[at]!, row, at);
      }
      this.#output.writeAscii(columns.length === 0 ? '{}\n' : '}\n');
    }
  }

  writeFooter(): void {}

  #writeValue(memory: SlotMemory, column: Column, row: number, at: number): void {
    const output = this.#output;
    if (isNullAt(memory, column, row)) {
      output.writeAscii('null');
      return;
    }
    switch (column.type.kind) {
      case 'utf8':
        writeText(memory, column, row, output);
        break;
      case 'list':
      case 'struct':
        output.writeBytes(encoder.encode(this.#nested.textOf(memory, column, at, row)));
        break;
      case 'timestamp':
      case 'date':
      case 'binary':
        output.writeByte(quote);
        writeValue(memory, column, row, output);
        output.writeByte(quote);
        break;
      case 'float32':
      case 'float64': {
        const value =
          column.type.kind === 'float32'
            ? memory.float32[(column.values >>> 2) + row]!
            : memory.float64[column.values / 8 + row]!;
        if (!Number.isFinite(value)) throw notJsonError(this.#schema.fields[at]!.name, value);
        writeValue(memory, column, row, output);
        break;
      }
      default:
        writeValue(memory, column, row, output);
    }
  }
}

function writeText(memory: SlotMemory, column: Column, row: number, output: OutputBuffer): void {
  const { bytes, uint32 } = memory;
  const view = column.values + row * utf8ViewSize;
  const size = uint32[view >>> 2]!;
  const start = viewBytesAddress(memory, view);
  const end = start + size;
  output.writeByte(quote);
  let from = start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 32 && byte !== quote && byte !== backslash) continue;
    output.copyFrom(from, at - from);
    output.writeAscii(escaped(byte));
    from = at + 1;
  }
  output.copyFrom(from, end - from);
  output.writeByte(quote);
}

function escaped(byte: number): string {
  if (byte === quote) return '\\"';
  if (byte === backslash) return '\\\\';
  const letter = letterOfControl[byte];
  return letter !== undefined ? `\\${letter}` : `\\u${byte.toString(16).padStart(4, '0')}`;
}
