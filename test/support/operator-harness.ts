/**
 * Operator harness: runs an operator in every way that a task may run it, and expects the same rows
 * each time, and an empty memory at the end.
 *
 *     batches    one row each · all at once · random sizes · with selections · empty ones in between
 *     outbox     takes everything · is full every other call
 *     time       never over · always over
 *
 * An operator with two inputs gets its build side first, in batches of the same kind. One that looks at
 * event time or the clock gets `steps` in place of rows: rows of either port, watermarks and clock times in
 * the order given; only rows that follow each other are in one batch, so marks stand at the same places in
 * every run. With `hasMarks` the output says where each watermark went on.
 *
 *     steps  { row: { at: 5 } } · { right: { id: 1 } } · { watermark: 10 } · { wake: 1_000 }
 */
import { expect } from 'vitest';
import { assert } from '../../base/assert.ts';
import { type Batch, batchRowsMax } from '../../engine/batch/batch.ts';
import { BatchBuilder } from '../../engine/batch/batch-builder.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import { instantiateKernels } from '../../engine/kernels/kernels.ts';
import { addressOf, type MemoryScope, SlotMemory } from '../../engine/memory/slot-memory.ts';
import type { JoinOperator, Operator, OperatorContext } from '../../engine/operators/operator.ts';
import type { Schema } from '../../engine/schema/schema.ts';
import type { Outbox } from '../../engine/stream/outbox.ts';
import { MemoryDisk } from './memory-disk.ts';
import { restarted } from './restarted-operator.ts';
import { spillSpace } from './spill-space.ts';

export type Row = Record<string, unknown>;

/** What comes to an operator next. */
export type Step =
  | { readonly row: Row }
  /** A row of the second stream, port 1. */
  | { readonly right: Row }
  /** Event time has come so far. Must be more than the last one. */
  | { readonly watermark: number }
  /** The clock shows so many milliseconds: `wake`, where the operator has asked for it by then. */
  | { readonly wake: number };

export interface OperatorCase {
  readonly input: Schema;
  /** @defaultValue none: the case has steps */
  readonly rows?: readonly Row[];
  /** Behind the rows. */
  readonly steps?: readonly Step[];
  /** The schema of the second stream. @defaultValue that of the first */
  readonly rightInput?: Schema;
  /** Whether the output has a row `{ watermark }` where a watermark went on. @defaultValue false */
  readonly hasMarks?: boolean;
  /** What must come out as late. @defaultValue anything */
  readonly expectedLate?: readonly Row[];
  /** What it must have noted of rows in the end. @defaultValue anything */
  readonly expectedNoted?: Readonly<Record<string, number>>;
  /** The other input, of an operator that has two. */
  readonly buildSide?: { readonly schema: Schema; readonly rows: readonly Row[] };
  readonly build: (context: OperatorContext) => Operator;
  /** Keys whose state is asked for between all calls, which must change nothing. @defaultValue none */
  readonly asked?: readonly string[];
  /** Whether another operator may go on between any two batches. @defaultValue only with a snapshot */
  readonly keepsNothing?: true;
  /**
   * Set where an operator takes part in no checkpoint, a barrier may change what counts as late, or the state is too large to
   * be handed over before each call. @defaultValue those that have snapshots are restarted, too
   */
  readonly isNotRestarted?: true;
  /** What must come out. */
  readonly expected: readonly Row[];
  /** What the operator may hold of the memory; it must spill then. @defaultValue more than it needs */
  readonly shareBytes?: number;
  /** Whether the order of the output matters; marks stay where they are anyway. @defaultValue true */
  readonly isOrdered?: boolean;
}

export interface RunMode {
  readonly name: string;
  /** Rows of the next batch. */
  readonly batchRows: (random: () => number) => number;
  readonly isOutboxSlow: boolean;
  readonly isTimeOver: boolean;
  readonly hasSelections: boolean;
  readonly hasEmptyBatches: boolean;
  /** Whether the operator ends before each call, and another one goes on from its snapshot. @defaultValue false */
  readonly isRestarted?: true;
}

const plain = {
  isOutboxSlow: false,
  isTimeOver: false,
  hasSelections: false,
  hasEmptyBatches: false,
};
const anySize = (random: () => number) => 1 + Math.floor(random() * 7);

export const runModes: readonly RunMode[] = [
  { ...plain, name: 'whole batch', batchRows: () => batchRowsMax },
  { ...plain, name: 'one-row batches', batchRows: () => 1 },
  { ...plain, name: 'random batches', batchRows: anySize },
  { ...plain, name: 'slow outbox', batchRows: anySize, isOutboxSlow: true },
  { ...plain, name: 'time always over', batchRows: anySize, isTimeOver: true },
  { ...plain, name: 'selections', batchRows: anySize, hasSelections: true },
  { ...plain, name: 'empty batches', batchRows: anySize, hasEmptyBatches: true },
  {
    name: 'all at once, whole',
    batchRows: () => batchRowsMax,
    isOutboxSlow: true,
    isTimeOver: true,
    hasSelections: true,
    hasEmptyBatches: true,
  },
];

/** Of operators that go on from snapshots. */
const restartModes: readonly RunMode[] = [
  { ...plain, name: 'restarted', batchRows: anySize, isRestarted: true },
  {
    ...{ name: 'restarted, slow', batchRows: anySize, isRestarted: true },
    ...{ isOutboxSlow: true, isTimeOver: true, hasSelections: true, hasEmptyBatches: true },
  },
];

/** Runs the case in all modes. */
export function checkOperator(operatorCase: OperatorCase): void {
  const { expected, expectedLate, isOrdered = true } = operatorCase;
  const inOrder = (rows: readonly Row[]) => (isOrdered ? rows : sortedBetweenMarks(rows));
  const modes = canGoOn(operatorCase) ? [...runModes, ...restartModes] : runModes;
  for (const mode of modes) {
    const late: Row[] = [];
    const found = runOperator(operatorCase, mode, late);
    expect(inOrder(found), mode.name).toEqual(inOrder(expected));
    if (expectedLate === undefined) continue;
    expect(late.toSorted(byText), `${mode.name}, late`).toEqual(expectedLate.toSorted(byText));
  }
}

/** Whether the operator of a case goes on from snapshots. */
function canGoOn({ build, buildSide, keepsNothing, isNotRestarted }: OperatorCase): boolean {
  if (buildSide !== undefined || isNotRestarted === true) return false;
  if (keepsNothing === true) return true;
  const { context } = newContext('tested', false, 64 * 1024 * 1024);
  const operator = build(context);
  operator.close();
  return operator.snapshot !== undefined;
}

/** The output rows of one run, late rows to `late`; asserts the operator's contract on the way. */
export function runOperator(
  operatorCase: OperatorCase,
  mode: RunMode,
  lateRows: Row[] = [],
): Row[] {
  const { buildSide, build, shareBytes, expectedNoted } = operatorCase;
  const { memory, scope, kernels } = sharedMemory ?? newContext('tested');
  // A run that fails leaves a memory that is not empty: the next one gets another.
  sharedMemory = null;
  const shouldYield = () => mode.isTimeOver;
  const disk = new MemoryDisk();
  const spill = spillSpace(shareBytes, disk);
  const outbox = new CollectingOutbox(mode.isOutboxSlow);
  const late = new CollectingOutbox(mode.isOutboxSlow, lateRows);
  const run: Run = { mode, outbox, clock: { nowMs: 0 }, scope: memory.scope('input') };
  const nowMs = () => run.clock.nowMs;
  const buildOne = () => build({ name: 'tested', scope, kernels, shouldYield, spill, late, nowMs });
  const built = mode.isRestarted ? restarted(buildOne, { scope, kernels }) : buildOne();
  const operator = asking(built, operatorCase.asked ?? []);
  try {
    if (buildSide !== undefined) feedBuildSide(operator, run.scope, buildSide, mode);
    feedSteps(operator, operatorCase, run);
    untilDone('finish', () => operator.finish(outbox));
    if (expectedNoted !== undefined) expect(operator.notedRows, mode.name).toEqual(expectedNoted);
  } finally {
    operator.close();
    memory.assertEmpty();
    expect([...disk.files.keys()], 'files that are left').toEqual([]);
    expect(disk.openFiles.size, 'open files').toBe(0);
  }
  if (shareBytes !== undefined) expect(spill.writtenBytes, 'bytes spilled').toBeGreaterThan(0);
  sharedMemory = { memory, scope, kernels };
  return outbox.rows;
}

/** The operator, asked for the state of keys before each of its calls. */
function asking(operator: Operator, keys: readonly string[]): Operator {
  if (keys.length === 0) return operator;
  return new Proxy(operator, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        for (const key of keys) target.stateOf?.(key);
        return member.apply(target, given);
      };
    },
  });
}

/** Where an operator runs. */
export interface Run {
  readonly mode: RunMode;
  readonly outbox: CollectingOutbox;
  readonly clock: { nowMs: number };
  /** Of the input. */
  readonly scope: MemoryScope;
}

/** Rows and steps, in batches that end where another kind of step comes. */
function feedSteps(operator: Operator, operatorCase: OperatorCase, run: Run): void {
  const { input, rightInput = input, rows = [], steps = [] } = operatorCase;
  const all: readonly Step[] = [...rows.map((row) => ({ row })), ...steps];
  let watermark = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < all.length; ) {
    const step = all[at] as Step;
    const kind = 'row' in step ? 'row' : 'right';
    const given = rowsFrom(all, at, kind);
    if (given.length > 0) {
      const schema = kind === 'row' ? input : rightInput;
      feedRows(operator, { schema, rows: given, isRight: kind === 'right' }, run);
      at += given.length;
      continue;
    }
    if ('watermark' in step) {
      assert(step.watermark > watermark, 'the watermarks of a case grow');
      watermark = step.watermark;
      advance(operator, watermark, run, operatorCase.hasMarks === true);
    } else if ('wake' in step) wake(operator, step.wake, run);
    at++;
  }
}

/** The rows of one kind that follow each other from `at` on. */
export function rowsFrom(steps: readonly Step[], at: number, kind: 'row' | 'right'): Row[] {
  const rest = steps.slice(at);
  const count = rest.findIndex((step) => !(kind in step));
  return rest
    .slice(0, count < 0 ? rest.length : count)
    .map((step) => (step as Record<typeof kind, Row>)[kind]);
}

export function feedRows(
  operator: Operator,
  { schema, rows, isRight }: { schema: Schema; rows: readonly Row[]; isRight: boolean },
  { mode, outbox, scope }: Run,
): void {
  for (const batch of batchesOf(scope, schema, rows, mode)) {
    try {
      if (isRight) {
        assert(operator.processRight !== undefined, 'the operator takes a second stream');
        repeat(batch, (row) => operator.processRight?.(batch, row, outbox) ?? 0);
      } else feed(operator, batch, outbox);
    } finally {
      batch.release();
    }
  }
}

export function advance(
  operator: Operator,
  timeMs: number,
  { outbox }: Run,
  hasMarks: boolean,
): void {
  untilDone('advance', () => operator.advance?.(timeMs, outbox) ?? true);
  const behind = operator.watermarkBehind?.(timeMs) ?? timeMs;
  assert(behind <= timeMs, 'an operator promises no more than it was promised');
  if (hasMarks) outbox.rows.push({ watermark: behind });
}

/** The clock comes to a time; the operator is called at each time it asks for until then. */
export function wake(operator: Operator, nowMs: number, { outbox, clock }: Run): void {
  assert(nowMs >= clock.nowMs, 'the clock of a case goes on');
  clock.nowMs = nowMs;
  if ((operator.wakeAtMs ?? Number.POSITIVE_INFINITY) > nowMs) return;
  assert(operator.wake !== undefined, 'an operator that asks for a time has "wake"');
  untilDone('wake', () => operator.wake?.(nowMs, outbox) ?? true);
  const next = operator.wakeAtMs ?? Number.POSITIVE_INFINITY;
  assert(next > nowMs, 'an operator that was woken asks for a later time');
}

export function untilDone(name: string, call: () => boolean): void {
  for (let calls = 0; !call(); calls++) assert(calls < 1_000_000, `${name} comes to an end`);
}

/** Rows in an order of their own between two marks. */
export function sortedBetweenMarks(rows: readonly Row[]): Row[] {
  const sorted: Row[] = [];
  let part: Row[] = [];
  for (const row of rows) {
    if (!isMark(row)) {
      part.push(row);
      continue;
    }
    sorted.push(...part.sort(byText), row);
    part = [];
  }
  return [...sorted, ...part.sort(byText)];
}

/** Whether a row says where a watermark went on. */
export function isMark(row: Row): boolean {
  return 'watermark' in row && Object.keys(row).length === 1;
}

let sharedMemory: Omit<ReturnType<typeof newContext>, 'context'> | null = null;

/** What an operator is given in tests; the memory is poisoned. */
export function newContext(name: string, isTimeOver = false, budgetBytes = 256 * 1024 * 1024) {
  const memory = new SlotMemory({ budgetBytes, poison: true });
  const kernels = instantiateKernels(memory.memory);
  const scope = memory.scope(name);
  const context: OperatorContext = {
    ...{ name, scope, kernels, spill: spillSpace() },
    shouldYield: () => isTimeOver,
  };
  return { memory, kernels, scope, context };
}

/** A batch of the rows, values by the names of the fields. */
export function batchOf(scope: MemoryScope, schema: Schema, rows: readonly Row[]): Batch {
  const builder = new BatchBuilder(scope, schema);
  for (const row of rows) builder.appendRow(schema.fields.map(({ name }) => row[name]));
  return builder.build();
}

/** Takes what is offered and reads its rows; a slow one refuses every other call. */
export class CollectingOutbox implements Outbox {
  readonly rows: Row[];
  readonly #isSlow: boolean;
  #calls = 0;

  constructor(isSlow = false, rows: Row[] = []) {
    this.#isSlow = isSlow;
    this.rows = rows;
  }

  offer(batch: Batch): boolean {
    if (this.#isSlow && this.#calls++ % 2 === 0) return false;
    this.rows.push(...readRows(batch));
    batch.release();
    return true;
  }
}

/** Gives an operator its build side to the end. */
/** Gives all rows of its build side to a join, and says that it has ended. */
export function feedBuildSide(
  operator: Operator,
  scope: MemoryScope,
  { schema, rows }: NonNullable<OperatorCase['buildSide']>,
  mode: RunMode,
): void {
  assert('buildEnded' in operator, 'an operator with two inputs takes a build side');
  const join = operator as JoinOperator;
  for (const batch of batchesOf(scope, schema, rows, mode)) {
    try {
      repeat(batch, (row) => join.build(batch, row));
    } finally {
      batch.release();
    }
  }
  untilDone('buildEnded', () => join.buildEnded());
}

/** Gives a batch to an operator until it is done, and checks the positions that come back. */
export function feed(operator: Operator, batch: Batch, outbox: Outbox): void {
  repeat(batch, (row) => operator.process(batch, row, outbox));
}

function repeat(batch: Batch, work: (fromRow: number) => number): void {
  let row = 0;
  for (let calls = 0; ; calls++) {
    const next = work(row);
    assert(next >= row && next <= batch.rowCount, 'a position only grows, to rowCount');
    if (next === batch.rowCount) return;
    assert(calls < 1_000_000, 'a batch comes to an end');
    row = next;
  }
}

function* batchesOf(scope: MemoryScope, schema: Schema, rows: readonly Row[], mode: RunMode) {
  const random = lehmer(rows.length + 1);
  for (let start = 0; start < rows.length; ) {
    const end = Math.min(rows.length, start + mode.batchRows(random));
    const part = rows.slice(start, end);
    yield mode.hasSelections ? selectedBatch(scope, schema, part) : batchOf(scope, schema, part);
    if (mode.hasEmptyBatches) yield batchOf(scope, schema, []);
    start = end;
  }
}

/** The rows as a selection of a batch that also stores a copy of each, before it. */
function selectedBatch(scope: MemoryScope, schema: Schema, rows: readonly Row[]): Batch {
  const isSmall = rows.length * 2 <= batchRowsMax;
  const stored = isSmall ? rows.flatMap((row) => [row, row]) : rows;
  const batch = batchOf(scope, schema, stored);
  const block = scope.allocate(rows.length * 4);
  for (let row = 0; row < rows.length; row++) {
    scope.memory.uint32[addressOf(block) / 4 + row] = isSmall ? row * 2 + 1 : row;
  }
  const selected = batch.derive({
    rowCount: rows.length,
    selection: addressOf(block),
    blocks: [block],
  });
  batch.release();
  return selected;
}

/** A small generator, the same numbers for the same seed. */
export function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function byText(a: Row, b: Row): number {
  const [left, right] = [textOf(a), textOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function textOf(row: Row): string {
  return JSON.stringify(row, (_, value) => {
    // JSON has no NaN, no infinities and no -0, which are told apart here.
    if (Object.is(value, -0)) return '-0';
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}
