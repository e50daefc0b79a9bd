/**
 * Map output reader: neighbouring partitions of one or several map outputs, file after file, as a channel.
 *
 * It holds one block, and one open file. What is missing or damaged in any way is SHUFFLE_LOST, with the
 * task and the attempt that wrote it: these run again, and then this reader's task.
 *
 * Before: engine/shuffle/map-output.ts. After: engine/stream/input-gate.ts.
 */
import { crc32c } from '../../base/checksum.ts';
import type { FileId, SyncDisk } from '../../base/env/disk.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import type { Batch } from '../batch/batch.ts';
import { decodeBody } from '../batch/wire.ts';
import type { Kernels } from '../kernels/kernels.ts';
import { addressOf, type MemoryScope } from '../memory/slot-memory.ts';
import type { Span } from '../plan/map-output-read.ts';
import type { Schema } from '../schema/schema.ts';
import type { SpillBlocks } from '../spill/spill-blocks.ts';
import type { ElementReader } from '../stream/stream-element.ts';
import { footerBytes, footerMark, type MapOutputFile } from './map-output.ts';

export interface MapOutputReaderOptions {
  readonly files: readonly MapOutputFile[];
  /** Of each file, in their order. */
  readonly partitions: Span;
  readonly disk: SyncDisk;
  readonly scope: MemoryScope;
  readonly kernels: Kernels;
  readonly schema: Schema;
  readonly blocks: SpillBlocks;
}

/** The file that is being read. */
interface Open {
  readonly id: FileId;
  readonly path: string;
  /** Where the partitions' blocks begin. */
  readonly places: Float64Array;
}

export class MapOutputReader implements ElementReader {
  readonly #options: MapOutputReaderOptions;
  /** Files that are read to their end. */
  #readCount = 0;
  #open: Open | null = null;
  /** Blocks of the open file that are read. */
  #blockCount = 0;

  constructor(options: MapOutputReaderOptions) {
    this.#options = options;
  }

  /** @throws SHUFFLE_LOST; MEMORY_EXHAUSTED */
  read(): Batch | 'end' {
    for (;;) {
      const file = this.#options.files[this.#readCount];
      if (file === undefined) return 'end';
      try {
        this.#open ??= this.#openFile(file);
        const place = this.#open.places[this.#blockCount];
        if (place !== undefined) return this.#readBatch(this.#open, place);
        this.#closeFile();
      } catch (error) {
        throw codeOf(error) === 'MEMORY_EXHAUSTED' ? error : shuffleLost(file, error);
      }
      this.#readCount++;
    }
  }

  close(): void {
    this.#readCount = this.#options.files.length;
    this.#closeFile();
  }

  #readBatch(open: Open, place: number) {
    const { scope, kernels, schema, blocks } = this.#options;
    const header = blocks.readHeader(open, place);
    const block = blocks.readPayload(open, place, header);
    this.#blockCount++;
    return decodeBody(kernels, scope, schema, { block, sizeBytes: header.payloadBytes });
  }

  #openFile({ path }: MapOutputFile): Open {
    const { disk } = this.#options;
    const id = disk.open(path, 'read');
    try {
      return { id, path, places: this.#readPlaces({ id, path }) };
    } catch (error) {
      disk.close(id);
      throw error;
    }
  }

  /** The places of the partitions' blocks, from the index. */
  #readPlaces(file: { readonly id: FileId; readonly path: string }): Float64Array {
    const { blocks, scope, partitions } = this.#options;
    const index = this.#readFooter(file);
    const block = blocks.readPayload(file, index, blocks.readHeader(file, index));
    try {
      const words = scope.memory.uint32.subarray(addressOf(block) >>> 2);
      const [partitionCount = 0] = words;
      const counts = words.subarray(1, 1 + partitionCount);
      const first = counts.subarray(0, partitions.from).reduce((sum, count) => sum + count, 0);
      const own = counts.subarray(partitions.from, partitions.to);
      const length = own.reduce((sum, count) => sum + count, 0);
      return Float64Array.from({ length }, (_, at) => {
        const word = 1 + partitionCount + (first + at) * 2;
        return (words[word] ?? 0) + (words[word + 1] ?? 0) * 2 ** 32;
      });
    } finally {
      scope.memory.release(block);
    }
  }

  #readFooter({ id, path }: { readonly id: FileId; readonly path: string }): number {
    const { disk } = this.#options;
    const sizeBytes = disk.stat(path)?.sizeBytes ?? 0;
    const bytes = new Uint8Array(footerBytes);
    const found = sizeBytes < footerBytes ? 0 : disk.read(id, bytes, sizeBytes - footerBytes);
    const [low = 0, high = 0, mark, checksum] = new Uint32Array(bytes.buffer);
    const isWhole = found === footerBytes && mark === footerMark;
    if (isWhole && checksum === crc32c(bytes.subarray(0, 12))) return low + high * 2 ** 32;
    throw typedError('SPILL_DAMAGED', `map output "${path}" has no end`, { details: { path } });
  }

  #closeFile(): void {
    const open = this.#open;
    this.#open = null;
    this.#blockCount = 0;
    if (open === null) return;
    try {
      this.#options.disk.close(open.id);
    } catch {
      // What was only read loses nothing, and whoever closes this has more to close.
    }
  }
}

function shuffleLost({ path, taskId, attempt }: MapOutputFile, cause: unknown) {
  return typedError('SHUFFLE_LOST', `the map output of task "${taskId}" can not be read`, {
    hint: 'Its task has run again as often as it may. Look at the disk, or choose another one with --spill-dir.',
    retryable: true,
    details: { path, taskId, attempt },
    cause,
  });
}
