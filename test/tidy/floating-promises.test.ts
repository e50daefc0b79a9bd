/** Goal: no promise floats anywhere; and the check sees those that the linter does not. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { findFloatingPromises } from './floating-promises.ts';

const root = resolve(import.meta.dirname, '../..');

test('a planted promise is found, also behind a mapped type', () => {
  const planted = `import type { Disk } from './env/disk.ts';
    const f = async () => 1;
    class C { async run(): Promise<void> {} }
    export async function main(disk: Disk, maybe: Promise<void> | null): Promise<void> {
      disk.fsync(1);
      f();
      new C().run();
      f().finally(f);
      maybe;
      await disk.fsync(1);
      void f();
      f().catch(() => 2);
      f().then(f, f).finally(f);
      maybe = f().then(() => undefined);
      Math.max(1, 2);
    }`;
  const { problems } = findFloatingPromises(root, { 'base/planted.ts': planted });
  expect(problems.map(({ path, line }) => `${path}:${line}`)).toEqual([
    'base/planted.ts:5',
    'base/planted.ts:6',
    'base/planted.ts:7',
    'base/planted.ts:8',
    'base/planted.ts:9',
  ]);
});

test('no promise floats in the tree', () => {
  const { problems, filesRead } = findFloatingPromises(root);
  expect(filesRead).toBeGreaterThan(100);
  expect(problems.map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([]);
});
