/**
 * `npm run build`, and a part of `npm ci`: makes the bundle that cli/bundle.mjs describes.
 *
 * The sources stay what they are; names of packages are left as imports. Entries are the command, the
 * files of threads and of executor processes, and what a job file imports as `millrace` and `millrace/…`: those of the exports
 * map, under the condition `millrace-bundle`, so that job and engine share one copy of each module.
 *
 * The stamp is written last: a bundle that was being made when its maker ended is never used.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleFolder, stampFile, stampOf } from './bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await build();

async function build() {
  removeBundle();
  // An install without what developers need, or of the packages alone, runs from the sources.
  if (!existsSync(join(root, 'node_modules/rolldown')) || !existsSync(join(root, 'cli/main.ts'))) {
    process.stdout.write('no bundle: rolldown is not installed\n');
    return;
  }
  const stamp = stampOf(root);
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    cwd: root,
    input: entries(),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !id.startsWith('/'),
  });
  await bundle.write({ dir: bundleFolder, entryFileNames: '[name].js' });
  await bundle.close();
  writeFileSync(stampFile, stamp);
}

/** Pages that `npm run docs` has made may be in the folder as well, and stay. */
function removeBundle() {
  if (!existsSync(bundleFolder)) return;
  for (const entry of readdirSync(bundleFolder, { withFileTypes: true })) {
    if (entry.isFile()) rmSync(join(bundleFolder, entry.name));
  }
}

/** Name in the bundle → source. */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const shared = Object.values(exports).flatMap((target) => {
    const bundled = target['millrace-bundle'];
    return bundled === undefined ? [] : [[basename(bundled, '.js'), target.default]];
  });
  return {
    main: './cli/main.ts',
    executor: './cli/cluster/executor.ts',
    'slot-thread': './worker/threads/slot-thread.ts',
    'network-thread': './worker/threads/network-thread.ts',
    ...Object.fromEntries(shared),
  };
}
