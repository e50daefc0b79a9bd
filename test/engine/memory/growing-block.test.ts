/** Goal: what was written stays there while a block grows, and its size is what was said. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingBlock } from '../../../engine/memory/growing-block.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';

test('bytes are kept while a block grows', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 9 }), (parts) => {
      const memory = new SlotMemory({ budgetBytes: 1 << 22, poison: true });
      const block = new GrowingBlock(memory.scope('block'));
      const written: number[] = [];
      for (const [at, count] of parts.entries()) {
        const bytes = written.length + count;
        const told = block.sizeBytesFor(bytes);
        const address = block.ensure(bytes, written.length);
        expect(block.sizeBytes).toBe(told);
        expect(block.address).toBe(address);
        memory.bytes.fill(at, address + written.length, address + bytes);
        for (let index = 0; index < count; index++) written.push(at);
        expect([...memory.bytes.subarray(address, address + bytes)]).toEqual(written);
      }
      block.close();
      memory.assertEmpty();
    }),
    { numRuns: 30 },
  );
});
