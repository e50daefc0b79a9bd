/**
 * Looks through an Arrow file: its schema, and where its record batches and dictionaries are. Of a file
 * with a footer only the ends are read; of a stream every message's metadata, one after the other.
 *
 * Nothing of the file is trusted: places are checked to lie within it. What record batches hold is
 * looked at by those who read them.
 *
 * After: connectors/arrow/arrow-split-planner.ts
 */
import type { Disk, FileId } from '../../base/env/disk.ts';
import type { SourceFile } from '../filesystem/file-range.ts';
import { changedError, openError } from '../filesystem/source-errors.ts';
import { corruptError, notArrowError, parsing, unsupportedError } from './arrow-errors.ts';
import {
  type ArrowSchema,
  continuation,
  fileStart,
  type Message,
  type MessagePlace,
  magic,
  prefixBytes,
  readFooter,
  readMessage,
  readRecordBatch,
  readSchema,
} from './arrow-messages.ts';

/** Record batches in their order, with the dictionary batches that are in force for them. */
export interface BatchGroup {
  readonly dictionaries: readonly MessagePlace[];
  readonly batches: readonly BatchPlace[];
}

export interface BatchPlace extends MessagePlace {
  /** Of a record batch that was asked; null of others. */
  readonly rows: BatchRows | null;
}

export interface BatchRows {
  readonly count: number;
  /** Of a compressed one all buffers have to be unpacked, whichever rows are wanted. */
  readonly isCompressed: boolean;
}

export interface ScanOptions {
  /**
   * Whether a record batch is asked how many rows it has, which costs a read.
   * @param index - Among the `count` of the file; of a stream 0 of 1, for there it costs nothing.
   */
  readonly asksRows: (bodyBytes: number, index: number, count: number) => boolean;
}

export interface ArrowScan {
  readonly schema: ArrowSchema;
  readonly groups: readonly BatchGroup[];
}

/** Holds the footer of most files, and the metadata of most messages. */
const firstReadBytes = 64 << 10;
const messageReadBytes = 4 << 10;
/** The length of the footer, and `ARROW1`. */
const trailerBytes = 10;

/** @throws ARROW_CORRUPT, ARROW_FEATURE_UNSUPPORTED, SOURCE_UNREADABLE, SOURCE_CHANGED */
export async function scanArrowFile(
  disk: Disk,
  file: SourceFile,
  { asksRows }: ScanOptions,
): Promise<ArrowScan> {
  const { path } = file;
  const opened = await disk.open(path, 'read').catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    const scan = await new Scanner({ disk, opened, file, asksRows }).scan();
    if (scan.schema.isBigEndian) {
      throw unsupportedError(path, 'is big-endian', 'Write it on a little-endian machine.');
    }
    return scan;
  } finally {
    await disk.close(opened);
  }
}

interface ScannerOptions extends ScanOptions {
  readonly disk: Disk;
  readonly opened: FileId;
  readonly file: SourceFile;
}

class Scanner {
  readonly #disk: Disk;
  readonly #file: FileId;
  readonly #path: string;
  readonly #size: number;
  readonly #asksRows: ScanOptions['asksRows'];

  constructor({ disk, opened, file, asksRows }: ScannerOptions) {
    this.#disk = disk;
    this.#file = opened;
    this.#path = file.path;
    this.#size = file.sizeBytes;
    this.#asksRows = asksRows;
  }

  async scan(): Promise<ArrowScan> {
    const start = await this.#read(0, Math.min(this.#size, fileStart));
    if (magic.every((byte, index) => start[index] === byte)) return this.#scanFile();
    const isStream =
      start.length >= 4 && new DataView(start.buffer).getUint32(0, true) === continuation;
    if (!isStream) throw notArrowError(this.#path);
    return this.#scanStream();
  }

  async #scanFile(): Promise<ArrowScan> {
    const end = this.#size;
    if (end < fileStart + trailerBytes) throw this.#cutOff('before its footer');
    let tail = await this.#read(Math.max(0, end - firstReadBytes), Math.min(end, firstReadBytes));
    const view = new DataView(tail.buffer);
    const isWhole = magic.every((byte, index) => tail[tail.length - magic.length + index] === byte);
    if (!isWhole) throw this.#cutOff('before its footer');
    const footerBytes = view.getInt32(tail.length - trailerBytes, true);
    if (footerBytes <= 0 || footerBytes > end - fileStart - trailerBytes) {
      throw corruptError(this.#path, 'has a damaged footer');
    }
    if (footerBytes + trailerBytes > tail.length) {
      tail = await this.#read(end - trailerBytes - footerBytes, footerBytes + trailerBytes);
    }
    const footer = tail.subarray(
      tail.length - trailerBytes - footerBytes,
      tail.length - trailerBytes,
    );
    const { schema, dictionaries, batches } = parsing(this.#path, 'footer', () =>
      readFooter(footer),
    );
    for (const place of [...dictionaries, ...batches]) this.#checkPlace(place);
    return { schema, groups: [{ dictionaries, batches: await this.#asked(batches) }] };
  }

  /** Counts of rows are in the metadata of each batch. */
  async #asked(places: readonly MessagePlace[]): Promise<BatchPlace[]> {
    const asked: BatchPlace[] = [];
    for (const [index, place] of places.entries()) {
      const isAsked = this.#asksRows(place.bodyBytes, index, places.length);
      const found = isAsked ? await this.#messageAt(place.offset) : null;
      asked.push({ ...place, rows: found === null ? null : this.#rowsOf(found.message) });
    }
    return asked;
  }

  #rowsOf({ kind, header }: Message): BatchRows | null {
    if (kind !== 'batch') return null;
    const { rowCount, compression } = parsing(this.#path, 'record batch', () =>
      readRecordBatch(header),
    );
    return { count: rowCount, isCompressed: compression !== 'none' };
  }

  async #scanStream(): Promise<ArrowScan> {
    let schema: ArrowSchema | null = null;
    const groups = new GroupMaker();
    for (let offset = 0; offset < this.#size; ) {
      const found = await this.#messageAt(offset);
      if (found === null) break;
      const { message, place } = found;
      this.#checkPlace(place);
      if (message.kind === 'schema') {
        if (schema !== null) throw corruptError(this.#path, 'has two schemas');
        schema = parsing(this.#path, 'schema', () => readSchema(message.header));
      } else if (message.kind === 'batch') {
        const isAsked = this.#asksRows(place.bodyBytes, 0, 1);
        groups.addBatch({ ...place, rows: isAsked ? this.#rowsOf(message) : null });
      } else if (message.kind === 'dictionary') {
        const { header } = message;
        parsing(this.#path, 'dictionary', () =>
          groups.addDictionary(header.int64(0, 0), header.uint8(2, 0) !== 0, place),
        );
      }
      offset = place.offset + place.metadataBytes + place.bodyBytes;
    }
    if (schema === null) throw corruptError(this.#path, 'has no schema');
    return { schema, groups: groups.finish() };
  }

  /** The message at an offset, or null at the mark of the end. */
  async #messageAt(offset: number): Promise<{ message: Message; place: MessagePlace } | null> {
    const left = this.#size - offset;
    if (left < prefixBytes) throw this.#cutOff('in the middle of a message');
    let bytes = await this.#read(offset, Math.min(left, messageReadBytes));
    const view = new DataView(bytes.buffer);
    if (view.getUint32(0, true) !== continuation) {
      throw corruptError(this.#path, `has no message where one should be, at byte ${offset}`);
    }
    const metadataBytes = prefixBytes + view.getInt32(4, true);
    if (metadataBytes === prefixBytes) return null;
    if (metadataBytes < prefixBytes || metadataBytes > left) {
      throw this.#cutOff('in the middle of a message');
    }
    if (metadataBytes > bytes.length) bytes = await this.#read(offset, metadataBytes);
    const message = parsing(this.#path, `metadata at byte ${offset}`, () =>
      readMessage(bytes.subarray(prefixBytes, metadataBytes)),
    );
    return { message, place: { offset, metadataBytes, bodyBytes: message.bodyBytes } };
  }

  #checkPlace({ offset, metadataBytes, bodyBytes }: MessagePlace): void {
    const end = offset + metadataBytes + bodyBytes;
    if (end > this.#size) throw this.#cutOff(`in the middle of a message, at byte ${offset}`);
    if (metadataBytes <= prefixBytes) throw corruptError(this.#path, 'has a message of no size');
  }

  async #read(position: number, sizeBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(sizeBytes);
    const count = await this.#disk.read(this.#file, bytes, position);
    if (count < sizeBytes) throw changedError(this.#path, 'became shorter');
    return bytes;
  }

  #cutOff(where: string): Error {
    return corruptError(this.#path, `ends ${where}`);
  }
}

/** Batches of a stream by the dictionaries that are in force. */
class GroupMaker {
  readonly #groups: BatchGroup[] = [];
  readonly #dictionaries = new Map<number, MessagePlace[]>();
  #batches: BatchPlace[] = [];

  addBatch(place: BatchPlace): void {
    this.#batches.push(place);
  }

  /** A delta only adds entries, so the batches before it may have them too; a replacement ends the group. */
  addDictionary(id: number, isDelta: boolean, place: MessagePlace): void {
    if (!isDelta && this.#dictionaries.has(id)) this.#end();
    const before = isDelta ? (this.#dictionaries.get(id) ?? []) : [];
    this.#dictionaries.set(id, [...before, place]);
  }

  finish(): readonly BatchGroup[] {
    this.#end();
    return this.#groups;
  }

  #end(): void {
    if (this.#batches.length === 0) return;
    const dictionaries = [...this.#dictionaries.values()].flat();
    this.#groups.push({ dictionaries, batches: this.#batches });
    this.#batches = [];
  }
}
