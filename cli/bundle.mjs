/**
 * The bundle: the command's modules in a few files of plain JavaScript in `dist/`, for loading five
 * hundred small modules in each thread takes longer than a small job. `npm ci` makes it
 * (cli/build-bundle.mjs). It is used only as long as no source has changed since: the sources run as
 * they are, so without a bundle, or with a stale one, the command is slower and nothing else.
 *
 * Plain JavaScript that imports nothing of ours: every start of the command reads it.
 *
 * Before: cli/millrace.mjs · After: cli/main.ts
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** All that a bundle is made of. */
const sourceFolders = ['base', 'cli', 'connectors', 'coordinator', 'engine', 'worker'];

export const bundleFolder = join(root, 'dist');
export const stampFile = join(bundleFolder, 'sources.json');

/** The command's entry: that of the bundle where it is up to date, else the source. */
export function commandEntry() {
  const source = new URL('./main.ts', import.meta.url);
  return isFresh() ? new URL('../dist/main.js', import.meta.url) : source;
}

function isFresh() {
  try {
    return readFileSync(stampFile, 'utf8') === stampOf(root);
  } catch {
    return false; // No bundle, or one that was being made when its maker ended.
  }
}

/** What tells whether a source has changed: how many there are, their sizes and the newest time. */
export function stampOf(folder) {
  const stamp = { count: 0, sizeBytes: 0, newestMs: 0 };
  for (const name of sourceFolders) addFolder(join(folder, name), stamp);
  return JSON.stringify(stamp);
}

function addFolder(folder, stamp) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) addFolder(path, stamp);
    else if (/\.(ts|mjs)$/.test(entry.name)) {
      const { size, mtimeMs } = statSync(path);
      stamp.count++;
      stamp.sizeBytes += size;
      stamp.newestMs = Math.max(stamp.newestMs, mtimeMs);
    }
  }
}
