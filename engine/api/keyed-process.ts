/**
 * `keyBy(…).process(…)`: user functions over state and timers of a key. Adds its verb to `KeyedStream`, whose file
 * has no room for it; who makes streams imports this file.
 */
import { appendNode, type VerbOptions } from '../plan/logical-node.ts';
import { addMethods } from './add-methods.ts';
import { type ProcessOptions, processParts } from './process.ts';
import type { Shown } from './row.ts';
import type { StateDeclarations } from './state.ts';
import { KeyedStream, Stream } from './stream.ts';
import type { ColumnsOf } from './value-type.ts';
import { eventTimeColumn } from './window.ts';

declare module './stream.ts' {
  interface KeyedStream<C, Key> {
    /**
     * Calls functions for each row, with state and timers of the row's key. Rows of one key come to one task; their
     * order is that in which they arrive, which is that of the source where one task reads it.
     *
     * In a streaming job timers of event time are called as the watermark passes them; over bounded input in batch, when all rows
     * were read: in the same order.
     *
     * A control stream (`control`, `onControl`) changes broadcast states, which all tasks hold alike: rules that rows of all
     * keys are looked at with.
     *
     * @throws JOB_ARGUMENT_INVALID
     * @example
     * ```ts
     * import { defineJob, state, t } from 'millrace';
     * import { files, ndjson } from 'millrace/files';
     *
     * const Visit = t.struct({ user: t.utf8(), at: t.timestampMs() });
     *
     * const job = defineJob({
     *   name: 'visits',
     *   build: ({ read }) =>
     *     read(files.source({ path: 'visits.jsonl', format: ndjson(Visit) }))
     *       .eventTime((visit) => visit.at)
     *       .keyBy((visit) => visit.user)
     *       .process({
     *         state: { count: state.value(t.int64({ js: 'number' })) },
     *         output: t.struct({ user: t.utf8(), count: t.int64() }),
     *         onRow(visit, { state: { count }, timers }) {
     *           count.set((count.get() ?? 0) + 1);
     *           timers.eventTime(visit.at + 60_000);
     *         },
     *         onTimer(_, { key, state: { count }, emit }) {
     *           emit({ user: key.user, count: count.get() ?? 0 });
     *         },
     *       })
     *       .writeTo(files.sink({ path: 'out.csv' })),
     * });
     * job.name; // => 'visits'
     * ```
     */
    process<F, const S extends StateDeclarations = Record<never, never>, D = never>(
      options: ProcessOptions<C, Key, S, F, D>,
      verb?: VerbOptions,
    ): Stream<Shown<ColumnsOf<F>>>;
  }
}

function process<C, Key, S extends StateDeclarations, F, D>(
  this: KeyedStream<C, Key>,
  options: ProcessOptions<C, Key, S, F, D>,
  verb?: VerbOptions,
): Stream<Shown<ColumnsOf<F>>> {
  const { node, keys } = KeyedStream.partsOf(this as never);
  const { content, functions, others } = processParts(keys, eventTimeColumn(node), options);
  return new Stream(appendNode([node, ...others], content, verb, functions));
}

addMethods(KeyedStream, { process });
