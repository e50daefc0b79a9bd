/**
 * Where the bench keeps what it makes once: the texts, the peers' Python environment, outputs. All
 * of it lies below `.cache/bench` of the project, is ignored by git, and may be deleted at any time.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('..', import.meta.url));
export const cacheFolder = join(projectFolder, '.cache', 'bench');

export const peersFolder = join(projectFolder, 'bench', 'peers');
export const packagesFolder = join(cacheFolder, 'packages');
export const unpackedFolder = join(cacheFolder, 'unpacked');
export const pythonFolder = join(cacheFolder, 'venv');
export const pythonPath = join(pythonFolder, 'bin', 'python');

/** The sizes of text: the largest is made of the packages, the others are its beginnings. */
export const textSizes = {
  '1GB': { sizeBytes: 1 << 30, file: 'text-1gb.txt' },
  '256MB': { sizeBytes: 1 << 28, file: 'text-256mb.txt' },
  '64MB': { sizeBytes: 1 << 26, file: 'text-64mb.txt' },
} as const;

export type TextSize = keyof typeof textSizes;

export function textPath(size: TextSize): string {
  return join(cacheFolder, textSizes[size].file);
}

/** Where a contestant writes its answer. */
export function outputPath(name: string): string {
  return join(cacheFolder, `out-${name}`);
}
