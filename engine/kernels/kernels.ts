/**
 * The kernels as TypeScript sees them: one WebAssembly module over a slot's memory.
 *
 * Conventions, for every function:
 * - Arguments are numbers: byte addresses, counts, row numbers. `validity` 0 means no nulls,
 *   `selection` 0 means all rows; otherwise `selection` is the address of ascending u32 row numbers.
 * - With a selection, "row" in `fromRow` and `rowCount` counts places of the selection.
 * - Results come back as signed 32-bit numbers: an address needs `>>> 0` (marked "address").
 * - Room for outputs is the caller's, 8-byte aligned. Bitmaps are written in whole 8-byte words.
 *   Kernels read, but never write, up to 64 bytes behind their inputs.
 * - No kernel keeps state, allocates, or traps on data; progress lives in memory the caller gives.
 *
 * After: the interfaces that `Kernels` is made of, one per area.
 */
import type { AccumulateKernels } from './accumulate-kernels.ts';
import type { ArrowKernels } from './arrow-kernels.ts';
import type { BandKernels } from './band-kernels.ts';
import type { ChecksumKernels } from './checksum-kernels.ts';
import type { CompressionKernels } from './compression-kernels.ts';
import type { CountWindowKernels } from './count-window-kernels.ts';
import type { DigestKernels } from './digest-kernels.ts';
import type { EntryKernels } from './entry-kernels.ts';
import type { EventTimeKernels } from './event-time-kernels.ts';
import type { ExpressionKernels } from './expression-kernels.ts';
import type { FixedRecordKernels } from './fixed-record-kernels.ts';
import type { GroupKernels } from './group-kernels.ts';
import type { HashKernels } from './hash-kernels.ts';
import type { JoinKernels } from './join-kernels.ts';
import { kernelsBase64 } from './kernels.wasm.ts';
import type { KeyKernels } from './key-kernels.ts';
import type { NexmarkKernels } from './nexmark-kernels.ts';
import type { ParquetKernels } from './parquet-kernels.ts';
import type {
  BloomKernels,
  ExtremesKernels,
  InternKernels,
  ParquetWriteKernels,
} from './parquet-write-kernels.ts';
import type { RecordKernels } from './record-kernels.ts';
import type { RegisterKernels } from './register-kernels.ts';
import type { SegmentKernels } from './segment-kernels.ts';
import type { SessionKernels } from './session-kernels.ts';
import type { SortKernels } from './sort-kernels.ts';
import type { TakeKernels } from './take-kernels.ts';
import type { TextKernels } from './text-kernels.ts';
import type { VersionKernels } from './version-kernels.ts';
import type { WidenKernels } from './widen-kernels.ts';
import type { WindowKernels } from './window-kernels.ts';

/** Every kernel of the module. */
export interface Kernels
  extends TextKernels,
    RecordKernels,
    GroupKernels,
    AccumulateKernels,
    KeyKernels,
    HashKernels,
    JoinKernels,
    BandKernels,
    VersionKernels,
    TakeKernels,
    WidenKernels,
    WindowKernels,
    EventTimeKernels,
    RegisterKernels,
    DigestKernels,
    SegmentKernels,
    SessionKernels,
    CountWindowKernels,
    SortKernels,
    NexmarkKernels,
    ExpressionKernels,
    ArrowKernels,
    ChecksumKernels,
    CompressionKernels,
    FixedRecordKernels,
    ParquetKernels,
    ParquetWriteKernels,
    InternKernels,
    BloomKernels,
    ExtremesKernels,
    EntryKernels {}

let compiled: WebAssembly.Module | undefined;

/** The kernels as machine code, made once per thread (about 10 ms); threads may share it. */
export function compileKernels(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(decodeBase64(kernelsBase64));
  return compiled;
}

/** Links the kernels to a memory. */
export function instantiateKernels(
  memory: WebAssembly.Memory,
  module: WebAssembly.Module = compileKernels(),
): Kernels {
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return instance.exports as unknown as Kernels;
}

/** The bytes of base64 text; `atob` skips its line breaks. */
function decodeBase64(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
