/**
 * CSV as RFC 4180 has it, with "\n" at the end of a row and a header of column names.
 *
 *     word,count,note
 *     "a, b",3,"say ""hi"""
 *     the,12,                   a null: nothing between the commas
 *     ,4,""                     an empty text: two quotes, so that it is not taken for a null
 *
 * Quoted is what has a comma, a quote or a line break in it, and the empty text. Float64 may be `NaN`,
 * `Infinity` or `-Infinity`. A row of a single null is an empty line.
 */
import type { Batch, Column } from '../../engine/batch/batch.ts';
import { utf8ViewSize, viewBytesAddress } from '../../engine/batch/utf8-view.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { isNullAt, type RowWriter } from './row-writer.ts';
import { writeValue } from './value-text.ts';

const quote = 34;
const comma = 44;
const newline = 10;
const carriageReturn = 13;

export class CsvWriter implements RowWriter {
  readonly #schema: Schema;
  readonly #output: OutputBuffer;

  constructor(schema: Schema, output: OutputBuffer) {
    this.#schema = schema;
    this.#output = output;
  }

  writeHeader(): void {
    const names = this.#schema.fields.map(({ name }) =>
      /[",\r\n]|^$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name,
    );
    this.#output.writeBytes(new TextEncoder().encode(`${names.join(',')}\n`));
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
        if (column.type.kind === 'utf8') writeText(memory, column, row, output);
        else writeValue(memory, column, row, output);
      }
      output.writeByte(newline);
    }
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
