/**
 * Columns of what a record has besides its value: key, time, offset, partition, headers. Keys are views of the
 * very bytes that were fetched; headers are written anew, as a list of structs has them.
 *
 * Before: connectors/kafka/record-table.ts. After: engine/batch/batch.ts.
 */
import type { Column } from '../../engine/batch/batch.ts';
import { listLayoutOf, structLayoutOf } from '../../engine/batch/nested-layout.ts';
import { clearView, utf8ViewSize, writeView } from '../../engine/batch/utf8-view.ts';
import {
  addressOf,
  type BlockHandle,
  type MemoryScope,
  type SlotMemory,
} from '../../engine/memory/slot-memory.ts';
import {
  binaryType,
  bitmapSizeOf,
  utf8Type,
  valuesSizeOf,
} from '../../engine/schema/field-type.ts';
import { type Field, fieldOf } from '../../engine/schema/schema.ts';
import { forEachHeader } from './record-scan.ts';
import type { RecordTable } from './record-table.ts';
import type { MetadataKind } from './source-options.ts';

const headerFields: readonly Field[] = [
  fieldOf('name', utf8Type),
  fieldOf('value', binaryType, true),
];

/** Rows of a table that become rows of a batch, in their order. */
export interface TableRows {
  readonly table: RecordTable;
  /** The table's row of each stored row. */
  readonly rows: Uint32Array;
  readonly rowCount: number;
  readonly partition: number;
}

/** Makes the column; its blocks are added to those given. */
export function metadataColumn(
  { type, nullable }: Field,
  kind: MetadataKind,
  from: TableRows,
  target: { readonly scope: MemoryScope; readonly blocks: BlockHandle[] },
): Column {
  const { scope, blocks } = target;
  const { rowCount } = from;
  const take = (sizeBytes: number) => {
    const block = scope.allocate(sizeBytes);
    blocks.push(block);
    return addressOf(block);
  };
  const values = take(valuesSizeOf(type, rowCount));
  const { memory } = scope;
  switch (kind) {
    case 'key':
    case 'keyBytes': {
      const validity = nullable ? take(bitmapSizeOf(rowCount)) : 0;
      writeKeys(memory, values, validity, from);
      return { type, validity, values };
    }
    case 'timestamp':
      writeInt64s(memory, values, from.table.timestampsMs, from);
      break;
    case 'offset':
      writeInt64s(memory, values, from.table.offsets, from);
      break;
    case 'partition':
      memory.int32.fill(from.partition, values >>> 2, (values >>> 2) + rowCount);
      break;
    case 'headers':
      writeHeaders(memory, values, from, take);
      break;
  }
  return { type, validity: 0, values };
}

function writeKeys(memory: SlotMemory, values: number, validity: number, from: TableRows): void {
  const { table, rows, rowCount } = from;
  if (validity !== 0) memory.bytes.fill(0xff, validity, validity + bitmapSizeOf(rowCount));
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!;
    const view = values + index * utf8ViewSize;
    const size = table.keySize[row]!;
    if (size >= 0) {
      writeView(memory, view, table.keyAt[row]!, size);
      continue;
    }
    clearView(memory, view);
    memory.bytes[validity + (index >>> 3)]! &= ~(1 << (index & 7));
  }
}

function writeInt64s(
  { int32, uint32 }: SlotMemory,
  values: number,
  numbers: Float64Array,
  { rows, rowCount }: TableRows,
): void {
  let word = values >>> 2;
  for (let index = 0; index < rowCount; index++, word += 2) {
    const value = numbers[rows[index]!]!;
    uint32[word] = value >>> 0;
    int32[word + 1] = Math.floor(value / 2 ** 32);
  }
}

/** Each value is a list of structs of a name and a value, as engine/batch/nested-layout.ts has them. */
function writeHeaders(
  memory: SlotMemory,
  values: number,
  from: TableRows,
  take: (sizeBytes: number) => number,
): void {
  const { table, rows, rowCount } = from;
  const { slots, variable } = structLayoutOf(headerFields);
  const sizes = new Uint32Array(rowCount);
  let total = 0;
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!;
    const count = table.headerCounts[row]!;
    let size = listLayoutOf(utf8Type, false, count).variable;
    forEachHeader(memory.bytes, table.headersAt[row]!, count, (_at, name, _value, valueSize) => {
      size += variable + name + Math.max(valueSize, 0);
    });
    sizes[index] = size;
    total += size;
  }
  let at = take(total);
  const { bytes, view } = memory;
  for (let index = 0; index < rowCount; index++) {
    const row = rows[index]!;
    const count = table.headerCounts[row]!;
    const list = listLayoutOf(utf8Type, false, count);
    view.setUint32(at, count, true);
    let slot = at + list.slots;
    let item = at + list.variable;
    const firstItem = item;
    forEachHeader(bytes, table.headersAt[row]!, count, (nameAt, name, valueAt, valueSize) => {
      const size = Math.max(valueSize, 0);
      bytes[item] = valueSize < 0 ? 0b01 : 0b11;
      view.setUint32(item + slots[0]!, name, true);
      view.setUint32(item + slots[1]!, name + size, true);
      bytes.copyWithin(item + variable, nameAt, nameAt + name);
      bytes.copyWithin(item + variable + name, valueAt, valueAt + size);
      item += variable + name + size;
      view.setUint32(slot, item - firstItem, true);
      slot += 4;
    });
    writeView(memory, values + index * utf8ViewSize, at, sizes[index]!);
    at += sizes[index]!;
  }
}
