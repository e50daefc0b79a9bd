/**
 * `defineJob`: the first line of every job. It checks the declaration and keeps the builder; the
 * graph is made by `buildJob`, when the parameters are known.
 * Before: jobs/wordcount/job.ts · After: engine/api/stream.ts
 */
import { typedError } from '../../base/typed-error.ts';
import type { JobMode } from '../plan/logical-graph.ts';
import type { ReadOptions, SourceOf, WrittenStream } from './endpoints.ts';
import { type ParamSpecs, type ParamType, type ParamValues, paramSpecsOf } from './param.ts';
import { describe } from './row.ts';
import type { Stream } from './stream.ts';

/** What `build` is given. */
export interface BuildContext<P> {
  /** Starts a stream at a source. */
  readonly read: <C>(source: SourceOf<C>, options?: ReadOptions) => Stream<C>;
  /** The values of the parameters: defaults filled in, optional ones maybe undefined. */
  readonly params: ParamValues<P>;
}

/** A job: what a job file exports as default. */
export interface JobDefinition {
  readonly kind: 'millrace.job';
  readonly name: string;
  readonly params: ParamSpecs;
  /** How it runs unless it is asked to run otherwise; undefined: as its sources ask for. */
  readonly mode: JobMode | undefined;
  /** Describes the job, given the values of its parameters. */
  readonly build: (context: BuildContext<never>) => JobOutputs;
}

/** What `build` returns: where the job's streams end. */
export type JobOutputs = WrittenStream | readonly WrittenStream[];

/** What `defineJob` takes. */
export interface JobOptions<P> {
  /** Up to 64 letters, digits, `.`, `_` and `-`; a letter or digit first. */
  readonly name: string;
  /** Parameters by name; each becomes a flag: `maxAge` is `--max-age`. @defaultValue none */
  readonly params?: P;
  /**
   * `batch`: results come when the input has been read. `streaming`: files are read in their order, and windows of
   * event time give their results as soon as time has passed them; both give the same rows. `--execution-mode` asks for the
   * other one. @defaultValue 'streaming' where a source has no end, else 'batch'
   */
  readonly mode?: JobMode;
  /**
   * Describes the job: reads from sources, and returns what `writeTo` returns, or a list of those where
   * the job writes several outputs. It is called on every thread that takes part, and must make the
   * same graph each time: no clock, no chance, no files.
   */
  readonly build: (context: BuildContext<P>) => JobOutputs;
}

/**
 * Defines a job.
 *
 * @throws JOB_ARGUMENT_INVALID, JOB_PARAM_RESERVED, JOB_PARAM_INVALID
 * @example
 * ```ts
 * import { agg, defineJob, explode, t, words } from 'millrace';
 * import { files, text } from 'millrace/files';
 *
 * const job = defineJob({
 *   name: 'top-words',
 *   params: { input: t.path(), output: t.path(), top: t.int32().default(20) },
 *   build: ({ read, params }) =>
 *     read(files.source({ path: params.input, format: text() }))
 *       .select((line) => ({ word: explode(words(line.text)) }))
 *       .keyBy((row) => row.word)
 *       .aggregate({ count: agg.count() })
 *       .orderBy((row) => [row.count.desc(), row.word.asc()])
 *       .limit(params.top)
 *       .writeTo(files.sink({ path: params.output })),
 * });
 * Object.keys(job.params).join(); // => 'input,output,top'
 * ```
 */
export function defineJob<
  const P extends Readonly<Record<string, ParamType>> = Record<never, never>,
>(options: JobOptions<P>): JobDefinition {
  const { name, params, mode, build } = options ?? {};
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw typedError('JOB_ARGUMENT_INVALID', `"${name}" can't be the name of a job`, {
      hint: 'A name has up to 64 letters, digits, ".", "_" and "-".',
    });
  }
  if (typeof build !== 'function') {
    throw typedError('JOB_ARGUMENT_INVALID', `job "${name}" has no build function`, {
      hint: 'Add build: ({ read }) => read(…)….writeTo(…).',
    });
  }
  if (mode !== undefined && mode !== 'batch' && mode !== 'streaming') {
    throw typedError('JOB_ARGUMENT_INVALID', `mode of job "${name}" is ${describe(mode)}`, {
      hint: 'Write "batch" or "streaming".',
    });
  }
  return Object.freeze({
    kind: 'millrace.job' as const,
    name,
    mode,
    params: paramSpecsOf(params ?? {}),
    build: build as unknown as JobDefinition['build'],
  });
}
