/**
 * What functions of mapReduce are given besides rows: counters to add to, and small files that all tasks
 * read whole. One per task and operator.
 *
 * Counters travel when the task is done, so those of an attempt that failed count nowhere. `combine` may run
 * any number of times, and what it counts says so.
 */
import type { SyncDisk } from '../../base/env/disk.ts';
import { codeOf, typedError } from '../../base/typed-error.ts';
import { formatBytes } from '../../base/units.ts';
import type { FunctionContext, SideFile } from '../plan/user-functions.ts';

/** Of one file: what every task can hold besides its work. */
const sideFileBytesMax = 64 * 1024 * 1024;
const countersMax = 1000;
const nameLengthMax = 200;

export class FunctionCounters {
  readonly #counts = new Map<string, number>();

  /** @throws JOB_ARGUMENT_INVALID for what is no count, and for more than 1,000 counters. */
  add(counter: string, by: number): void {
    const sum = (this.#counts.get(counter) ?? 0) + by;
    if (!Number.isSafeInteger(by) || !Number.isSafeInteger(sum)) {
      throw badCounter(`counter "${counter}" can't count ${by}`, 'Counts are whole numbers.');
    }
    if (!this.#counts.has(counter)) {
      if (typeof counter !== 'string' || counter.length > nameLengthMax) {
        throw badCounter('the name of a counter is a text of up to 200 characters', 'Shorten it.');
      }
      if (this.#counts.size === countersMax) {
        const hint = 'Count by few names: rows by key are an output of the job, not counters.';
        throw badCounter(`there are more than 1,000 counters; one is "${counter}"`, hint);
      }
    }
    this.#counts.set(counter, sum);
  }

  /** Counts by name. */
  counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}

/** Of functions that are given none: it counts nothing and has no files. */
export const noFunctionContext: FunctionContext = Object.freeze({
  count: () => undefined,
  sideFile: (name: string) => {
    throw typedError('JOB_SIDE_FILE', `there is no side file "${name}"`, {
      hint: 'Name it in the options of mapReduce: sideFiles.',
    });
  },
});

export interface FunctionContextOptions {
  readonly operator: string;
  readonly counters: FunctionCounters;
  readonly disk: SyncDisk;
  /** Name → path. */
  readonly sideFiles: Readonly<Record<string, string>>;
}

/** @throws JOB_SIDE_FILE for a file that can't be read, or is larger than 64 MiB. */
export function functionContextOf(options: FunctionContextOptions): FunctionContext {
  const { operator, counters, disk } = options;
  const files = new Map(
    Object.entries(options.sideFiles).map(([name, path]) => [name, readSideFile(disk, name, path)]),
  );
  return Object.freeze({
    count: (counter: string, by = 1) => counters.add(counter, by),
    sideFile(name: string): SideFile {
      const file = files.get(name);
      if (file !== undefined) return file;
      const names = [...files.keys()].map((one) => `"${one}"`).join(', ') || 'none';
      throw typedError('JOB_SIDE_FILE', `operator "${operator}" has no side file "${name}"`, {
        hint: `Name it in the options: sideFiles: { ${JSON.stringify(name)}: path }. There are ${names}.`,
      });
    },
  });
}

function readSideFile(disk: SyncDisk, name: string, path: string): SideFile {
  const bytes = bytesOf(disk, name, path);
  let text: string | null = null;
  return Object.freeze({
    bytes,
    get text(): string {
      text ??= new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes);
      return text;
    },
  });
}

function bytesOf(disk: SyncDisk, name: string, path: string): Uint8Array {
  try {
    const file = disk.open(path, 'read');
    try {
      const sizeBytes = disk.stat(path)?.sizeBytes ?? 0;
      if (sizeBytes > sideFileBytesMax) throw tooLarge(name, path, sizeBytes);
      const bytes = new Uint8Array(sizeBytes);
      return bytes.subarray(0, disk.read(file, bytes, 0));
    } finally {
      disk.close(file);
    }
  } catch (error) {
    if (codeOf(error) === 'JOB_SIDE_FILE') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw typedError('JOB_SIDE_FILE', `side file "${name}" can't be read: ${reason}`, {
      hint: 'Give the path of a file; it is looked for from the folder that the job was started in.',
      details: { path },
      cause: error,
    });
  }
}

function tooLarge(name: string, path: string, sizeBytes: number): Error {
  const message = `side file "${name}" has ${formatBytes(sizeBytes)}, at most ${formatBytes(sideFileBytesMax)} are read`;
  return typedError('JOB_SIDE_FILE', message, {
    hint: 'Read it as a source and join with it.',
    details: { path },
  });
}

function badCounter(message: string, hint: string): Error {
  return typedError('JOB_ARGUMENT_INVALID', message, { hint });
}
