/** Goal: row groups become splits; a large one is cut by rows, and every row is read once. */
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Batch } from '../../../../engine/batch/batch.ts';
import { BatchBuilder } from '../../../../engine/batch/batch-builder.ts';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { boolType, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { discoverParquet, readParquet, writeParquet } from '../../../support/parquet-files.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
const kernels = instantiateKernels(memory.memory);
const schema = schemaOf(
  fieldOf('id', int64Type),
  fieldOf('name', utf8Type, true),
  fieldOf('even', boolType, true),
);
const count = 150_000;

function rowAt(index: number): [bigint, string | null, boolean | null] {
  const name = index % 3 === 0 ? null : `a name that is long ${index}`;
  return [BigInt(index), name, index % 5 === 0 ? null : index % 2 === 0];
}

function writeRows(file: string, rowGroupRows: number): void {
  const builder = new BatchBuilder(memory.scope('test'), schema);
  const batches: Batch[] = [];
  for (let index = 0; index < count; index++) {
    builder.appendRow(rowAt(index));
    if (builder.isFull) batches.push(builder.build());
  }
  batches.push(builder.build());
  const settings = { compression: 'none', rowGroupRows } as const;
  writeParquet({ path: file, kernels, settings }, schema, batches);
  for (const batch of batches) batch.release();
  memory.assertEmpty();
}

test.each`
  rowGroupRows | splits
  ${1_000_000} | ${4}
  ${40_000}    | ${7}
`('row groups of $rowGroupRows rows give $splits splits', async ({ rowGroupRows, splits }) => {
  const file = path.join(tempFolder(), 'rows.parquet');
  writeRows(file, rowGroupRows);
  const reading = { path: file, declared: schema, parallelism: 4 };
  const found = await discoverParquet(reading);
  expect(found.splits.length).toBe(splits);
  const rows = (await readParquet(reading)).flat();
  expect(rows.length).toBe(count);
  const wrong = rows.findIndex((row, index) => {
    const [id, name, even] = rowAt(index);
    return row.id !== id || row.name !== name || row.even !== even;
  });
  expect(wrong).toBe(-1);
});
