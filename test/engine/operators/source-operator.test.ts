/** Goal: splits are read one after the other, asked for ahead, and nothing is read while output waits. */
import { expect, test } from 'vitest';
import type { ReadResult, Split, SplitReader } from '../../../engine/contracts/source.ts';
import { SourceOperator } from '../../../engine/operators/source-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { batchOf, CollectingOutbox, newContext } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));
const splitOf = (id: string): Split => ({ id, sizeBytes: 1, payload: null });

/** @param bad - Numbers that the reader can't read. */
function newSource(script: (ReadResult | number)[], bad: readonly number[] = []) {
  const { memory, scope } = newContext('tested');
  const opened: string[] = [];
  let letters: number[] = [];
  const reader: SplitReader = {
    open: ({ id }) => opened.push(id),
    read() {
      const next = script.shift() ?? 'end';
      if (typeof next === 'number' && bad.includes(next)) {
        letters.push(next);
        return 'more';
      }
      return typeof next === 'number' ? batchOf(scope, schema, [{ n: next }]) : next;
    },
    takeDeadLetters() {
      const rows = letters.map((n) => ({ n }));
      letters = [];
      return rows.length === 0 ? null : batchOf(scope, schema, rows);
    },
    bytesRead: 7,
    position: () => 'nowhere',
    close() {},
  };
  return { memory, opened, source: new SourceOperator(reader) };
}

test('two splits, the second asked for while the first is read', () => {
  const { memory, opened, source } = newSource([1, 'waiting', 2, 'end', 3, 'end']);
  const outbox = new CollectingOutbox();
  const states: string[] = [source.step(outbox)];
  source.offerSplit(splitOf('a'));
  expect(source.wantsSplit).toBe(false);
  states.push(source.step(outbox));
  expect(source.wantsSplit).toBe(true);
  source.offerSplit(splitOf('b'));
  for (let step = 0; step < 4; step++) states.push(source.step(outbox));
  expect(source.wantsSplit).toBe(true);
  source.offerSplit(null);
  expect(source.wantsSplit).toBe(false);
  for (let step = 0; step < 2; step++) states.push(source.step(outbox));
  expect(states).toEqual(['waiting', 'more', 'waiting', 'more', 'more', 'more', 'more', 'done']);
  expect(opened).toEqual(['a', 'b']);
  expect(outbox.rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect([source.rowCount, source.bytesRead, source.position()]).toEqual([3, 7, 'nowhere']);
  source.close();
  memory.assertEmpty();
});

test('a refused batch is offered again before anything more is read', () => {
  const script: (ReadResult | number)[] = [1, 2];
  const { memory, source } = newSource(script);
  const outbox = new CollectingOutbox(true);
  source.offerSplit(splitOf('a'));
  expect(source.step(outbox)).toBe('full');
  expect(script).toEqual([2]);
  expect(source.step(outbox)).toBe('more');
  expect(source.step(outbox)).toBe('full');
  source.close();
  memory.assertEmpty();
  expect(outbox.rows).toEqual([{ n: 1 }]);
});

test('what could not be read goes to another outbox, and neither loses a row when one is full', () => {
  for (const [isSlow, areLettersSlow] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ]) {
    const { memory, source } = newSource([1, 2, 'more', 3, 4, 'end'], [2, 4]);
    const [outbox, letters] = [new CollectingOutbox(isSlow), new CollectingOutbox(areLettersSlow)];
    source.offerSplit(splitOf('a'));
    for (let calls = 0; source.step(outbox, letters) !== 'done'; calls++) {
      if (source.wantsSplit) source.offerSplit(null);
      expect(calls).toBeLessThan(100);
    }
    expect(outbox.rows).toEqual([{ n: 1 }, { n: 3 }]);
    expect(letters.rows).toEqual([{ n: 2 }, { n: 4 }]);
    expect(source.rowCount).toBe(2);
    source.close();
    memory.assertEmpty();
  }
});

test('all batches of dead letters are given out, also when nothing is read behind them', () => {
  const { memory, scope } = newContext('tested');
  const letters = [1, 2, 3];
  const source = new SourceOperator({
    open() {},
    read: () => 'end',
    takeDeadLetters() {
      const n = letters.shift();
      return n === undefined ? null : batchOf(scope, schema, [{ n }]);
    },
    bytesRead: 0,
    position: () => 'nowhere',
    close() {},
  });
  const outbox = new CollectingOutbox();
  source.offerSplit(splitOf('a'));
  for (let calls = 0; source.step(new CollectingOutbox(), outbox) !== 'done'; calls++) {
    if (source.wantsSplit) source.offerSplit(null);
    expect(calls).toBeLessThan(100);
  }
  expect(outbox.rows).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  source.close();
  memory.assertEmpty();
});

test('dead letters that nobody took are released by close', () => {
  const { memory, source } = newSource([1], [1]);
  source.offerSplit(splitOf('a'));
  const full = { offer: () => false };
  expect(source.step(new CollectingOutbox(), full)).toBe('full');
  source.close();
  memory.assertEmpty();
});
