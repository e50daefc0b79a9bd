/**
 * Marks between threads: what lies between batches as a message of its own.
 *
 *     0   u32 mark of marks   u32 kind   u32 0   u32 bytes of the message
 *     16  f64 time
 *
 * The first word tells it from a body (engine/batch/body-layout.ts). Like bodies, marks live between threads
 * of one process only.
 */
import { assert } from '../../base/assert.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { StreamMark } from '../stream/stream-element.ts';

export const markMessageBytes = 24;

const markOfMarks = 0x4b52_414d;
const kinds = ['watermark', 'idle'] as const;

/** @param address - A multiple of 8, with room for `markMessageBytes` (not checked). */
export function encodeMark(memory: SlotMemory, address: number, mark: StreamMark): void {
  const word = address >>> 2;
  memory.uint32[word] = markOfMarks;
  memory.uint32[word + 1] = kinds.indexOf(mark.kind);
  memory.uint32[word + 2] = 0;
  memory.uint32[word + 3] = markMessageBytes;
  memory.float64[(address + 16) >>> 3] = mark.kind === 'watermark' ? mark.timeMs : 0;
}

/** The mark in a message, or null when it is a body. */
export function decodeMark(memory: SlotMemory, address: number): StreamMark | null {
  const word = address >>> 2;
  if (memory.uint32[word] !== markOfMarks) return null;
  const kind = kinds[memory.uint32[word + 1] ?? kinds.length];
  assert(kind !== undefined, 'a mark is of a kind that both sides know');
  if (kind === 'idle') return { kind };
  return { kind, timeMs: memory.float64[(address + 16) >>> 3] ?? 0 };
}
