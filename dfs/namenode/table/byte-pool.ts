/**
 * Short byte strings, the names of inodes, one behind the other in one column: a name costs its bytes. The room of a
 * name that is gone goes to the next one of the same length, through a chain per length as in number-lists.ts.
 */
import { assert } from '../../../base/assert.ts';
import { Column, type ReadColumn } from './column.ts';

/** Bytes that a name has room for even when it is shorter: a freed one holds the place of the next. */
const roomBytesMin = 4;
const lengthMax = 255;

export class BytePool {
  readonly column = Column.u8();
  readonly #freed = new Uint32Array(lengthMax + 1);
  #end = 1;

  /** Where the bytes now are. */
  add(bytes: Uint8Array): number {
    assert(bytes.length <= lengthMax, 'a byte string of a pool has at most 255 bytes');
    const room = Math.max(bytes.length, roomBytesMin);
    let at = this.#freed[room]!;
    if (at !== 0) this.#freed[room] = this.#nextOf(at);
    else {
      at = this.#end;
      this.#end += room;
      assert(this.#end < 2 ** 32, 'all names together have less than 4 GiB');
      this.column.reserve(this.#end);
    }
    this.column.setAll(at, bytes);
    return at;
  }

  free(at: number, length: number): void {
    const room = Math.max(length, roomBytesMin);
    const next = this.#freed[room]!;
    for (let index = 0; index < 4; index++) this.column.set(at + index, next >>> (index * 8));
    this.#freed[room] = at;
  }

  #nextOf(at: number): number {
    let next = 0;
    for (let index = 3; index >= 0; index--) next = next * 256 + this.column.get(at + index);
    return next;
  }
}

/** Less than 0 when the bytes at `at` come before `other`, 0 when they are equal; by bytes, as UTF-8 sorts. */
export function compareBytes(
  column: ReadColumn,
  at: number,
  length: number,
  other: Uint8Array,
): number {
  const shared = Math.min(length, other.length);
  for (let index = 0; index < shared; index++) {
    const difference = column.get(at + index) - other[index]!;
    if (difference !== 0) return difference;
  }
  return length - other.length;
}

export function copyBytes(column: ReadColumn, at: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = column.get(at + index);
  return bytes;
}
