/** What state needs around it in tests: a poisoned memory, a disk, keys as texts. */
import { expect } from 'vitest';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { addressOf, SlotMemory } from '../../engine/memory/slot-memory.ts';
import { KeyCursor } from '../../engine/state/key-cursor.ts';
import { StateFiles } from '../../engine/state/state-files.ts';
import type { TableView } from '../../engine/state/table-view.ts';
import { MemoryDisk } from './memory-disk.ts';
import { spillSpace } from './spill-space.ts';

export function stateScene(payloadBytes = 512, budgetBytes = 4 << 20) {
  const memory = new SlotMemory({ budgetBytes, poison: true });
  const scope = memory.scope('state');
  const disk = new MemoryDisk();
  const spill = spillSpace(undefined, disk);
  const context = { name: 'state', scope, kernels: instantiateKernels(memory.memory), spill };
  const cursor = new KeyCursor(scope);
  const input = scope.allocate(4096);
  let files: StateFiles | null = null;
  return {
    ...{ memory, scope, disk, context, cursor, kernels: context.kernels },
    files: () => {
      files ??= new StateFiles(context, payloadBytes);
      return files;
    },
    /** Puts a key into the cursor. Few hashes, so that different keys have the same one now and then. */
    load(key: string, hash = hashOf(key)): KeyCursor {
      const bytes = new TextEncoder().encode(key);
      // At an odd address: keys lie anywhere.
      memory.bytes.set(bytes, addressOf(input) + 3);
      cursor.load(addressOf(input) + 3, bytes.length, hash);
      return cursor;
    },
    /** Some of the next records of a view, at most `max`; none behind the last one. */
    recordsOf(view: TableView, max: number): number[] {
      const list = scope.allocate(max * 4 + 4);
      const first = addressOf(list) >>> 2;
      const count = view.list(addressOf(list), max);
      const records = Array.from(
        { length: count },
        (_, at) => (memory.uint32[first + at] ?? 0) * 8,
      );
      memory.release(list);
      return records;
    },
    /** Expects that nothing is left. */
    close(): void {
      files?.close();
      cursor.close();
      memory.release(input);
      memory.assertEmpty();
      expect([...disk.files.keys()]).toEqual([]);
      expect(disk.openFiles.size).toBe(0);
    },
  };
}

/** A hash that spreads over few places of few key groups. */
export function hashOf(key: string): number {
  let sum = 7;
  for (const character of key) sum = (sum * 31 + character.charCodeAt(0)) % 997;
  return (((sum % 5) << 25) | (sum % 61)) >>> 0 || 1;
}
