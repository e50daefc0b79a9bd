/**
 * Operator harness: runs an operator in every way that a task may run it, and expects the same rows
 * each time, and an empty memory at the end.
 *
 *     batches    one row each · all at once · random sizes · with selections · empty ones in between
 *     outbox     takes everything · is full every other call
 *     time       never over · always over
 *
 * An operator with two inputs gets its build side first, in batches of the same kind.
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
import { spillSpace } from './spill-space.ts';

export type Row = Record<string, unknown>;

export interface OperatorCase {
  readonly input: Schema;
  readonly rows: readonly Row[];
  /** The other input, of an operator that has two. */
  readonly buildSide?: { readonly schema: Schema; readonly rows: readonly Row[] };
  readonly build: (context: OperatorContext) => Operator;
  /** What must come out. */
  readonly expected: readonly Row[];
  /** What the operator may hold of the memory; it must spill then. @defaultValue more than it needs */
  readonly shareBytes?: number;
  /** Whether the order of the output matters. @defaultValue true */
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

/** Runs the case in all modes. */
export function checkOperator(operatorCase: OperatorCase): void {
  for (const mode of runModes) {
    const found = runOperator(operatorCase, mode);
    const isOrdered = operatorCase.isOrdered ?? true;
    const inOrder = (rows: readonly Row[]) => (isOrdered ? rows : [...rows].sort(byText));
    expect(inOrder(found), mode.name).toEqual(inOrder(operatorCase.expected));
  }
}

/** The output rows of one run; asserts the operator's contract on the way. */
export function runOperator(operatorCase: OperatorCase, mode: RunMode): Row[] {
  const { input, rows, buildSide, build, shareBytes } = operatorCase;
  const { memory, scope, kernels } = sharedMemory ?? newContext('tested');
  // A run that fails leaves a memory that is not empty: the next one gets another.
  sharedMemory = null;
  const shouldYield = () => mode.isTimeOver;
  const disk = new MemoryDisk();
  const spill = spillSpace(shareBytes, disk);
  const outbox = new CollectingOutbox(mode.isOutboxSlow);
  const operator = build({ name: 'tested', scope, kernels, shouldYield, spill });
  try {
    if (buildSide !== undefined) feedBuildSide(operator, memory.scope('input'), buildSide, mode);
    for (const batch of batchesOf(memory.scope('input'), input, rows, mode)) {
      try {
        feed(operator, batch, outbox);
      } finally {
        batch.release();
      }
    }
    for (let calls = 0; !operator.finish(outbox); calls++) {
      assert(calls < 1_000_000, 'finish comes to an end');
    }
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
  readonly rows: Row[] = [];
  readonly #isSlow: boolean;
  #calls = 0;

  constructor(isSlow = false) {
    this.#isSlow = isSlow;
  }

  offer(batch: Batch): boolean {
    if (this.#isSlow && this.#calls++ % 2 === 0) return false;
    this.rows.push(...readRows(batch));
    batch.release();
    return true;
  }
}

/** Gives an operator its build side to the end. */
function feedBuildSide(
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
  for (let calls = 0; !join.buildEnded(); calls++) {
    assert(calls < 1_000_000, 'buildEnded comes to an end');
  }
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
function lehmer(seed: number): () => number {
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
