/**
 * Finds the user's functions in a slot thread: loads the job's module, builds the logical graph
 * again and compares its fingerprint with the plan's. A job whose graph depends on chance or on the
 * time would run other functions than were planned, so a difference is an error.
 */
import { TypedError, typedError } from '../../base/typed-error.ts';
import type { JobModule } from '../../coordinator/protocol.ts';
import { buildJob, fingerprintOf } from '../../engine/api/build-job.ts';
import type { JobDefinition } from '../../engine/api/define-job.ts';
import { decodeParams } from '../../engine/api/param-wire.ts';
import type { UserFunctions } from '../../engine/plan/user-functions.ts';
import { functionBuilders } from '../../engine/task/build-function-operators.ts';
import type { TaskDeployment } from './slot-messages.ts';

export type FunctionLookup = ReadonlyMap<string, UserFunctions>;

const functionKinds: ReadonlySet<string> = new Set(Object.keys(functionBuilders));

/** The functions of the job that was asked for last: its stages come one after the other. */
export class JobFunctions {
  readonly #importModule: (file: string) => Promise<unknown>;
  #last: { readonly key: string; readonly functions: Promise<FunctionLookup> } | null = null;

  constructor(importModule: (file: string) => Promise<unknown>) {
    this.#importModule = importModule;
  }

  /** Loads nothing when none of the tasks calls a user function. @throws JOB_FUNCTIONS_DIFFER, JOB_FILE_THREW */
  load(module: JobModule, tasks: readonly TaskDeployment[]): Promise<FunctionLookup> {
    if (!tasks.some(callsUser)) return Promise.resolve(new Map());
    const key = JSON.stringify(module);
    if (this.#last?.key !== key) this.#last = { key, functions: this.#build(module) };
    return this.#last.functions;
  }

  /** The next job gets new ones, whatever these have kept. */
  forget(): void {
    this.#last = null;
  }

  async #build({ file, params, flags, fingerprint }: JobModule): Promise<FunctionLookup> {
    const { default: job } = (await this.#import(file)) as { default: JobDefinition };
    const { graph, functions } = buildJob(job, decodeParams(params), flags);
    if (fingerprintOf(graph) !== fingerprint) {
      throw typedError('JOB_FUNCTIONS_DIFFER', `job "${job.name}" builds another graph each time`, {
        hint: 'Make the build function depend on its parameters only: no time, chance or environment.',
      });
    }
    return functions;
  }

  /** What loads where the job was submitted may not load here: the user's code sees another environment. */
  async #import(file: string): Promise<unknown> {
    try {
      return await this.#importModule(file);
    } catch (error) {
      if (error instanceof TypedError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw typedError('JOB_FILE_THREW', `the job file threw while a worker loaded it: ${reason}`, {
        hint: 'Code at the top level of a job file runs on each worker, too, with the environment and the files that are there.',
        cause: error,
      });
    }
  }
}

function callsUser({ vertex, outputs }: TaskDeployment): boolean {
  if (outputs.some(({ exchange }) => exchange.kind === 'partition')) return true;
  return vertex.chain.some((spec) => functionKinds.has(spec.kind));
}
