/**
 * Building: a job and the values of its parameters become a logical graph and the user's functions.
 * Every thread that runs a part of the job does this with the same values, and gets the same graph.
 * Before: engine/api/define-job.ts · After: coordinator/planner/planner.ts
 */
import { TypedError, typedError } from '../../base/typed-error.ts';
import type { LogicalGraph } from '../plan/logical-graph.ts';
import { appendNode, finishGraph, type NodeDraft } from '../plan/logical-node.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import type { BuildContext, JobDefinition } from './define-job.ts';
import { type RunFlags, type SourceOf, WrittenStream } from './endpoints.ts';
import { resolveParams } from './param-values.ts';
import { describe } from './row.ts';
import { Stream } from './stream.ts';

export { fingerprintOf } from '../plan/fingerprint.ts';

/** A job ready to be planned. */
export interface BuiltJob {
  readonly graph: LogicalGraph;
  /** The user's functions by operator id. */
  readonly functions: ReadonlyMap<string, UserFunctions>;
}

const noFlags: RunFlags = Object.freeze({ overwrite: false });

/**
 * Builds a job.
 *
 * @param params - Typed values by parameter name; defaults are filled in.
 * @param flags - What the command line asks of sinks that leave it open.
 * @throws What the job's verbs throw; JOB_BUILD_FAILED with the place for any other error;
 * JOB_NO_SINK when `build` returns no written stream; PARAM_… for the parameters.
 */
export function buildJob(
  job: JobDefinition,
  params: Readonly<Record<string, unknown>>,
  flags: RunFlags = noFlags,
): BuiltJob {
  const values = Object.freeze(resolveParams(job.params, params));
  const context = Object.freeze({ read, params: values }) as unknown as BuildContext<never>;
  let written: unknown;
  try {
    written = job.build(context);
    if (written instanceof WrittenStream) {
      return Object.freeze(finishGraph(job.name, [sinkNode(written, flags)]));
    }
  } catch (error) {
    throw buildError(job.name, error);
  }
  throw noSink(job.name, written);
}

function sinkNode({ node, sink, options }: WrittenStream, flags: RunFlags): NodeDraft {
  const spec = typeof sink === 'function' ? sink(flags) : sink;
  const { schema } = node.content;
  return appendNode([node], { kind: 'sink', sink: spec, schema }, options);
}

function read<C>(source: SourceOf<C>): Stream<C> {
  const isSource = typeof source?.connector === 'string' && source.schema !== undefined;
  if (!isSource) {
    throw typedError('JOB_ARGUMENT_INVALID', `read needs a source, got ${describe(source)}`, {
      hint: 'Give a source of a connector: files.source({ path, format: text() }).',
    });
  }
  const { connector, options, schema } = source;
  return new Stream(
    appendNode([], { kind: 'source', source: { connector, options, schema }, schema }),
  );
}

/** The user's own typed errors with their place; anything else as the failure that it is. */
function buildError(jobName: string, error: unknown): Error {
  const place = placeOf(error);
  if (error instanceof TypedError) {
    if (place === null) return error;
    const details = { place, ...error.info.details };
    const placed = new TypedError(error.message, { ...error.info, details }, error.cause);
    if (error.stack !== undefined) placed.stack = error.stack;
    return placed;
  }
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return typedError('JOB_BUILD_FAILED', `build of job "${jobName}" failed: ${reason}`, {
    hint: place === null ? 'Look at the build function of the job.' : `Look at ${place}.`,
    ...(place !== null && { details: { place } }),
    cause: error,
  });
}

/** Where this package is: frames in it are not the user's. In a bundle it is one file. */
const ownPlaces = ['../../base/', '../../engine/', '../../connectors/', ''].map((path) =>
  plainPath(new URL(path, import.meta.url).href),
);

/** `/home/ada/job.ts:12:7` of the innermost frame that is not the engine's own, or null. */
function placeOf(error: unknown): string | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const match = /\s\(?((?:file:|\/|[A-Za-z]:\\)[^(),]*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (match === undefined) continue;
    const place = plainPath(match);
    if (!ownPlaces.some((own) => place.startsWith(own))) return place;
  }
  return null;
}

function plainPath(path: string): string {
  return path.startsWith('file://') ? decodeURI(path.slice('file://'.length)) : path;
}

function noSink(jobName: string, written: unknown): Error {
  if (written instanceof Promise) {
    // Whatever it ends with, the answer is the same: build is not asynchronous.
    written.catch(() => undefined);
    return typedError('JOB_NO_SINK', `build of job "${jobName}" is asynchronous`, {
      hint: 'Describe the job without await; what must be loaded first comes in as a parameter.',
    });
  }
  if (written === undefined) {
    return typedError('JOB_NO_SINK', `build of job "${jobName}" returned nothing`, {
      hint: 'Return what writeTo returns; a lambda with { } needs a return.',
    });
  }
  return typedError('JOB_NO_SINK', `job "${jobName}" does not end in writeTo`, {
    hint: 'End the stream with .writeTo(files.sink({ path })).',
  });
}
