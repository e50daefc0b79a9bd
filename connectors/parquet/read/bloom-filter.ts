/**
 * The Bloom filter of a column chunk, asked for single values: of a filter in the file only the header is read,
 * and of each value that is asked for the 32 bytes that would tell of it.
 *
 *     header │ block │ block │ …      XXH64 of the value ──▶ a block, and a bit in each of its 8 words
 *
 * A filter of another kind than the format has today says nothing. @see write/bloom-writer.ts
 */
import type { Value } from '../../../engine/expr/value.ts';
import {
  bloomBlockBytes,
  bloomBlockOf,
  bloomWordsOf,
  xxh64,
} from '../../../engine/kernels/bloom.ts';
import { corruptError, parsing } from '../parquet-errors.ts';
import type { LeafPlan } from '../plan/parquet-split.ts';
import { readThriftStruct, type ThriftStruct } from '../thrift-reader.ts';
import type { OpenColumn } from './chunk-pages.ts';
import { storedBytesOf } from './stored-value.ts';

/** All headers that there are today have 15 to 19 bytes. */
const headerBytesMax = 64;

interface FoundFilter {
  /** In the file. */
  readonly start: number;
  readonly blockCount: number;
}

/** Answers whether the column may have a value; reads nothing before it is asked. */
export function bloomFilterOf(
  column: OpenColumn,
  leaf: LeafPlan,
  offset: number,
): (value: Value) => boolean {
  let filter: FoundFilter | null | undefined;
  const answers = new Map<Value, boolean>();
  return (value) => {
    let answer = answers.get(value);
    if (answer !== undefined) return answer;
    const stored = storedBytesOf(leaf, value);
    if (stored !== null && filter === undefined) filter = readHeader(column, offset);
    const known = filter ?? null;
    answer = stored === null || known === null || stored.some((one) => hasBits(column, known, one));
    answers.set(value, answer);
    return answer;
  };
}

/** Null where the filter is of another kind. @throws PARQUET_CORRUPT */
function readHeader(column: OpenColumn, offset: number): FoundFilter | null {
  const { context, file, path, name } = column;
  const bytes = new Uint8Array(headerBytesMax);
  const count = context.disk.read(file, bytes, offset);
  return parsing(path, `a Bloom filter of column "${name}"`, () => {
    const { struct, sizeBytes } = readThriftStruct(bytes.subarray(0, count));
    if (![2, 3, 4].every((field) => isOnlyKind(struct.struct(field)))) return null;
    const blockCount = struct.size(1) / bloomBlockBytes;
    if (!Number.isInteger(blockCount) || blockCount === 0) throw new RangeError('no whole blocks');
    return { start: offset + sizeBytes, blockCount };
  });
}

/** The only member of the unions that say how a filter is made. */
function isOnlyKind(union: ThriftStruct | null): boolean {
  return union?.member === 1;
}

function hasBits(column: OpenColumn, { start, blockCount }: FoundFilter, value: Uint8Array) {
  const { context, file, path, name } = column;
  const hash = xxh64(value);
  const block = new Uint8Array(bloomBlockBytes);
  const at = start + bloomBlockOf(hash, blockCount) * bloomBlockBytes;
  const count = context.disk.read(file, block, at);
  if (count < bloomBlockBytes) {
    throw corruptError(path, `has a Bloom filter that lies outside of it, of column "${name}"`);
  }
  const view = new DataView(block.buffer);
  return bloomWordsOf(hash).every((bit, word) => (view.getUint32(word * 4, true) & bit) !== 0);
}
