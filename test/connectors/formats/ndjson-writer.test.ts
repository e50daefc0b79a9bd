/** Goal: every line the NDJSON writer wrote is JSON that holds exactly the row's values. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NdjsonWriter } from '../../../connectors/formats/ndjson-writer.ts';
import { OutputBuffer } from '../../../connectors/formats/output-buffer.ts';
import { type FieldType, float64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  type BatchCase,
  batchCases,
  expectedRows,
  makeBatch,
  withMemory,
} from '../../support/batches.ts';
import { collector, expectedJson, writable } from '../../support/sink-values.ts';

function ndjsonOf(spec: BatchCase, bufferBytes = 64): string {
  return withMemory(({ scope }) => {
    const { send, text } = collector();
    const output = new OutputBuffer(scope, send, bufferBytes);
    const batch = makeBatch(scope, spec);
    try {
      const writer = new NdjsonWriter(spec.schema, output);
      writer.writeHeader();
      writer.writeRows(batch);
      output.flush();
    } finally {
      output.close();
      batch.release();
    }
    return text();
  });
}

/** JSON.stringify of the row, with integers in full. */
function expectedLine(row: Record<string, unknown>, types: ReadonlyMap<string, FieldType>): string {
  const pairs = Object.entries(row).map(([name, value]) => {
    const type = types.get(name) ?? utf8Type;
    return `${JSON.stringify(name)}:${expectedJson(value, type)}`;
  });
  return `{${pairs.join(',')}}`;
}

test('any batch is what JSON.stringify writes, with integers in full', () => {
  fc.assert(
    fc.property(batchCases({ rowsMax: 30 }), fc.integer({ min: 1, max: 200 }), (any, size) => {
      const spec = writable(any);
      const types = new Map(spec.schema.fields.map(({ name, type }) => [name, type]));
      const lines = ndjsonOf(spec, size).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines).toEqual(expectedRows(spec).map((row) => expectedLine(row, types)));
      for (const line of lines) JSON.parse(line);
    }),
    { numRuns: 300 },
  );
});

test('every control character is escaped, nothing else that JSON allows', () => {
  const schema = schemaOf(fieldOf('a "key"', utf8Type));
  const value = `${Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join('')}é😀`;
  const line = ndjsonOf({ schema, rows: [[value]], selected: null });
  expect(line).toBe(`${JSON.stringify({ 'a "key"': value })}\n`);
});

test.each([Number.NaN, 1 / 0, -1 / 0])('%s is an error, for JSON has no such number', (value) => {
  const schema = schemaOf(fieldOf('price', float64Type));
  expect(() => ndjsonOf({ schema, rows: [[1], [value]], selected: null })).toThrow(
    expect.objectContaining({
      message: `column "price" has the value ${value}, which JSON lacks`,
      info: expect.objectContaining({ code: 'VALUE_NOT_JSON' }),
    }),
  );
});

test.each([
  [{ kind: 'list', item: { type: float64Type, nullable: false } }, [1, 1 / 0], 'a[]'],
  [{ kind: 'struct', fields: [fieldOf('x', float64Type)] }, { x: 1 / 0 }, 'a.x'],
] as const)('an infinity inside is an error that names its place', (type, value, place) => {
  const schema = schemaOf(fieldOf('a', type));
  expect(() => ndjsonOf({ schema, rows: [[value]], selected: null })).toThrow(
    `column "${place}" has the value Infinity, which JSON lacks`,
  );
});

test('a timestamp beyond all dates is an error that shows it', () => {
  const schema = schemaOf(fieldOf('at', { kind: 'timestamp', unit: 'ms' }));
  expect(() => ndjsonOf({ schema, rows: [[2n ** 62n]], selected: null })).toThrow(
    expect.objectContaining({
      message: `the timestamp ${2n ** 62n} (ms) is beyond all dates`,
      info: expect.objectContaining({ code: 'VALUE_NOT_A_DATE' }),
    }),
  );
});
