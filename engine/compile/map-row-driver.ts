/**
 * The driver of a map function: each row in, one row out.
 *
 * Beside flatMap's it makes no array and no iterator, so that a map costs about what the same
 * expressions cost: a row view that does not escape, the user's object, and a write per field.
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver, type RowDriver } from './compile-driver.ts';
import { DriverHelper, type PoisonSink } from './driver-helper.ts';
import { appendRowSource, writersOf } from './output-source.ts';
import { bindSource, readSource, rowViewSource } from './row-source.ts';

export interface MapRowOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly input: Schema;
  readonly output: Schema;
  readonly builder: BatchBuilder;
  readonly map: (row: never) => unknown;
  /** Where records go that the function fails on. @defaultValue they end the job */
  readonly poison?: PoisonSink | null;
}

export function mapRowDriver(options: MapRowOptions): RowDriver {
  const { operator, memory, input, output, builder, map, poison = null } = options;
  const h = new DriverHelper({ operator, function: 'map' }, memory, output, poison);
  const text = [
    bindSource(input),
    ...input.fields.map(readSource),
    rowViewSource(input),
    appendRowSource(output),
    runText,
  ].join('\n');
  const values = { h, fn: map, ...writersOf(builder) };
  return compileDriver(text, { memory, builder, values, label: `${operator}-map` }) as RowDriver;
}

const runText = `
function run(batch, fromRow, toRow) {
  bind(batch);
  let row = fromRow;
  while (row < toRow && !builder.isFull) {
    const view = new RowView(storedRow(row));
    let out;
    try { out = fn(view); } catch (error) { out = h.again(fn, view, error); }
    if (out !== h.skipped) append(out, view);
    expire(view);
    row++;
  }
  return row;
}
function close() {}
return { run, close };`;
