/**
 * The ends of a job: sources, sinks, and the written streams that `build` returns. Connectors make the
 * first two; what the command line asks of a sink is known only when the job is built.
 */
import { typedError } from '../../base/typed-error.ts';
import type { SinkSpec, SourceSpec } from '../contracts/connector.ts';
import type { NodeDraft, VerbOptions } from '../plan/logical-node.ts';
import { describe } from './row.ts';

declare const sourceColumns: unique symbol;

/** A source of a connector, with the columns that it gives. */
export interface SourceOf<C> extends SourceSpec {
  /** What the program itself gives the source; it stays there, and is no part of the plan. */
  readonly feed?: unknown;
  /** The same source, with a rate in its own way. @defaultValue its rows are given out so many per second */
  readonly atRate?: (rate: number) => SourceOf<C>;
  readonly [sourceColumns]?: C;
}

/** What the command line asks of sinks that leave it open, and of sources. */
export interface RunFlags {
  /** `--overwrite` */
  readonly overwrite: boolean;
  /** `--format` */
  readonly format?: string;
  /** `--rate`: rows per second that each source gives out, by the clock. */
  readonly rate?: number;
  /** From where relative paths are seen, where other processes than this one have to find them. */
  readonly folder?: string;
}

/** A sink, or how to make one once the flags of the run are known. */
export type SinkOf = SinkSpec | ((flags: RunFlags) => SinkSpec);

/** Whether a value can be written to. */
export function isSink(given: unknown): given is SinkOf {
  if (typeof given === 'function') return true;
  return typeof given === 'object' && given !== null && 'connector' in given;
}

/** The sink that an option names. @throws JOB_ARGUMENT_INVALID */
export function sinkIn(what: string, given: unknown): SinkOf {
  if (isSink(given)) return given;
  throw typedError('JOB_ARGUMENT_INVALID', `${what} needs a sink, got ${describe(given)}`, {
    hint: 'Give a sink of a connector: files.sink({ path: "late.ndjson" }).',
  });
}

/** The node, which puts rows aside for a sink. */
export function withAside(node: NodeDraft, sink: SinkOf | undefined): NodeDraft {
  return sink === undefined ? node : Object.freeze({ ...node, aside: sink });
}

/** How a source is read. */
export interface ReadOptions extends VerbOptions {
  /**
   * Where records go that can't be read, with their origin, the reason and their bytes; and those on which a
   * function of `filter`, `map` or `flatMap` throws five times in a row. @defaultValue the first such record
   * ends the job
   */
  readonly deadLetters?: SinkOf;
  /**
   * Rows per second of the clock that the source gives out, from 0.001 on, by all tasks together; `--rate` of the command
   * line goes before it. The schedule is fixed at the start: what a slow job takes late was due all the same. Null: as
   * fast as they are taken, whatever `--rate` says; for tables that are read before the rows. @defaultValue as fast as they
   * are taken
   */
  readonly rate?: number | null;
}

/** The end of a stream: what `build` returns. */
export class WrittenStream {
  readonly node: NodeDraft;
  readonly sink: SinkOf;
  readonly options: VerbOptions;

  /** @throws JOB_ARGUMENT_INVALID when it is given no sink */
  constructor(node: NodeDraft, sink: SinkOf, options: VerbOptions) {
    if (!isSink(sink)) {
      throw typedError('JOB_ARGUMENT_INVALID', `writeTo needs a sink, got ${describe(sink)}`, {
        hint: 'Give a sink of a connector: files.sink({ path: "out.csv" }).',
      });
    }
    this.node = node;
    this.sink = sink;
    this.options = options;
    Object.freeze(this);
  }
}
