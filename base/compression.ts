/**
 * Compression of byte streams, step by step and without waiting: gzip and Zstandard on `node:zlib`.
 *
 *     codec.step(input, from, end, output, isLast)      as often as it takes
 *       codec.used, codec.written                       how far it got
 *
 * Slot threads block by design, so they need a synchronous form whose memory has a bound. Node's own
 * one-shot calls hold a whole file, its streams are asynchronous; what both stand on is not: the handle
 * of a stream takes input and room for output, and returns when one of them is used up. The handle is
 * no documented interface, but the same in all versions since 2017, and npm's own unpacking stands on
 * it; a test tells if a version of Node lacks it.
 *
 * Contract:
 * - Files may be several compressed streams, one after the other, as `cat a.gz b.gz` makes them.
 * - An input that ends early or is damaged is an error when `isLast` is given, at the latest.
 * - Room for output is 32 bytes or more (not checked): less may never hold the end of a stream.
 */
import zlib from 'node:zlib';
import { assert } from './assert.ts';

export type Compression = 'gzip' | 'zstd';

/** The fields of a zlib stream of Node's that are used here. */
interface ZlibStream {
  readonly _handle: {
    onerror: (message: string, errno: number, code: string) => void;
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputSize: number,
      output: Uint8Array,
      outputAt: number,
      outputSize: number,
    ): void;
  };
  /** Room left for output, and input left, after a call. */
  readonly _writeState: Uint32Array;
  close(): void;
}

const { constants } = zlib;
/** Fast levels: a job waits for its output, and its disk takes more than these can give. */
const gzipLevel = 4;
const zstdLevel = 1;

/** How names of files end, by their compression. */
export const compressionEndings = { gzip: '.gz', zstd: '.zst' } as const;

/** The compression that the ending of a path means, or null. */
export function compressionOf(path: string): Compression | null {
  const lower = path.toLowerCase();
  if (lower.endsWith(compressionEndings.gzip)) return 'gzip';
  return lower.endsWith(compressionEndings.zstd) ? 'zstd' : null;
}

/** The path without the ending that means a compression. */
export function withoutCompression(path: string): string {
  return compressionOf(path) === null ? path : path.slice(0, path.lastIndexOf('.'));
}

export class Codec {
  readonly #stream: ZlibStream;
  readonly #flushAtEnd: number;
  #failure: string | null = null;
  /** Bytes of input that the last step took, and of output that it made. */
  used = 0;
  written = 0;

  private constructor(stream: unknown, flushAtEnd: number) {
    this.#stream = stream as ZlibStream;
    this.#flushAtEnd = flushAtEnd;
    const { _handle: handle, _writeState: state } = this.#stream;
    assert(typeof handle?.writeSync === 'function', 'the zlib of this Node works step by step');
    assert(state instanceof Uint32Array, 'the zlib of this Node tells how far it got');
    handle.onerror = (message) => {
      this.#failure = message;
    };
  }

  static decompress(compression: Compression): Codec {
    return compression === 'gzip'
      ? new Codec(zlib.createGunzip(), constants.Z_FINISH)
      : new Codec(zlib.createZstdDecompress(), constants.ZSTD_e_end);
  }

  static compress(compression: Compression): Codec {
    if (compression === 'gzip') {
      return new Codec(zlib.createGzip({ level: gzipLevel }), constants.Z_FINISH);
    }
    const params = { [constants.ZSTD_c_compressionLevel]: zstdLevel };
    return new Codec(zlib.createZstdCompress({ params }), constants.ZSTD_e_end);
  }

  /**
   * Takes input from [from, end) and writes to the output, until one of them is used up. With `isLast`
   * there is no input behind this; all is done when the output was not filled.
   * @returns What is wrong with the input, or null.
   */
  step(
    input: Uint8Array,
    range: { readonly from: number; readonly end: number },
    output: Uint8Array,
    isLast: boolean,
  ): string | null {
    const { from, end } = range;
    const { _handle: handle, _writeState: state } = this.#stream;
    const flush = isLast ? this.#flushAtEnd : 0;
    handle.writeSync(flush, input, from, end - from, output, 0, output.length);
    this.used = end - from - (state[1] ?? 0);
    this.written = output.length - (state[0] ?? 0);
    const isStuck = this.#failure === null && this.used + this.written === 0 && from < end;
    if (!isStuck) return this.#failure;
    // Behind the last stream: zeros fill up a block of a tape, anything else is a mistake.
    if (input.subarray(from, end).some((byte) => byte !== 0))
      return 'there are bytes behind its end';
    this.used = end - from;
    return null;
  }

  close(): void {
    this.#stream.close();
  }
}
