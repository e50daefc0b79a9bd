/**
 * CSV as RFC 4180 has it, with "\n" at the end of a row and a header of column names.
 *
 *     word,count,note
 *     "a, b",3,"say ""hi"""
 *     the,12,                   a null: nothing between the commas
 *     ,4,""                     an empty text: two quotes, so that it is not taken for a null
 *
 * Quoted is what has a delimiter, a quote or a line break in it, the empty text, and a text that is the
 * one that stands for null. Lists and structs are JSON, in quotes. Floats may be `NaN`, `Infinity` or
 * `-Infinity`. A row of a single null is an empty line.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { FieldType } from '../../engine/schema/field-type.ts';
import type { Field, Schema } from '../../engine/schema/schema.ts';
import { BadCell, csvCellValue } from './cell-values.ts';
import { type CsvStyle, delimiterByteOf } from './csv-options.ts';
import { jsonWriterOf, type WriteValue } from './json-value.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { cellWriterOf, isNullAt, type RowWriter, type WriteCell } from './row-writer.ts';
import { QuotedOutput } from './text-output.ts';
import { writeBase64, writeBool, writeFixed } from './value-text.ts';

const newline = 10;
const carriageReturn = 13;
const byteOrderMark = [0xef, 0xbb, 0xbf];

export class CsvWriter implements RowWriter {
  readonly #schema: Schema;
  readonly #output: OutputBuffer;
  readonly #style: CsvStyle;
  readonly #delimiter: number;
  /** The quote's byte; -1 when nothing may be quoted. */
  readonly #quote: number;
  readonly #nullText: Uint8Array;
  /** 1 for each byte that may only stand in quotes. */
  readonly #isSpecial = new Uint8Array(256);
  readonly #cells: readonly WriteCell[];

  constructor(schema: Schema, style: CsvStyle, output: OutputBuffer) {
    this.#schema = schema;
    this.#output = output;
    this.#style = style;
    this.#delimiter = delimiterByteOf(style);
    this.#quote = style.quote === null ? -1 : style.quote.charCodeAt(0);
    this.#nullText = new TextEncoder().encode(style.nullText);
    for (const byte of [this.#delimiter, this.#quote, newline, carriageReturn]) {
      if (byte >= 0) this.#isSpecial[byte] = 1;
    }
    this.#cells = schema.fields.map((field) =>
      cellWriterOf(
        field.type,
        output.memory,
        this.#valueWriterOf(field),
        this.#boolWriterOf(field),
      ),
    );
  }

  writeHeader(): void {
    if (!this.#style.header) return;
    const { delimiter } = this.#style;
    const names = this.#schema.fields.map(({ name }) => this.#quotedName(name));
    this.#output.writeBytes(new TextEncoder().encode(`${names.join(delimiter)}\n`));
  }

  /** @throws VALUE_NOT_A_DATE, VALUE_NOT_JSON, VALUE_NEEDS_QUOTES. */
  writeRows(batch: Batch): void {
    const { columns, memory } = batch;
    const output = this.#output;
    const nullText = this.#nullText;
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      for (let at = 0; at < columns.length; at++) {
        if (at > 0) output.writeByte(this.#delimiter);
        const column = columns[at]!;
        if (isNullAt(memory, column, row)) output.writeBytes(nullText);
        else this.#cells[at]!(column.values, row);
      }
      output.writeByte(newline);
    }
  }

  /** The last row ends the file. */
  writeFooter(): void {}

  #valueWriterOf({ name, type }: Field): WriteValue {
    const output = this.#output;
    const { memory } = output;
    switch (type.kind) {
      case 'utf8':
        return (at, size) => this.#writeText(name, at, size);
      case 'list':
      case 'struct':
        return this.#jsonWriterOf(name, type);
      case 'binary': {
        const write: WriteValue = (at, size) => writeBase64(memory, at, size, output);
        const writeQuoted = this.#quoted(name, write);
        const isAlways = this.#mayBeNullText(type) && this.#nullText.length > 0;
        return (at, size) => (size === 0 || isAlways ? writeQuoted : write)(at, size);
      }
      default: {
        const write: WriteValue = (at) => writeFixed(memory, type, at, output);
        return this.#mayBeNullText(type) ? this.#quoted(name, write) : write;
      }
    }
  }

  #boolWriterOf({ name, type }: Field): (value: boolean) => void {
    const output = this.#output;
    if (!this.#mayBeNullText(type)) return (value) => writeBool(value, output);
    const write = this.#quoted(name, (at) => writeBool(at === 1, output));
    return (value) => write(value ? 1 : 0, 0);
  }

  /** Whether a value of the type may read like the text that stands for null. */
  #mayBeNullText(type: FieldType): boolean {
    return !(csvCellValue(type, this.#style.nullText) instanceof BadCell);
  }

  /** In quotes, for values that have none in them. */
  #quoted(name: string, write: WriteValue): WriteValue {
    const quote = this.#quote;
    return (at, size) => {
      if (quote < 0) throw needsQuotesError(name);
      this.#output.writeByte(quote);
      write(at, size);
      this.#output.writeByte(quote);
    };
  }

  #jsonWriterOf(name: string, type: FieldType): WriteValue {
    const { memory } = this.#output;
    const output = new QuotedOutput(this.#output, this.#quote, memory.bytes);
    return this.#quoted(name, jsonWriterOf(type, { memory, output, name }));
  }

  #writeText(name: string, start: number, size: number): void {
    const output = this.#output;
    const quote = this.#quote;
    if (!this.#needsQuotes(start, start + size)) {
      output.copyFrom(start, size);
      return;
    }
    if (quote < 0) throw needsQuotesError(name);
    const { bytes } = output.memory;
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

  #needsQuotes(start: number, end: number): boolean {
    const { bytes } = this.#output.memory;
    const isSpecial = this.#isSpecial;
    for (let at = start; at < end; at++) {
      if (isSpecial[bytes[at]!] === 1) return true;
    }
    // At the start of a file a reader takes it for the mark of the encoding, and no part of the text.
    if (startsWith(bytes, start, end, byteOrderMark)) return true;
    const nullText = this.#nullText;
    if (end - start !== nullText.length) return start === end;
    return nullText.every((byte, index) => byte === bytes[start + index]);
  }

  #quotedName(name: string): string {
    const { delimiter, quote } = this.#style;
    if (
      name !== '' &&
      !/[\r\n]|^\ufeff/.test(name) &&
      !name.includes(delimiter) &&
      !name.includes(quote ?? '\n')
    ) {
      return name;
    }
    if (quote === null) throw needsQuotesError(name);
    return `${quote}${name.replaceAll(quote, quote + quote)}${quote}`;
  }
}

function needsQuotesError(column: string): Error {
  return typedError('VALUE_NEEDS_QUOTES', `column "${column}" has a value that needs quotes`, {
    hint: 'Write the file with a quote, or with a delimiter that no value has in it.',
    details: { column },
  });
}

function startsWith(bytes: Uint8Array, start: number, end: number, text: readonly number[]) {
  return end - start >= text.length && text.every((byte, index) => bytes[start + index] === byte);
}
