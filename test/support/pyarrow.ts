/**
 * Scripts beside fixtures, run by Python with pyarrow and what else the folder's `requirements.txt` pins,
 * in an environment of its own, made once below `.cache/test`. Needs Python 3.10 or newer with venv, and pip a
 * package index that it can reach.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './cli-process.ts';

export const arrowTypesFolder = join(projectFolder, 'test/fixtures/arrow-types');
export const parquetFolder = join(projectFolder, 'test/fixtures/parquet');
export const tpchFolder = join(projectFolder, 'test/fixtures/tpch');

/** Runs a script of the folder with Arrow files; answers what it printed. */
export function runPyarrow(script: string, ...args: readonly string[]): string {
  return runPython(arrowTypesFolder, script, ...args);
}

/** Runs a script of a folder of fixtures; answers what it printed. */
export function runPython(folder: string, script: string, ...args: readonly string[]): string {
  return run(pythonPath(join(folder, 'requirements.txt')), ['-B', join(folder, script), ...args]);
}

function pythonPath(requirements: string): string {
  const pinned = readFileSync(requirements, 'utf8').matchAll(/^([\w-]+)==(.+)$/gm);
  const name = [...pinned].map(([, which, version]) => `${which}-${version}`).join('-');
  const folder = join(projectFolder, '.cache/test', name);
  const python = join(folder, 'bin/python');
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return python;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run('python3', ['-m', 'venv', folder]);
  run(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    requirements,
  ]);
  mkdirSync(ready);
  return python;
}

function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${result.stderr}`);
  return result.stdout;
}
