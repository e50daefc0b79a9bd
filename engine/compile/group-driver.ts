/**
 * The driver of functions over groups: mapReduce's combine and reduce. Pairs come sorted by key; all
 * pairs of one key are one call, and its values are pulled while the function asks for them, so a key
 * with more values than memory holds still works.
 *
 *     pairs    a 1   a 4 │ a 2   b 7   c 1 │ c 3        │ a border between two batches
 *     calls    fn('a', 1 4 2)    fn('b', 7)   fn('c', 1 3)
 *
 * Invariants:
 * - The next key begins where the old one ends, even if the function took none of its values.
 * - `values` can be gone through once, during the call: later use throws ROW_EXPIRED.
 * - Keys are compared as bytes inside a batch, and as values across a border.
 */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import { appendRowSource, appendValuesSource, writersOf } from './output-source.ts';
import { bindSource, readSource, sameSource } from './row-source.ts';

export interface GroupDriver {
  /**
   * Runs up to `groupsMax` groups. `full`: build the batch and call again; `more`: the slice is over;
   * `done`: the pairs have ended; a later call begins anew with `nextBatch`.
   */
  run(groupsMax: number): 'full' | 'more' | 'done';
  /** Releases the batch in hand. */
  close(): void;
}

export interface GroupOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  readonly pairs: Schema;
  readonly output: Schema;
  readonly builder: BatchBuilder;
  /** The next batch of sorted pairs, or null at the end; the driver releases it. */
  readonly nextBatch: () => Batch | null;
}

/** @param reduce - Called once per key; gives out any number of rows. */
export function reduceDriver(
  options: GroupOptions,
  reduce: (key: never, values: Iterable<never>) => Iterable<unknown>,
): GroupDriver {
  const source = [appendRowSource(options.output), startReduce, drainReduce].join('\n');
  return groupDriver(options, { source, fn: reduce, name: 'reduce' });
}

/** @param combine - Called once per key; its result becomes the key's one value. */
export function combineDriver(
  options: GroupOptions,
  combine: (key: never, values: Iterable<never>) => unknown,
): GroupDriver {
  const source = [appendValuesSource(options.output), startCombine, drainCombine].join('\n');
  return groupDriver(options, { source, fn: combine, name: 'combine' });
}

interface Variant {
  readonly source: string;
  readonly fn: unknown;
  readonly name: string;
}

function groupDriver(options: GroupOptions, { source, fn, name }: Variant): GroupDriver {
  const { operator, memory, pairs, output, builder, nextBatch } = options;
  const h = new DriverHelper({ operator, function: name }, memory, output);
  const text = [
    bindSource(pairs),
    ...pairs.fields.map(readSource),
    ...pairs.fields.slice(0, 1).map(sameSource),
    cursorText,
    source,
    runText,
  ].join('\n');
  const values = { h, fn, nextBatch, ...writersOf(builder) };
  return compileDriver(text, {
    memory,
    builder,
    values,
    label: `${operator}-${name}`,
  }) as GroupDriver;
}

/** `atGroup`: the cursor is on a row of the running group. Field 0 is the key, field 1 the value. */
const cursorText = `
let batch = null, row = 0, stored = 0, hasEnded = false;
let key = null, atGroup = false, group = 0, subject = null;
function isSame(a, b) { return a === b || (a !== a && b !== b); }
function load() {
  batch?.release();
  batch = null;
  do {
    batch?.release();
    batch = nextBatch();
    if (batch === null) { hasEnded = true; return false; }
  } while (batch.rowCount === 0);
  bind(batch);
  row = 0;
  stored = storedRow(0);
  return true;
}
function advance() {
  const before = stored;
  row++;
  if (row < batch.rowCount) {
    stored = storedRow(row);
    atGroup = same0(before, stored);
  } else {
    atGroup = load() && isSame(read0(stored), key);
  }
}
function valuesOf(mine) {
  let isTaken = false;
  return {
    [Symbol.iterator]() {
      if (isTaken || mine !== group) h.valuesUsed();
      isTaken = true;
      return this;
    },
    next() {
      if (mine !== group) h.valuesUsed();
      if (!atGroup) return { done: true, value: undefined };
      const value = read1(stored);
      advance();
      return { done: false, value };
    },
    return() { return { done: true, value: undefined }; },
  };
}
function openGroup() {
  if (batch === null && (hasEnded || !load())) return false;
  key = read0(stored);
  subject = { key };
  atGroup = true;
  group++;
  return true;
}
function skipRest() {
  group++;
  while (atGroup) advance();
}`;

const startReduce = `
let iterator = null;
function start() {
  let result;
  try { result = fn(key, valuesOf(group)); } catch (error) { throw h.failed(error, subject); }
  iterator = h.iteratorOf(result, subject);
}`;

const drainReduce = `
function drain() {
  for (;;) {
    if (builder.isFull) return false;
    let step;
    try { step = iterator.next(); } catch (error) { throw h.failed(error, subject); }
    if (step.done) break;
    append(step.value, subject);
  }
  iterator = null;
  return true;
}
function stop() {
  try { iterator?.return?.(); } catch { /* The job has ended already; its reason is known. */ }
}`;

const startCombine = `
let result;
function start() {
  try { result = fn(key, valuesOf(group)); } catch (error) { throw h.failed(error, subject); }
}`;

const drainCombine = `
function drain() {
  if (builder.isFull) return false;
  appendValues(key, result, subject);
  return true;
}
function stop() {}`;

const runText = `
let isOpen = false;
function run(groupsMax) {
  for (let done = 0; done < groupsMax; done++) {
    if (!isOpen) {
      if (!openGroup()) {
        hasEnded = false;
        return 'done';
      }
      isOpen = true;
      start();
    }
    if (!drain()) return 'full';
    skipRest();
    isOpen = false;
  }
  return 'more';
}
function close() {
  stop();
  group++;
  batch?.release();
  batch = null;
}
return { run, close };`;
