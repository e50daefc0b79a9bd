/**
 * The header of the file that is being read, and where in its records the wanted columns are.
 *
 * Where a column is missing, but another file of the source has it, the files differ and it is not the declaration
 * that is wrong: then the error names both. That file is looked into only then, so it costs a job nothing.
 * Before: connectors/formats/csv-header.ts · After: connectors/formats/csv-records.ts
 */
import { TypedError } from '../../base/typed-error.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { type FileRange, type SourceFile, wholeOf } from '../filesystem/file-range.ts';
import { differingFilesError } from '../filesystem/source-errors.ts';
import { type CsvHeader, placesOf, readHeader } from './csv-header.ts';
import type { CsvOptions } from './csv-options.ts';
import { openFileBytes } from './file-bytes.ts';

export class CsvHeaders {
  /** Other files of the source, to compare with. */
  files: readonly SourceFile[] = [];
  readonly #options: CsvOptions;
  readonly #context: SlotContext;
  readonly #wanted: readonly string[];
  #path: string | null = null;
  #header: CsvHeader;
  #places: readonly number[];

  constructor(options: CsvOptions, context: SlotContext) {
    this.#options = options;
    this.#context = context;
    this.#wanted = context.schema.fields.map(({ name }) => name);
    // Without a header the names are those of the struct, in every file.
    this.#header = { names: options.columns, sizeBytes: 0 };
    this.#places = placesOf(this.#wanted, options.columns, '');
  }

  get fieldCount(): number {
    return this.#header.names.length;
  }

  /** The field of each wanted column. */
  get places(): readonly number[] {
    return this.#places;
  }

  /**
   * Reads the header of the file, if it is not known already.
   * @throws CSV_HEADER; SCHEMA_MISMATCH where another file has what is missing here.
   */
  read(range: FileRange): CsvHeader {
    const { path } = range;
    if (!this.#options.header || this.#path === path) return this.#header;
    this.#header = this.#headerOf(range);
    try {
      this.#places = placesOf(this.#wanted, this.#header.names, path);
    } catch (error) {
      throw this.#besideOther(error, path);
    }
    this.#path = path;
    return this.#header;
  }

  #headerOf(range: FileRange): CsvHeader {
    const { delimiter, quote } = this.#options;
    const file = openFileBytes(this.#context.disk, range);
    try {
      return readHeader(file, { path: range.path, delimiter, quote });
    } finally {
      file.close();
    }
  }

  #besideOther(error: unknown, path: string): unknown {
    const other = this.files.find((file) => file.path !== path && this.#hasAll(file));
    if (other === undefined || !(error instanceof TypedError)) return error;
    return differingFilesError(error, other.path);
  }

  #hasAll(file: SourceFile): boolean {
    try {
      placesOf(this.#wanted, this.#headerOf(wholeOf(file)).names, file.path);
      return true;
    } catch {
      return false;
    }
  }
}
