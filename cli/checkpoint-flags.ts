/**
 * The flags of `run` that make a job go on where it was: where its checkpoints are, how often they are made, and which
 * one to go on from.
 *
 * Before: cli/job-command.ts. After: coordinator/job/checkpointed-job.ts.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { typedError } from '../base/typed-error.ts';
import {
  type CheckpointOptions,
  checkpointOptions,
} from '../coordinator/checkpoint/checkpoint-options.ts';
import type { RestoreRequest } from '../coordinator/checkpoint/store/checkpoint-log.ts';
import type { CheckpointRequest } from '../coordinator/job/checkpointed-job.ts';
import { type CheckpointMode, checkpointModes } from '../engine/contracts/checkpoint-mode.ts';
import { camelCase, countOf, timeOf } from './flag-values.ts';
import { addRestartFlags, type RestartPlace, restartFlags, restartOf } from './restart-flags.ts';

/** Those that take a value. */
export const checkpointFlags: readonly string[] = [
  ...['--checkpoint-dir', '--checkpoint-interval', '--restore', '--from-savepoint'],
  ...['--checkpoint-mode', '--alignment-timeout', '--checkpoint-timeout'],
  ...['--checkpoints-in-flight', '--checkpoint-pause', '--checkpoint-failures'],
  ...restartFlags,
];

export function addCheckpointFlags(command: Command): void {
  command
    .option(
      '--checkpoint-dir <folder>',
      'make checkpoints there, and go on from them after a failure',
    )
    .option('--checkpoint-interval <time>', 'between two checkpoints, such as 500ms (default 10s)')
    .option(
      '--checkpoint-mode <mode>',
      'aligned, unaligned (barriers overtake rows) or at-least-once (default aligned)',
    )
    .option(
      '--alignment-timeout <time>',
      'an aligned barrier that waits for longer overtakes what it waits for',
    )
    .option('--checkpoint-timeout <time>', 'give up one that takes longer (default 10min)')
    .option('--checkpoint-pause <time>', 'at least, from one to the next (default 0ms)')
    .option('--checkpoints-in-flight <count>', 'that may be under way together (default 1)')
    .option('--checkpoint-failures <count>', 'that may fail in a row (default 3)')
    .option('--restore <what>', 'go on from the latest checkpoint, or from one by its folder')
    .option(
      '--from-savepoint <folder>',
      'go on from a savepoint; with --restore latest as long as there is no checkpoint',
    )
    .option(
      '--allow-non-restored-state',
      'leave out state of what the job has no more, and go on without it',
    );
  addRestartFlags(command);
}

/** Null without the flags. @throws FLAG_VALUE, CHECKPOINT_OPTION_INVALID, RESTART_OPTION_INVALID */
export function checkpointRequestOf(
  flags: Readonly<Record<string, unknown>>,
  { workingFolder, place }: { readonly workingFolder: string; readonly place: RestartPlace },
): CheckpointRequest | null {
  const { checkpointDir, restore, fromSavepoint } = flags;
  const allowsDropped = flags.allowNonRestoredState === true;
  if (checkpointDir === undefined) {
    const flag = [
      ...checkpointFlags,
      ...(allowsDropped ? ['--allow-non-restored-state'] : []),
    ].find((one) => flags[camelCase(one)] !== undefined);
    if (flag === undefined) return null;
    throw typedError('FLAG_VALUE', `${flag}: nobody knows where checkpoints are`, {
      hint: 'Write --checkpoint-dir FOLDER, too.',
    });
  }
  return {
    folder: resolve(workingFolder, String(checkpointDir)),
    options: optionsOf(flags),
    from: restoreFrom(restore, fromSavepoint, workingFolder),
    restart: restartOf(flags, place),
    allowsDropped,
  };
}

/** What is not given has its default, but for failures: a job of the command line bears some. */
function optionsOf(flags: Readonly<Record<string, unknown>>): CheckpointOptions {
  const mode = parseCheckpointMode(flags.checkpointMode);
  const given = {
    intervalMs: timeOf(flags, '--checkpoint-interval'),
    alignmentTimeoutMs: timeOf(flags, '--alignment-timeout'),
    timeoutMs: timeOf(flags, '--checkpoint-timeout'),
    minPauseMs: timeOf(flags, '--checkpoint-pause'),
    inFlightMax: countOf(flags, '--checkpoints-in-flight'),
    failuresMax: countOf(flags, '--checkpoint-failures'),
    mode,
  };
  const isGiven = ([, value]: readonly [string, unknown]) => value !== undefined;
  const known = Object.fromEntries(Object.entries(given).filter(isGiven));
  return checkpointOptions({ failuresMax: 3, ...known });
}

/** Undefined without the flag. @throws FLAG_VALUE when the text is no mode. */
export function parseCheckpointMode(text: unknown): CheckpointMode | undefined {
  if (text === undefined) return undefined;
  const mode = checkpointModes.find((one) => one === text);
  if (mode !== undefined) return mode;
  const message = `--checkpoint-mode: "${text}" is not ${checkpointModes.join(' or ')}`;
  throw typedError('FLAG_VALUE', message, {
    hint: 'Write --checkpoint-mode unaligned for checkpoints that do not wait behind slow tasks.',
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
