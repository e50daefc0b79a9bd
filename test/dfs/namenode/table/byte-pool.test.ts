/** Goal: names keep their bytes whatever comes and goes beside them, and the room of those that went is used again. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BytePool, compareBytes, copyBytes } from '../../../../dfs/namenode/table/byte-pool.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 255 });

test('what was added is there until it is freed', () => {
  const step = fc.record({ isAdd: fc.boolean(), name: bytes, which: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = new BytePool();
      const held: { at: number; name: Uint8Array }[] = [];
      for (const { isAdd, name, which } of steps) {
        if (isAdd || held.length === 0) held.push({ at: pool.add(name), name });
        else {
          const [gone] = held.splice(which % held.length, 1);
          if (gone !== undefined) pool.free(gone.at, gone.name.length);
        }
        for (const { at, name: one } of held) {
          expect([...copyBytes(pool.column, at, one.length)]).toEqual([...one]);
        }
      }
    }),
  );
});

test('the order is that of the bytes, a shorter one first', () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      const pool = new BytePool();
      const order = compareBytes(pool.column, pool.add(one), one.length, other);
      expect(Math.sign(order)).toBe(Buffer.compare(one, other));
    }),
  );
});

test('a hundred thousand names that come and go take the room of one', () => {
  const pool = new BytePool();
  const name = new TextEncoder().encode('part-00000.parquet');
  for (let round = 0; round < 100_000; round++) pool.free(pool.add(name), name.length);
  expect(pool.column.sizeBytes).toBe(4_096);
});
