/**
 * The options of the `files` connector as a plan carries them: plain JSON. `connectors/files.ts`
 * writes them for the user's job, the readers and writers of this folder carry them out.
 */

/** What a text source does with bytes that are not UTF-8. */
export type InvalidUtf8 = 'fail' | 'replace';

export type FileFormat = 'csv' | 'ndjson';

// Type aliases, not interfaces: only those are assignable to `Json`.
export type TextFormat = {
  readonly kind: 'text';
  readonly invalidUtf8: InvalidUtf8;
};

export type FileSourceOptions = {
  /** A file, a folder (read with all folders below it) or a glob. */
  readonly path: string;
  readonly format: TextFormat;
  /** Endings such as `.md` that files found in a folder or by a glob must have; null for all. */
  readonly extensions: readonly string[] | null;
};

export type FileSinkOptions = {
  readonly path: string;
  readonly format: FileFormat;
  /** Whether a folder that exists is replaced; a file always is. */
  readonly overwrite: boolean;
};
