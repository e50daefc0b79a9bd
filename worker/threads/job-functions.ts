/**
 * Finds the user's functions in a slot thread: loads the job's module, builds the logical graph
 * again and compares its fingerprint with the plan's. A job whose graph depends on chance or on the
 * time would run other functions than were planned, so a difference is an error.
 */
import { typedError } from '../../base/typed-error.ts';
import type { JobModule } from '../../coordinator/protocol.ts';
import { buildJob, fingerprintOf } from '../../engine/api/build-job.ts';
import type { JobDefinition } from '../../engine/api/define-job.ts';
import { decodeParams } from '../../engine/api/param-wire.ts';
import type { OperatorSpec } from '../../engine/plan/physical-graph.ts';
import type { UserFunctions } from '../../engine/plan/user-functions.ts';
import type { TaskDeployment } from './slot-messages.ts';

export type FunctionLookup = ReadonlyMap<string, UserFunctions>;

const functionKinds: ReadonlySet<OperatorSpec['kind']> = new Set([
  'filterRows',
  'mapRows',
  'flatMap',
  'fold',
  'map',
  'combine',
  'reduce',
]);

/** Loads nothing when no task of this slot calls a user function. */
export async function loadFunctions(
  importModule: (file: string) => Promise<unknown>,
  module: JobModule,
  tasks: readonly TaskDeployment[],
): Promise<FunctionLookup> {
  if (!tasks.some(callsUser)) return new Map();
  const { default: job } = (await importModule(module.file)) as { default: JobDefinition };
  const { graph, functions } = buildJob(job, decodeParams(module.params), module.flags);
  if (fingerprintOf(graph) !== module.fingerprint) {
    throw typedError('JOB_FUNCTIONS_DIFFER', `job "${job.name}" builds another graph each time`, {
      hint: 'Make the build function depend on its parameters only: no time, chance or environment.',
    });
  }
  return functions;
}

function callsUser({ vertex, outputs }: TaskDeployment): boolean {
  if (outputs.some(({ exchange }) => exchange.kind === 'partition')) return true;
  return vertex.chain.some((spec) => functionKinds.has(spec.kind));
}
