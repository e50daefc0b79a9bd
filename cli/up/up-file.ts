/**
 * `DATA/up.json`: which process has a cluster up in this folder, and where it is. There is one or none; who makes it owns the folder.
 *
 * The process is known by its identity, which has when it began beside its number: numbers are given out again, and nobody else's process
 * is ever ended.
 */
import { linkSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCodeOf, toDiskError } from '../../base/env/disk-error.ts';
import type { CliEnv } from '../cli-env.ts';
import { writePrivateFile } from './private-authority.ts';

export interface UpState {
  readonly identity: string;
  readonly pid: number;
  /** Null while it is starting. */
  readonly address: string | null;
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    readonly identity: string;
  }[];
}

export function upFileOf(data: string): string {
  return join(data, 'up.json');
}

/** Null when there is none. */
export function readUpFile(data: string): UpState | null {
  const path = upFileOf(data);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const systemCode = systemCodeOf(error);
    if (systemCode === 'ENOENT' || systemCode === 'ENOTDIR') return null;
    throw toDiskError(error, path);
  }
}

export type Taken =
  /** By this process now; `left` are the processes of one that was killed. */
  | { readonly isOwn: true; readonly left: UpState['processes'] }
  | { readonly isOwn: false; readonly by: UpState };

/** Makes the file, unless another process has it. */
export function takeUpFile(env: Pick<CliEnv, 'process'>, data: string, state: UpState): Taken {
  const path = upFileOf(data);
  const own = `${path}.${state.pid}`;
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    writePrivateFile(own, JSON.stringify(state));
    let left: UpState['processes'] = [];
    while (!isLinked(own, path)) {
      const other = readUpFile(data);
      if (other === null) continue;
      if (!env.process.hasEnded(other.identity)) return { isOwn: false, by: other };
      left = other.processes;
      removeFile(path);
    }
    return { isOwn: true, left };
  } catch (error) {
    throw toDiskError(error, data);
  } finally {
    removeFile(own);
  }
}

export function writeUpFile(data: string, state: UpState): void {
  try {
    writePrivateFile(upFileOf(data), JSON.stringify(state));
  } catch (error) {
    throw toDiskError(error, upFileOf(data));
  }
}

export function removeUpFile(data: string): void {
  removeFile(upFileOf(data));
}

/** A name is given whole or not at all. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const isGone = ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error));
    if (!isGone) throw error;
  }
}
