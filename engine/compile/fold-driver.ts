/**
 * The driver of a reduce function over rows: rows of one key become one row, two at a time.
 *
 *     rows     a 1   a 4 │ a 2   b 7   c 1 │ c 3       sorted by key; │ is a border between batches
 *     calls    fn(fn(a1, a4), a2)      –   fn(c1, c3)
 *
 * What the function gives is kept as it is, a row view as a copy of it, since the view expires. The
 * first row of a key is copied before the first call, and a key with one row never calls the function.
 *
 * Invariants:
 * - Keys are the first row's: a function that changes a key field is told so, for its row would belong
 *   to another task.
 * - Rows are compared inside a batch by their bytes, across a border by `isSameKey`.
 */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import type { GroupDriver, NextBatch } from './group-driver.ts';
import { appendRowSource, writersOf } from './output-source.ts';
import { bindSource, readSource, rowViewSource, sameSource } from './row-source.ts';

/** Whether stored row `a` of `left` and stored row `b` of `right` have the same key. */
export type IsSameKey = (left: Batch, a: number, right: Batch, b: number) => boolean;

export interface FoldOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  /** The fields of the user's rows, and behind them keys that the user does not see. */
  readonly input: Schema;
  /** The fields of the user's rows. */
  readonly output: Schema;
  /** Places of the key fields in the input. */
  readonly keyIndexes: readonly number[];
  readonly isSameKey: IsSameKey;
  readonly builder: BatchBuilder;
  /** Rows sorted by key. */
  readonly nextBatch: NextBatch;
  readonly reduce: (left: never, right: never) => unknown;
}

export function foldDriver(options: FoldOptions): GroupDriver {
  const { operator, memory, input, output, keyIndexes, builder } = options;
  const h = new DriverHelper({ operator, function: 'reduce' }, memory, output);
  const seen = keyIndexes.filter((index) => index < output.fields.length);
  const text = [
    bindSource(input),
    ...output.fields.map(readSource),
    ...input.fields.flatMap((field, n) => (keyIndexes.includes(n) ? [sameSource(field, n)] : [])),
    `function sameKey(i, j) { return ${keyIndexes.map((n) => `same${n}(i, j)`).join(' && ')}; }`,
    rowViewSource(output),
    copySource(output),
    keysKeptSource(output, seen),
    appendRowSource(output),
    cursorText,
    runText,
  ].join('\n');
  const { nextBatch, isSameKey, reduce: fn } = options;
  const values = { h, fn, nextBatch, isSameKey, ...writersOf(builder) };
  return compileDriver(text, {
    memory,
    builder,
    values,
    label: `${operator}-reduce`,
  }) as GroupDriver;
}

/** `copyOf(i)`: a plain object with the user's fields of row `i`, which does not expire. */
function copySource(output: Schema): string {
  const values = output.fields.map(({ name }, n) => `[${JSON.stringify(name)}]: read${n}(i)`);
  return `function copyOf(i) { return { ${values.join(', ')} }; }`;
}

/** `keepsKeys(out, before)`: whether the key fields of both are the same. */
function keysKeptSource(output: Schema, seen: readonly number[]): string {
  const tests = seen.map((n) => {
    const name = JSON.stringify(output.fields[n]?.name);
    return `isSameValue(out[${name}], before[${name}])`;
  });
  return [
    // Keys that are objects in JavaScript (bytes, lists, structs) are not compared.
    "function isSameValue(a, b) { return a === b || (a !== a && b !== b) || (typeof b === 'object' && b !== null); }",
    `function keepsKeys(out, before) { return ${tests.length === 0 ? 'true' : tests.join(' && ')}; }`,
  ].join('\n');
}

/**
 * The cursor: `stored` is its row, `isAtRow` whether there is one that is not used yet, `isSame` whether
 * it has the key of the row before. A batch stays until the first row of the next was compared with it.
 */
const cursorText = `
let batch = null, row = 0, stored = 0, isAtRow = false, isSame = false;
function load() {
  let next;
  do {
    next = nextBatch();
    if (next === null) return false;
    if (next.rowCount === 0) next.release();
  } while (next.rowCount === 0);
  const before = batch, beforeStored = stored;
  batch = next;
  bind(batch);
  row = 0;
  stored = storedRow(0);
  isSame = before !== null && isSameKey(before, beforeStored, batch, stored);
  before?.release();
  return true;
}
function advance() {
  const before = stored;
  row++;
  if (row === batch.rowCount) {
    isAtRow = load();
    return;
  }
  stored = storedRow(row);
  isSame = sameKey(before, stored);
}
function release() {
  batch?.release();
  batch = null;
}`;

const runText = `
let folded = null;
function fold() {
  const view = new RowView(stored);
  let out;
  try { out = fn(folded, view); } catch (error) { throw h.failed(error, view); }
  if (out === view) out = copyOf(stored);
  else if (out === null || typeof out !== 'object') h.notRow(out, view);
  if (out !== folded && !keepsKeys(out, folded)) h.keyChanged(view);
  expire(view);
  folded = out;
}
function run(stepsMax) {
  for (let step = 0; step < stepsMax; step++) {
    if (folded === null) {
      if (!isAtRow) isAtRow = load();
      if (!isAtRow) return 'done';
      folded = copyOf(stored);
      advance();
    } else if (isAtRow && isSame) {
      fold();
      advance();
    } else {
      if (builder.isFull) return 'full';
      append(folded, folded);
      folded = null;
      if (isAtRow) continue;
      release();
      return 'done';
    }
  }
  return 'more';
}
function close() {
  release();
}
return { run, close };`;
