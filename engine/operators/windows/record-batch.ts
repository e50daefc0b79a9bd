/** Records of a list as a batch: their bounds, keys, and what their accumulators come to. */
import type { Batch, Column } from '../../batch/batch.ts';
import { addressOf } from '../../memory/slot-memory.ts';
import type { Schema } from '../../schema/schema.ts';
import type { AggregateResult } from '../aggregate-plan.ts';
import { readGroupBatch } from '../aggregate-results.ts';
import type { OperatorContext } from '../operator.ts';
import type { KeyedRecords } from './keyed-records.ts';

/** A list of record addresses. */
export interface RecordList {
  readonly at: number;
  readonly count: number;
}

export interface RecordReading {
  readonly list: RecordList;
  readonly results: readonly AggregateResult[];
  /** Two bounds, of 8 bytes, keys, results. */
  readonly schema: Schema;
  /** How much is added to the second bound. */
  readonly beyond: number;
}

/** The records from a place of the list on, as many as a batch has; null where none are left. */
export function readRecordBatch(
  { scope, kernels }: OperatorContext,
  records: KeyedRecords,
  { list, results, schema, beyond }: RecordReading,
  from: number,
): { readonly batch: Batch | null; readonly next: number } {
  records.select(list.at, list.count);
  const inner = { fields: schema.fields.slice(2) };
  const keys = records.keyColumns;
  const reading = { scope, kernels, table: records, keys, results, schema: inner };
  const { batch, nextSlot: next } = readGroupBatch(reading, from);
  if (batch === null) return { batch, next };
  const count = next - from;
  const block = scope.allocate(count * 16);
  const [first, second] = [addressOf(block), addressOf(block) + count * 8];
  kernels.sessionBounds(list.at + from * 4, count, records.keyEnd, beyond, first, second);
  const bounds = [first, second].map((values, at): Column => {
    const { type } = schema.fields[at] as Schema['fields'][number];
    return { type, values, validity: 0 };
  });
  const columns = [...bounds, ...batch.columns];
  const all = batch.derive({ schema, columns, blocks: [block] });
  batch.release();
  return { batch: all, next };
}
