/**
 * Entry rows: entries of state as rows of a snapshot, and back. Key, sub key and value are bytes as the state has them; the
 * note of the snapshot says their types (state-note.ts).
 *
 *     keyGroup     uint32    of the key
 *     hash         uint32    of key and sub key
 *     key          binary    the key of the stream
 *     subKey       binary    what tells entries of one key apart (key-cursor.ts)
 *     value        binary?   null: the entry was deleted
 *     expiresAtMs  float64   infinity: never
 *
 * Names and types are on disk: they are never changed.
 *
 * Before: engine/state/state-snapshot.ts. After: engine/state/table-view.ts, engine/state/keyed-table.ts.
 */
import type { Batch } from '../batch/batch.ts';
import { inlineSizeMax, utf8ViewSize, viewBytesAddress, viewSizeOf } from '../batch/utf8-view.ts';
import type { KeyGroupRange, SnapshotRows } from '../contracts/snapshot.ts';
import { GrowingBlock } from '../memory/growing-block.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../memory/slot-memory.ts';
import { binaryType, float64Type, uint32Type } from '../schema/field-type.ts';
import { fieldOf, schemaOf } from '../schema/schema.ts';
import type { EntryChange } from './entry-change.ts';
import { deletedSize, type EntryKey, keyBytesOf, padded, valueSizeIn } from './entry-record.ts';
import { RowsBuilder } from './rows-builder.ts';
import type { TableView, ViewContext } from './table-view.ts';

export const entrySchema = schemaOf(
  fieldOf('keyGroup', uint32Type),
  fieldOf('hash', uint32Type),
  fieldOf('key', binaryType),
  fieldOf('subKey', binaryType),
  fieldOf('value', binaryType, true),
  fieldOf('expiresAtMs', float64Type),
);
/** The kernel that lays entries out has them in this order. */
const place = { keyGroup: 0, hash: 1, key: 2, subKey: 3, value: 4, expiresAtMs: 5 } as const;

/** So many records are listed at a time; their list and the place of the columns are 8 KiB. */
const listedMax = 2039;
const columnsBytes = 32;

/** The rows of a view, which is closed with them. */
export class EntryRows implements SnapshotRows {
  readonly #context: ViewContext;
  readonly #view: TableView;
  #block: BlockHandle = 0;
  /** Records in the list, and how many of them are in batches; the others had no room, and stay until the next list. */
  #listed = 0;
  #placed = 0;

  constructor(context: ViewContext, view: TableView) {
    this.#context = context;
    this.#view = view;
  }

  next(): Batch | null {
    const { scope, kernels } = this.#context;
    if (this.#block === 0) this.#block = scope.allocate(columnsBytes + listedMax * 4 + 4);
    if (this.#placed === this.#listed && !this.#list(listedMax)) return null;
    const columns = addressOf(this.#block);
    const builder = new RowsBuilder(scope, entrySchema, this.#bytesOf(this.#placed));
    try {
      do {
        const records = this.#listAddress + this.#placed * 4;
        this.#placed += builder.putEntries(kernels, {
          ...{ records, count: this.#listed - this.#placed, columns },
        });
      } while (this.#placed === this.#listed && this.#list(builder.rowsLeft));
    } catch (error) {
      builder.discard();
      throw error;
    }
    return builder.finish();
  }

  close(): void {
    this.#view.close();
    if (this.#block !== 0) this.#context.scope.memory.release(this.#block);
    this.#block = 0;
  }

  get #listAddress(): number {
    return addressOf(this.#block) + columnsBytes;
  }

  #list(max: number): boolean {
    if (max === 0) return false;
    this.#placed = 0;
    this.#listed = this.#view.list(this.#listAddress, Math.min(max, listedMax));
    return this.#listed > 0;
  }

  /** Bytes of the values of a record in the list. */
  #bytesOf(at: number): number {
    const { memory } = this.#context.scope;
    const record = memory.uint32[(this.#listAddress >>> 2) + at]! * 8;
    const valueSize = valueSizeIn(memory, record);
    return keyBytesOf(memory, record) + (valueSize === deletedSize ? 0 : valueSize);
  }
}

/** Where entries of a snapshot go: answers the address for the value; for `deletedSize` nothing is written there. */
export type RestoreEntry = (key: EntryKey, valueSize: number, expiresAtMs: number) => number;

/** Reads rows of a snapshot back; one of these serves many batches. */
export class EntryRowsReader {
  readonly #scope: MemoryScope;
  readonly #room: GrowingBlock;
  readonly #key = { address: 0, keySize: 0, subSize: 0, hash: 0, group: 0 };

  constructor(scope: MemoryScope) {
    this.#scope = scope;
    this.#room = new GrowingBlock(scope);
  }

  /**
   * Hands on the entries of key groups that are the task's.
   * @param change - What becomes of values; null: they stay as they are.
   * @throws MEMORY_EXHAUSTED
   */
  read(
    { columns, rowCount }: Batch,
    { start, end }: KeyGroupRange,
    restore: RestoreEntry,
    change: EntryChange | null = null,
  ): void {
    const { memory } = this.#scope;
    const { uint32, float64, bytes } = memory;
    const [groups, hashes, keys, subKeys, values, expiries] = columns.map(
      (column) => column.values,
    );
    const validity = columns[place.value]!.validity;
    for (let row = 0; row < rowCount; row++) {
      const group = uint32[(groups! >>> 2) + row]!;
      if (group < start || group >= end) continue;
      this.#key.group = group;
      this.#key.hash = uint32[(hashes! >>> 2) + row]!;
      this.#loadKey(keys! + row * utf8ViewSize, subKeys! + row * utf8ViewSize);
      const expiresAtMs = float64[(expiries! >>> 3) + row]!;
      const isNull = validity !== 0 && ((bytes[validity + (row >>> 3)]! >>> (row & 7)) & 1) === 0;
      const value = values! + row * utf8ViewSize;
      if (change !== null && !isNull && this.#isOfValue(change)) {
        const made = change.make(viewBytesAddress(memory, value), viewSizeOf(memory, value));
        change.write(restore(this.#key, made, expiresAtMs));
        continue;
      }
      const valueSize = isNull ? deletedSize : viewSizeOf(memory, value);
      const to = restore(this.#key, valueSize, expiresAtMs);
      if (isNull) continue;
      copyValue(memory, to, value);
    }
  }

  close(): void {
    this.#room.close();
  }

  #isOfValue(change: EntryChange): boolean {
    const { address, keySize, subSize } = this.#key;
    return change.isOfValue(address + keySize, subSize);
  }

  /** Key and sub key one behind the other, zeroes up to a multiple of 8: a short key alone lies so in its view. */
  #loadKey(keyView: number, subView: number): void {
    const { memory } = this.#scope;
    const { bytes } = memory;
    const keySize = viewSizeOf(memory, keyView);
    const subSize = viewSizeOf(memory, subView);
    if (subSize === 0 && keySize <= inlineSizeMax) {
      this.#key.address = viewBytesAddress(memory, keyView);
      this.#key.keySize = keySize;
      this.#key.subSize = 0;
      return;
    }
    const needed = padded(keySize + subSize);
    const address = this.#room.ensure(Math.max(8, needed), 0);
    const keyFrom = viewBytesAddress(memory, keyView);
    const subFrom = viewBytesAddress(memory, subView);
    bytes.copyWithin(address, keyFrom, keyFrom + keySize);
    bytes.copyWithin(address + keySize, subFrom, subFrom + subSize);
    bytes.fill(0, address + keySize + subSize, address + needed);
    this.#key.address = address;
    this.#key.keySize = keySize;
    this.#key.subSize = subSize;
  }
}

/** Copies the bytes of a view to where a value goes: room for whole words of 8 bytes. */
function copyValue(memory: SlotMemory, to: number, view: number): void {
  const size = viewSizeOf(memory, view);
  const from = viewBytesAddress(memory, view);
  if (size > inlineSizeMax) {
    memory.bytes.copyWithin(to, from, from + size);
    return;
  }
  // A call of copyWithin takes as long as all the rest of a row.
  if (size === 0) return;
  const { uint32 } = memory;
  uint32[to >>> 2] = uint32[from >>> 2]!;
  uint32[(to >>> 2) + 1] = uint32[(from >>> 2) + 1]!;
}
