/**
 * The driver of a flatMap function: each row in, any number of rows out.
 *
 * It stops between two outputs when the builder is full, and goes on there in the next call: an array
 * by its index, anything else by its iterator, so a generator over a large row never runs ahead of
 * what fits in a batch. A generator that has given out a row can't be called again for the same record: what
 * it throws from then on ends the job.
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver, type RowDriver } from './compile-driver.ts';
import { DriverHelper, type PoisonSink } from './driver-helper.ts';
import { appendRowSource, writersOf } from './output-source.ts';
import { bindSource, readSource, rowViewSource } from './row-source.ts';

export interface FlatMapOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly input: Schema;
  readonly output: Schema;
  readonly builder: BatchBuilder;
  readonly flatMap: (row: never) => Iterable<unknown>;
  /** Where records go that the function fails on. @defaultValue they end the job */
  readonly poison?: PoisonSink | null;
}

export function flatMapDriver(options: FlatMapOptions): RowDriver {
  const { operator, memory, output, builder, flatMap, poison = null } = options;
  const h = new DriverHelper({ operator, function: 'flatMap' }, memory, output, poison);
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
    try { step = iterator.next(); } catch (error) {
      if (next > 0) throw h.failed(error, view);
      step = h.again(firstStep, view, error);
      if (step === h.skipped) return true;
    }
    if (step.done) return true;
    append(step.value, view);
    next++;
  }
}
function firstStep(view) {
  iterator = h.iteratorOf(fn(view), view);
  return iterator.next();
}
function start(row) {
  view = new RowView(storedRow(row));
  let result;
  try { result = fn(view); } catch (error) { result = h.again(fn, view, error); }
  next = 0;
  if (result === h.skipped) result = [];
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
function isWithinRow() {
  return view !== null;
}
return { run, close, isWithinRow };`;
