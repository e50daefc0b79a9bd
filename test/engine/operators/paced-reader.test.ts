/** Goal: rows come when they are due, once and in their order, and say when that was, however late they are read. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Batch } from '../../../engine/batch/batch.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import type { ReadResult, Split, SplitReader } from '../../../engine/contracts/source.ts';
import { MergedSourceOperator } from '../../../engine/operators/merged-source-operator.ts';
import { PacedReader } from '../../../engine/operators/paced-reader.ts';
import { SourceOperator } from '../../../engine/operators/source-operator.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { RowPace, rowPaceBytes } from '../../../engine/time/row-pace.ts';
import { SplitTimes } from '../../../engine/time/split-times.ts';
import { batchOf, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type), fieldOf('text', utf8Type));
const split = { id: 'a', sizeBytes: 1, payload: null };

/** Readers with scripts, one for each lane; a list of numbers is a batch. */
function scene(rate: number, ...scripts: (ReadResult | readonly number[])[][]) {
  const { memory, scope, kernels } = newContext('tested');
  const clock = { nowMs: 1_000 };
  const mono = () => clock.nowMs;
  const pace = new RowPace({ rate, buffer: new ArrayBuffer(rowPaceBytes) });
  const newReader = (): SplitReader => {
    const script = scripts.shift() ?? [];
    const reader: SplitReader = {
      open() {},
      read() {
        const next = script.shift() ?? 'end';
        if (typeof next === 'string' || !Array.isArray(next)) return next as ReadResult;
        return batchOf(
          scope,
          schema,
          next.map((n) => ({ n, text: `a text, number ${n}` })),
        );
      },
      bytesRead: 7,
      position: () => 'somewhere',
      close() {},
    };
    return new PacedReader({ reader, pace, mono, scope, kernels });
  };
  const rowsIn = (batch: Batch) => {
    const rows = readRows(batch);
    batch.release();
    for (const { n, text } of rows) expect(text).toBe(`a text, number ${n}`);
    return rows.map(({ n }) => Number(n));
  };
  return { memory, clock, mono, newReader, rowsIn };
}

test('batches are cut where rows are due, and nothing is lost or turned round', () => {
  const arbitrary = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
    rate: fc.integer({ min: 1, max: 3_000 }),
    waits: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ sizes, rate, waits }) => {
      let count = 0;
      const script = sizes.map((size) => Array.from({ length: size }, () => count++));
      const { memory, clock, newReader, rowsIn } = scene(rate, script);
      const reader = newReader();
      reader.open(split);
      const seen: number[] = [];
      for (let turn = 0, result = reader.read(); result !== 'end'; result = reader.read(), turn++) {
        if (result === 'waiting') {
          const dueAtMs = reader.dueAtMs ?? Number.NaN;
          expect(dueAtMs).toBeGreaterThan(clock.nowMs);
          clock.nowMs = Math.max(dueAtMs, clock.nowMs + (waits[turn % waits.length] ?? 0));
        }
        if (typeof result === 'string') continue;
        seen.push(...rowsIn(result));
        const { fromMs, toMs } = reader.due ?? { fromMs: Number.NaN, toMs: Number.NaN };
        expect(toMs).toBeCloseTo(1_000 + ((seen.length - 1) * 1_000) / rate, 6);
        expect(fromMs).toBeLessThanOrEqual(toMs);
        expect(toMs).toBeLessThanOrEqual(clock.nowMs + 1e-6);
      }
      expect(seen).toEqual(Array.from({ length: count }, (_, at) => at));
      reader.close();
      memory.assertEmpty();
    }),
    { numRuns: 40 },
  );
});

test('a source sleeps until the next row is due, and its end needs no row', () => {
  const { memory, clock, newReader, rowsIn } = scene(100, [[1, 2], 'waiting', [3]]);
  const source = new SourceOperator(newReader());
  const seen: number[] = [];
  const outbox = { offer: (batch: Batch) => seen.push(...rowsIn(batch)) > 0 };
  source.offerSplit(split);
  expect([source.step(outbox), source.step(outbox), source.dueAtMs]).toEqual([
    'more',
    'waiting',
    1_010,
  ]);
  clock.nowMs = 1_010;
  expect([source.step(outbox), source.due]).toEqual(['more', { fromMs: 1_010, toMs: 1_010 }]);
  // Nothing is there, and nobody knows when: rows that come later are due when they come.
  expect([source.step(outbox), source.dueAtMs]).toEqual(['waiting', Number.POSITIVE_INFINITY]);
  clock.nowMs = 9_000;
  expect([source.step(outbox), source.due]).toEqual(['more', { fromMs: 9_000, toMs: 9_000 }]);
  source.offerSplit(null);
  expect([source.step(outbox), source.step(outbox)]).toEqual(['more', 'done']);
  expect(seen).toEqual([1, 2, 3]);
  source.close();
  memory.assertEmpty();
});

test('lanes that are merged have one rate together, keep the order of time, and are not idle meanwhile', () => {
  const { memory, clock, mono, newReader, rowsIn } = scene(100, [[0, 2, 4, 6]], [[1, 3, 5, 7]]);
  const times = new SplitTimes({ outOfOrdernessMs: 0, idleAfterMs: 15 });
  const source = new MergedSourceOperator({ newReader, times, mono });
  for (const number of [0, 1]) source.offerSplit({ ...split, lane: { number, count: 2 } });
  source.offerSplit(null);
  const seen: number[] = [];
  const outbox = {
    offer(batch: Batch) {
      const rows = rowsIn(batch);
      seen.push(...rows);
      times.observe(Math.max(...rows), clock.nowMs);
      return true;
    },
  };
  for (let state = source.step(outbox); state !== 'done'; state = source.step(outbox)) {
    expect(times.isIdle(clock.nowMs)).toBe(false);
    if (state !== 'waiting') continue;
    expect(source.dueAtMs).toBe(1_000 + seen.length * 10);
    clock.nowMs = source.dueAtMs;
  }
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(clock.nowMs).toBe(1_070);
  source.close();
  memory.assertEmpty();
});

test('a reader whose other side does not answer is not taken for one that has nothing', () => {
  const { memory, scope, kernels } = newContext('tested');
  const pace = new RowPace({ rate: 1, buffer: new ArrayBuffer(rowPaceBytes) });
  let hasNothing = false;
  const reader: SplitReader = {
    get hasNothing() {
      return hasNothing;
    },
    open() {},
    read: () => 'waiting',
    bytesRead: 0,
    position: () => 'somewhere',
    close() {},
  };
  const paced = new PacedReader({ reader, pace, mono: () => 0, scope, kernels });
  expect([paced.read(), paced.hasNothing]).toEqual(['waiting', false]);
  hasNothing = true;
  expect(paced.hasNothing).toBe(true);
  paced.close();
  memory.assertEmpty();
});

test('from where it has said at any moment another reader goes on, with the next row', () => {
  const { memory, scope, kernels } = newContext('tested');
  const clock = { nowMs: 1_000 };
  const mono = () => clock.nowMs;
  const newReader = () => {
    const pace = new RowPace({ rate: 1_000, buffer: new ArrayBuffer(rowPaceBytes) });
    let at = 0;
    // Batches of four rows up to 14, from wherever it begins.
    const reader: SplitReader = {
      open: ({ position }) => {
        at = Number(position ?? 0);
      },
      read() {
        const rows = Array.from({ length: Math.min(4, 14 - at) }, (_, row) => ({
          n: at + row,
          text: '',
        }));
        at += rows.length;
        return rows.length === 0 ? 'end' : batchOf(scope, schema, rows);
      },
      snapshot: () => at,
      bytesRead: 0,
      position: () => String(at),
      close() {},
    };
    return new PacedReader({ reader, pace, mono, scope, kernels });
  };
  /** Opens the split, and reads on until so many rows have come, or to its end. */
  const readOn = (from: Split, rowCount: number) => {
    const reader = newReader();
    const rows: unknown[] = [];
    reader.open(from);
    while (rows.length < rowCount) {
      const result = reader.read();
      if (result === 'end') break;
      clock.nowMs += 0.7;
      if (typeof result === 'string') continue;
      rows.push(...readRows(result).map(({ n }) => n));
      result.release();
    }
    const position = reader.snapshot?.() ?? null;
    reader.close();
    return { rows, split: { ...split, position } };
  };
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 6 }), { maxLength: 6 }), (steps) => {
      let from: Split = split;
      const seen: unknown[] = [];
      for (const step of [...steps, 99]) {
        const { rows, split: next } = readOn(from, step);
        seen.push(...rows);
        from = next;
      }
      expect(seen).toEqual(Array.from({ length: 14 }, (_, n) => n));
    }),
    { numRuns: 60 },
  );
  memory.assertEmpty();
  expect(scene(1).newReader().snapshot).toBeUndefined();
});

test('what was read and is not due is released at the close', () => {
  const { memory, newReader } = scene(1, [[1, 2, 3]]);
  const reader = newReader();
  reader.open(split);
  const first = reader.read();
  expect(typeof first === 'string' ? first : first.rowCount).toBe(1);
  if (typeof first !== 'string') first.release();
  expect(reader.read()).toBe('waiting');
  reader.close();
  memory.assertEmpty();
});
