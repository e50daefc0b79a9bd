/**
 * The body of a record batch in a file: its buffers, read piece by piece into the slot's memory. Those that
 * are compressed are unpacked whole when they are first asked for, and stay until the body is closed.
 *
 * Nothing is trusted: a buffer must lie in the body, and what is read of it in the buffer. So a file
 * that is damaged gives an error with its name, whatever its numbers say.
 */
import type { FileId } from '../../base/env/disk.ts';
import type { SlotContext } from '../../engine/contracts/connector.ts';
import { addressOf, type BlockHandle } from '../../engine/memory/slot-memory.ts';
import { changedError } from '../filesystem/source-errors.ts';
import { type ArrowCodec, sizePrefixBytes, unpack, unpackedBytesOf } from './arrow-compression.ts';
import { corruptError, parsing, unsupportedError } from './arrow-errors.ts';
import {
  type BufferPlace,
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

/** The bytes of a buffer, unpacked: in the slot's memory, or else in the file. */
interface BufferBytes {
  readonly sizeBytes: number;
  readonly block: BlockHandle | null;
  /** From the start of the body. */
  readonly offset: number;
}

export class ArrowBody {
  readonly path: string;
  readonly layout: RecordBatchLayout;
  readonly #context: SlotContext;
  readonly #file: FileId;
  readonly #start: number;
  readonly #sizeBytes: number;
  /** Null: as they are. */
  readonly #codec: ArrowCodec | null;
  readonly #unpacked = new Map<number, BufferBytes>();

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
    const { compression } = layout;
    if (compression === 'other') {
      const hint = 'Write it compressed with lz4 or zstd, or not at all.';
      throw unsupportedError(file.path, 'is compressed with an unknown codec', hint);
    }
    this.#codec = compression === 'none' ? null : compression;
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
    return this.#bytesOf(buffer).sizeBytes;
  }

  /**
   * Reads a part of a buffer into a new block, which is added to `blocks`; answers its address.
   * @throws ARROW_CORRUPT when the buffer ends before, or can't be unpacked.
   */
  read(buffer: number, part: { from: number; sizeBytes: number }, blocks: BlockHandle[]): number {
    const { from, sizeBytes } = part;
    const whole = this.#bytesOf(buffer);
    if (from + sizeBytes > whole.sizeBytes) {
      throw corruptError(this.path, 'has a column that lacks values for its rows');
    }
    const { scope } = this.#context;
    const block = scope.allocate(sizeBytes);
    blocks.push(block);
    const address = addressOf(block);
    if (whole.block === null) {
      this.#readFile(
        scope.memory.bytes.subarray(address, address + sizeBytes),
        whole.offset + from,
      );
    } else {
      const start = addressOf(whole.block) + from;
      scope.memory.bytes.copyWithin(address, start, start + sizeBytes);
    }
    return address;
  }

  /** Gives back what was unpacked. */
  close(): void {
    for (const { block } of this.#unpacked.values()) {
      if (block !== null) this.#context.scope.memory.release(block);
    }
    this.#unpacked.clear();
  }

  #bytesOf(buffer: number): BufferBytes {
    const place = this.#placeOf(buffer);
    if (this.#codec === null || place.sizeBytes === 0) return { ...place, block: null };
    const known = this.#unpacked.get(buffer);
    if (known !== undefined) return known;
    const unpacked = this.#unpack(this.#codec, place);
    this.#unpacked.set(buffer, unpacked);
    return unpacked;
  }

  #unpack(codec: ArrowCodec, place: BufferPlace): BufferBytes {
    const sizeBytes = place.sizeBytes - sizePrefixBytes;
    if (sizeBytes < 0) throw this.#packedError();
    const prefix = new Uint8Array(sizePrefixBytes);
    this.#readFile(prefix, place.offset);
    const offset = place.offset + sizePrefixBytes;
    const toBytes = unpackedBytesOf(new DataView(prefix.buffer));
    if (toBytes === null) return { sizeBytes, block: null, offset };
    if (toBytes < 0 || !Number.isSafeInteger(toBytes)) throw this.#packedError();
    if (toBytes === 0) return { sizeBytes: 0, block: null, offset };
    const { scope } = this.#context;
    const packed = scope.allocate(sizeBytes);
    try {
      const address = addressOf(packed);
      this.#readFile(scope.memory.bytes.subarray(address, address + sizeBytes), offset);
      const block = unpack(this.#context, codec, { address, sizeBytes }, toBytes);
      if (block === null) throw this.#packedError();
      return { sizeBytes: toBytes, block, offset };
    } finally {
      scope.memory.release(packed);
    }
  }

  #readFile(into: Uint8Array, offset: number): void {
    const count = this.#context.disk.read(this.#file, into, this.#start + offset);
    if (count < into.length) throw changedError(this.path, 'became shorter');
  }

  #placeOf(buffer: number): BufferPlace {
    const place = this.layout.buffers[buffer];
    if (place === undefined) throw corruptError(this.path, 'lacks a buffer of a column');
    if (place.offset + place.sizeBytes > this.#sizeBytes) {
      throw corruptError(this.path, 'has a buffer beyond the end of its record batch');
    }
    return place;
  }

  #packedError(): Error {
    return corruptError(this.path, `has a buffer that ${this.#codec} can't unpack`);
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
