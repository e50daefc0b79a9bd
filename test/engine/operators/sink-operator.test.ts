/** Goal: the writer gets every row once, and its answer is kept. */
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { SinkOperator } from '../../../engine/operators/sink-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { withMemory } from '../../support/batches.ts';
import { batchOf, type Row, runModes, runOperator } from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('n', int32Type));
const rows = Array.from({ length: 20 }, (_, n) => ({ n }));

test.each(runModes)('$name', (mode) => {
  const written: Row[] = [];
  const calls: string[] = [];
  const writer = {
    write: (batch: Parameters<typeof readRows>[0]) => written.push(...readRows(batch)),
    finish: () => calls.push('finish'),
    close: () => calls.push('close'),
  };
  runOperator({ input, rows, build: () => new SinkOperator(writer), expected: [] }, mode);
  expect(written).toEqual(rows);
  expect(calls).toEqual(['finish', 'close']);
});

test('the commit is what finish answered', () => {
  const writer = { write() {}, finish: () => ({ parts: 2 }), close() {} };
  const operator = new SinkOperator(writer);
  expect(operator.commit).toBeNull();
  expect(operator.finish()).toBe(true);
  expect(operator.commit).toEqual({ parts: 2 });
});

test('a writer without room is asked again, and loses nothing', () => {
  const written: Row[] = [];
  let asked = 0;
  const writer = {
    isReady: () => ++asked % 3 === 0,
    write: (batch: Parameters<typeof readRows>[0]) => written.push(...readRows(batch)),
    flush: () => ++asked % 3 === 0,
    finish: () => null,
    close() {},
  };
  withMemory(({ scope }) => {
    const operator = new SinkOperator(writer);
    for (const row of rows) {
      const batch = batchOf(scope, input, [row]);
      let next = operator.process(batch, 0);
      expect(operator.isBlocked).toBe(next === 0);
      while (next === 0) next = operator.process(batch, 0);
      batch.release();
    }
    expect(operator.finish()).toBe(false);
    expect(operator.isBlocked).toBe(true);
    while (!operator.finish());
    expect(operator.isBlocked).toBe(false);
    operator.close();
  });
  expect(written).toEqual(rows);
});
