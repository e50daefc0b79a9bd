/**
 * pyarrow in a Python environment of its own, made once below `.cache/test` with the version that
 * `test/fixtures/arrow-types/requirements.txt` pins. Needs Python 3.10 or newer with venv, and pip a
 * package index that it can reach.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './cli-process.ts';

export const arrowTypesFolder = join(projectFolder, 'test/fixtures/arrow-types');
const requirements = join(arrowTypesFolder, 'requirements.txt');

/** Runs a script of the folder; answers what it printed. */
export function runPyarrow(script: string, ...args: readonly string[]): string {
  return run(pythonPath(), ['-B', join(arrowTypesFolder, script), ...args]);
}

function pythonPath(): string {
  const version = /^pyarrow==(.+)$/m.exec(readFileSync(requirements, 'utf8'))?.[1] ?? '';
  const folder = join(projectFolder, '.cache/test', `pyarrow-${version}`);
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
