/** Goal: Parquet files of other writers cut to every length, and with every byte changed. */
import { test } from 'vitest';
import { expectCutsRefused, expectNoHarm } from '../support/damaged-parquet.ts';
import { soundFiles } from '../support/parquet-fixtures.ts';

test.each(soundFiles)('$name cut to any length is refused', async (file) => {
  await expectCutsRefused(file);
});

test.each(soundFiles)('$name with any byte changed does no harm', async (file) => {
  await expectNoHarm(file);
});
