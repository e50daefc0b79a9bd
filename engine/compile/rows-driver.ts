/**
 * Batches as rows of plain objects, with the values that a user's function reads: how results leave
 * the engine for the program that asked for them. Generated per schema, like the drivers of functions.
 */
import type { Batch } from '../batch/batch.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import { bindSource, readSource } from './row-source.ts';

export type PlainRow = Record<string, unknown>;

/**
 * Makes the function that reads the batches of a memory.
 *
 * @param label - What the rows are called in stack traces.
 * @throws (the function) VALUE_OUT_OF_RANGE for an int64 that was declared as a number and is none.
 */
export function rowsDriver(
  memory: SlotMemory,
  schema: Schema,
  label: string,
): (batch: Batch) => PlainRow[] {
  const h = new DriverHelper({ operator: label, function: 'rows' }, memory, schema);
  const parts = schema.fields.map(({ name }, n) => `${JSON.stringify(name)}: read${n}(i)`);
  const text = [
    bindSource(schema),
    ...schema.fields.map(readSource),
    'return (batch) => {',
    '  bind(batch);',
    '  const rows = new Array(batch.rowCount);',
    '  for (let row = 0; row < rows.length; row++) {',
    '    const i = storedRow(row);',
    // A field may be called "__proto__": as a computed name it is one like any other.
    `    rows[row] = { ${parts.map((part) => part.replace(/^("__proto__"):/, '[$1]:')).join(', ')} };`,
    '  }',
    '  return rows;',
    '};',
  ].join('\n');
  return compileDriver(text, { memory, builder: null, values: { h }, label }) as (
    batch: Batch,
  ) => PlainRow[];
}
