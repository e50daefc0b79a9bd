/**
 * Looks through a Parquet file: its footer, which lies at its end and says where all else is. Nothing
 * of it is trusted: places are checked to lie within the file.
 *
 *     PAR1 │ column chunks, row group after row group │ indexes │ footer │ u32 its length │ PAR1
 *
 * After: connectors/parquet/plan/parquet-split-planner.ts
 */
import type { Disk, FileId } from '../../../base/env/disk.ts';
import type { SourceFile } from '../../filesystem/file-range.ts';
import { changedError, openError } from '../../filesystem/source-errors.ts';
import { corruptError, notParquetError, parsing, unsupportedError } from '../parquet-errors.ts';
import { type ColumnChunk, type FileMetadata, fileMetadataOf } from '../parquet-metadata.ts';
import { type ParquetField, parquetFieldsOf } from '../parquet-schema.ts';
import { readThriftStruct } from '../thrift-reader.ts';

export interface ParquetScan extends FileMetadata {
  readonly fields: readonly ParquetField[];
}

/** Holds the footer of most files. */
const firstReadBytes = 64 << 10;
const magicBytes = 4;
/** The length of the footer, and `PAR1`. */
const trailerBytes = 8;

/** @throws PARQUET_CORRUPT, PARQUET_FEATURE_UNSUPPORTED, SOURCE_UNREADABLE, SOURCE_CHANGED */
export async function scanParquetFile(disk: Disk, file: SourceFile): Promise<ParquetScan> {
  const { path } = file;
  const opened = await disk.open(path, 'read').catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    const footer = await new FooterReader(disk, opened, file).read();
    return scanOf(file, footer);
  } finally {
    await disk.close(opened);
  }
}

class FooterReader {
  readonly #disk: Disk;
  readonly #file: FileId;
  readonly #path: string;
  readonly #size: number;

  constructor(disk: Disk, opened: FileId, { path, sizeBytes }: SourceFile) {
    this.#disk = disk;
    this.#file = opened;
    this.#path = path;
    this.#size = sizeBytes;
  }

  async read(): Promise<Uint8Array> {
    const size = this.#size;
    const path = this.#path;
    const start = await this.#bytesAt(0, Math.min(size, magicBytes));
    if (textOf(start) === 'PARE') throw encryptedError(path);
    if (textOf(start) !== 'PAR1') throw notParquetError(path);
    const tail = await this.#bytesAt(
      Math.max(0, size - firstReadBytes),
      Math.min(size, firstReadBytes),
    );
    const magic = textOf(tail.subarray(-magicBytes));
    if (magic === 'PARE') throw encryptedError(path);
    if (size < magicBytes + trailerBytes || magic !== 'PAR1') {
      throw corruptError(path, 'ends before its footer: it was cut off, or never finished');
    }
    const trailer = new DataView(tail.buffer, tail.byteOffset + tail.length - trailerBytes);
    const footerBytes = trailer.getUint32(0, true);
    const footerStart = size - trailerBytes - footerBytes;
    if (footerStart < magicBytes) {
      throw corruptError(path, 'has a footer that is longer than the file');
    }
    const inTail = tail.length - trailerBytes - footerBytes;
    if (inTail >= 0) return tail.subarray(inTail, inTail + footerBytes);
    return this.#bytesAt(footerStart, footerBytes);
  }

  async #bytesAt(position: number, sizeBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(sizeBytes);
    const count = await this.#disk.read(this.#file, bytes, position);
    if (count < sizeBytes) throw changedError(this.#path, 'became shorter');
    return bytes;
  }
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function encryptedError(path: string) {
  return unsupportedError(
    path,
    'is encrypted',
    'Encrypted files can not be read; write the data without encryption.',
  );
}

function scanOf({ path, sizeBytes }: SourceFile, footer: Uint8Array): ParquetScan {
  const { metadata, fields } = parsing(path, 'a footer', () => {
    const found = fileMetadataOf(readThriftStruct(footer).struct);
    return { metadata: found, fields: parquetFieldsOf(found.schema) };
  });
  const leafCount = countLeaves(fields);
  for (const { chunks, rowCount } of metadata.rowGroups) {
    if (chunks.length !== leafCount) {
      throw corruptError(path, 'has a row group with another count of columns than its schema');
    }
    // A column of a row group without rows is nowhere.
    if (rowCount > 0) for (const chunk of chunks) checkPlace(path, chunk, sizeBytes);
  }
  return { ...metadata, fields };
}

function checkPlace(path: string, chunk: ColumnChunk, fileSize: number): void {
  if (chunk.otherFile) {
    const hint = 'Read the files that hold the columns instead.';
    throw unsupportedError(path, 'has its columns in other files', hint);
  }
  const isWithin = chunk.start >= magicBytes && chunk.start + chunk.compressedBytes <= fileSize;
  if (!isWithin && !chunk.isEncrypted) {
    throw corruptError(path, 'has a footer with a column that lies outside of the file');
  }
  for (const place of [chunk.columnIndex, chunk.offsetIndex, chunk.bloomFilter]) {
    if (place === null || place.offset + place.sizeBytes <= fileSize) continue;
    throw corruptError(path, 'has a footer with an index that lies outside of the file');
  }
}

function countLeaves(fields: readonly ParquetField[]): number {
  return fields.reduce((sum, { leaf, children }) => sum + (leaf ? 1 : countLeaves(children)), 0);
}
