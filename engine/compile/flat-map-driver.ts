/**
 * The driver of a flatMap function: each row in, any number of rows out.
 *
 * It stops between two outputs when the builder is full, and goes on there in the next call: an array
 * by its index, anything else by its iterator, so a generator over a large row never runs ahead of
 * what fits in a batch.
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver, type RowDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import { appendRowSource, writersOf } from './output-source.ts';
import { bindSource, readSource, rowViewSource } from './row-source.ts';

export interface FlatMapOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly input: Schema;
  readonly output: Schema;
  readonly builder: BatchBuilder;
  readonly flatMap: (row: never) => Iterable<unknown>;
}

export function flatMapDriver(options: FlatMapOptions): RowDriver {
  const { operator, memory, output, builder, flatMap } = options;
  const h = new DriverHelper({ operator, function: 'flatMap' }, memory, output);
  const values = { h, fn: flatMap, ...writersOf(builder) };
  const label = `${operator}-flatMap`;
  const text = flatMapSource(options.input, output);
  return compileDriver(text, { memory, builder, values, label }) as RowDriver;
}

/** The text of the driver. */
function flatMapSource(input: Schema, output: Schema): string {
  return [
    bindSource(input),
    ...input.fields.map(readSource),
    rowViewSource(input),
    appendRowSource(output),
    runText,
  ].join('\n');
}

const runText = `
let view = null, outputs = null, next = 0, iterator = null;
function drainArray() {
  while (next < outputs.length) {
    if (builder.isFull) return false;
    append(outputs[next++], view);
  }
  return true;
}
function drainIterator() {
  for (;;) {
    if (builder.isFull) return false;
    let step;
    try { step = iterator.next(); } catch (error) { throw h.failed(error, view); }
    if (step.done) return true;
    append(step.value, view);
  }
}
function start(row) {
  view = new RowView(storedRow(row));
  let result;
  try { result = fn(view); } catch (error) { throw h.failed(error, view); }
  next = 0;
  if (Array.isArray(result)) outputs = result;
  else iterator = h.iteratorOf(result, view);
}
function run(batch, fromRow, toRow) {
  bind(batch);
  let row = fromRow;
  while (row < toRow) {
    if (view === null) start(row);
    if (!(outputs !== null ? drainArray() : drainIterator())) return row;
    expire(view);
    view = outputs = iterator = null;
    row++;
  }
  return row;
}
function close() {
  const open = iterator;
  if (view !== null) expire(view);
  view = outputs = iterator = null;
  try { open?.return?.(); } catch { /* The job has ended already; its reason is known. */ }
}
return { run, close };`;
