/** The driver of mapReduce's partition function: key → channel, checked. */
import type { Batch } from '../batch/batch.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import { type Field, schemaOf } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import { bindSource, readSource } from './row-source.ts';

export interface PartitionOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  /** The key column and its place in the batches. */
  readonly key: Field;
  readonly keyIndex: number;
  readonly channelCount: number;
  readonly partition: (key: never, partitionCount: number) => number;
}

/** Answers the channel of a stored row. */
export function partitionDriver(
  options: PartitionOptions,
): (batch: Batch, storedRow: number) => number {
  const { operator, memory, key, keyIndex, channelCount, partition } = options;
  const schema = schemaOf(key);
  const h = new DriverHelper({ operator, function: 'partition' }, memory, schema);
  const text = [bindSource(schema), readSource(key, 0), runText].join('\n');
  const values = { h, fn: partition, keyIndex, channelCount };
  const label = `${operator}-partition`;
  return compileDriver(text, { memory, builder: null, values, label }) as (
    batch: Batch,
    storedRow: number,
  ) => number;
}

const runText = `
let bound = null;
return function channelOf(batch, row) {
  if (batch !== bound) {
    bind({ columns: [batch.columns[keyIndex]], selection: 0 });
    bound = batch;
  }
  const key = read0(row);
  let answer;
  try { answer = fn(key, channelCount); } catch (error) { throw h.failed(error, { key }); }
  return h.partition(answer, channelCount, { key });
};`;
