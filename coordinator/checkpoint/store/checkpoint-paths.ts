/**
 * Where the parts of a checkpoint are, and that a name from outside leads nowhere else.
 *
 *     <checkpoint dir>/<job name>/log/0000000007            entries of the log, by number
 *                                 chk-12-3/manifest.json     checkpoint 12, begun by attempt 3
 *                                 chk-12-3/…                what tasks wrote for it
 *
 * On disk: docs/formats/checkpoint.md.
 */
import { assert } from '../../../base/assert.ts';

export const logFolder = 'log';
export const manifestName = 'manifest.json';

/** The name of the folder of a job: what could lead elsewhere, or differs between systems, is written as %xx. */
export function jobFolderName(jobName: string): string {
  const bytes = new TextEncoder().encode(jobName);
  const isPlain = (byte: number, index: number) =>
    /[A-Za-z0-9_-]/.test(String.fromCharCode(byte)) || (byte === 0x2e && index > 0);
  const name = [...bytes].map((byte, index) =>
    isPlain(byte, index)
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  );
  assert(name.length > 0, 'a job has a name');
  return name.join('');
}

/** The job that a folder is of; a name that no job has is taken as it is. */
export function parseJobFolderName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  const parsed: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const code = /^%([0-9A-F]{2})/.exec(String.fromCharCode(...bytes.subarray(at, at + 3)))?.[1];
    parsed.push(code === undefined ? (bytes[at] ?? 0) : Number.parseInt(code, 16));
    if (code !== undefined) at += 2;
  }
  return new TextDecoder().decode(new Uint8Array(parsed));
}

export interface CheckpointFolder {
  readonly checkpointId: number;
  readonly epoch: number;
}

/** Where tasks put their files, below the folder of the job. */
export function checkpointFolderName({ checkpointId, epoch }: CheckpointFolder): string {
  return `chk-${checkpointId}-${epoch}`;
}

export function parseCheckpointFolder(name: string): CheckpointFolder | null {
  const match = /^chk-(\d{1,15})-(\d{1,15})$/.exec(name);
  return match === null ? null : { checkpointId: Number(match[1]), epoch: Number(match[2]) };
}

const entryDigits = 10;

export function entryName(number: number): string {
  return String(number).padStart(entryDigits, '0');
}

export function parseEntryName(name: string): number | null {
  return /^\d{10,15}$/.test(name) ? Number(name) : null;
}

/** A path that a manifest names, below a folder; null when it would lead out of it, or is none. */
export function pathBelow(folder: string, path: string): string | null {
  const isPlain = (name: string) =>
    name !== '' && name !== '.' && name !== '..' && !/[\\\0]/.test(name);
  return path.split('/').every(isPlain) ? `${folder}/${path}` : null;
}
