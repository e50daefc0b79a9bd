/**
 * The driver of a function over windows: all rows of one window and key are one call, which may pull them while it
 * works (engine/compile/group-driver.ts has the loop). Rows are copies, since the function may want several at once.
 *
 *     rows     a 1   a 4 │ a 2   b 7       of one window, sorted by key
 *     calls    fn(1 4 2, window of a)      fn(7, window of b)
 */
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import {
  drainReduce,
  type GroupDriver,
  groupRunText,
  groupValuesText,
  type NextBatch,
  sameGroupSource,
  sortedCursor,
} from './group-driver.ts';
import { appendRowSource, writersOf } from './output-source.ts';
import { bindSource, readSource } from './row-source.ts';

export interface WindowDriverOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  /** The fields of the user's rows, and behind them keys that the user does not see as fields. */
  readonly input: Schema;
  readonly fieldCount: number;
  /** Names of the keys, and their places in the input. */
  readonly keys: readonly { readonly name: string; readonly place: number }[];
  readonly output: Schema;
  readonly builder: BatchBuilder;
  /** Rows of the window that is worked on, sorted by keys. */
  readonly nextBatch: NextBatch;
  /** When that window begins and ends. */
  readonly bounds: () => readonly [start: number, end: number];
  readonly process: (rows: Iterable<never>, window: never) => Iterable<unknown>;
}

/** Its `run` ends with `done` at the end of a window; the next call begins with the next one. */
export function windowDriver(options: WindowDriverOptions): GroupDriver {
  const { operator, memory, input, fieldCount, keys, output, builder } = options;
  const h = new DriverHelper({ operator, function: 'process' }, memory, output);
  const places = keys.map(({ place }) => place);
  const named = input.fields.slice(0, fieldCount).map(({ name }, place) => ({ name, place }));
  const text = [
    bindSource(input),
    groupValuesText,
    ...input.fields.map(readSource),
    ...input.fields.flatMap((field, n) => (places.includes(n) ? sameGroupSource(field, n) : [])),
    objectSource('valueOf', named),
    objectSource('keyOf', keys),
    sortedCursor(places),
    appendRowSource(output),
    startText,
    drainReduce,
    groupRunText,
  ].join('\n');
  const { nextBatch, bounds, process: fn } = options;
  const values = { h, fn, nextBatch, bounds, ...writersOf(builder) };
  const label = `${operator}-process`;
  return compileDriver(text, { memory, builder, values, label }) as GroupDriver;
}

/** `name(i)`: a plain object with fields of row `i`. */
function objectSource(
  name: string,
  fields: readonly { readonly name: string; readonly place: number }[],
): string {
  const parts = fields.map((field) => `[${JSON.stringify(field.name)}]: read${field.place}(i)`);
  return `function ${name}(i) { return { ${parts.join(', ')} }; }`;
}

const startText = `
let iterator = null;
function start() {
  const [start, end] = bounds();
  const window = { start, end, key };
  subject = window;
  let result;
  try { result = fn(new Values(), window); } catch (error) { throw h.failed(error, subject); }
  iterator = h.iteratorOf(result, subject);
}`;
