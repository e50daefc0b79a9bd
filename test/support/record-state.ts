/** The state of the record kernels in a test's memory: columns, fixups and errors, and values read back. */
import {
  fixupKinds,
  recordColumnKinds,
  recordColumnLayout,
  recordRoom,
  recordStateLayout,
} from '../../engine/kernels/record-kernels.ts';
import { encode, type KernelArena } from '../engine/kernels/kernel-arena.ts';

export interface RecordColumn {
  readonly name: string;
  readonly kind: keyof typeof recordColumnKinds;
  readonly isNullable: boolean;
}

const rowsMax = 64;
const fixupsMax = 200;
const errorsMax = 100;
const utf8 = new TextDecoder();

export class RecordState {
  readonly address: number;
  readonly rowsMax = rowsMax;
  readonly #arena: KernelArena;
  readonly #columns: readonly RecordColumn[];
  readonly #table: number;

  constructor(arena: KernelArena, columns: readonly RecordColumn[]) {
    this.#arena = arena;
    this.#columns = columns;
    this.#table = this.#zeroed(columns.length * recordColumnLayout.size);
    for (const [index, column] of columns.entries()) this.#describe(column, this.entryOf(index));
    this.address = this.#zeroed(recordStateLayout.size);
    this.set('columns', this.#table);
    this.set('columnCount', columns.length);
    this.set('steps', this.#room(recordRoom.steps));
    this.set('fixups', this.#room(fixupsMax * 16));
    this.set('fixupsMax', fixupsMax);
    this.set('errors', this.#room(errorsMax * 16));
    this.set('errorsMax', errorsMax);
    this.set('credit', -1);
    this.set('scratch', this.#room(recordRoom.scratch));
    this.set('rowStarts', this.#room(rowsMax * 4 + 4));
  }

  get(field: keyof typeof recordStateLayout): number {
    return this.#arena.uint32(this.address + recordStateLayout[field]);
  }

  set(field: keyof typeof recordStateLayout, value: number): void {
    this.#arena.view.setInt32(this.address + recordStateLayout[field], value, true);
  }

  entryOf(column: number): number {
    return this.#table + column * recordColumnLayout.size;
  }

  /** The rows, with what `cellOf` makes of the texts of fixups; finishes texts. */
  readRows(rowCount: number, cellOf: (text: string) => unknown): unknown[][] {
    const cells = this.#cells(cellOf);
    const quote = this.get('quote');
    this.#arena.kernels.unescapeTexts(this.get('fixups'), this.get('fixupCount'), quote);
    return Array.from({ length: rowCount }, (_, row) =>
      this.#columns.map((column, index) => {
        const key = `${row} ${index}`;
        return cells.has(key) ? cells.get(key) : this.#readCell(this.entryOf(index), column, row);
      }),
    );
  }

  #cells(cellOf: (text: string) => unknown): Map<string, unknown> {
    const cells = new Map<string, unknown>();
    const quote = String.fromCharCode(this.get('quote'));
    for (let index = 0; index < this.get('fixupCount'); index++) {
      const fixup = this.get('fixups') + index * 16;
      const [row = 0, entry = 0, at = 0, length = 0] = this.#arena.uint32s(fixup, 4);
      const kind = entry & 63;
      if (kind !== fixupKinds.cell && kind !== fixupKinds.csvCell) continue;
      const text = utf8.decode(this.#arena.bytes.slice(at, at + length));
      const single = kind === fixupKinds.cell ? text : text.replaceAll(quote + quote, quote);
      cells.set(`${row} ${(entry - kind - this.#table) / 64}`, cellOf(single));
    }
    return cells;
  }

  #readCell(entry: number, { kind }: RecordColumn, row: number): unknown {
    const arena = this.#arena;
    const values = arena.uint32(entry + recordColumnLayout.values);
    const validity = arena.uint32(entry + recordColumnLayout.validity);
    if (validity !== 0 && !arena.bits(validity, row + 1)[row]) return null;
    switch (kind) {
      case 'utf8':
        return utf8.decode(arena.texts(values + row * 16, 1)[0]);
      case 'bool':
        return arena.bits(values, row + 1)[row];
      case 'float64':
        return arena.float64s(values + row * 8, 1)[0];
      case 'int64':
      case 'timestamp':
        return Number(arena.int64s(values + row * 8, 1)[0]);
      case 'float32':
        return arena.view.getFloat32(values + row * 4, true);
      case 'int8':
        return arena.view.getInt8(values + row);
      case 'uint8':
        return arena.view.getUint8(values + row);
      case 'int16':
        return arena.view.getInt16(values + row * 2, true);
      case 'uint16':
        return arena.view.getUint16(values + row * 2, true);
      case 'uint32':
        return arena.view.getUint32(values + row * 4, true);
      default:
        return arena.view.getInt32(values + row * 4, true);
    }
  }

  #describe({ name, kind, isNullable }: RecordColumn, entry: number): void {
    const { bytes, view } = this.#arena;
    const encoded = encode(name);
    const nameAddress = this.#zeroed(encoded.length + 8);
    bytes.set(encoded, nameAddress);
    const set = (offset: number, value: number) => view.setUint32(entry + offset, value, true);
    set(recordColumnLayout.kind, recordColumnKinds[kind]);
    set(recordColumnLayout.values, kind === 'bool' ? this.#zeroed(16) : this.#room(rowsMax * 16));
    set(recordColumnLayout.name, nameAddress);
    set(recordColumnLayout.nameLength, encoded.length);
    if (!isNullable) return;
    const validity = this.#room(16);
    bytes.fill(0xff, validity, validity + 16);
    set(recordColumnLayout.validity, validity);
  }

  /** Room that is 64-byte aligned, as blocks are. */
  #room(sizeBytes: number): number {
    return Math.ceil(this.#arena.room(sizeBytes + 64) / 64) * 64;
  }

  #zeroed(sizeBytes: number): number {
    const address = this.#room(sizeBytes);
    this.#arena.bytes.fill(0, address, address + sizeBytes);
    return address;
  }
}
