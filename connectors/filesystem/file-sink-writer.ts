/**
 * Writes one task's rows to a file that nobody looks at yet; the committer renames it later.
 *
 * The file is made with the first full buffer, or by `finish`, so a job that fails early has touched
 * nothing. `finish` fsyncs: what a commit is told of survives a power cut. A target that ends in `.gz` or
 * `.zst` is compressed on its way, and so are the parts of a folder when the options say so.
 *
 * Before: engine/batch/batch.ts · After: connectors/filesystem/file-committer.ts
 */
import { assert } from '../../base/assert.ts';
import {
  Codec,
  type Compression,
  compressionEndings,
  compressionOf,
} from '../../base/compression.ts';
import type { FileId } from '../../base/env/disk.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import { fileFormatOf } from '../formats/file-formats.ts';
import { OutputBuffer } from '../formats/output-buffer.ts';
import type { RowWriter } from '../formats/row-writer.ts';
import type { FormatOptions } from './file-options.ts';
import { writeError } from './sink-errors.ts';
import { type FileWrite, type SinkTarget, writtenPathOf } from './sink-target.ts';

/** As much compressed output is written in one go. */
const compressedBytesPerWrite = 64 << 10;

export interface FileSinkWriterOptions {
  readonly format: FormatOptions;
  readonly target: SinkTarget;
  /** Of the parts of a folder. */
  readonly compression?: Compression | undefined;
  /** @defaultValue 256 KiB; tests set it low. */
  readonly bufferBytes?: number;
}

export class FileSinkWriter implements SinkWriter {
  readonly #context: SlotContext;
  readonly #target: SinkTarget;
  readonly #partName: string;
  readonly #path: string;
  readonly #rows: RowWriter;
  #buffer: OutputBuffer | null;
  #codec: Codec | null;
  readonly #compressed: Uint8Array;
  #file: FileId | null = null;
  #sizeBytes = 0;
  #rowCount = 0;

  constructor(options: FileSinkWriterOptions, context: SlotContext) {
    const { format, target, bufferBytes } = options;
    this.#context = context;
    this.#target = target;
    const { writer, partEnding } = fileFormatOf(format);
    assert(writer !== undefined && partEnding !== undefined, 'the format of a sink can be written');
    const compression =
      target.kind === 'file' ? compressionOf(target.path) : (options.compression ?? null);
    const ending = compression === null ? '' : compressionEndings[compression];
    const number = String(context.taskIndex).padStart(5, '0');
    this.#partName = `part-${number}${partEnding(format)}${ending}`;
    this.#codec = compression === null ? null : Codec.compress(compression);
    this.#compressed = new Uint8Array(compression === null ? 0 : compressedBytesPerWrite);
    this.#path = writtenPathOf(target, context, this.#partName);
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

  finish(): Json {
    const buffer = this.#buffer;
    assert(buffer !== null, 'a writer that finishes was not closed');
    this.#naming(() => {
      this.#rows.writeFooter();
      buffer.flush();
      if (this.#codec !== null) this.#compress(this.#codec, new Uint8Array(0), true);
      this.#file ??= this.#open();
      this.#context.disk.fsync(this.#file);
      this.close();
    });
    const write: FileWrite = {
      kind: this.#target.kind,
      path: this.#path,
      partName: this.#partName,
      sizeBytes: this.#sizeBytes,
      rowCount: this.#rowCount,
    };
    return { ...write };
  }

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
    return this.#context.disk.open(this.#path, 'replace');
  }

  #naming(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw writeError(this.#target.path, error);
    }
  }
}
