/**
 * `keyBy(…).match(…)`: sequences of rows of a key. Adds its verb to `KeyedStream`, whose file has no room for it; who
 * makes streams imports this file.
 */
import { typedError } from '../../base/typed-error.ts';
import { appendNode, type VerbOptions } from '../plan/logical-node.ts';
import { addMethods } from './add-methods.ts';
import { type SinkOf, withAside } from './endpoints.ts';
import {
  type AfterMatchOf,
  afterMatchOf,
  checkPattern,
  Pattern,
  type PatternStart,
  patternStart,
} from './pattern.ts';
import { describe, type RowInputOf, type Shown, type ValuesOf } from './row.ts';
import { KeyedStream, Stream } from './stream.ts';
import { type ColumnsOf, StructType } from './value-type.ts';
import { eventTimeColumn } from './window.ts';

/** What functions of `match` may use besides rows. */
export interface MatchContext<Key> {
  /** The key: a value for each of its columns. */
  readonly key: ValuesOf<Key>;
  /** Milliseconds since 1970: the event time of the row that made the match complete, or when its time was over. */
  readonly timeMs: number;
}

/** What becomes of matches: rows M by stage, of rows with the columns Key as key. */
export interface MatchOptions<Key, M, F> {
  /** The fields of the rows that are given out. */
  readonly output: StructType<F>;
  /** Called for each match; what it returns is the new row. The rows are plain objects: they may be kept. */
  readonly select: (rows: M, context: MatchContext<Key>) => RowInputOf<ColumnsOf<F>>;
  /**
   * The same for what began and was not complete within the time of the pattern; its rows so far.
   *
   * @defaultValue such rows are dropped
   */
  readonly timedOut?: (rows: M, context: MatchContext<Key>) => RowInputOf<ColumnsOf<F>>;
  /**
   * Where matching goes on after a match: everywhere (`noSkip`), after its first row (`toNext`), after its last one
   * (`pastLast`), at the first or last row of one of its stages. What began before that place is dropped.
   *
   * @defaultValue 'noSkip'
   */
  readonly after?: AfterMatchOf<keyof M>;
  /**
   * Where rows go that come after event time has passed them, as they came in.
   *
   * @defaultValue they are only counted
   */
  readonly late?: SinkOf;
}

declare module './stream.ts' {
  interface KeyedStream<C, Key> {
    /**
     * Finds sequences of rows of a key, in the order of event time, whatever order they come in: a row waits until
     * event time has passed it. Rows of one key and time are in the order in which they come. A late row is in no match,
     * and counted.
     *
     * @throws PLAN_NO_EVENT_TIME, JOB_ARGUMENT_INVALID, EXPR_TYPE_MISMATCH
     * @example
     * ```ts
     * import { defineJob, t } from 'millrace';
     * import { files, ndjson } from 'millrace/files';
     *
     * const Payment = t.struct({ account: t.int64(), amount: t.float64(), at: t.timestampMs() });
     *
     * const job = defineJob({
     *   name: 'tried-out',
     *   build: ({ read }) =>
     *     read(files.source({ path: 'payments.jsonl', format: ndjson(Payment) }))
     *       .eventTime((payment) => payment.at)
     *       .keyBy((payment) => payment.account)
     *       .match(
     *         (pattern) =>
     *           pattern
     *             .begin('small', { where: (payment) => payment.amount.lt(1) })
     *             .next('large', { where: (payment) => payment.amount.gt(500) })
     *             .within(60_000),
     *         {
     *           output: t.struct({ account: t.int64(), amount: t.float64() }),
     *           select: ({ large: [payment] }, { key }) => ({ ...key, amount: payment?.amount ?? 0 }),
     *         },
     *       )
     *       .writeTo(files.sink({ path: 'out.csv' })),
     * });
     * job.name; // => 'tried-out'
     * ```
     */
    match<M, F>(
      pattern: (start: PatternStart<C>) => Pattern<C, M>,
      options: MatchOptions<Key, M, F>,
      verb?: VerbOptions,
    ): Stream<Shown<ColumnsOf<F>>>;
  }
}

addMethods(KeyedStream, {
  match(
    this: KeyedStream<never, never>,
    patternOf: (start: PatternStart<never>) => unknown,
    options: MatchOptions<never, never, never>,
    verb?: VerbOptions,
  ) {
    const { node, keys } = KeyedStream.partsOf(this);
    const { output, select, timedOut = null, after = 'noSkip' } = options ?? {};
    if (!(output instanceof StructType) || typeof select !== 'function') {
      throw typedError('JOB_ARGUMENT_INVALID', 'match needs an output struct and select', {
        hint: 'Write match((pattern) => pattern.begin(…), { output: t.struct({ … }), select: (rows) => ({ … }) }).',
      });
    }
    const pattern = patternIn(patternOf, node.content.schema);
    const { stages, conditions, tests, withinMs } = pattern;
    const timeColumn = eventTimeColumn(node);
    if (timeColumn === null) throw noEventTime();
    if (timedOut !== null && withinMs === null) throw noTimeOut();
    const spec = { stages, withinMs, after: afterMatchOf(after as never, stages) };
    const content = {
      ...({ kind: 'pattern', keys, timeColumn, conditions, schema: output.schema } as const),
      pattern: { ...spec, hasTimedOut: timedOut !== null },
    };
    const functions = { kind: 'pattern', select, timedOut, tests } as never;
    return new Stream(withAside(appendNode([node], content, verb, functions), options.late));
  },
});

function patternIn(given: unknown, schema: Parameters<typeof patternStart>[0]) {
  const made = typeof given === 'function' ? given(patternStart(schema)) : given;
  if (!(made instanceof Pattern)) {
    throw typedError('JOB_ARGUMENT_INVALID', `match needs a pattern, got ${describe(made)}`, {
      hint: "Write match((pattern) => pattern.begin('small', { where: … }).next('large', { where: … }), { … }).",
    });
  }
  const parts = Pattern.partsOf(made as never);
  checkPattern(parts);
  return parts;
}

function noEventTime(): Error {
  return typedError('PLAN_NO_EVENT_TIME', 'match needs to know the event time of its rows', {
    hint: 'Say which field it is, behind the last verb that makes new rows: eventTime((row) => row.at).',
  });
}

function noTimeOut(): Error {
  return typedError('JOB_ARGUMENT_INVALID', 'timedOut of match is never called', {
    hint: 'Say in what time a match has to be complete: pattern.begin(…).within(60_000).',
  });
}
