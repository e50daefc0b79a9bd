/**
 * The flags of `run` that make a job go on where it was: where its checkpoints are, how often they are made, and which
 * one to go on from.
 *
 * Before: cli/job-command.ts. After: coordinator/job/checkpointed-job.ts.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { typedError } from '../base/typed-error.ts';
import { parseDuration } from '../base/units.ts';
import { checkpointOptions } from '../coordinator/checkpoint/checkpoint-options.ts';
import { restartStrategy } from '../coordinator/checkpoint/restart-strategy.ts';
import type { RestoreRequest } from '../coordinator/checkpoint/store/checkpoint-log.ts';
import type { CheckpointRequest } from '../coordinator/job/checkpointed-job.ts';

/** Those that take a value. */
export const checkpointFlags: readonly string[] = [
  ...['--checkpoint-dir', '--checkpoint-interval', '--restore', '--from-savepoint'],
];

export function addCheckpointFlags(command: Command): void {
  command
    .option(
      '--checkpoint-dir <folder>',
      'make checkpoints there, and go on from them after a failure',
    )
    .option('--checkpoint-interval <time>', 'between two checkpoints, such as 500ms (default 10s)')
    .option('--restore <what>', 'go on from the latest checkpoint, or from one by its folder')
    .option(
      '--from-savepoint <folder>',
      'go on from a savepoint; with --restore latest as long as there is no checkpoint',
    )
    .option(
      '--allow-non-restored-state',
      'leave out state of what the job has no more, and go on without it',
    );
}

/** Null without the flags. @throws FLAG_VALUE, CHECKPOINT_OPTION_INVALID */
export function checkpointRequestOf(
  flags: Readonly<Record<string, unknown>>,
  workingFolder: string,
): CheckpointRequest | null {
  const { checkpointDir, checkpointInterval, restore, fromSavepoint } = flags;
  const allowsDropped = flags.allowNonRestoredState === true;
  if (checkpointDir === undefined) {
    const given = { '--restore': restore, '--from-savepoint': fromSavepoint };
    const others = {
      ...given,
      '--checkpoint-interval': checkpointInterval,
      ...(allowsDropped && { '--allow-non-restored-state': true }),
    };
    const flag = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
    if (flag === undefined) return null;
    throw typedError('FLAG_VALUE', `${flag}: nobody knows where checkpoints are`, {
      hint: 'Write --checkpoint-dir FOLDER, too.',
    });
  }
  const given =
    checkpointInterval === undefined ? {} : { intervalMs: intervalOf(checkpointInterval) };
  return {
    folder: resolve(workingFolder, String(checkpointDir)),
    options: checkpointOptions({ failuresMax: 3, ...given }),
    from: restoreFrom(restore, fromSavepoint, workingFolder),
    restart: restartStrategy({ kind: 'exponential-delay', attempts: 10 }),
    allowsDropped,
  };
}

function intervalOf(text: unknown): number {
  const intervalMs = parseDuration(String(text));
  if (intervalMs !== null) return intervalMs;
  throw typedError('FLAG_VALUE', `--checkpoint-interval: "${text}" is no time`, {
    hint: 'Write a number with its unit: 500ms, 10s, 5min.',
  });
}

function restoreFrom(
  restore: unknown,
  fromSavepoint: unknown,
  workingFolder: string,
): RestoreRequest {
  if (fromSavepoint !== undefined) {
    const path = resolve(workingFolder, String(fromSavepoint));
    if (restore === undefined) return { kind: 'savepoint', path };
    if (restore === 'latest') return { kind: 'latest', otherwise: path };
    throw typedError('FLAG_VALUE', '--from-savepoint: --restore names a checkpoint as well', {
      hint: 'Name one of them; --restore latest beside it goes on from the savepoint the first time only.',
    });
  }
  if (restore === undefined) return { kind: 'nothing' };
  if (restore === 'latest') return { kind: 'latest' };
  return { kind: 'savepoint', path: resolve(workingFolder, String(restore)) };
}
