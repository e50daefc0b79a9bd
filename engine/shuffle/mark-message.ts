/**
 * Marks between threads: what lies between batches as a message of its own.
 *
 *     0   u32 mark of marks   u32 kind   u32 0   u32 bytes of the message
 *     16  f64 time     f64 clock    f64 clock per time       of a watermark; a clock that nobody measures is NaN
 *         f64 from     f64 to       f64 count                of a latency mark
 *         f64 checkpoint   f64 mode     f64 when triggered       of a barrier; when nobody measured is NaN
 *
 * The first word tells it from a body (engine/batch/body-layout.ts). Like bodies, marks live between threads
 * of one process only.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { Barrier } from '../checkpoint/barrier.ts';
import { checkpointModes } from '../contracts/checkpoint-mode.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { StreamMark } from '../stream/stream-element.ts';

export const markMessageBytes = 40;

const markOfMarks = 0x4b52_414d;
const kinds = ['watermark', 'idle', 'latency', 'barrier'] as const;

/** Where a message lies: in a slot's memory, or in a copy of its own. */
export type MessageMemory = Pick<SlotMemory, 'uint32' | 'float64'>;

/** A message that was copied, to be looked at. */
export function memoryOf({ buffer, byteLength }: Uint8Array<ArrayBuffer>): MessageMemory {
  return {
    uint32: new Uint32Array(buffer, 0, byteLength >>> 2),
    float64: new Float64Array(buffer, 0, byteLength >>> 3),
  };
}

/** Of a message that is a body (engine/batch/body-layout.ts). */
export function rowCountOf(message: Uint8Array<ArrayBuffer>): number {
  return memoryOf(message).uint32[1] ?? 0;
}

/** @param address - A multiple of 8, with room for `markMessageBytes` (not checked). */
export function encodeMark(memory: SlotMemory, address: number, mark: StreamMark): void {
  const word = address >>> 2;
  memory.uint32[word] = markOfMarks;
  memory.uint32[word + 1] = kinds.indexOf(mark.kind);
  memory.uint32[word + 2] = 0;
  memory.uint32[word + 3] = markMessageBytes;
  const [first, second, third] = numbersOf(mark);
  const double = (address + 16) >>> 3;
  memory.float64[double] = first;
  memory.float64[double + 1] = second;
  memory.float64[double + 2] = third;
}

/** The mark in a message, or null when it is a body. */
export function decodeMark(memory: MessageMemory, address: number): StreamMark | null {
  const word = address >>> 2;
  if (memory.uint32[word] !== markOfMarks) return null;
  const kind = kinds[memory.uint32[word + 1] ?? kinds.length];
  assert(kind !== undefined, 'a mark is of a kind that both sides know');
  if (kind === 'idle') return { kind };
  const double = (address + 16) >>> 3;
  const [first = 0, second = 0, third = 0] = memory.float64.subarray(double, double + 3);
  if (kind === 'latency') return { kind, fromMs: first, toMs: second, count: third };
  if (kind === 'barrier') return barrierOf(first, second, third);
  if (Number.isNaN(second)) return { kind, timeMs: first };
  return { kind, timeMs: first, clock: { atMs: second, perMs: third } };
}

function numbersOf(mark: StreamMark): readonly [number, number, number] {
  switch (mark.kind) {
    case 'idle':
      return [0, 0, 0];
    case 'latency':
      return [mark.fromMs, mark.toMs, mark.count];
    case 'barrier':
      return [mark.checkpointId, modeNumberOf(mark), mark.triggeredAtMs ?? Number.NaN];
    case 'watermark':
      return [mark.timeMs, mark.clock?.atMs ?? Number.NaN, mark.clock?.perMs ?? 0];
    default:
      return assertNever(mark);
  }
}

/** The number of the mode; of an aligned one that turns unaligned, its time, behind the numbers of modes. */
export function modeNumberOf({ mode = 'aligned', timeoutMs }: Barrier): number {
  return timeoutMs === undefined
    ? checkpointModes.indexOf(mode)
    : checkpointModes.length + timeoutMs;
}

export function barrierOf(
  checkpointId: number,
  modeNumber: number,
  triggeredAtMs: number,
): Barrier {
  const timeoutMs = modeNumber - checkpointModes.length;
  const mode = checkpointModes[modeNumber] ?? 'aligned';
  return {
    ...{ kind: 'barrier', checkpointId, mode },
    ...(timeoutMs >= 0 && { timeoutMs }),
    ...(!Number.isNaN(triggeredAtMs) && { triggeredAtMs }),
  };
}
