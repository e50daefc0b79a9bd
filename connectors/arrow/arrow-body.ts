/**
 * The body of a record batch in a file: its buffers, read piece by piece into the slot's memory.
 *
 * Nothing is trusted: a buffer must lie in the body, and what is read of it in the buffer. So a file
 * that is damaged gives an error with its name, whatever its numbers say.
 */
import type { FileId } from '../../base/env/disk.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { changedError } from '../filesystem/source-errors.ts';
import { corruptError, parsing, unsupportedError } from './arrow-errors.ts';
import {
  continuation,
  type DictionaryLayout,
  type Message,
  type MessagePlace,
  prefixBytes,
  type RecordBatchLayout,
  readDictionaryBatch,
  readMessage,
  readRecordBatch,
} from './arrow-messages.ts';
import type { ColumnPlan } from './arrow-split.ts';

/** A file that is open. */
export interface OpenFile {
  readonly id: FileId;
  readonly path: string;
}

export class ArrowBody {
  readonly path: string;
  readonly layout: RecordBatchLayout;
  readonly #context: SlotContext;
  readonly #file: FileId;
  readonly #start: number;
  readonly #sizeBytes: number;

  constructor(
    context: SlotContext,
    file: OpenFile,
    place: MessagePlace,
    layout: RecordBatchLayout,
  ) {
    this.#context = context;
    this.#file = file.id;
    this.path = file.path;
    this.layout = layout;
    this.#start = place.offset + place.metadataBytes;
    this.#sizeBytes = place.bodyBytes;
    if (layout.compression !== 'none') throw this.#compressedError();
  }

  /** The index of a column's first buffer. */
  firstBufferOf({ buffer, viewsBefore }: ColumnPlan): number {
    let index = buffer;
    for (let view = 0; view < viewsBefore; view++) index += this.viewBuffersOf(view);
    return index;
  }

  /** How many buffers of bytes a column of views has. */
  viewBuffersOf(view: number): number {
    const count = this.layout.viewBufferCounts[view];
    if (count === undefined || count < 0 || count > this.layout.buffers.length) {
      throw corruptError(this.path, 'lacks the buffers of its views');
    }
    return count;
  }

  /** Bytes of a buffer. */
  sizeOf(buffer: number): number {
    return this.#placeOf(buffer).sizeBytes;
  }

  /**
   * Reads a part of a buffer into a new block, which is added to `blocks`; answers its address.
   * @throws ARROW_CORRUPT when the buffer ends before.
   */
  read(buffer: number, part: { from: number; sizeBytes: number }, blocks: BlockHandle[]): number {
    const { from, sizeBytes } = part;
    const { offset, sizeBytes: available } = this.#placeOf(buffer);
    if (from + sizeBytes > available) {
      throw corruptError(this.path, 'has a column that lacks values for its rows');
    }
    const { scope, disk } = this.#context;
    const block = scope.allocate(sizeBytes);
    blocks.push(block);
    const address = addressOf(block);
    const into = scope.memory.bytes.subarray(address, address + sizeBytes);
    const count = disk.read(this.#file, into, this.#start + offset + from);
    if (count < sizeBytes) throw changedError(this.path, 'became shorter');
    return address;
  }

  #placeOf(buffer: number) {
    const place = this.layout.buffers[buffer];
    if (place === undefined) throw corruptError(this.path, 'lacks a buffer of a column');
    if (place.offset + place.sizeBytes > this.#sizeBytes) {
      throw corruptError(this.path, 'has a buffer beyond the end of its record batch');
    }
    return place;
  }

  #compressedError(): Error {
    const { compression } = this.layout;
    const name = compression === 'other' ? 'an unknown codec' : compression;
    return unsupportedError(
      this.path,
      `is compressed with ${name}`,
      'Write it without compression: compression=None in pyarrow, "uncompressed" in Polars.',
    );
  }
}

/** Opens the record batch at a place. @throws ARROW_CORRUPT, ARROW_FEATURE_UNSUPPORTED */
export function openBatch(context: SlotContext, file: OpenFile, place: MessagePlace): ArrowBody {
  const { header } = readMessageAt(context, file, place, 'batch');
  const layout = parsing(file.path, 'record batch', () => readRecordBatch(header));
  return new ArrowBody(context, file, place, layout);
}

/** Opens the dictionary batch at a place. */
export function openDictionary(
  context: SlotContext,
  file: OpenFile,
  place: MessagePlace,
): DictionaryLayout & { readonly body: ArrowBody } {
  const { header } = readMessageAt(context, file, place, 'dictionary');
  const layout = parsing(file.path, 'dictionary', () => readDictionaryBatch(header));
  return { ...layout, body: new ArrowBody(context, file, place, layout.values) };
}

function readMessageAt(
  { disk }: SlotContext,
  file: OpenFile,
  place: MessagePlace,
  kind: Message['kind'],
): Message {
  const bytes = new Uint8Array(place.metadataBytes);
  if (disk.read(file.id, bytes, place.offset) < bytes.length) {
    throw changedError(file.path, 'became shorter');
  }
  return parsing(file.path, `message at byte ${place.offset}`, () => {
    const view = new DataView(bytes.buffer);
    if (view.getUint32(0, true) !== continuation) throw new RangeError('no mark of a message');
    const metadataBytes = view.getInt32(4, true);
    const message = readMessage(bytes.subarray(prefixBytes, prefixBytes + metadataBytes));
    const isMeant = message.kind === kind && message.bodyBytes === place.bodyBytes;
    if (!isMeant) throw new RangeError('another message than the one that is listed');
    return message;
  });
}
