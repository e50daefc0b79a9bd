/**
 * The driver of mapReduce's map function: each row in, pairs out through `emit`.
 *
 * `emit` cannot be stopped in the middle of a call, so a full builder is given to `overflow`, which
 * puts the batch aside; a map that emits more than memory holds from one row ends with
 * MEMORY_EXHAUSTED. An error inside `emit` counts even when the user's code catches it.
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { FunctionContext } from '../plan/user-functions.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver, type RowDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import { noFunctionContext } from './function-context.ts';
import { appendValuesSource, writersOf } from './output-source.ts';
import { bindSource, readSource, rowViewSource } from './row-source.ts';

export interface MapOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly input: Schema;
  /** `key` and `value`. */
  readonly pairs: Schema;
  readonly builder: BatchBuilder;
  /** Called when the builder is full; must empty it. */
  readonly overflow: () => void;
  readonly map: (
    row: never,
    emit: (key: unknown, value: unknown) => void,
    context: FunctionContext,
  ) => void;
  /** @defaultValue `noFunctionContext` */
  readonly context?: FunctionContext;
}

export function mapDriver(options: MapOptions): RowDriver {
  const { operator, memory, pairs, builder, overflow, map, context = noFunctionContext } = options;
  const h = new DriverHelper({ operator, function: 'map' }, memory, pairs);
  const values = { h, fn: map, context, overflow, ...writersOf(builder) };
  const text = mapSource(options.input, pairs);
  return compileDriver(text, { memory, builder, values, label: `${operator}-map` }) as RowDriver;
}

function mapSource(input: Schema, pairs: Schema): string {
  return [
    bindSource(input),
    ...input.fields.map(readSource),
    rowViewSource(input),
    appendValuesSource(pairs),
    runText,
  ].join('\n');
}

const runText = `
let view = null, emitError = null;
function emit(key, value) {
  if (view === null) h.valuesUsed();
  try {
    if (builder.isFull) overflow();
    appendValues(key, value, view);
  } catch (error) { emitError = error; throw error; }
}
function run(batch, fromRow, toRow) {
  bind(batch);
  let row = fromRow;
  while (row < toRow && !builder.isFull) {
    view = new RowView(storedRow(row));
    try { fn(view, emit, context); } catch (error) { throw h.failed(emitError ?? error, view); }
    if (emitError !== null) throw emitError;
    expire(view);
    view = null;
    row++;
  }
  return row;
}
function close() { view = null; }
return { run, close };`;
