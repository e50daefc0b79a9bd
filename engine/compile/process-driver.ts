/**
 * The driver of functions over keyed state: `onRow`, `onTimer` and `onControl` of process. A call may emit any number
 * of rows, and use the state of its key.
 *
 *     run   each row:  enterRow(key) ─▶ onRow(view, context) ─▶ commit
 *     fire  a timer, whose key its owner has entered:  onTimer(timeMs, context) ─▶ commit
 *
 * Where records go to dead letters, a call that throws must leave nothing behind: rows are held until it has
 * returned, and the owner undoes what it did to state. Elsewhere the job ends, and rows are appended at once.
 *
 * Invariants:
 * - Row and context are valid during the call only.
 * - `enterRow` and `commit` come in pairs, but for a call whose error ends the job.
 */
import type { Batch } from '../batch/batch.ts';
import type { BatchBuilder } from '../batch/batch-builder.ts';
import type { SlotMemory } from '../memory/slot-memory.ts';
import type { ProcessCall } from '../plan/user-functions.ts';
import type { Field, Schema } from '../schema/schema.ts';
import { compileDriver } from './compile-driver.ts';
import { DriverHelper, type PoisonSink } from './driver-helper.ts';
import { appendValuesSource, writersOf } from './output-source.ts';
import { bindSource, readSource, rowViewSource } from './row-source.ts';

export interface ProcessDriver {
  /** Rows `[fromRow, toRow)`; answers the next row, short of `toRow` when the builder is full. */
  run(batch: Batch, fromRow: number, toRow: number): number;
  fire(timeMs: number): void;
  close(): void;
}

/** What the operator does around a call. */
export interface ProcessHooks {
  /** Makes the row's key the current one. */
  enterRow(row: number, storedRow: number): void;
  /** The row's event time, where `tellsTime` and the row has one. */
  atTime(timeMs: number): void;
  /** The call is over, and what it did stays. */
  commit(): void;
  /** What the call did is undone; its key stays the current one. */
  undo(): void;
}

/** What the context of calls is made of, besides state. */
export interface ProcessOutlets {
  readonly emit: (row: unknown) => void;
  /** Event time of the row, or the time of the timer; null where the row has none. */
  readonly timeMs: () => number | null;
}

export interface ProcessDriverOptions {
  readonly operator: string;
  readonly memory: SlotMemory;
  /** What functions see of rows: the first fields of batches. */
  readonly input: Schema;
  /** The place of the field with the event time, or -1. */
  readonly timeIndex: number;
  /** Whether `atTime` is to be called for each row. */
  readonly tellsTime: boolean;
  readonly output: Schema;
  readonly builder: BatchBuilder;
  /** Empties a full builder, for a call can't be stopped. */
  readonly overflow: () => void;
  readonly poison: PoisonSink | null;
  readonly hooks: ProcessHooks;
  readonly contextOf: (outlets: ProcessOutlets) => ProcessCall;
  /** What rows are given to, by the name that errors have for it. */
  readonly rowFunction: 'onRow' | 'onControl';
  readonly onRow: (row: never, context: never) => unknown;
  readonly onTimer: ((timeMs: number, context: never) => unknown) | null;
}

export function processDriver(options: ProcessDriverOptions): ProcessDriver {
  const { operator, memory, input, output, builder, poison, rowFunction } = options;
  const { onRow, onTimer, hooks, contextOf, overflow, timeIndex, tellsTime } = options;
  const helper = (name: string) =>
    new DriverHelper({ operator, function: name }, memory, output, poison);
  const text = [
    bindSource(input),
    ...input.fields.map(readSource),
    rowViewSource(input),
    appendValuesSource(output),
    emitSource(output),
    timeSource(input.fields[timeIndex], timeIndex),
    runText,
  ].join('\n');
  const values = {
    ...{ h: helper(rowFunction), ht: helper('onTimer'), onRow, onTimer, hooks, contextOf },
    ...{ overflow, tellsTime, canUndo: poison !== null, ...writersOf(builder) },
  };
  const label = `${operator}-${rowFunction}`;
  return compileDriver(text, { memory, builder, values, label }) as ProcessDriver;
}

/** `emit(out)`, and `release()`, which appends the rows that were held. */
function emitSource(output: Schema): string {
  const names = output.fields.map(({ name }) => JSON.stringify(name));
  const reads = names.map((name) => `out[${name}]`).join(', ');
  const count = names.length;
  const held = names.map((_, n) => `held[at + ${n}]`).join(', ');
  return [
    'let subject = null, held = [], emitError = null;',
    'function emit(out) {',
    '  if (subject === null) h.expired("emit");',
    '  try {',
    "    if (out === null || typeof out !== 'object') h.notRow(out, subject);",
    `    if (canUndo) { held.push(${reads}); return; }`,
    '    if (builder.isFull) overflow();',
    `    appendValues(${reads}, subject);`,
    '  } catch (error) { emitError = error; throw error; }',
    '}',
    'function release() {',
    `  for (let at = 0; at < held.length; at += ${count}) {`,
    '    if (builder.isFull) overflow();',
    `    appendValues(${held}, subject);`,
    '  }',
    '  held.length = 0;',
    '}',
  ].join('\n');
}

/** `timeOf(i)`: the event time of a row in milliseconds, rounded down. */
function timeSource(field: Field | undefined, n: number): string {
  if (field?.type.kind !== 'timestamp') return 'function timeOf(i) { return null; }';
  const isMs = field.type.unit === 'ms';
  return [
    'function timeOf(i) {',
    `  const value = read${n}(i);`,
    isMs ? '  return value;' : '  return value === null ? null : Math.floor(Number(value) / 1000);',
    '}',
  ].join('\n');
}

const runText = `
let stored = -1, timer = NaN;
const timerSubject = { toJSON() { return { key: context.key, timeMs: timer }; } };
const context = contextOf({ emit, timeMs: () => (stored < 0 ? timer : timeOf(stored)) });
function tellTime(i) { const timeMs = timeOf(i); if (timeMs !== null) hooks.atTime(timeMs); }
function undo() { hooks.undo(); held.length = 0; emitError = null; }
function rowAgain(view) { undo(); onRow(view, context); }
function timerAgain() { undo(); onTimer(timer, context); }
function failed(helper, again, error) {
  if (emitError !== null || !canUndo) throw helper.failed(emitError ?? error, subject);
  if (helper.again(again, subject, error) === helper.skipped) undo();
}
function run(batch, fromRow, toRow) {
  bind(batch);
  let row = fromRow;
  while (row < toRow && !builder.isFull) {
    const i = storedRow(row);
    hooks.enterRow(row, i);
    stored = i;
    if (tellsTime) tellTime(i);
    const view = new RowView(i);
    subject = view;
    try { onRow(view, context); } catch (error) { failed(h, rowAgain, error); }
    if (emitError !== null) throw emitError;
    if (canUndo) release();
    hooks.commit();
    expire(view);
    subject = null;
    row++;
  }
  return row;
}
function fire(timeMs) {
  stored = -1;
  timer = timeMs;
  subject = timerSubject;
  try { onTimer(timeMs, context); } catch (error) { failed(ht, timerAgain, error); }
  if (emitError !== null) throw emitError;
  if (canUndo) release();
  hooks.commit();
  subject = null;
}
function close() { subject = null; }
return { run, fire, close };`;
