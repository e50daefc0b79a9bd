/**
 * Fixed records: columns to fields side by side, some records at a time. A value of binary that is not as
 * wide as its field has no place: that is an error, never padding or a cut.
 */
import { typedError } from '../../base/typed-error.ts';
import type { Batch, Column } from '../../engine/batch/batch.ts';
import type { Kernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import type { WriterTarget } from './file-format.ts';
import {
  type FixedField,
  type FixedSinkOptions,
  fixedFieldsOf,
  recordBytesOf,
} from './fixed-fields.ts';
import type { RowWriter } from './row-writer.ts';

/** Records are put together in so many bytes, or one at a time. */
const roomBytes = 64 << 10;

export class FixedWriter implements RowWriter {
  readonly #target: WriterTarget;
  readonly #fields: readonly FixedField[];
  readonly #recordBytes: number;
  readonly #roomRows: number;
  readonly #room: BlockHandle;

  /** @throws FILES_OPTION_INVALID when a column can't be a field. */
  constructor({ bytes }: FixedSinkOptions, target: WriterTarget) {
    this.#target = target;
    this.#fields = fixedFieldsOf(target.schema.fields, bytes);
    this.#recordBytes = recordBytesOf(this.#fields);
    this.#roomRows = Math.max(1, Math.floor(roomBytes / this.#recordBytes));
    this.#room = target.context.scope.allocate(this.#roomRows * this.#recordBytes);
  }

  writeHeader(): void {}

  /** @throws VALUE_WIDTH. */
  writeRows(batch: Batch): void {
    for (let row = 0; row < batch.rowCount; row += this.#roomRows) {
      const count = Math.min(this.#roomRows, batch.rowCount - row);
      this.#fields.forEach((field, index) => {
        const column = batch.columns[index];
        if (column !== undefined) this.#writeField(field, column, { batch, row, count });
      });
      this.#target.output.copyFrom(addressOf(this.#room), count * this.#recordBytes);
    }
  }

  writeFooter(): void {}

  close(): void {
    this.#target.context.scope.memory.release(this.#room);
  }

  #writeField(
    { name, offset, bytes }: FixedField,
    { type, values }: Column,
    { batch, row, count }: { batch: Batch; row: number; count: number },
  ): void {
    const { kernels }: { kernels: Kernels } = this.#target.context;
    const to = addressOf(this.#room) + offset;
    const { selection } = batch;
    if (type.kind !== 'binary') {
      kernels.valuesToRecords(values, selection, row, count, bytes, to, this.#recordBytes);
      return;
    }
    const done = kernels.viewsToRecords(
      values,
      selection,
      row,
      count,
      bytes,
      to,
      this.#recordBytes,
    );
    if (done < count) throw widthError(name, bytes);
  }
}

function widthError(column: string, bytes: number) {
  return typedError(
    'VALUE_WIDTH',
    `column "${column}" has a value that is not ${bytes} bytes long`,
    {
      hint: 'Cut or fill such values before the sink, or give the field as many bytes as they have.',
      details: { column, bytes },
    },
  );
}
