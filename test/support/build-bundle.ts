/** Makes the bundle before the end-to-end tests, as `npm ci` does, so that they test what users run. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

/** Vitest calls it by this name, once. */
export function setup(): void {
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../../cli/build-bundle.mjs')], {
    stdio: 'inherit',
  });
}
