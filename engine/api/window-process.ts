/**
 * `window(…).process(…)` and `.reduce(…)`: user functions over all rows of a window. Adds its verbs to `WindowedStream`,
 * whose file has no room for them; who makes streams imports this file.
 */
import { typedError } from '../../base/typed-error.ts';
import { appendNode, type NodeDraft, type VerbOptions } from '../plan/logical-node.ts';
import { comesOnce, type EventWindow } from '../plan/window-spec.ts';
import type { Schema } from '../schema/schema.ts';
import { addMethods } from './add-methods.ts';
import { withAside } from './endpoints.ts';
import type { Grouping } from './grouping.ts';
import type { RowInputOf, Shown, ValuesOf } from './row.ts';
import { Stream, WindowedStream } from './stream.ts';
import type { ColumnsOf, StructType } from './value-type.ts';
import { functionIn } from './verb-arguments.ts';

/** The window and key that a function is called for. */
export interface WindowOfRows<Key> {
  /** When the window begins, in milliseconds since 1970; the moment is in it. Of all time minus infinity. */
  readonly start: number;
  /** When it ends; the moment is not in it. Of all time infinity. */
  readonly end: number;
  /** The key by the names of its columns; empty without keys. */
  readonly key: unknown extends Key ? Readonly<Record<string, never>> : ValuesOf<Key>;
}

declare module './stream.ts' {
  interface WindowedStream<C, Key, Bounded extends boolean> {
    /**
     * Calls a function for each window and key with all of its rows, when the window is complete: for what no aggregate
     * can say. The rows are kept until then, on disk where memory is short, and a row once for each window it is in.
     *
     * Not of sessions and windows of a count, and each window once: without `early` and `allowedLatenessMs`.
     *
     * @param output - The fields of the new rows; each value is checked against them.
     * @param process - `rows` can be gone through once, during the call: in the order of event time, or of one time (and in a
     * global window) in that in which they came to the task.
     * @throws JOB_ARGUMENT_INVALID
     * @example
     * ```ts
     * import { defineJob, t, tumbling } from 'millrace';
     * import { files, ndjson } from 'millrace/files';
     *
     * const Visit = t.struct({ user: t.utf8(), page: t.utf8(), at: t.timestampMs() });
     *
     * const job = defineJob({
     *   name: 'paths',
     *   build: ({ read }) =>
     *     read(files.source({ path: 'visits.jsonl', format: ndjson(Visit) }))
     *       .eventTime((visit) => visit.at)
     *       .keyBy((visit) => visit.user)
     *       .window(tumbling({ sizeMs: 3_600_000 }))
     *       .process(t.struct({ user: t.utf8(), hour: t.timestampMs(), path: t.utf8() }), (rows, { key, start }) => [
     *         { user: key.user, hour: start, path: [...rows].map((row) => row.page).join(' > ') },
     *       ])
     *       .writeTo(files.sink({ path: 'paths.csv' })),
     * });
     * job.name; // => 'paths'
     * ```
     */
    process<F>(
      output: StructType<F>,
      process: (
        rows: Iterable<ValuesOf<C>>,
        window: WindowOfRows<Key>,
      ) => Iterable<RowInputOf<ColumnsOf<F>>>,
      verb?: VerbOptions,
    ): Stream<Shown<ColumnsOf<F>>>;

    /**
     * One row per window and key: a function folds its rows, two at a time, in the order of event time.
     * What `process` says of windows holds here, too.
     *
     * @param reduce - `left` is what was folded so far; it answers either, or a new row. It is not called for one row.
     * @throws JOB_ARGUMENT_INVALID
     * @example
     * ```ts
     * import { defineJob, t, tumbling } from 'millrace';
     * import { files, ndjson } from 'millrace/files';
     *
     * const Bid = t.struct({ auction: t.int32(), price: t.float64(), at: t.timestampMs() });
     *
     * const job = defineJob({
     *   name: 'best-bids',
     *   build: ({ read }) =>
     *     read(files.source({ path: 'bids.jsonl', format: ndjson(Bid) }))
     *       .eventTime((bid) => bid.at)
     *       .keyBy((bid) => bid.auction)
     *       .window(tumbling({ sizeMs: 60_000 }))
     *       .reduce((best, bid) => (bid.price > best.price ? bid : best))
     *       .writeTo(files.sink({ path: 'best.csv' })),
     * });
     * job.name; // => 'best-bids'
     * ```
     */
    reduce(
      reduce: (left: ValuesOf<C>, right: ValuesOf<C>) => ValuesOf<C>,
      verb?: VerbOptions,
    ): Stream<C>;
  }
}

type Rows = Iterable<Readonly<Record<string, unknown>>>;

function process<F>(
  this: WindowedStream<never, never>,
  output: StructType<F>,
  given: (rows: never, window: never) => unknown,
  verb?: VerbOptions,
): Stream<never> {
  const own = functionIn('process', given, output) as never;
  return new Stream(windowNode('process', WindowedStream.partsOf(this), output.schema, own, verb));
}

function reduce(
  this: WindowedStream<never, never>,
  given: (left: never, right: never) => never,
  verb?: VerbOptions,
): Stream<never> {
  const parts = WindowedStream.partsOf(this);
  const fold = functionIn('reduce', given) as (left: unknown, right: unknown) => unknown;
  const own = (rows: Rows) => {
    let folded: unknown;
    for (const row of rows) folded = folded === undefined ? row : fold(folded, row);
    return [folded];
  };
  return new Stream(windowNode('reduce', parts, parts.node.content.schema, own as never, verb));
}

interface Windowed {
  readonly node: NodeDraft;
  readonly grouping: Grouping;
}

function windowNode(
  verb: string,
  { node, grouping: { keys, window, late } }: Windowed,
  schema: Schema,
  own: never,
  options?: VerbOptions,
): NodeDraft {
  if (window !== null) checkWindow(verb, window, keys.length);
  const content = { kind: 'windowFunction', window, keys, schema } as never;
  const functions = { kind: 'windowFunction', process: own } as const;
  return withAside(appendNode([node], content, options, functions), late);
}

/** Functions are called once for each window, whose bounds don't depend on its rows. */
function checkWindow(verb: string, { spec, firing }: EventWindow, keyCount: number): void {
  if (keyCount > keysMax || (spec.kind === 'global' && keyCount === 0)) {
    const what = keyCount === 0 ? 'all rows of a global window' : `${keyCount} keys`;
    throw typedError('JOB_ARGUMENT_INVALID', `${verb} can't be over ${what}`, {
      hint: `Group by a key first, or ${keysMax} at most: keyBy((row) => row.user).`,
    });
  }
  const wanted = comesOnce(firing) && !firing.isDiscarding;
  if (wanted && spec.kind !== 'session' && spec.kind !== 'count') return;
  const what = wanted ? `${spec.kind} windows` : 'windows that come out several times';
  throw typedError('JOB_ARGUMENT_INVALID', `${verb} can't be over ${what}`, {
    hint: 'Leave early and allowedLatenessMs out, or use aggregate; sessions and counts can be kept by keyBy(…).process.',
  });
}

/** Rows are sorted by them, and by time. */
const keysMax = 15;

addMethods(WindowedStream, { process, reduce });
