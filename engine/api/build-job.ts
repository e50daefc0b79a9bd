/**
 * Building: a job and the values of its parameters become a logical graph and the user's functions.
 * Every thread that runs a part of the job does this with the same values, and gets the same graph.
 * Before: engine/api/define-job.ts · After: coordinator/planner/planner.ts
 */
import { isOwnPlace, plainPath } from '../../base/own-places.ts';
import { TypedError, typedError } from '../../base/typed-error.ts';
import { deadLetterSchema } from '../contracts/dead-letters.ts';
import type { LogicalGraph } from '../plan/logical-graph.ts';
import { appendNode, draftsBefore, finishGraph, type NodeDraft } from '../plan/logical-node.ts';
import type { UserFunctions } from '../plan/user-functions.ts';
import type { BuildContext, JobDefinition } from './define-job.ts';
import {
  isSink,
  type ReadOptions,
  type RunFlags,
  type SinkOf,
  type SourceOf,
  WrittenStream,
} from './endpoints.ts';
import { resolveParams } from './param-values.ts';
import { describe } from './row.ts';
import './deduplicate.ts';
import './keyed-process.ts';
import './window-process.ts';
import './match-verb.ts';
import { Stream } from './stream.ts';

export { fingerprintOf } from '../plan/fingerprint.ts';

/** A job ready to be planned. */
export interface BuiltJob {
  readonly graph: LogicalGraph;
  /** The user's functions by operator id. */
  readonly functions: ReadonlyMap<string, UserFunctions>;
  /** What the program gives its sources, by operator id. */
  readonly feeds: ReadonlyMap<string, unknown>;
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
  const deadLetters: DeadLetters[] = [];
  const read = <C>(source: SourceOf<C>, options?: ReadOptions) => {
    const node = sourceNode(source, { ...options, rate: rateOf(options, flags) }, flags);
    if (options?.deadLetters !== undefined) deadLetters.push({ node, sink: options.deadLetters });
    return new Stream<C>(node);
  };
  const context = Object.freeze({ read, params: values }) as unknown as BuildContext<never>;
  let written: unknown;
  try {
    written = job.build(context);
    if (areWritten(written)) {
      const ends = [written].flat().map((stream) => sinkNode(stream, flags));
      const drafts = draftsBefore(ends);
      const used = deadLetters.filter(({ node }) => drafts.includes(node));
      const sinks = used.map((one) => deadLetterNode(one, flags));
      const asides = drafts.flatMap((node) => asideNode(node, flags));
      const mode = job.mode ?? (drafts.some(isUnbounded) ? 'streaming' : 'batch');
      return Object.freeze(finishGraph(job.name, [...ends, ...sinks, ...asides], mode));
    }
  } catch (error) {
    throw buildError(job.name, error);
  }
  throw noSink(job.name, written);
}

function isUnbounded({ content }: NodeDraft): boolean {
  return content.kind === 'source' && content.source.isUnbounded === true;
}

/** Rows per second; null for as fast as they are taken. @throws JOB_ARGUMENT_INVALID */
function rateOf({ rate }: ReadOptions = {}, flags: RunFlags): number | null {
  const isRate = Number.isFinite(rate) && Number(rate) >= 1e-3;
  if (rate !== undefined && rate !== null && !isRate) {
    throw typedError('JOB_ARGUMENT_INVALID', `rate of read can't be ${describe(rate)}`, {
      hint: 'Give rows per second, a number from 0.001 on: read(source, { rate: 10_000 }).',
    });
  }
  return rate === null ? null : (flags.rate ?? rate ?? null);
}

function areWritten(given: unknown): given is WrittenStream | readonly WrittenStream[] {
  if (!Array.isArray(given)) return given instanceof WrittenStream;
  return given.length > 0 && given.every((one) => one instanceof WrittenStream);
}

function sinkNode({ node, sink, options }: WrittenStream, flags: RunFlags): NodeDraft {
  const given = typeof sink === 'function' ? sink(flags) : sink;
  const spec = { ...given, options: withWholePath(given.options, flags) };
  const { schema } = node.content;
  return appendNode([node], { kind: 'sink', sink: spec, schema }, options);
}

/** A source, and where what it can't read goes. */
interface DeadLetters {
  readonly node: NodeDraft;
  readonly sink: SinkOf;
}

function deadLetterNode({ node, sink }: DeadLetters, flags: RunFlags): NodeDraft {
  const letters = appendNode([node], { kind: 'deadLetters', schema: deadLetterSchema });
  // `--format` is meant for the job's output.
  const { format: _, ...rest } = flags;
  return sinkNode(new WrittenStream(letters, sink, { name: 'dead letters' }), rest);
}

/** The sink of what a node puts aside; none where it only counts. */
function asideNode(node: NodeDraft, { format: _, ...flags }: RunFlags): NodeDraft[] {
  const [input] = node.inputs;
  if (node.aside === undefined || input === undefined) return [];
  const rows = appendNode([node], { kind: 'aside', schema: input.content.schema });
  const name = node.content.kind === 'eventTime' ? 'untimely rows' : 'late rows';
  return [sinkNode(new WrittenStream(rows, node.aside as SinkOf, { name }), flags)];
}

/** @throws JOB_ARGUMENT_INVALID */
function sourceNode(given: SourceOf<unknown>, options: ReadOptions, flags: RunFlags): NodeDraft {
  const isSource = typeof given?.connector === 'string' && given.schema !== undefined;
  if (!isSource) {
    throw typedError('JOB_ARGUMENT_INVALID', `read needs a source, got ${describe(given)}`, {
      hint: 'Give a source of a connector: files.source({ path, format: text() }).',
    });
  }
  const { deadLetters, rate = null, ...verb } = options;
  if (deadLetters !== undefined && !isSink(deadLetters)) {
    const message = `read needs a sink for dead letters, got ${describe(deadLetters)}`;
    throw typedError('JOB_ARGUMENT_INVALID', message, {
      hint: 'Give a sink of a connector: { deadLetters: files.sink({ path: "dead.ndjson" }) }.',
    });
  }
  const source = rate === null ? given : (given.atRate?.(rate) ?? { ...given, rate });
  const { connector, schema, usesPredicate, canSample, isUnbounded, feed } = source;
  const knows = {
    ...(usesPredicate && { usesPredicate }),
    ...(canSample && { canSample }),
    ...(isUnbounded && { isUnbounded }),
    ...(source.rate !== undefined && { rate: source.rate }),
  };
  const spec = { connector, options: withWholePath(source.options, flags), schema, ...knows };
  const node = appendNode([], { kind: 'source', source: spec, schema }, verb);
  return feed === undefined ? node : Object.freeze({ ...node, feed });
}

const wholePath = /^(?:[/\\]|[a-z]:[/\\]|[a-z][a-z0-9+.-]+:\/\/)/i;

/** The options of an end with a path that means the same in every process. */
function withWholePath<Options>(options: Options, { folder }: RunFlags): Options {
  if (folder === undefined || typeof options !== 'object' || options === null) return options;
  if (!('path' in options) || typeof options.path !== 'string') return options;
  const { path } = options;
  return wholePath.test(path) ? options : { ...options, path: `${folder}/${path}` };
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

/** `/home/ada/job.ts:12:7` of the innermost frame that is not the engine's own, or null. */
function placeOf(error: unknown): string | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const line of stack.split('\n')) {
    const match = /\s\(?((?:file:|\/|[A-Za-z]:\\)[^(),]*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (match === undefined) continue;
    if (!isOwnPlace(match)) return plainPath(match);
  }
  return null;
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
  if (Array.isArray(written) && written.length === 0) {
    return typedError('JOB_NO_SINK', `build of job "${jobName}" returned an empty list`, {
      hint: 'Return at least one of what writeTo returns.',
    });
  }
  const does = Array.isArray(written) ? 'has a stream that does' : 'does';
  return typedError('JOB_NO_SINK', `job "${jobName}" ${does} not end in writeTo`, {
    hint: 'End the stream with .writeTo(files.sink({ path })).',
  });
}
