/**
 * Writes one task's rows in a job with checkpoints: a file for each checkpoint, hidden until that is complete.
 *
 *     rows a b │ c d e │ │ f        │ barriers
 *     parts [a b]  [c d e]  [f]     a barrier ends the file; the next one begins with the next row, so none is empty
 *
 * A format with a footer makes a whole file each time. Where barriers come often, files are small: the interval says how
 * many there are.
 *
 * Before: connectors/filesystem/output-file.ts · After: connectors/filesystem/file-checkpoint-committer.ts
 */
import type { Batch } from '../../engine/batch/batch.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { Json } from '../../engine/contracts/json.ts';
import type { SinkWriter } from '../../engine/contracts/sink.ts';
import type { FileSinkWriterOptions } from './file-sink-writer.ts';
import { endingOf, OutputFile } from './output-file.ts';
import { writeError } from './sink-errors.ts';
import { hiddenPathOf, type PartWrite, partNameOf } from './sink-parts.ts';

interface OpenPart {
  readonly name: string;
  readonly file: OutputFile;
}

export class FilePartsWriter implements SinkWriter {
  readonly #options: FileSinkWriterOptions;
  readonly #context: SlotContext;
  #part: OpenPart | null = null;
  /** The last barrier; 0 before the first. */
  #checkpointId = 0;

  constructor(options: FileSinkWriterOptions, context: SlotContext) {
    this.#options = options;
    this.#context = context;
  }

  /** @throws DISK_FULL, VALUE_NOT_JSON, VALUE_NOT_A_DATE, and the disk's errors. */
  write(batch: Batch): void {
    if (batch.rowCount === 0) return;
    this.#part ??= this.#begin();
    this.#part.file.write(batch);
  }

  prepareCommit(checkpointId: number): Json {
    this.#checkpointId = checkpointId;
    return this.#endPart();
  }

  /** Rows behind the last barrier; they wait for the next checkpoint. */
  finish(): Json {
    return this.#endPart();
  }

  close(): void {
    const part = this.#part;
    this.#part = null;
    part?.file.close();
  }

  #begin(): OpenPart {
    const { format, target, compression = null, bufferBytes } = this.#options;
    const { taskIndex, attempt } = this.#context;
    const ending = endingOf(format, compression);
    const checkpointId = this.#checkpointId;
    const name = partNameOf(target, { taskIndex, attempt, checkpointId, ending });
    const path = hiddenPathOf(target, name);
    const options = { format, path, target: target.path, compression, bufferBytes };
    return { name, file: new OutputFile(options, this.#context) };
  }

  /** The part and its name are on the disk. */
  #endPart(): Json {
    if (this.#part === null) return null;
    const { name, file } = this.#part;
    const part: PartWrite = { name, ...file.finish() };
    this.#part = null;
    const { path } = this.#options.target;
    try {
      this.#context.disk.syncDir(path);
    } catch (error) {
      throw writeError(path, error);
    }
    return part;
  }
}
