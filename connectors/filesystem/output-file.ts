/**
 * One file that a sink writes: rows become bytes of a format, compressed where that is asked, under a name that nobody
 * looks at yet.
 *
 * The file is made with the first full buffer, or by `finish`, so who fails early has touched nothing. `finish` fsyncs:
 * what a commit is told of survives a power cut.
 *
 * Before: connectors/formats/row-writer.ts · After: connectors/filesystem/file-sink-writer.ts, file-parts-writer.ts
 */
import { assert } from '../../base/assert.ts';
import { Codec, type Compression, compressionEndings } from '../../base/compression.ts';
import type { FileId } from '../../base/env/disk.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { fileFormatOf } from '../formats/file-formats.ts';
import { OutputBuffer } from '../formats/output-buffer.ts';
import type { RowWriter } from '../formats/row-writer.ts';
import type { FormatOptions } from './file-options.ts';
import { writeError } from './sink-errors.ts';

/** As much compressed output is written in one go. */
const compressedBytesPerWrite = 64 << 10;

export interface OutputFileOptions {
  readonly format: FormatOptions;
  readonly path: string;
  /** What errors name in its place: what the user has written. */
  readonly target: string;
  readonly compression: Compression | null;
  /** @defaultValue 256 KiB; tests set it low. */
  readonly bufferBytes?: number | undefined;
}

// A type alias, not an interface: only those are assignable to `Json`.
export type WrittenFile = {
  readonly sizeBytes: number;
  readonly rowCount: number;
};

export class OutputFile {
  readonly #options: OutputFileOptions;
  readonly #context: SlotContext;
  readonly #rows: RowWriter;
  #buffer: OutputBuffer | null;
  #codec: Codec | null;
  readonly #compressed: Uint8Array;
  #file: FileId | null = null;
  #sizeBytes = 0;
  #rowCount = 0;

  constructor(options: OutputFileOptions, context: SlotContext) {
    const { format, compression, bufferBytes } = options;
    this.#options = options;
    this.#context = context;
    const { writer } = fileFormatOf(format);
    assert(writer !== undefined, 'the format of a sink can be written');
    this.#codec = compression === null ? null : Codec.compress(compression);
    this.#compressed = new Uint8Array(compression === null ? 0 : compressedBytesPerWrite);
    const buffer = new OutputBuffer(context.scope, (bytes) => this.#append(bytes), bufferBytes);
    this.#buffer = buffer;
    try {
      this.#rows = writer(format, { context, schema: context.schema, output: buffer });
    } catch (error) {
      buffer.close();
      this.#codec?.close();
      throw error;
    }
    this.#rows.writeHeader();
  }

  /** @throws DISK_FULL, VALUE_NOT_JSON, VALUE_NOT_A_DATE, and the disk's errors. */
  write(batch: Batch): void {
    this.#naming(() => this.#rows.writeRows(batch));
    this.#rowCount += batch.rowCount;
  }

  /** The file is whole, on the disk, and closed. */
  finish(): WrittenFile {
    const buffer = this.#buffer;
    assert(buffer !== null, 'a file that is finished was not closed');
    this.#naming(() => {
      this.#rows.writeFooter();
      buffer.flush();
      if (this.#codec !== null) this.#compress(this.#codec, new Uint8Array(0), true);
      this.#file ??= this.#open();
      this.#context.disk.fsync(this.#file);
      this.close();
    });
    return { sizeBytes: this.#sizeBytes, rowCount: this.#rowCount };
  }

  /** Gives memory and file back; what was written stays. */
  close(): void {
    const file = this.#file;
    const buffer = this.#buffer;
    this.#buffer = null;
    this.#codec?.close();
    this.#codec = null;
    this.#file = null;
    if (buffer !== null) {
      this.#rows.close?.();
      buffer.close();
    }
    if (file !== null) this.#context.disk.close(file);
  }

  #append(bytes: Uint8Array): void {
    if (this.#codec === null) this.#writeToFile(bytes);
    else this.#compress(this.#codec, bytes, false);
  }

  #compress(codec: Codec, bytes: Uint8Array, isLast: boolean): void {
    const room = this.#compressed;
    let from = 0;
    do {
      const fault = codec.step(bytes, { from, end: bytes.length }, room, isLast);
      assert(fault === null, 'any bytes can be compressed');
      from += codec.used;
      if (codec.written > 0) this.#writeToFile(room.subarray(0, codec.written));
    } while (from < bytes.length || codec.written === room.length);
  }

  #writeToFile(bytes: Uint8Array): void {
    this.#file ??= this.#open();
    this.#context.disk.write(this.#file, bytes, this.#sizeBytes);
    this.#sizeBytes += bytes.length;
  }

  #open(): FileId {
    return this.#context.disk.open(this.#options.path, 'replace');
  }

  #naming(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw writeError(this.#options.target, error);
    }
  }
}

/** How a file of a folder is called at its end: `.csv.gz`. */
export function endingOf(format: FormatOptions, compression: Compression | null): string {
  const { partEnding } = fileFormatOf(format);
  assert(partEnding !== undefined, 'the format of a sink can be written');
  return partEnding(format) + (compression === null ? '' : compressionEndings[compression]);
}
