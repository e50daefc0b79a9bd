/** Goal: a target's ending says how it is compressed, and what is in it is what would be there without. */
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { type FilesSinkSettings, files } from '../../../connectors/files.ts';
import type { RunFlags } from '../../../engine/api/endpoints.ts';
import { SinkScene, sceneCsv } from '../../support/sink-scene.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test.each([
  ['out.csv', (bytes: Buffer) => bytes],
  ['out.csv.gz', zlib.gunzipSync],
  ['out.CSV.ZST', zlib.zstdDecompressSync],
])('%s', async (name, unpack) => {
  const target = path.join(tempFolder(), name);
  const scene = new SinkScene({ path: target });
  await scene.run();
  expect(String(unpack(fs.readFileSync(target)))).toBe(sceneCsv(0));
  expect(scene.writes).toMatchObject([{ sizeBytes: fs.statSync(target).size, rowCount: 2 }]);
});

test.each([
  ['gzip', 'gz', zlib.gunzipSync],
  ['zstd', 'zst', zlib.zstdDecompressSync],
] as const)('each part of a folder is compressed with %s', async (compression, ending, unpack) => {
  const folder = `${path.join(tempFolder(), 'out')}/`;
  const scene = new SinkScene({ path: folder, compression }, { taskCount: 2 });
  await scene.run();
  expect(fs.readdirSync(folder)).toEqual([0, 1].map((task) => `part-0000${task}.csv.${ending}`));
  for (const task of [0, 1]) {
    const bytes = fs.readFileSync(path.join(folder, `part-0000${task}.csv.${ending}`));
    expect(String(unpack(bytes))).toBe(sceneCsv(task));
  }
});

test('a file is compressed as its name says, and refused where that is not what is asked for', async () => {
  const folder = tempFolder();
  const scene = new SinkScene({ path: path.join(folder, 'out.csv.gz'), compression: 'gzip' });
  await scene.run();
  expect(fs.readdirSync(folder)).toEqual(['out.csv.gz']);
  const other = new SinkScene({ path: path.join(folder, 'out.csv'), compression: 'zstd' });
  await expect(other.run()).rejects.toThrow('is to be compressed with zstd, and its name');
});

test('columnar formats compress their own columns', () => {
  const build = (settings: FilesSinkSettings) => () =>
    files.sink(settings)({ overwrite: false } as RunFlags);
  const hint = 'parquet is not compressed as a whole';
  expect(build({ path: 'out/', format: 'parquet', compression: 'zstd' })).toThrow(hint);
  expect(build({ path: 'out.parquet.gz' })).toThrow(hint);
  expect(build({ path: 'out/', compression: 'lzma' as 'gzip' })).toThrow('no option "lzma"');
});
