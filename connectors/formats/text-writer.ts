/**
 * Text: the one column of a stream, a line per row. A null, and a text with a line break in it, have no
 * line that would read back as they are: they are errors.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import { utf8ViewSize, viewBytesAddress, viewSizeOf } from '../../engine/batch/utf8-view.ts';
import { type Schema, schemaText } from '../../engine/schema/schema.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { isNullAt, type RowWriter } from './row-writer.ts';

const newline = 10;
const carriageReturn = 13;

export class TextWriter implements RowWriter {
  readonly #name: string;
  readonly #output: OutputBuffer;

  /** @throws TEXT_ONE_COLUMN. */
  constructor(schema: Schema, output: OutputBuffer) {
    const [field, second] = schema.fields;
    if (field?.type.kind !== 'utf8' || second !== undefined) throw oneColumnError(schema);
    this.#name = field.name;
    this.#output = output;
  }

  writeHeader(): void {}

  /** @throws VALUE_NOT_A_LINE. */
  writeRows(batch: Batch): void {
    const { memory } = batch;
    const column = batch.columns[0]!;
    const { bytes } = memory;
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      if (isNullAt(memory, column, row)) throw notALineError(this.#name, 'is null');
      const view = column.values + row * utf8ViewSize;
      const start = viewBytesAddress(memory, view);
      const end = start + viewSizeOf(memory, view);
      for (let at = start; at < end; at++) {
        if (bytes[at] === newline) throw notALineError(this.#name, 'has a line break in it');
      }
      if (end > start && bytes[end - 1] === carriageReturn) {
        throw notALineError(this.#name, 'ends with a carriage return');
      }
      this.#output.copyFrom(start, end - start);
      this.#output.writeByte(newline);
    }
  }

  writeFooter(): void {}
}

function oneColumnError(schema: Schema): Error {
  return typedError('TEXT_ONE_COLUMN', `text has one column, not ${schemaText(schema)}`, {
    hint: 'Select the one column of text that is to be written, or write CSV or NDJSON.',
  });
}

function notALineError(column: string, what: string): Error {
  return typedError('VALUE_NOT_A_LINE', `column "${column}" has a text that ${what}`, {
    hint: 'Replace what a line cannot hold before the sink, or write CSV or NDJSON, which can.',
    details: { column },
  });
}
