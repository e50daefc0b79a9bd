/** What files say of who wrote them is the version of the package. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageVersion } from '../../base/package-version.ts';

test('the version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(packageVersion).toBe(version);
});
