/**
 * Writes one task's rows to a file that nobody looks at yet; the committer renames it when the job has finished.
 *
 * A target that ends in `.gz` or `.zst` is compressed on its way, and so are the parts of a folder when the options say
 * so.
 *
 * Before: connectors/filesystem/output-file.ts · After: connectors/filesystem/file-committer.ts
 */
import { type Compression, compressionOf } from '../../base/compression.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import type { FormatOptions } from './file-options.ts';
import { endingOf, OutputFile } from './output-file.ts';
import { type FileWrite, type SinkTarget, writtenPathOf } from './sink-target.ts';

export interface FileSinkWriterOptions {
  readonly format: FormatOptions;
  readonly target: SinkTarget;
  /** Of the parts of a folder. */
  readonly compression?: Compression | undefined;
  /** @defaultValue 256 KiB; tests set it low. */
  readonly bufferBytes?: number | undefined;
}

export class FileSinkWriter implements SinkWriter {
  readonly #place: Pick<FileWrite, 'kind' | 'path' | 'partName'>;
  readonly #file: OutputFile;

  constructor(options: FileSinkWriterOptions, context: SlotContext) {
    const { format, target, bufferBytes } = options;
    const compression =
      target.kind === 'file' ? compressionOf(target.path) : (options.compression ?? null);
    const number = String(context.taskIndex).padStart(5, '0');
    const partName = `part-${number}${endingOf(format, compression)}`;
    const path = writtenPathOf(target, context, partName);
    this.#place = { kind: target.kind, path, partName };
    const file = { format, path, target: target.path, compression, bufferBytes };
    this.#file = new OutputFile(file, context);
  }

  /** @throws DISK_FULL, VALUE_NOT_JSON, VALUE_NOT_A_DATE, and the disk's errors. */
  write(batch: Batch): void {
    this.#file.write(batch);
  }

  finish(): Json {
    const write: FileWrite = { ...this.#place, ...this.#file.finish() };
    return { ...write };
  }

  close(): void {
    this.#file.close();
  }
}
