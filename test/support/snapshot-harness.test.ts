/** Goal: the harness accepts an operator whose snapshots are whole, and finds each bug that is planted in one. */
import { expect, test } from 'vitest';
import type { Batch } from '../../engine/batch/batch.ts';
import { readRows } from '../../engine/batch/row-reader.ts';
import type {
  SnapshotReader,
  SnapshotRows,
  SnapshotWriter,
} from '../../engine/contracts/snapshot.ts';
import { keyGroupOf } from '../../engine/keys/key-group.ts';
import { KeyHasher } from '../../engine/keys/key-hasher.ts';
import type { Operator, OperatorContext, Outbox } from '../../engine/operators/operator.ts';
import { fieldOf, type Schema } from '../../engine/schema/schema.ts';
import { batchOf, type Row, type Step } from './operator-harness.ts';
import { checkSnapshots } from './snapshot-harness.ts';

const bugs = [
  'timers are not restored',
  'the watermark is not restored',
  'keys of other tasks are kept',
  'rows are taken from what is not frozen',
  'windows are given out again',
  'counts of rows are not restored',
  'counts of rows are restored in each task',
  'part of the state is not read',
  'a batch of state is not released',
  'state is restored in the other order',
  'only the first rows of a batch are restored',
  'nothing is kept',
] as const;
type Bug = (typeof bugs)[number] | 'none';

const input: Schema = {
  fields: [fieldOf('key', { kind: 'int32' }, false), fieldOf('at', { kind: 'int32' }, false)],
};
const state: Schema = {
  fields: [
    fieldOf('key', { kind: 'int32' }, false),
    fieldOf('window', { kind: 'int32' }, false),
    fieldOf('values', { kind: 'utf8' }, false),
    fieldOf('wakeAt', { kind: 'int32' }, true),
    fieldOf('isGiven', { kind: 'bool' }, false),
  ],
};
const output: Schema = {
  fields: [fieldOf('key', { kind: 'int32' }, false), fieldOf('values', { kind: 'utf8' }, false)],
};

type Entry = {
  readonly key: number;
  readonly window: number;
  values: string;
  wakeAt: number | null;
  isGiven: boolean;
};

/** The times of each key in windows of 10, once at the end and once 5 ms after the first, as a reader would write it. */
class PlainOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #bug: Bug;
  #entries: Entry[] = [];
  #pending: Row[] = [];
  #given: Batch | null = null;
  #watermark = Number.NEGATIVE_INFINITY;
  #late = 0;

  constructor(context: OperatorContext, bug: Bug) {
    this.#context = context;
    this.#bug = bug;
  }

  get notedRows(): Readonly<Record<string, number>> {
    return { late: this.#late };
  }

  get wakeAtMs(): number {
    return Math.min(...this.#entries.map(({ wakeAt }) => wakeAt ?? Number.POSITIVE_INFINITY));
  }

  process(batch: Batch, fromRow: number): number {
    for (const { key, at } of readRows(batch).slice(fromRow) as { key: number; at: number }[]) {
      const window = Math.floor(at / 10);
      if (at < this.#watermark) this.#late++;
      else this.#entryOf(key, window).values += ` ${at}`;
    }
    return batch.rowCount;
  }

  advance(timeMs: number, outbox: Outbox): boolean {
    for (const entry of this.#entries) {
      if (entry.window * 10 + 10 > timeMs || entry.isGiven) continue;
      entry.isGiven = true;
      this.#pending.push({ key: entry.key, values: entry.values });
    }
    // What was given out is remembered for a while, as windows with allowed lateness are.
    this.#entries = this.#entries.filter(({ window }) => window * 10 + 30 > timeMs);
    this.#watermark = Math.max(this.#watermark, timeMs);
    return this.#give(outbox);
  }

  wake(nowMs: number, outbox: Outbox): boolean {
    for (const entry of this.#entries) {
      if ((entry.wakeAt ?? Number.POSITIVE_INFINITY) > nowMs) continue;
      entry.wakeAt = null;
      this.#pending.push({ key: entry.key, values: entry.values });
    }
    return this.#give(outbox);
  }

  snapshot(writer: SnapshotWriter): boolean {
    if (this.#bug === 'nothing is kept') return true;
    writer.note({ watermark: Math.max(this.#watermark, -1e9), late: this.#late });
    const frozen = this.#entries.map((entry) => ({ ...entry }));
    const isLive = this.#bug === 'rows are taken from what is not frozen';
    writer.rows('windows', state, this.#rowsOf(isLive ? this.#entries : frozen));
    return true;
  }

  restore(reader: SnapshotReader): boolean {
    const notes = reader.notes as ({ watermark: number; late: number } | null)[];
    const known = notes.filter((note) => note !== null);
    if (this.#bug !== 'the watermark is not restored') {
      this.#watermark = Math.min(...known.map(({ watermark }) => watermark));
    }
    const isFirst = reader.keyGroups.start === 0;
    if (isFirst || this.#bug === 'counts of rows are restored in each task') {
      this.#late = known.reduce((sum, { late }) => sum + late, 0);
    }
    if (this.#bug === 'counts of rows are not restored') this.#late = 0;
    for (let batch = reader.read('windows'); batch !== null; batch = reader.read('windows')) {
      this.#restoreRows(batch, reader);
      if (this.#bug !== 'a batch of state is not released') batch.release();
      if (this.#bug === 'part of the state is not read') return true;
    }
    if (this.#bug === 'state is restored in the other order') this.#entries.reverse();
    return true;
  }

  finish(outbox: Outbox): boolean {
    return this.advance(Number.POSITIVE_INFINITY, outbox);
  }

  close(): void {
    this.#given?.release();
  }

  #restoreRows(batch: Batch, { keyGroups: { start, end } }: SnapshotReader): void {
    const { scope, kernels } = this.#context;
    const hasher = new KeyHasher({ scope, kernels, schema: state }, ['key']);
    const hashes = hasher.hash(batch) >>> 2;
    for (const [row, entry] of (readRows(batch) as Entry[]).entries()) {
      const group = keyGroupOf(batch.memory.uint32[hashes + row] ?? 0);
      const isOwn = start <= group && group < end;
      if (!isOwn && this.#bug !== 'keys of other tasks are kept') continue;
      if (this.#bug === 'only the first rows of a batch are restored' && row > 2) continue;
      if (this.#bug === 'timers are not restored') entry.wakeAt = null;
      if (this.#bug === 'windows are given out again') entry.isGiven = false;
      this.#entries.push({ ...entry });
    }
    hasher.close();
  }

  #entryOf(key: number, window: number): Entry {
    const known = this.#entries.find((entry) => entry.key === key && entry.window === window);
    if (known !== undefined) return known;
    const wakeAt = (this.#context.nowMs?.() ?? 0) + 5;
    const entry = { key, window, values: '', wakeAt, isGiven: false };
    this.#entries.push(entry);
    return entry;
  }

  #rowsOf(entries: readonly Entry[]): SnapshotRows {
    let at = 0;
    const next = () => {
      const rows = entries.slice(at, at + 4);
      at += rows.length;
      return rows.length === 0 ? null : batchOf(this.#context.scope, state, rows);
    };
    return { next, close: () => {} };
  }

  #give(outbox: Outbox): boolean {
    if (this.#pending.length > 0) {
      this.#given ??= batchOf(this.#context.scope, output, this.#pending);
      this.#pending = [];
    }
    if (this.#given !== null && !outbox.offer(this.#given)) return false;
    this.#given = null;
    return true;
  }
}

const rowsAt = (...times: readonly number[]): Step[] =>
  times.map((at) => ({ row: { key: (at * 7) % 5, at } }));
const steps: readonly Step[] = [
  ...rowsAt(1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 3, 1),
  { wake: 4 },
  ...rowsAt(13, 15, 17, 18, 21, 22, 25, 26, 6, 8),
  { watermark: 12 },
  ...rowsAt(13, 3, 4, 16, 17, 27, 26, 31, 32, 33, 34),
  { wake: 6 },
  { watermark: 20 },
  ...rowsAt(35, 36, 21, 28, 29, 11),
  { wake: 30 },
  { watermark: 35 },
  ...rowsAt(36, 37, 31, 39),
];
const caseWith = (bug: Bug) => ({
  input,
  steps,
  keys: ['key'],
  orderedBy: ['key'],
  build: (context: OperatorContext) => new PlainOperator(context, bug),
});

test('an operator that keeps all and no more passes', () => {
  expect(() => checkSnapshots(caseWith('none'))).not.toThrow();
});

test.each(bugs)('found: %s', (bug) => {
  expect(() => checkSnapshots(caseWith(bug))).toThrow();
});
