/** What can be wrong with the checkpoints in a folder, and what to do about it. */
import { typedError } from '../../../base/typed-error.ts';

/** @param folder - Of the log. */
export function fencedError(folder: string, number: number) {
  return typedError('CHECKPOINT_FENCED', 'another attempt of the job has taken over', {
    hint: 'Somebody has started the job again with the same checkpoint folder: this attempt ends, the other one goes on.',
    details: { folder, number },
  });
}

export function notFoundError(path: string, known: readonly string[]) {
  const hint =
    known.length === 0
      ? 'Name the folder of a checkpoint or savepoint: one with a manifest.json in it.'
      : `The newest ones there are ${known.slice(-3).join(', ')}.`;
  return typedError('CHECKPOINT_NOT_FOUND', `there is no complete checkpoint in "${path}"`, {
    hint,
    details: { path },
  });
}

export function newerVersionError(path: string, version: number, known: number) {
  const message = `"${path}" has version ${version} of its format, and this Millrace reads up to ${known}`;
  return typedError('CHECKPOINT_VERSION', message, {
    hint: 'Use the version of Millrace that wrote it, or a newer one.',
    details: { path, version },
  });
}

/** What is wrong with a file of a checkpoint. */
export interface Damage {
  readonly path: string;
  /** Completes the sentence: file … */
  readonly problem: string;
}

export function damagedError(path: string, damage: Damage) {
  const message = `the checkpoint in "${path}" is damaged: file "${damage.path}" ${damage.problem}`;
  return typedError('CHECKPOINT_DAMAGED', message, {
    hint: 'Go on from another one: "millrace checkpoints DIR" lists them. Look at the disk.',
    details: { path: damage.path },
  });
}

export function targetTakenError(path: string) {
  return typedError('SAVEPOINT_TARGET_TAKEN', `the folder "${path}" is not empty`, {
    hint: 'Name a folder for the savepoint that is empty, or that does not exist yet.',
    details: { path },
  });
}
