/**
 * Memory for kernel tests: a 4 GiB memory (only touched pages exist) whose room is taken above 3 GiB,
 * where addresses are negative as signed numbers, and between bytes that nobody expects.
 */
import { instantiateKernels, type Kernels } from '../../../engine/kernels/kernels.ts';

const highStart = 0xc0000000;
export const roomBytes = 64 * 1024 * 1024;
const garbage = 0xdb;

/** Numbers of up to 4 bytes, by their methods of DataView. */
export type SmallNumber = 'Int8' | 'Uint8' | 'Int16' | 'Uint16' | 'Int32' | 'Uint32' | 'Float32';

export interface TestColumn {
  readonly values: number;
  readonly validity: number;
}

export class KernelArena {
  readonly kernels: Kernels;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly #start: number;
  #next: number;

  /** Over a memory of its own; or in `roomBytes` (64 MiB) of another from `start` on. */
  constructor(memory = new WebAssembly.Memory({ initial: 65_536 }), start = highStart) {
    this.kernels = instantiateKernels(memory);
    this.bytes = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
    this.#start = start;
    this.#next = start;
  }

  /** Forgets everything; what was used is garbage again. */
  reset(): void {
    this.bytes.fill(garbage, this.#start, this.#next + 64);
    this.#next = this.#start;
  }

  /** An 8-byte aligned room (`shift` bytes off, when given), filled with garbage. */
  room(sizeBytes: number, shift = 0): number {
    const address = this.#next + shift;
    this.#next = Math.ceil((address + sizeBytes + 72) / 8) * 8;
    if (this.#next > this.#start + roomBytes) throw new Error('the test needs more room');
    this.bytes.fill(garbage, address, this.#next);
    return address;
  }

  /** Whether the byte behind a room is still garbage, so nothing was written past it. */
  isUntouched(address: number): boolean {
    return this.bytes.subarray(address, address + 64).every((byte) => byte === garbage);
  }

  put(bytes: Uint8Array | readonly number[], shift = 0): number {
    const address = this.room(bytes.length, shift);
    this.bytes.set(bytes, address);
    return address;
  }

  putUint32(values: readonly number[]): number {
    const address = this.room(values.length * 4);
    values.forEach((value, index) => {
      this.view.setUint32(address + index * 4, value, true);
    });
    return address;
  }

  uint32(address: number, index = 0): number {
    return this.view.getUint32(address + index * 4, true);
  }

  uint32s(address: number, count: number): number[] {
    return Array.from({ length: count }, (_, index) => this.uint32(address, index));
  }

  int64s(address: number, count: number): bigint[] {
    return Array.from({ length: count }, (_, i) => this.view.getBigInt64(address + i * 8, true));
  }

  float64s(address: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.view.getFloat64(address + i * 8, true));
  }

  bits(address: number, count: number): boolean[] {
    return Array.from(
      { length: count },
      (_, i) => (this.view.getUint8(address + (i >> 3)) >> (i & 7)) % 2 === 1,
    );
  }

  putBits(bits: readonly boolean[]): number {
    const address = this.room(Math.ceil(bits.length / 64) * 8);
    bits.forEach((bit, index) => {
      const at = address + (index >> 3);
      const mask = 1 << (index & 7);
      const byte = this.view.getUint8(at);
      this.view.setUint8(at, bit ? byte | mask : byte & ~mask);
    });
    return address;
  }

  /** 0 when no value is null. */
  #putValidity(values: readonly unknown[]): number {
    return values.includes(null) ? this.putBits(values.map((value) => value !== null)) : 0;
  }

  putInt64s(values: readonly (bigint | null)[]): TestColumn {
    const address = this.room(values.length * 8);
    values.forEach((value, index) => {
      // The value under a null may be anything.
      this.view.setBigInt64(address + index * 8, value ?? 77n, true);
    });
    return { values: address, validity: this.#putValidity(values) };
  }

  putInt32s(values: readonly (number | null)[]): TestColumn {
    const address = this.room(values.length * 4);
    values.forEach((value, index) => {
      this.view.setInt32(address + index * 4, value ?? 77, true);
    });
    return { values: address, validity: this.#putValidity(values) };
  }

  putFloat64s(values: readonly (number | null)[]): TestColumn {
    const address = this.room(values.length * 8);
    values.forEach((value, index) => {
      this.view.setFloat64(address + index * 8, value ?? 77, true);
    });
    return { values: address, validity: this.#putValidity(values) };
  }

  /** Numbers of up to 4 bytes. */
  putSmall(kind: SmallNumber, values: readonly (number | null)[]): TestColumn {
    const size = Number(kind.replace(/\D+/, '')) / 8;
    const address = this.room(values.length * size);
    values.forEach((value, index) => {
      this.view[`set${kind}`](address + index * size, value ?? 77, true);
    });
    return { values: address, validity: this.#putValidity(values) };
  }

  smalls(kind: SmallNumber, address: number, count: number): number[] {
    const size = Number(kind.replace(/\D+/, '')) / 8;
    return Array.from({ length: count }, (_, i) =>
      this.view[`get${kind}`](address + i * size, true),
    );
  }

  /** 16-byte numbers in two's complement, low half first. */
  putInt128s(values: readonly (bigint | null)[]): TestColumn {
    const address = this.room(values.length * 16);
    values.forEach((value, index) => {
      const at = address + index * 16;
      this.view.setBigUint64(at, BigInt.asUintN(64, value ?? 77n), true);
      this.view.setBigInt64(at + 8, BigInt.asIntN(64, (value ?? 77n) >> 64n), true);
    });
    return { values: address, validity: this.#putValidity(values) };
  }

  putBools(values: readonly (boolean | null)[]): TestColumn {
    return {
      values: this.putBits(values.map((value) => value ?? true)),
      validity: this.#putValidity(values),
    };
  }

  /** Views of texts; long ones are put one after the other, unaligned. */
  putTexts(texts: readonly (Uint8Array | null)[]): TestColumn {
    const views = this.room(texts.length * 16);
    const sizes = texts.reduce((sum, text) => sum + (text?.length ?? 0) + 1, 0);
    let address = this.room(sizes, 3);
    texts.forEach((text, index) => {
      this.putView(views + index * 16, text, address);
      if (text !== null && text.length > 8) address += text.length + (index % 2);
    });
    return { values: views, validity: this.#putValidity(texts) };
  }

  /** Writes one view as its definition says; the bytes of a long text go to `address`. */
  putView(view: number, text: Uint8Array | null, address: number): void {
    this.bytes.fill(0, view, view + 16);
    if (text === null) return;
    this.view.setUint32(view, text.length, true);
    this.bytes.set(text.subarray(0, 8), view + 8);
    if (text.length <= 8) return;
    this.view.setUint32(view + 4, address, true);
    this.bytes.set(text, address);
  }

  /** The texts of views, checked to be in the one form that views have. */
  texts(views: number, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) => this.#text(views + index * 16));
  }

  #text(view: number): Uint8Array {
    const length = this.view.getUint32(view, true);
    const address = this.view.getUint32(view + 4, true);
    const prefix = this.bytes.slice(view + 8, view + 16);
    if (length <= 8) {
      const isPadded = prefix.subarray(length).every((byte) => byte === 0);
      if (address !== 0 || !isPadded) throw new Error('a short view has zeroes behind its text');
      return prefix.subarray(0, length);
    }
    const text = this.bytes.slice(address, address + length);
    if (text.subarray(0, 8).join() !== prefix.join())
      throw new Error('a prefix is the first bytes');
    return text;
  }
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);
