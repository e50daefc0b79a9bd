/**
 * Spill blocks: bytes of a slot's memory to blocks of a file and back, compressed where that helps and
 * checked always. The format: docs/formats/spill.md.
 *
 *     bodies ──LZ4──▶ header │ payload ──write──▶ file ──read──▶ checksum ──LZ4──▶ bodies
 *
 * One of these serves all files of an operator, for only one block is packed or unpacked at a time. Its
 * memory is asked for at the start: an operator spills when there is none left.
 *
 * Where blocks do not get smaller, the next few are not tried: random bytes cost time, not room.
 */
import { assert } from '../../base/assert.ts';
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import { crcTableBytes, writeCrcTables } from '../kernels/checksum-kernels.ts';
import {
  compressedBytesMax,
  compressTableBytes,
  unpackSlackBytes,
} from '../kernels/compression-kernels.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type BlockHandle, type MemoryScope } from '../memory/slot-memory.ts';
import { spillDamaged } from './spill-errors.ts';

/** Bytes in front of a payload. */
export const spillHeaderBytes = 16;
const blockMark = 0x4b4c_4253; // "SBLK"
/** A block is stored compressed when that saves an eighth; if not, so many more are stored as they are. */
const uncompressedAfterMiss = 15;

export interface SpillBlocksOptions {
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly disk: SyncDisk;
  /** Largest payload that is compressed; larger ones are stored as they are. */
  readonly payloadBytes: number;
}

/** A file that is open, with its name for errors. */
export interface OpenFile {
  readonly id: FileId;
  readonly path: string;
}

/** What the header of a block says. */
export interface BlockHeader {
  readonly storedBytes: number;
  readonly payloadBytes: number;
  readonly checksum: number;
}

export class SpillBlocks {
  readonly #options: SpillBlocksOptions;
  /** A header and compressed bytes, and behind them the tables of compressor and checksum. */
  readonly #room: BlockHandle;
  readonly #table: number;
  readonly #crcTables: number;
  #triesLater = 0;

  /** @throws MEMORY_EXHAUSTED */
  constructor(options: SpillBlocksOptions) {
    const { scope, payloadBytes } = options;
    const roomBytes = Math.ceil((spillHeaderBytes + compressedBytesMax(payloadBytes)) / 64) * 64;
    this.#options = options;
    this.#room = scope.allocate(roomBytes + compressTableBytes + crcTableBytes);
    this.#table = addressOf(this.#room) + roomBytes;
    this.#crcTables = this.#table + compressTableBytes;
    writeCrcTables(scope.memory.uint32, this.#crcTables);
  }

  /**
   * Writes a block at `position` of the file; answers its bytes.
   * @param start - Address of the payload, with `spillHeaderBytes` in front of it that may be written to.
   */
  write(file: OpenFile, position: number, start: number, payloadBytes: number): number {
    const { disk, scope } = this.#options;
    const packed = this.#compress(start, payloadBytes);
    const at = packed === 0 ? start : this.#packedAddress();
    const storedBytes = packed === 0 ? payloadBytes : packed;
    const { bytes, uint32 } = scope.memory;
    const header = (at - spillHeaderBytes) >>> 2;
    uint32[header] = blockMark;
    uint32[header + 1] = storedBytes;
    uint32[header + 2] = payloadBytes;
    uint32[header + 3] = this.#checksum(at - spillHeaderBytes, at, storedBytes);
    disk.write(file.id, bytes.subarray(at - spillHeaderBytes, at + storedBytes), position);
    return spillHeaderBytes + storedBytes;
  }

  /** @throws SPILL_DAMAGED */
  readHeader(file: OpenFile, position: number): BlockHeader {
    const { disk, scope, payloadBytes: packedMax } = this.#options;
    const at = addressOf(this.#room);
    const { bytes, uint32 } = scope.memory;
    const found = disk.read(file.id, bytes.subarray(at, at + spillHeaderBytes), position);
    if (found < spillHeaderBytes) throw spillDamaged(file.path, position, 'it ends early');
    const [mark, storedBytes = 0, payloadBytes = 0, checksum = 0] = uint32.subarray(
      at >>> 2,
      (at + spillHeaderBytes) >>> 2,
    );
    if (mark !== blockMark) throw spillDamaged(file.path, position, 'there is no block');
    const isPossible =
      payloadBytes % 8 === 0 &&
      storedBytes <= payloadBytes &&
      (storedBytes === payloadBytes || payloadBytes <= packedMax);
    if (!isPossible) throw spillDamaged(file.path, position, 'the sizes of a block can not be');
    return { storedBytes, payloadBytes, checksum };
  }

  /**
   * Reads the payload of the block at `position`; the caller owns what is answered.
   * @throws SPILL_DAMAGED; MEMORY_EXHAUSTED
   */
  readPayload(file: OpenFile, position: number, header: BlockHeader): BlockHandle {
    const { scope } = this.#options;
    const { storedBytes, payloadBytes } = header;
    const block = scope.allocate(payloadBytes + unpackSlackBytes);
    try {
      const isPacked = storedBytes < payloadBytes;
      const at = isPacked ? this.#packedAddress() : addressOf(block);
      this.#readStored(file, position, header, at);
      if (isPacked) this.#uncompress(file, position, header, addressOf(block));
      return block;
    } catch (error) {
      scope.memory.release(block);
      throw error;
    }
  }

  close(): void {
    this.#options.scope.memory.release(this.#room);
  }

  #packedAddress(): number {
    return addressOf(this.#room) + spillHeaderBytes;
  }

  /** Bytes of the payload behind the room's header, compressed; 0 when it is to be stored as it is. */
  #compress(start: number, payloadBytes: number): number {
    const { kernels, payloadBytes: packedMax } = this.#options;
    if (payloadBytes > packedMax) return 0;
    if (this.#triesLater > 0) {
      this.#triesLater--;
      return 0;
    }
    const packed = kernels.lz4Compress(start, payloadBytes, this.#packedAddress(), this.#table);
    if (packed <= payloadBytes - (payloadBytes >>> 3)) return packed;
    this.#triesLater = uncompressedAfterMiss;
    return 0;
  }

  #readStored(file: OpenFile, position: number, header: BlockHeader, at: number): void {
    const { disk, scope } = this.#options;
    const { storedBytes, checksum } = header;
    const stored = scope.memory.bytes.subarray(at, at + storedBytes);
    const found = disk.read(file.id, stored, position + spillHeaderBytes);
    if (found < storedBytes) throw spillDamaged(file.path, position, 'it ends early');
    // The header is still where it was read to, at the beginning of the room.
    if (this.#checksum(addressOf(this.#room), at, storedBytes) !== checksum) {
      throw spillDamaged(file.path, position, 'the checksum of a block differs');
    }
  }

  /** Of the three words of a header in front of its own, and the payload in the file. */
  #checksum(header: number, payload: number, storedBytes: number): number {
    const { kernels } = this.#options;
    const ofHeader = kernels.crc32c(this.#crcTables, header, spillHeaderBytes - 4, 0);
    return kernels.crc32c(this.#crcTables, payload, storedBytes, ofHeader) >>> 0;
  }

  #uncompress(file: OpenFile, position: number, header: BlockHeader, to: number): void {
    const { kernels } = this.#options;
    const { storedBytes, payloadBytes } = header;
    const from = this.#packedAddress();
    const made = kernels.lz4Uncompress(from, storedBytes, to, payloadBytes);
    assert(made === payloadBytes || made === -1, 'what is unpacked has its size');
    if (made === -1) throw spillDamaged(file.path, position, 'a block can not be unpacked');
  }
}
