/**
 * Marks between threads: what lies between batches as a message of its own.
 *
 *     0   u32 mark of marks   u32 kind   u32 0   u32 bytes of the message
 *     16  f64 time     f64 clock    f64 clock per time       of a watermark; a clock that nobody measures is NaN
 *         f64 from     f64 to       f64 count                of a latency mark
 *         f64 number of the checkpoint                     of a barrier
 *
 * The first word tells it from a body (engine/batch/body-layout.ts). Like bodies, marks live between threads
 * of one process only.
 */
import { assert, assertNever } from '../../base/assert.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { StreamMark } from '../stream/stream-element.ts';

export const markMessageBytes = 40;

const markOfMarks = 0x4b52_414d;
const kinds = ['watermark', 'idle', 'latency', 'barrier'] as const;

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
export function decodeMark(
  memory: Pick<SlotMemory, 'uint32' | 'float64'>,
  address: number,
): StreamMark | null {
  const word = address >>> 2;
  if (memory.uint32[word] !== markOfMarks) return null;
  const kind = kinds[memory.uint32[word + 1] ?? kinds.length];
  assert(kind !== undefined, 'a mark is of a kind that both sides know');
  if (kind === 'idle') return { kind };
  const double = (address + 16) >>> 3;
  const [first = 0, second = 0, third = 0] = memory.float64.subarray(double, double + 3);
  if (kind === 'latency') return { kind, fromMs: first, toMs: second, count: third };
  if (kind === 'barrier') return { kind, checkpointId: first };
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
      return [mark.checkpointId, 0, 0];
    case 'watermark':
      return [mark.timeMs, mark.clock?.atMs ?? Number.NaN, mark.clock?.perMs ?? 0];
    default:
      return assertNever(mark);
  }
}
