/** Goal: a sample has the first rows of each split, whatever the reader's batches are, and nothing is left open. */
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { Split } from '../../../engine/contracts/source.ts';
import { SlotMemory } from '../../../engine/memory/slot-memory.ts';
import { SampleReader } from '../../../engine/operators/sample-reader.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, type Row } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));
const splitOf = (payload: number): Split => ({ id: String(payload), sizeBytes: 1, payload });

test.each([100, 700, 1024, 5000])('batches of %d rows', (batchRows) => {
  const memory = new SlotMemory({ budgetBytes: 16 << 20, poison: true });
  const scope = memory.scope('test');
  let openCount = 0;
  const newReader = () => {
    let next = 0;
    let end = 0;
    openCount++;
    return {
      bytesRead: 10,
      open({ payload }: Split) {
        next = Number(payload);
        end = next + 3000;
      },
      read() {
        if (next === end) return 'end' as const;
        const length = Math.min(batchRows, end - next);
        const rows = Array.from({ length }, (_, at) => ({ n: next + at }));
        next += length;
        return batchOf(scope, schema, rows);
      },
      position: () => 'here',
      close: () => {
        openCount--;
      },
    };
  };
  const reader = new SampleReader(newReader);
  const rows: Row[] = [];
  for (const start of [0, 10_000]) {
    reader.open(splitOf(start));
    for (let result = reader.read(); result !== 'end'; result = reader.read()) {
      if (typeof result === 'string') continue;
      rows.push(...readRows(result));
      result.release();
    }
  }
  const numbers = Array.from({ length: 1024 }, (_, at) => at);
  expect(rows.map(({ n }) => n)).toEqual([...numbers, ...numbers.map((n) => n + 10_000)]);
  expect(reader.bytesRead).toBe(20);
  reader.close();
  expect(openCount).toBe(0);
  memory.assertEmpty();
});
