/** Goal: the writer gets every row once, and its answer is kept. */
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { SinkOperator } from '../../../engine/operators/sink-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { type Row, runModes, runOperator } from '../../support/operator-harness.ts';

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
