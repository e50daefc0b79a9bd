/**
 * Goal: a Parquet file that was cut off anywhere is refused with its name, and one with changed bytes gives rows or a
 * typed error with its name; never a crash, and nothing is held. One small file goes byte by byte, the others by
 * samples; test/long/parquet-sweep.test.ts has all bytes of small ones, and more of the others.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { instantiateKernels } from '../../../../engine/kernels/kernels.ts';
import { SlotMemory } from '../../../../engine/memory/slot-memory.ts';
import { int32Type, int64Type, utf8Type } from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { makeBatch } from '../../../support/batches.ts';
import {
  expectCutsRefused,
  expectNoHarm,
  type SoundFile,
} from '../../../support/damaged-parquet.ts';
import { writeParquet } from '../../../support/parquet-files.ts';
import { soundFiles } from '../../../support/parquet-fixtures.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

/** Of our writer: two row groups with dictionaries, levels, page indexes, Bloom filters. */
function ownFile(): SoundFile {
  const memory = new SlotMemory({ budgetBytes: 64 << 20, poison: true });
  const kernels = instantiateKernels(memory.memory);
  const file = path.join(tempFolder(), 'own.parquet');
  const schema = schemaOf(
    fieldOf('id', int64Type),
    fieldOf('color', utf8Type, true),
    fieldOf('counts', { kind: 'list', item: { type: int32Type, nullable: true } }, true),
  );
  const colors = ['red', 'green', null];
  const rowAt = (row: number) => [BigInt(row), colors[row % 3], row % 4 ? [row, null] : null];
  const batches = [0, 6].map((from) => {
    const rows = Array.from({ length: 6 }, (_, row) => rowAt(from + row));
    return makeBatch(memory.scope('test'), { schema, selected: null, rows });
  });
  const settings = { rowGroupRows: 6, pageRows: 3, bloomFilters: { columns: ['id', 'color'] } };
  writeParquet({ path: file, kernels, settings }, schema, batches);
  for (const batch of batches) batch.release();
  memory.assertEmpty();
  return { name: 'own', schema, bytes: fs.readFileSync(file) };
}

test('a small file cut to any length is refused', async () => {
  const file = ownFile();
  expect(file.bytes.length).toBeLessThan(3000);
  await expectCutsRefused(file);
});

test('a small file with any byte changed does no harm', async () => {
  await expectNoHarm(ownFile());
});

const stepOf = ({ bytes }: SoundFile) => Math.ceil(bytes.length / 30);

test.each(soundFiles)('$name cut off is refused', async (file) => {
  await expectCutsRefused(file, stepOf(file));
});

test.each(soundFiles)('$name with changed bytes does no harm', async (file) => {
  await expectNoHarm(file, stepOf(file));
});
