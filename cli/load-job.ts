/**
 * Loads a job file: a module whose default export is a job. Whatever can be wrong with it is said in
 * one message that names the file and, where there is one, the line; no stack of ours is shown.
 *
 * Before: cli/commands/run.ts. After: engine/api/define-job.ts.
 */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { registerMillraceResolver } from '../base/env/millrace-resolver.ts';
import { typedError } from '../base/typed-error.ts';
import type { JobDefinition } from '../engine/api/define-job.ts';

export interface LoadedJob {
  readonly job: JobDefinition;
  /** Absolute path of the module. */
  readonly path: string;
}

/**
 * Imports the file and checks that it exports a job.
 *
 * @param file - As the user wrote it, relative to `workingFolder`.
 * @throws JOB_FILE_NOT_FOUND, JOB_FILE_SYNTAX, JOB_FILE_TYPESCRIPT, JOB_FILE_IMPORT, JOB_FILE_THREW,
 * JOB_NOT_A_JOB, or what the module itself throws where that is a typed error.
 */
export async function loadJob(file: string, workingFolder: string): Promise<LoadedJob> {
  const path = resolve(workingFolder, file);
  checkFile(file, path);
  registerMillraceResolver();
  return { job: jobIn(await importJob(path, file), file), path };
}

/** The job that a module exports. @throws JOB_NOT_A_JOB */
export function jobIn(module: Record<string, unknown>, file: string): JobDefinition {
  if (!isJob(module.default)) throw notAJobError(file, module);
  return module.default;
}

/** @throws JOB_FILE_NOT_FOUND */
export function checkFile(file: string, path: string): void {
  if (!existsSync(path)) {
    throw typedError('JOB_FILE_NOT_FOUND', `there is no job file "${file}"`, {
      hint: `Looked for ${path}. Write the path of a .ts, .js or .mjs file that exports a job.`,
    });
  }
  if (statSync(path).isDirectory()) {
    throw typedError('JOB_FILE_NOT_FOUND', `"${file}" is a folder, not a job file`, {
      hint: 'Write the path of the file in it that exports a job, for example folder/job.ts.',
    });
  }
}

async function importJob(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    // Only a failure pays for loading what explains it.
    const { importError } = await import('./import-error.ts');
    throw await importError(error, path, file);
  }
}

function isJob(value: unknown): value is JobDefinition {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === jobKind;
}

const jobKind: JobDefinition['kind'] = 'millrace.job';

function notAJobError(file: string, module: Record<string, unknown>) {
  const names = Object.keys(module).filter((name) => name !== 'default');
  const named = names.find((name) => isJob(module[name]));
  const found =
    'default' in module
      ? 'its default export is no job'
      : names.length === 0
        ? 'it exports nothing'
        : `it has no default export, only ${names.map((name) => `"${name}"`).join(', ')}`;
  const hint =
    named === undefined
      ? "Write: import { defineJob } from 'millrace'; export default defineJob({ name: …, build: … });"
      : `"${named}" is a job: write "export default ${named};".`;
  return typedError('JOB_NOT_A_JOB', `"${file}" exports no job: ${found}`, { hint });
}
