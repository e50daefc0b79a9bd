/**
 * `millrace/run`: runs a job inside of a program, on slot threads of its process, as `millrace run` does,
 * and gives it the rows of the job's sinks of memory.
 *
 * Slot threads get the job as data. Functions do not cross threads, so a job that has some is loaded
 * again in each: it has to be the default export of a module of its own, which is named here.
 *
 * Before: the user's program. After: cli/program-job.ts.
 */
import type { JobDefinition } from '../engine/api/define-job.ts';
import { startEmbedded } from './embedded.ts';
import {
  type JobSettings,
  type RunResult,
  runWith,
  type SlotSettings,
  slotsOf,
} from './program-job.ts';

export type { RowsInput } from '../connectors/program/row-feed.ts';
export type { JobSummary } from './job-summary.ts';
export type { JobSettings, ResultRow, RunResult, SlotSettings } from './program-job.ts';
export { openSlots, type Slots } from './program-slots.ts';
export { type SavepointState, writeSavepoint } from './write-savepoint.ts';

/** How a program runs a job, and on what. */
export interface RunSettings extends JobSettings, SlotSettings {}

/**
 * Runs a job to its end.
 *
 * @param given - A job; or the path or URL of the module whose default export it is.
 * @throws What failed the job: typed errors by their code, or what the program's own code threw.
 * JOB_CANCELLED when the signal ended it. PROGRAM_MODULE_MISSING, PROGRAM_NO_ROWS.
 * @see README.md, "In a program"
 */
export function run(
  given: JobDefinition | URL | string,
  settings: RunSettings = {},
): Promise<RunResult> {
  const slots = slotsOf(settings);
  return runWith((options) => startEmbedded({ ...options, ...slots }), given, {
    ...settings,
    parallelism: slots.parallelism,
  });
}
