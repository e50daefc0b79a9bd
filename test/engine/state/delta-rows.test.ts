/** A delta as rows: written in slices of any size, and read back into another table. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf } from '../../../engine/memory/slot-memory.ts';
import { firstRows, readRows, writeRows } from '../../../engine/state/delta-rows.ts';
import { deletedSize, valueAddressOf, valueSizeIn } from '../../../engine/state/entry-record.ts';
import { EntryTable } from '../../../engine/state/entry-table.ts';
import { stateScene } from '../../support/state-scene.ts';

const entries = fc.uniqueArray(
  fc.record({
    key: fc.string({ maxLength: 30 }),
    value: fc.option(fc.string({ maxLength: 50 }), { nil: null }),
  }),
  { selector: ({ key }) => key, maxLength: 60 },
);

test('rows that are written are read back, deleted ones as deleted', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 400, max: 3000 }), (all, roomBytes) => {
      const scene = stateScene();
      const { scope, memory } = scene;
      const table = new EntryTable(scope);
      const copy = new EntryTable(scope);
      const encoder = new TextEncoder();
      for (const { key, value } of all) {
        const bytes = encoder.encode(value ?? '');
        const size = value === null ? deletedSize : bytes.length;
        const record = table.put(scene.load(key), size, Number.POSITIVE_INFINITY);
        if (value !== null) memory.bytes.set(bytes, valueAddressOf(memory, record));
      }
      const block = scope.allocate(roomBytes);
      const address = addressOf(block);
      let count = 0;
      for (let next: typeof firstRows | null = firstRows; next !== null; ) {
        const written = writeRows(scope, table, next, { address, roomBytes });
        expect(written.sizeBytes).toBeLessThanOrEqual(roomBytes);
        count += readRows(scope, copy, { address, sizeBytes: written.sizeBytes });
        next = written.next;
      }
      expect(count).toBe(all.length);
      for (const { key, value } of all) {
        const record = copy.find(scene.load(key));
        const size = valueSizeIn(memory, record);
        const at = valueAddressOf(memory, record);
        const found =
          size === deletedSize ? null : new TextDecoder().decode(memory.bytes.slice(at, at + size));
        expect(found).toBe(value === null ? null : new TextDecoder().decode(encoder.encode(value)));
      }
      table.clear();
      copy.clear();
      memory.release(block);
      scene.close();
    }),
    { numRuns: 60 },
  );
});
