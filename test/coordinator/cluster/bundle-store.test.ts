/** Goal: a bundle is there whole, with the bytes of its name, or not at all; whatever is sent. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRealEnv } from '../../../base/env/real-env.ts';
import { sha256Of } from '../../../base/env/sha256.ts';
import { BundleStore } from '../../../coordinator/cluster/bundle-store.ts';
import { bundlePartBytes } from '../../../coordinator/protocol/members.ts';

function scene(text = 'export default 1;') {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bundles-'));
  const bytes = Buffer.from(text);
  const hash = sha256Of(bytes);
  const store = new BundleStore(createRealEnv(), folder);
  const put = (part: number, from: number, end: number, isLast = false) =>
    store.put({ hash, part, data: bytes.subarray(from, end).toString('base64'), isLast });
  return { folder, bytes, hash, store, put };
}

test('comes in parts, and is there with the last one', async () => {
  const { folder, hash, bytes, store, put } = scene();
  expect(await store.put({ hash, part: 0, data: '', isLast: false })).toEqual({ isStored: false });
  expect(await put(0, 0, 5)).toEqual({ isStored: false });
  expect(await store.has(hash)).toBe(false);
  expect(await put(1, 5, bytes.length, true)).toEqual({ isStored: true });
  expect(await store.put({ hash, part: 0, data: '', isLast: false })).toEqual({ isStored: true });
  expect(readdirSync(folder)).toEqual([`${hash}.mjs`]);
  expect(await store.read({ hash, part: 0 })).toEqual({
    data: bytes.toString('base64'),
    isLast: true,
  });
});

test('is read in parts', async () => {
  const { hash, bytes, store, put } = scene('x'.repeat(bundlePartBytes + 3));
  await put(0, 0, bytes.length, true);
  const parts = [await store.read({ hash, part: 0 }), await store.read({ hash, part: 1 })];
  expect(parts.map(({ isLast }) => isLast)).toEqual([false, true]);
  expect(Buffer.concat(parts.map(({ data }) => Buffer.from(data, 'base64'))).equals(bytes)).toBe(
    true,
  );
});

test('who begins anew begins with the first part', async () => {
  const { bytes, hash, store, put } = scene();
  await put(0, 0, 5);
  await put(0, 0, 7);
  await put(1, 7, bytes.length, true);
  expect(await store.has(hash)).toBe(true);
});

test.each`
  what                        | hash                               | parts
  ${'other bytes'}            | ${sha256Of(Buffer.from('others'))} | ${[[0, 'bytes', true]]}
  ${'a name that is a path'}  | ${'../../etc/passwd'}              | ${[[0, 'bytes', true]]}
  ${'a part too many'}        | ${sha256Of(Buffer.from('bytes'))}  | ${[[0, 'by', false], [2, 'tes', true]]}
  ${'a part without a first'} | ${sha256Of(Buffer.from('bytes'))}  | ${[[1, 'tes', true]]}
`('refuses $what, and nothing is there', async ({ hash, parts }) => {
  const { folder, store } = scene();
  const sent = (async () => {
    for (const [part, text, isLast] of parts as [number, string, boolean][]) {
      await store.put({ hash, part, data: Buffer.from(text).toString('base64'), isLast });
    }
  })();
  await expect(sent).rejects.toMatchObject({ info: { code: 'BUNDLE_DAMAGED' } });
  expect(readdirSync(folder)).toEqual([]);
});

test('what has changed on disk is not handed out', async () => {
  const { folder, hash, bytes, put } = scene();
  await put(0, 0, bytes.length, true);
  const path = join(folder, `${hash}.mjs`);
  writeFileSync(path, readFileSync(path, 'utf8').replace('1', '2'));
  const later = new BundleStore(createRealEnv(), folder);
  await expect(later.read({ hash, part: 0 })).rejects.toMatchObject({
    info: { code: 'BUNDLE_DAMAGED' },
  });
  await expect(later.read({ hash: sha256Of(bytes.subarray(1)), part: 0 })).rejects.toMatchObject({
    info: { code: 'BUNDLE_MISSING' },
  });
});
