/** The reader of text files: lines as rows. */
import type { SlotContext } from '../../engine/contracts/connector.ts';
import type { SplitReader } from '../../engine/contracts/source.ts';
import { RecordReader } from './record-reader.ts';
import { type InvalidUtf8, TextLines } from './text-lines.ts';

export interface TextReaderOptions {
  /** What bytes that are not UTF-8 do: end the job, or become U+FFFD. */
  readonly invalidUtf8: InvalidUtf8;
  /** The column with the path of each line's file; null or absent for none. */
  readonly pathColumn?: string | null | undefined;
  /** @defaultValue 1 MiB; at least 4; tests set it low. */
  readonly bufferBytes?: number;
  /** @defaultValue 64 MiB; tests set it low. */
  readonly lineBytesMax?: number;
}

/** A longer line is an error: its batch could not be passed on. */
const lineBytesMaxDefault = 64 << 20;

export function createTextReader(options: TextReaderOptions, context: SlotContext): SplitReader {
  const { invalidUtf8, lineBytesMax = lineBytesMaxDefault, bufferBytes } = options;
  const { pathColumn = null } = options;
  return new RecordReader(
    context,
    {
      borders: { kind: 'lines' },
      recordBytesMax: lineBytesMax,
      ...(bufferBytes !== undefined && { bufferBytes }),
    },
    (bad) => new TextLines(context, { invalidUtf8, lineBytesMax, pathColumn }, bad),
  );
}
