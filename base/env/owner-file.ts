/**
 * One process owns a folder, or a file: `<path>.owner` names it, until it has surely ended. Two that find a dead owner at the same
 * moment could both take it over; who needs more than that needs a lease.
 */
import { decodeChecked, encodeChecked } from '../checked-text.ts';
import { codeOf } from '../typed-error.ts';
import type { Env } from './env.ts';
import { createWholeFile, readWholeFile } from './whole-files.ts';

type OwnerEnv = Pick<Env, 'disk' | 'process'>;

const ownerFormat = 'millrace-owner-1'; // On disk: never renumber.

/**
 * Resolves when `path` is this process's.
 *
 * @param inUse - The error to be thrown where another process has it, which may run.
 */
export async function own(
  { disk, process }: OwnerEnv,
  path: string,
  inUse: (owner: string) => Error,
): Promise<void> {
  const ownerPath = ownerPathOf(path);
  const name = encodeChecked(ownerFormat, process.identity);
  for (let tries = 0; tries < 3; tries++) {
    try {
      return await createWholeFile(disk, ownerPath, name);
    } catch (error) {
      if (codeOf(error) !== 'DISK_EXISTS') throw error;
    }
    const owner = decodeChecked(ownerFormat, (await readWholeFile(disk, ownerPath)) ?? name);
    // A torn name is that of a process that a power cut ended.
    const isOther = owner !== null && owner !== process.identity;
    if (isOther && !process.hasEnded(owner)) throw inUse(owner);
    await disk.unlink(ownerPath);
  }
  throw inUse('another process');
}

/** It is nobody's now. */
export async function disown({ disk }: Pick<Env, 'disk'>, path: string): Promise<void> {
  await disk.unlink(ownerPathOf(path));
}

function ownerPathOf(path: string): string {
  return `${path}.owner`;
}
