/**
 * The driver of a filter function: each row in, true or false out, and nothing else: a filter that
 * answers a number or forgets its return is told so, for "truthy" would drop rows in silence.
 *
 * It writes the stored rows that stay as a selection; the batch itself is not copied.
 */
import type { Batch } from '../batch/batch.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper, type PoisonSink } from './driver-helper.ts';
import { bindSource, readSource, rowViewSource } from './row-source.ts';

export interface FilterDriver {
  /**
   * Writes the stored rows among rows `[fromRow, toRow)` of the batch for which the function is true
   * as u32 to address `out` on.
   * @returns Count of rows written.
   */
  run(batch: Batch, fromRow: number, toRow: number, out: number): number;
}

export interface FilterDriverOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly input: Schema;
  readonly filter: (row: never) => unknown;
  /** Where records go that the function fails on. @defaultValue they end the job */
  readonly poison?: PoisonSink | null;
}

export function filterDriver({
  operator,
  memory,
  input,
  filter,
  poison = null,
}: FilterDriverOptions): FilterDriver {
  const h = new DriverHelper({ operator, function: 'filter' }, memory, input, poison);
  const text = [
    bindSource(input),
    ...input.fields.map(readSource),
    rowViewSource(input),
    runText,
  ].join('\n');
  const label = `${operator}-filter`;
  return compileDriver(text, {
    memory,
    builder: null,
    values: { h, fn: filter },
    label,
  }) as FilterDriver;
}

const runText = `
function run(batch, fromRow, toRow, out) {
  bind(batch);
  let at = out >>> 2;
  for (let row = fromRow; row < toRow; row++) {
    const stored = storedRow(row), view = new RowView(stored);
    let keeps;
    try { keeps = fn(view); } catch (error) { keeps = h.again(fn, view, error); }
    if (keeps === h.skipped) keeps = false;
    if (keeps === true) u32[at++] = stored;
    else if (keeps !== false) h.notBoolean(keeps, view);
    expire(view);
  }
  return at - (out >>> 2);
}
return { run };`;
