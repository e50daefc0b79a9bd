/**
 * The folder of this worker's spill files, and what dead processes left beside it.
 *
 *     <spill dir>/<identity of the process>~<chance>/<job>-<attempt>/<task>/…
 *
 * A folder is removed with its attempt and with its worker. What a process left that was killed is removed by
 * the next worker that starts: it knows by the name whether that process still runs. A folder whose
 * owner it can't know, for it ran on another host or in another container, is left alone.
 *
 * Nothing here fails a job: what can't be removed is reported as an event.
 */
import type { Env } from '../base/env/env.ts';
import { codeOf, toWire } from '../base/typed-error.ts';
import type { JobRef } from '../coordinator/protocol.ts';
import { hiddenPathOf } from '../engine/shuffle/map-output.ts';
import type { TaskAttempt } from './threads/slot-messages.ts';

/** Where a task's attempt spills, below the folder of its job. */
export function taskFolderOf(jobFolder: string, { taskId, attempt }: TaskAttempt): string {
  return `${jobFolder}/${taskId}~${attempt}`;
}

/** Where the files of a job's attempt are, below the folder of a process. */
export function jobFolderOf(spillFolder: string, { jobId, epoch }: JobRef): string {
  return `${spillFolder}/${jobId}-${epoch}`;
}

/** Where its map outputs are. */
export function shuffleFolderOf(jobFolder: string): string {
  return `${jobFolder}/shuffle`;
}

export class SpillFolder {
  readonly #env: Env;
  readonly #spillDir: string;
  readonly #path: string;

  constructor(env: Env, spillDir: string) {
    this.#env = env;
    this.#spillDir = spillDir;
    this.#path = `${spillDir}/${env.process.identity}~${env.secrets.hex(4)}`;
  }

  /** Of all attempts. */
  get path(): string {
    return this.#path;
  }

  /** Where an attempt's files go; made by the first task that spills. */
  ofJob({ jobId, epoch }: JobRef): string {
    return jobFolderOf(this.#path, { jobId, epoch });
  }

  removeJob(job: JobRef): Promise<void> {
    return this.#remove(this.ofJob(job));
  }

  /** Removes what a task's attempt, which has ended, has kept or handed on. */
  async removeAttempt(job: JobRef, task: TaskAttempt, outputs: readonly string[]): Promise<void> {
    const paths = outputs.flatMap((path) => [path, hiddenPathOf(path)]);
    for (const path of paths) await this.#attempt(path, () => this.#env.disk.unlink(path));
    await this.#remove(taskFolderOf(this.ofJob(job), task));
  }

  /** Removes all files of this worker. */
  removeAll(): Promise<void> {
    return this.#remove(this.#path);
  }

  /** Removes what processes left that have ended. */
  async removeStale(): Promise<void> {
    for (const name of await this.#names()) {
      const identity = name.slice(0, name.lastIndexOf('~'));
      if (identity !== '' && this.#env.process.hasEnded(identity)) {
        await this.#remove(`${this.#spillDir}/${name}`);
      }
    }
  }

  async #names(): Promise<string[]> {
    try {
      const entries = await this.#env.disk.list(this.#spillDir);
      return entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name);
    } catch (error) {
      if (codeOf(error) !== 'DISK_NOT_FOUND') this.#report(this.#spillDir, error);
      return [];
    }
  }

  #remove(path: string): Promise<void> {
    return this.#attempt(path, () => this.#env.disk.removeTree(path));
  }

  async #attempt(path: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#report(path, error);
    }
  }

  #report(path: string, error: unknown): void {
    this.#env.observe.event('spill.cleanup-failed', { path, message: toWire(error).message });
  }
}
