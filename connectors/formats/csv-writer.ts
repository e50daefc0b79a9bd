/**
 * CSV as RFC 4180 has it, with "\n" at the end of a row and a header of column names.
 *
 *     word,count,note
 *     "a, b",3,"say ""hi"""
 *     the,12,                   a null: nothing between the commas
 *     ,4,""                     an empty text: two quotes, so that it is not taken for a null
 *
 * Quoted is what has a comma, a quote or a line break in it, and the empty text. Floats may be `NaN`,
 * `Infinity` or `-Infinity`. Lists and structs are JSON. A row of a single null is an empty line.
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize, viewBytesAddress } from '../../engine/batch/utf8-view.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { NestedJson } from './nested-json.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { isNullAt, type RowWriter } from './row-writer.ts';
import { writeValue } from './value-text.ts';

const encoder = new TextEncoder();
const quote = 34;
const comma = 44;
const newline = 10;
const carriageReturn = 13;

export class CsvWriter implements RowWriter {
  readonly #schema: Schema;
  readonly #output: OutputBuffer;
  readonly #nested: NestedJson;

  constructor(schema: Schema, output: OutputBuffer) {
    this.#schema = schema;
    this.#output = output;
    this.#nested = new NestedJson(schema);
  }

  writeHeader(): void {
    const names = this.#schema.fields.map(({ name }) =>
      /[",\r\n]|^$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name,
    );
    this.#output.writeBytes(encoder.encode(`${names.join(',')}\n`));
  }

  writeRows(batch: Batch): void {
    const { columns, memory } = batch;
    const output = this.#output;
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      for (let at = 0; at < columns.length; at++) {
        if (at > 0) output.writeByte(comma);
        const column = columns[at]!;
        if (isNullAt(memory, column, row)) continue;
        const { kind } = column.type;
        if (kind === 'utf8') writeText(memory, column, row, output);
        else if (kind === 'list' || kind === 'struct') this.#writeNested(memory, column, at, row);
        else writeValue(memory, column, row, output);
      }
      output.writeByte(newline);
    }
  }

  /** As JSON, in quotes where its commas and quotes ask for them. */
  #writeNested(memory: SlotMemory, column: Column, at: number, row: number): void {
    const json = this.#nested.textOf(memory, column, at, row);
    const field = /[",\r\n]/.test(json) ? `"${json.replaceAll('"', '""')}"` : json;
    this.#output.writeBytes(encoder.encode(field));
  }

  /** The last row ends the file. */
  writeFooter(): void {}
}

function writeText(memory: SlotMemory, column: Column, row: number, output: OutputBuffer): void {
  const { bytes, uint32 } = memory;
  const view = column.values + row * utf8ViewSize;
  const size = uint32[view >>> 2]!;
  const start = viewBytesAddress(memory, view);
  if (!needsQuotes(bytes, start, start + size)) {
    output.copyFrom(start, size);
    return;
  }
  output.writeByte(quote);
  let from = start;
  for (let at = start; at < start + size; at++) {
    if (bytes[at] !== quote) continue;
    output.copyFrom(from, at + 1 - from);
    from = at; // The quote again: two of them stand for one.
  }
  output.copyFrom(from, start + size - from);
  output.writeByte(quote);
}

function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > comma) continue;
    if (byte === comma || byte === quote || byte === newline || byte === carriageReturn)
      return true;
  }
  return start === end;
}
