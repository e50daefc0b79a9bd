/** Goal: Parquet files of other writers cut to many lengths, and with many bytes changed: all of them in small files. */
import { test } from 'vitest';
import type { SoundFile } from '../support/damaged-parquet.ts';
import { expectCutsRefused, expectNoHarm } from '../support/damaged-parquet.ts';
import { soundFiles } from '../support/parquet-fixtures.ts';

/** With each place of each file it took more than a quarter of an hour of CPU time. */
const placesMax = 3_000;

/** Odd, so that it comes to places of all kinds. */
const stepOf = ({ bytes }: SoundFile) => {
  const step = Math.ceil(bytes.length / placesMax);
  return step % 2 === 0 ? step + 1 : step;
};

test.each(soundFiles)('$name cut off is refused', async (file) => {
  await expectCutsRefused(file, stepOf(file));
});

test.each(soundFiles)('$name with changed bytes does no harm', async (file) => {
  await expectNoHarm(file, stepOf(file));
});
