/**
 * Savepoints that somebody waits for. The rules answer each request once (`answer` in coordinator/checkpoint/attempt-checkpoints.ts);
 * then it is copied where it is wanted.
 *
 * Before: coordinator/job/job-checkpoints.ts. After: coordinator/checkpoint/store/copy-savepoint.ts.
 */
import { assert } from '../../base/assert.ts';
import { typedError } from '../../base/typed-error.ts';
import type { CheckpointEffect } from '../checkpoint/attempt-checkpoints.ts';
import type { AttemptStore } from '../checkpoint/store/checkpoint-store.ts';

/** What is wanted of a savepoint, and of the attempt. */
export interface SavepointRequest {
  /** Where it is to be copied; null: it stays where the job's checkpoints are. */
  readonly folder: string | null;
  /**
   * `halt`: nothing is given out behind it, until the attempt ends or the savepoint fails. `drain`: sources end where they
   * are, and it is what there is at the end. Null: the job goes on.
   */
  readonly ending: 'halt' | 'drain' | null;
}

/** One that is complete, and whose rows are visible. */
export interface Savepoint {
  readonly checkpointId: number;
  /** The folder with its manifest. */
  readonly path: string;
}

export interface SavepointRequestsOptions {
  readonly jobId: string;
  readonly store: AttemptStore;
  /** Has sources go on that have halted for a savepoint which could not be copied. */
  readonly goOn: () => void;
}

interface Wanted {
  readonly folder: string | null;
  readonly halts: boolean;
  readonly resolve: (savepoint: Savepoint) => void;
  readonly reject: (error: unknown) => void;
}

export class SavepointRequests {
  readonly #options: SavepointRequestsOptions;
  readonly #wanted = new Map<string, Wanted>();
  #count = 0;

  constructor(options: SavepointRequestsOptions) {
    this.#options = options;
  }

  /** @throws SAVEPOINT_TARGET_TAKEN, and errors of the disk, where it could not be copied there. */
  async check(folder: string | null): Promise<void> {
    if (folder !== null) await this.#options.store.checkTarget(folder);
  }

  /** `taken`: when it is there, and all its rows are visible. */
  add({ folder, halts }: Pick<Wanted, 'folder' | 'halts'>): {
    readonly request: string;
    readonly taken: Promise<Savepoint>;
  } {
    const request = `${++this.#count}`;
    const { promise, resolve, reject } = Promise.withResolvers<Savepoint>();
    this.#wanted.set(request, { folder, halts, resolve, reject });
    return { request, taken: promise };
  }

  /** A part of the attempt's work: it does not end while what was asked for is being copied. */
  async answer({ request, checkpointId, failure }: CheckpointEffect & { kind: 'answer' }) {
    const { jobId, store, goOn } = this.#options;
    const wanted = this.#wanted.get(request);
    assert(wanted !== undefined, 'an answer is to somebody who asked');
    this.#wanted.delete(request);
    const { folder, halts, resolve, reject } = wanted;
    if (failure !== null) {
      reject(savepointFailed(jobId, failure));
      return;
    }
    try {
      if (folder !== null) await store.copyTo(checkpointId, folder);
      resolve({ checkpointId, path: folder ?? `${store.root}/${store.folderOf(checkpointId)}` });
    } catch (error) {
      if (halts) goOn();
      reject(error);
    }
  }
}

export function savepointFailed(jobId: string, reason: string) {
  return typedError('SAVEPOINT_FAILED', `job "${jobId}" has no savepoint: ${reason}`, {
    hint: 'A job that still runs goes on as before: mend what the message says, and ask again.',
  });
}
