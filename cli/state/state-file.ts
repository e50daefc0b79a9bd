/**
 * State as a file, in any format that sinks of files have: rows for other programs, in one part at a time.
 *
 * Before: cli/commands/state-read.ts. After: connectors/filesystem/output-file.ts.
 */
import { typedError } from '../../base/typed-error.ts';
import { OutputFile } from '../../connectors/filesystem/output-file.ts';
import { sinkFormatNamed, sinkFormatOfPath } from '../../connectors/formats/format-builders.ts';
import type { Batch } from '../../engine/batch/batch.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import { slotContextOf } from '../../worker/snapshot/snapshot-stream.ts';
import type { BatchTaker, KeptPart, StateReading } from './state-reading.ts';

export interface StateFile {
  /** An absolute path, and as the user wrote it. */
  readonly path: string;
  readonly target: string;
  /** Null: as the name of the file says. */
  readonly format: string | null;
}

/** How many rows were written. @throws FILES_OPTION_INVALID, and errors of the disk: then nothing of the file is left. */
export function writeStateFile(reading: StateReading, part: KeptPart, to: StateFile): number {
  const { disk } = reading.context;
  const taker = new FileTaker(reading, to);
  try {
    reading.read(part, taker);
    const rowCount = taker.finish();
    if (rowCount !== null) return rowCount;
  } catch (error) {
    taker.close();
    if (taker.isMade) disk.unlink(to.path);
    throw error;
  }
  throw typedError('FLAG_VALUE', `--output: part "${part.name}" has no rows to write`, {
    hint: 'Leave --output out, or choose another part with --part.',
  });
}

class FileTaker implements BatchTaker {
  readonly #reading: StateReading;
  readonly #to: StateFile;
  #file: OutputFile | null = null;
  isMade = false;

  constructor(reading: StateReading, to: StateFile) {
    this.#reading = reading;
    this.#to = to;
  }

  begin(schema: Schema): void {
    const { path, target, format } = this.#to;
    const { options } = format === null ? sinkFormatOfPath(path) : sinkFormatNamed(format);
    const context = slotContextOf(this.#reading.context, schema);
    this.#file = new OutputFile({ format: options, path, target, compression: null }, context);
  }

  take(batch: Batch): void {
    this.isMade = true;
    this.#file?.write(batch);
  }

  /** Null where no part has begun. */
  finish(): number | null {
    this.isMade = this.#file !== null;
    return this.#file?.finish().rowCount ?? null;
  }

  close(): void {
    this.#file?.close();
  }
}
