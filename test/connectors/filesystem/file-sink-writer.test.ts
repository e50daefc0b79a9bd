/** Goal: a target's ending says how it is compressed, and what is in it is what would be there without. */
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
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
