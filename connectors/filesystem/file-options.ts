/**
 * The options of the `files` connector as a plan carries them: plain JSON. `connectors/files.ts`
 * writes them for the user's job, the readers and writers of this folder carry them out.
 */
import type { Compression } from '../../base/compression.ts';
import type { Json } from '../../engine/contracts/json.ts';

// Type aliases, not interfaces: only those are assignable to `Json`.

/** A format by the name under which `connectors/formats/file-formats.ts` has it, with its own options. */
export type FormatOptions = {
  readonly kind: string;
  readonly [option: string]: Json;
};

export type FileSourceOptions = {
  /** A file, a folder (read with all folders below it) or a glob. */
  readonly path: string;
  readonly format: FormatOptions;
  /** Endings such as `.md` that files found in a folder or by a glob must have; null for all. */
  readonly extensions: readonly string[] | null;
  /** Absent: large files may be cut, to be read by several tasks. */
  readonly split?: false;
  /** How often new files are looked for; absent: the files are those that are there at first. */
  readonly discoveryIntervalMs?: number;
};

export type FileSinkOptions = {
  readonly path: string;
  readonly format: FormatOptions;
  /** Of the parts of a folder. Of a file its name says it. */
  readonly compression?: Compression;
  /** Whether a folder that exists is replaced; a file always is. */
  readonly overwrite: boolean;
};
