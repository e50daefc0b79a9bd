/**
 * NDJSON: one JSON object per line, its keys in the order of the schema.
 *
 *     {"word":"the","count":12,"note":null}
 *
 * Integers and decimals are written with all digits; readers whose numbers end at 2^53 round larger ones.
 */
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { jsonWriterOf } from './json-value.ts';
import { cellWriterOf, isNullAt, type RowWriter, type WriteCell } from './row-writer.ts';
import type { TextOutput } from './text-output.ts';
import { writeBool } from './value-text.ts';

/** Where lines go: an output buffer, or text that grows. */
type JsonOutput = TextOutput & { readonly memory: SlotMemory };

export class NdjsonWriter implements RowWriter {
  readonly #output: JsonOutput;
  /** For each column the bytes from the value before it to its own: `{"word":`, `,"count":`. */
  readonly #keys: readonly Uint8Array[];
  readonly #cells: readonly WriteCell[];

  constructor(schema: Schema, output: JsonOutput) {
    this.#output = output;
    const encoder = new TextEncoder();
    this.#keys = schema.fields.map(({ name }, index) =>
      encoder.encode(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    );
    const memory: SlotMemory = output.memory;
    this.#cells = schema.fields.map(({ name, type }) =>
      cellWriterOf(type, memory, jsonWriterOf(type, { memory, output, name }), (value) =>
        writeBool(value, output),
      ),
    );
  }

  /** Every line says its own names: there is no header. */
  writeHeader(): void {}

  /** @throws VALUE_NOT_JSON, VALUE_NOT_A_DATE. */
  writeRows(batch: Batch): void {
    const { columns, memory } = batch;
    const output = this.#output;
    for (let index = 0; index < batch.rowCount; index++) {
      const row = batch.storedRowOf(index);
      for (let at = 0; at < columns.length; at++) {
        const column = columns[at]!;
        output.writeBytes(this.#keys[at]!);
        if (isNullAt(memory, column, row)) output.writeAscii('null');
        else this.#cells[at]!(column.values, row);
      }
      output.writeAscii(columns.length === 0 ? '{}\n' : '}\n');
    }
  }

  writeFooter(): void {}
}
