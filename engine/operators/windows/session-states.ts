/**
 * The open sessions of a key that somebody asks for, with bounds and results so far. The records of a session that was
 * several are merged for it, in a table of their own: the operator goes on as if nobody had asked.
 */
import type { Batch } from '../../batch/batch.ts';
import type { Json } from '../../contracts/json.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { Field } from '../../schema/schema.ts';
import type { AggregatePlan, AggregateResult } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import { AggregateTable } from '../aggregate-table.ts';
import { GroupOfKey, shownRow } from '../key-state/group-of-key.ts';
import { shownTime } from '../key-state/shown-value.ts';
import type { OperatorContext } from '../operator.ts';
import type { SessionMerge } from './session-results.ts';
import type { SessionTable } from './session-table.ts';

export interface SessionStatesOptions {
  /** Keys, then results. */
  readonly columns: readonly Field[];
  readonly keys: readonly string[];
  readonly gapMs: number;
  readonly plan: AggregatePlan;
  readonly merge: SessionMerge | null;
  readonly key: string;
  /** Whether sessions of a key with that hash are on disk. */
  readonly isOnDisk: (hash: number) => boolean;
}

/**
 * `{ sessions: [{ start, end, values }] }`, in order of time, with `isPartOnDisk` where there may be more of them;
 * undefined when there is none. @throws STATE_KEY_INVALID
 */
export function sessionStates(
  context: OperatorContext,
  table: SessionTable,
  options: SessionStatesOptions,
): Json | undefined {
  const { columns, keys, gapMs, key } = options;
  const [fields, shown] = [columns.slice(0, keys.length), columns.slice(keys.length)];
  const group = new GroupOfKey(context, { fields, shown, results: [] }, key);
  try {
    const onDisk = options.isOnDisk(group.hash()) ? { isPartOnDisk: true } : null;
    const slot = group.slotIn(table.records.keys);
    if (slot === 0) return onDisk === null ? undefined : { sessions: [], ...onDisk };
    // Where parts come out, those of one session are told one by one.
    const sessions = table.sessionsOf(slot).flatMap((all) => {
      const bounds = table.boundsOf(all[0] ?? 0);
      const parts = options.merge === null ? all.map((record) => [record]) : [all];
      return parts.map((records) => ({ bounds, records }));
    });
    const states = sessions.map(({ bounds: [startMs, lastMs], records }) => {
      const values = valuesOf(context, table, options, records);
      return {
        startMs,
        state: { start: shownTime(startMs), end: shownTime(lastMs + gapMs), values },
      };
    });
    if (states.length === 0 && onDisk === null) return undefined;
    const inOrder = states.sort((a, b) => a.startMs - b.startMs);
    return { sessions: inOrder.map(({ state }) => state), ...onDisk };
  } finally {
    group.close();
  }
}

function valuesOf(
  context: OperatorContext,
  table: SessionTable,
  { columns, keys, plan, merge }: SessionStatesOptions,
  records: readonly number[],
): Json {
  const shown = columns.slice(keys.length);
  if (records.length === 1 || merge === null) {
    const batch = readRecords(context, table, { records, results: plan.results, columns });
    return batch === null ? {} : shownRow(batch, shown);
  }
  // Without the bounds: the records of one session are one group by their key.
  const parts = { fields: merge.schema.fields.slice(2) };
  const batch = readRecords(context, table, {
    records,
    results: plan.parts,
    columns: parts.fields,
  });
  if (batch === null) return {};
  const merged = new AggregateTable(context, { input: merge.schema, keys, plan: merge.plan });
  try {
    const all = batch.derive({
      schema: merge.schema,
      columns: [...merge.schema.fields.slice(0, 2).map(() => nowhere), ...batch.columns],
    });
    for (let row = 0; row < all.rowCount; ) row = merged.add(all, row);
    all.release();
    while (!merged.settle());
    const result = merged.next(merge.plan.results, { fields: columns });
    return result === null ? {} : shownRow(result, shown);
  } finally {
    batch.release();
    merged.close();
  }
}

/** Bounds are not read. */
const nowhere = { type: { kind: 'timestamp', unit: 'ms' }, values: 0, validity: 0 } as const;

function readRecords(
  { scope, kernels }: OperatorContext,
  table: SessionTable,
  reading: {
    readonly records: readonly number[];
    readonly results: readonly AggregateResult[];
    readonly columns: readonly Field[];
  },
): Batch | null {
  const { records, results, columns } = reading;
  const list = scope.allocate(records.length * 4);
  scope.memory.uint32.set(records, addressOf(list) >>> 2);
  table.records.select(addressOf(list), records.length);
  const from = { scope, kernels, table: table.records, keys: table.records.keyColumns, results };
  try {
    return readGroupBatch({ ...from, schema: { fields: columns } }, 0).batch;
  } finally {
    scope.memory.release(list);
  }
}
