/** Goal: every row lands in the partition of its key group, in its old order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placesOfPartitions } from '../../../engine/kernels/partition.ts';
import { partitionOfKeyGroups } from '../../../engine/keys/key-group.ts';
import { KernelArena } from './kernel-arena.ts';

const arena = new KernelArena();

test('places per partition agree with the reference', () => {
  const hashes = fc.array(fc.integer({ min: 1, max: 0xffffffff }), { maxLength: 300 });
  fc.assert(
    fc.property(hashes, fc.integer({ min: 1, max: 128 }), (values, parallelism) => {
      arena.reset();
      const table = partitionOfKeyGroups(parallelism);
      const tableAddress = arena.put(new Uint8Array(table.buffer));
      const rows = arena.room(values.length * 4);
      const starts = arena.room((parallelism + 1) * 4);
      const { partitionRows } = arena.kernels;
      partitionRows(
        arena.putUint32(values),
        values.length,
        tableAddress,
        parallelism,
        rows,
        starts,
      );
      const bounds = arena.uint32s(starts, parallelism + 1);
      const found = bounds
        .slice(1)
        .map((end, index) => arena.uint32s(rows, values.length).slice(bounds[index], end));
      expect(found).toEqual(placesOfPartitions(values, table, parallelism));
      expect(bounds[0]).toBe(0);
      expect(bounds.at(-1)).toBe(values.length);
    }),
  );
});

test('places under a selection become stored rows in place', () => {
  arena.reset();
  const places = arena.putUint32([2, 0, 1]);
  arena.kernels.take4(arena.putUint32([10, 20, 30]), places, 3, places);
  expect(arena.uint32s(places, 3)).toEqual([30, 10, 20]);
});
