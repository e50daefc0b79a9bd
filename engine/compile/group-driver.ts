/**
 * The driver of functions over groups: mapReduce's combine and reduce. All pairs of one group, of one key
 * mostly, are one call, and its values are pulled while the function asks for them, so a group with more
 * values than memory holds still works.
 *
 * Reduce goes through batches of pairs sorted by group:
 *
 *     pairs    a 1   a 4 │ a 2   b 7   c 1 │ c 3        │ a border between two batches
 *     calls    fn('a', 1 4 2)    fn('b', 7)   fn('c', 1 3)
 *
 * Combine, which needs no order, through row numbers in order of groups, by which it reads the batches
 * where they lie.
 *
 * Invariants:
 * - The next group begins where the old one ends, even if the function took none of its values.
 * - `values` can be gone through once, during the call: later use throws ROW_EXPIRED.
 * - Groups are compared as bytes, across the border of two batches as copies of them.
 */
import { assert } from '../../base/assert.ts';
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { FunctionContext } from '../plan/user-functions.ts';
import { layoutOf } from '../schema/field-type.ts';
import type { Field, Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper } from './driver-helper.ts';
import { noFunctionContext } from './function-context.ts';
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
  /** @defaultValue `noFunctionContext` */
  readonly context?: FunctionContext | undefined;
}

/** Pairs sorted by key: the next batch, or null at the end; the driver releases it. */
export type NextBatch = () => Batch | null;

/** Pairs in order of groups, as addresses of u32. */
export interface GroupedRows {
  readonly groupCount: number;
  /** Row numbers: index of the batch × 8,192 + stored row. */
  readonly rows: number;
  /** For each group, where its rows end. */
  readonly ends: number;
  /** For each batch four addresses: the key's values and validity, and the value's. */
  readonly bases: number;
}

export interface ReduceOptions extends GroupOptions {
  /** Indexes of the fields of `pairs` that one call's have in common. */
  readonly groupBy: readonly number[];
}

/** @param reduce - Called once per group, with its first key; gives out any number of rows. */
export function reduceDriver(
  options: ReduceOptions,
  nextBatch: NextBatch,
  reduce: (key: never, values: Iterable<never>, context: FunctionContext) => Iterable<unknown>,
): GroupDriver {
  const { pairs, output, groupBy } = options;
  const source = [
    bindSource(pairs),
    ...groupBy.flatMap((n) => groupSource(pairs, n)),
    sortedCursor(groupBy),
    appendRowSource(output),
    startReduce,
    drainReduce,
  ];
  return groupDriver(options, { source, values: { nextBatch, fn: reduce }, name: 'reduce' });
}

/**
 * @param groups - Called at the beginning of each round; its batches stay until the round is done.
 * @param combine - Called once per key; its result becomes the key's one value.
 */
export function combineDriver(
  options: GroupOptions,
  groups: () => GroupedRows,
  combine: (key: never, values: Iterable<never>, context: FunctionContext) => unknown,
): GroupDriver {
  const source = [groupedCursor, appendValuesSource(options.output), startCombine, drainCombine];
  return groupDriver(options, { source, values: { groups, fn: combine }, name: 'combine' });
}

interface Variant {
  readonly source: readonly string[];
  /** The user's function, and where pairs come from, by the names the text uses. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly name: string;
}

function groupDriver(options: GroupOptions, variant: Variant): GroupDriver {
  const { operator, memory, pairs, output, builder, context = noFunctionContext } = options;
  const { source, name } = variant;
  const h = new DriverHelper({ operator, function: name }, memory, output);
  const [key, value] = pairs.fields.map(readSource);
  const text = [groupValuesText, key, value, pairText, ...source, groupRunText].join('\n');
  return compileDriver(text, {
    memory,
    builder,
    values: { h, context, ...variant.values, ...writersOf(builder) },
    label: `${operator}-${name}`,
  }) as GroupDriver;
}

/**
 * Field 0 is the key, field 1 the value; `stored` is the cursor's row. `atGroup`: it is one of the
 * running group. A cursor has `enter` (to the next group; false at the end), `advance`, `leave` (over
 * what is left of the group) and `closeCursor`.
 */
export const groupValuesText = `
let stored = 0, key = null, atGroup = false, group = 0, subject = null;
class Values {
  #group = group;
  #isTaken = false;
  [Symbol.iterator]() {
    if (this.#isTaken || this.#group !== group) h.valuesUsed();
    this.#isTaken = true;
    return this;
  }
  next() {
    if (this.#group !== group) h.valuesUsed();
    if (!atGroup) return { done: true, value: undefined };
    const value = valueOf(stored);
    advance();
    return { done: false, value };
  }
  return() { return { done: true, value: undefined }; }
}
function openGroup() {
  if (!enter()) return false;
  key = keyOf(stored);
  subject = { key };
  atGroup = true;
  group++;
  return true;
}`;

/** What a group is called with, of a pair. */
const pairText = `
function keyOf(i) { return read0(i); }
function valueOf(i) { return read1(i); }`;

/** `sameN` of a field that is grouped by, and `keptN(i)`, what stays of it when its batch goes. */
function groupSource(pairs: Schema, n: number): string[] {
  const field = pairs.fields[n];
  assert(field !== undefined, 'pairs are grouped by their columns');
  return [...(n === 0 || n === 1 ? [] : [readSource(field, n)]), ...sameGroupSource(field, n)];
}

/** `sameN` and `keptN(i)` of a field whose reader is there. */
export function sameGroupSource(field: Field, n: number): string[] {
  const isView = layoutOf(field.type) === 'view';
  const kept = isView ? `read${n}(i) === null ? null : h.bytes(v${n} + i * 16)` : `read${n}(i)`;
  return [sameSource(field, n), `function kept${n}(i) { return ${kept}; }`];
}

/** Through batches that are sorted by the fields of these places, whose readers are there. */
export const sortedCursor = (groupBy: readonly number[]) => `
let batch = null, row = 0, hasEnded = false;
function isSame(i, j) { return ${groupBy.map((n) => `same${n}(i, j)`).join(' && ') || 'true'}; }
function keep(i) { return [${groupBy.map((n) => `kept${n}(i)`).join(', ')}]; }
function load() {
  do {
    batch?.release();
    batch = null;
    batch = nextBatch();
    if (batch === null) { hasEnded = true; return false; }
  } while (batch.rowCount === 0);
  bind(batch);
  row = 0;
  stored = storedRow(0);
  return true;
}
function enter() {
  if (batch !== null || (!hasEnded && load())) return true;
  hasEnded = false;
  return false;
}
function advance() {
  const before = stored;
  row++;
  if (row < batch.rowCount) {
    stored = storedRow(row);
    atGroup = isSame(before, stored);
  } else {
    const kept = keep(before);
    atGroup = load() && h.areKept(kept, keep(stored));
  }
}
function leave() {
  while (atGroup) advance();
}
function closeCursor() {
  batch?.release();
  batch = null;
}`;

const groupedCursor = `
let v0 = 0, n0 = 0, v1 = 0, n1 = 0;
let isOn = false, left = 0, rows = 0, ends = 0, bases = 0, at = 0, end = 0;
function begin() {
  const found = groups();
  left = found.groupCount;
  rows = found.rows >>> 2;
  ends = found.ends >>> 2;
  bases = found.bases >>> 2;
  end = 0;
  isOn = true;
}
function seek() {
  const number = u32[rows + at], base = bases + (number >>> 13) * 4;
  stored = number & 8191;
  v1 = u32[base + 2];
  n1 = u32[base + 3];
  return base;
}
function enter() {
  if (!isOn) begin();
  if (left === 0) { isOn = false; return false; }
  left--;
  at = end;
  end = u32[ends++];
  const base = seek();
  v0 = u32[base];
  n0 = u32[base + 1];
  return true;
}
function advance() {
  at++;
  if (at < end) seek();
  else atGroup = false;
}
function leave() { atGroup = false; }
function closeCursor() {}`;

const startReduce = `
let iterator = null;
function start() {
  let result;
  try { result = fn(key, new Values(), context); } catch (error) { throw h.failed(error, subject); }
  iterator = h.iteratorOf(result, subject);
}`;

/** Appends what the function's `iterator` gives. */
export const drainReduce = `
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
  try { result = fn(key, new Values(), context); } catch (error) { throw h.failed(error, subject); }
}`;

const drainCombine = `
function drain() {
  if (builder.isFull) return false;
  appendValues(key, result, subject);
  return true;
}
function stop() {}`;

export const groupRunText = `
let isOpen = false;
function run(groupsMax) {
  for (let done = 0; done < groupsMax; done++) {
    if (!isOpen) {
      if (!openGroup()) return 'done';
      isOpen = true;
      start();
    }
    if (!drain()) return 'full';
    group++;
    leave();
    isOpen = false;
  }
  return 'more';
}
function close() {
  stop();
  group++;
  closeCursor();
}
return { run, close };`;
