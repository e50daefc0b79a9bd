/** `millrace up --detach`: the same command in a session of its own, waited for until the cluster is ready. */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toDiskError } from '../../base/env/disk-error.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { commandFile } from './child-process.ts';
import { readUpFile } from './up-file.ts';

const lookEveryMs = 50;

export interface DetachedRequest {
  readonly args: readonly string[];
  readonly data: string;
  readonly isJson: boolean;
}

export async function upDetached(
  env: CliEnv,
  { args, data, isJson }: DetachedRequest,
): Promise<ExitCode> {
  const logFile = join(data, 'logs', 'up.log');
  const { file, from } = openLog(logFile);
  const child = spawn(
    process.execPath,
    [commandFile, 'up', ...args.filter((arg) => arg !== '--detach')],
    { detached: true, stdio: ['ignore', file, file], cwd: env.workingFolder },
  );
  closeSync(file);
  let ended: ExitCode | null = null;
  child.once('close', (exitCode) => {
    ended = (exitCode ?? exitCodes.jobFailed) as ExitCode;
  });
  const isReady = () => {
    const state = readUpFile(data);
    return state?.pid === child.pid && state?.address !== null;
  };
  while (ended === null && !isReady()) await env.timers.sleep(lookEveryMs);
  // What it says when it is ready comes a moment after its file.
  const said = () => readFileSync(logFile).subarray(from).toString();
  while (ended === null && !said().includes('\n')) await env.timers.sleep(lookEveryMs);
  child.unref();
  if (isJson && ended === null) env.stdout.write(said());
  else env.stderr.write(said());
  return ended ?? exitCodes.done;
}

function openLog(logFile: string): { readonly file: number; readonly from: number } {
  try {
    mkdirSync(join(logFile, '..'), { recursive: true, mode: 0o700 });
    const file = openSync(logFile, 'a', 0o600);
    return { file, from: fstatSync(file).size };
  } catch (error) {
    throw toDiskError(error, logFile);
  }
}
