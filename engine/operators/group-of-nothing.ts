/** The one group of an aggregate without keys over no rows: counts are 0, all other results null. */
import type { Batch } from '../batch/batch.ts';
import { BatchBuilder } from '../batch/batch-builder.ts';
import type { MemoryScope } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';

/** @throws MEMORY_EXHAUSTED */
export function groupOfNothing(scope: MemoryScope, schema: Schema): Batch {
  const builder = new BatchBuilder(scope, schema);
  builder.appendRow(schema.fields.map(({ nullable }) => (nullable ? null : 0n)));
  return builder.build();
}
