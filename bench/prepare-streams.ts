/** Makes the data of the nexmark and windows benches, once: a folder per size with every table as Arrow and Parquet. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatCount } from '../base/units.ts';
import { cacheFolder, peersFolder, pythonPath } from './bench-cache.ts';
import { runTool, type Say } from './prepare.ts';

const installedByPip = 'The packages that it needs are installed by pip.';

/** The folder of the first events of Nexmark. */
export function prepareNexmark(events: number, say: Say): string {
  return prepareFolder(`nexmark-${events}`, (folder) => {
    say(`Making ${formatCount(events)} events of Nexmark (once) …`);
    const sources = join(peersFolder, 'nexmark-gen');
    const target = join(cacheFolder, 'nexmark-gen');
    const manifest = ['--manifest-path', join(sources, 'Cargo.toml'), '--target-dir', target];
    runTool(
      'cargo',
      ['build', '--release', '--quiet', '--locked', ...manifest],
      'Install Rust with cargo, which needs a registry of crates that it can reach.',
    );
    const generator = join(target, 'release', 'nexmark-gen');
    runTool(generator, [String(events), folder], 'The events are made by a program of Rust.');
    runTool(pythonPath, [join(peersFolder, 'arrow_to_parquet.py'), folder], installedByPip);
  });
}

/** The folder of rows for windows. */
export function prepareWindowRows(rows: number, say: Say): string {
  return prepareFolder(`windows-${rows}`, (folder) => {
    say(`Making ${formatCount(rows)} rows (once) …`);
    const script = join(peersFolder, 'make_windows.py');
    runTool(pythonPath, [script, folder, String(rows)], installedByPip);
  });
}

/** A folder of the cache, made once; one that is not whole has another name. */
export function prepareFolder(name: string, make: (folder: string) => void): string {
  const path = join(cacheFolder, name);
  if (existsSync(path)) return path;
  const unfinished = `${path}.making`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  make(unfinished);
  renameSync(unfinished, path);
  return path;
}
