/** Goal: any value is one line of a table. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellText, isNumberType } from '../../../connectors/program/cell-text.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { allTypes, valuesOf } from '../../support/batches.ts';

const ms: FieldType = { kind: 'timestamp', unit: 'ms' };
const us: FieldType = { kind: 'timestamp', unit: 'us' };
const list: FieldType = { kind: 'list', item: { type: { kind: 'binary' }, nullable: true } };

test.each<[unknown, FieldType, string]>([
  [null, { kind: 'utf8' }, 'null'],
  ['plain é', { kind: 'utf8' }, 'plain é'],
  ['two\nlines\tand \u0085 more', { kind: 'utf8' }, 'two\\nlines\\tand \\u0085 more'],
  [5n, { kind: 'int64', js: 'bigint' }, '5'],
  [-0.5, { kind: 'float64' }, '-0.5'],
  [true, { kind: 'bool' }, 'true'],
  [0, ms, '1970-01-01T00:00:00.000Z'],
  [9e15, ms, '9000000000000000'],
  [-1n, us, '1969-12-31T23:59:59.999999Z'],
  [9n * 10n ** 18n, us, '9000000000000000000'],
  [Uint8Array.of(0, 255), { kind: 'binary' }, '0x00ff'],
  [[Uint8Array.of(1), null], list, '["0x01",null]'],
  ['2026-11-26', { kind: 'date' }, '2026-11-26'],
])('a value as one line: %#', (value, type, text) => {
  expect(cellText(value, type)).toBe(text);
});

test('whatever the value, there is no line break in it', () => {
  const values = fc
    .constantFrom(...allTypes)
    .chain((type) => valuesOf(type).map((value) => ({ type, value })));
  fc.assert(
    fc.property(values, ({ type, value }) => {
      expect(cellText(value, type)).not.toMatch(/[\r\n\v\f\u0085\u2028\u2029]/);
    }),
  );
});

test('numbers stand to the right', () => {
  expect(allTypes.filter(isNumberType).map(({ kind }) => kind)).not.toContain('timestamp');
  expect(isNumberType({ kind: 'uint8' })).toBe(true);
  expect(isNumberType({ kind: 'decimal', precision: 5, scale: 2 })).toBe(true);
  expect(isNumberType({ kind: 'utf8' })).toBe(false);
});
