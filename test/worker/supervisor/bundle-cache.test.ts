/** Goal: a bundle has its name only when its bytes have that hash, whatever came, broke or lay there before. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { sha256Of } from '../../../base/env/sha256.ts';
import type { BundlePart } from '../../../coordinator/protocol/members.ts';
import { BundleCache } from '../../../worker/supervisor/bundle-cache.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const text = 'export default 1;\n'.repeat(20);
const bytes = new TextEncoder().encode(text);
const hash = sha256Of(bytes);

function scene(partOf: (part: number) => BundlePart, bundlesMax?: number) {
  const folder = join(tempFolder(), 'bundles');
  const asked: number[] = [];
  const readPart = async (_hash: string, part: number) => {
    asked.push(part);
    return partOf(part);
  };
  const options = { folder, readPart, ...(bundlesMax !== undefined && { bundlesMax }) };
  return { folder, asked, cache: new BundleCache(createRealEnv(), options) };
}

/** Of 100 bytes each. */
function inParts(part: number): BundlePart {
  const slice = bytes.subarray(part * 100, part * 100 + 100);
  return { data: Buffer.from(slice).toString('base64'), isLast: (part + 1) * 100 >= bytes.length };
}

test('it is fetched part by part, once for all who ask at the same time, and not again', async () => {
  const { folder, asked, cache } = scene(inParts);
  await cache.open();
  const paths = await Promise.all([cache.pathOf(hash), cache.pathOf(hash)]);
  expect(paths).toEqual([join(folder, `${hash}.mjs`), join(folder, `${hash}.mjs`)]);
  expect(readFileSync(paths[0] ?? '', 'utf8')).toBe(text);
  await cache.pathOf(hash);
  expect(asked).toEqual([0, 1, 2, 3]);
});

test('what has another hash is refused, and leaves nothing', async () => {
  const { folder, cache } = scene(() => ({ data: 'AAAA', isLast: true }));
  await cache.open();
  await expect(cache.pathOf(hash)).rejects.toMatchObject({ info: { code: 'BUNDLE_DAMAGED' } });
  expect(readdirSync(folder)).toEqual([]);
});

test.each(['../../etc/passwd', '', hash.toUpperCase(), `${hash}/`, `${hash}\n`])(
  'the name "%s" is none',
  async (name) => {
    const { asked, cache } = scene(inParts);
    await cache.open();
    await expect(cache.pathOf(name)).rejects.toMatchObject({ info: { code: 'BUNDLE_DAMAGED' } });
    expect(asked).toEqual([]);
  },
);

test('one without an end is given up', async () => {
  const { asked, cache } = scene(() => ({ data: 'AAAA', isLast: false }));
  await cache.open();
  await expect(cache.pathOf(hash)).rejects.toMatchObject({ info: { code: 'BUNDLE_DAMAGED' } });
  expect(asked).toHaveLength(64);
});

test('one that was damaged on disk is fetched anew; one that could not be fetched is asked for again', async () => {
  let isBroken = true;
  const { folder, cache } = scene((part) => {
    if (isBroken) throw new Error('the connection broke');
    return inParts(part);
  });
  await cache.open();
  await expect(cache.pathOf(hash)).rejects.toThrow('broke');
  isBroken = false;
  writeFileSync(join(folder, `${hash}.mjs`), text.slice(1));
  expect(readFileSync(await cache.pathOf(hash), 'utf8')).toBe(text);
});

test('a start removes what was not finished and what is beyond the limit, and nothing else', async () => {
  const { folder, cache } = scene(inParts, 1);
  await cache.open();
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
  for (const name of [`.${hash}~12`, `${a}.mjs`, `${b}.mjs`, 'notes.txt']) {
    writeFileSync(join(folder, name), '');
  }
  await cache.open();
  expect(existsSync(join(folder, 'notes.txt'))).toBe(true);
  expect(readdirSync(folder)).toHaveLength(2);
});
