/** Goal: rows that differ are found, for values of every size and for nulls, and equal ones are not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markChanged } from '../../../../engine/operators/changes/changed-values.ts';
import {
  boolType,
  float64Type,
  int8Type,
  int16Type,
  int32Type,
  utf8Type,
} from '../../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../../engine/schema/schema.ts';
import { batchOf, newContext } from '../../../support/operator-harness.ts';

test.each([
  ['bool', boolType, [true, false]],
  ['int8', int8Type, [1, -1]],
  ['int16', int16Type, [1, 256]],
  ['int32', int32Type, [1, 65_536]],
  ['float64', float64Type, [0, -0, Number.NaN]],
  ['decimal', { kind: 'decimal', precision: 38, scale: 0 }, ['1', '18446744073709551616']],
  ['utf8', utf8Type, ['a', 'ab', '', 'a text of many bytes', 'a text of MANY bytes']],
] as const)('%s', (_, type, values) => {
  const { memory, scope } = newContext('tested');
  const schema = schemaOf(fieldOf('value', type as never, true));
  const anyValue = fc.constantFrom<unknown>(null, ...values);
  fc.assert(
    fc.property(fc.array(fc.tuple(anyValue, anyValue), { minLength: 1 }), (pairs) => {
      const rows = [...pairs.map(([left]) => left), ...pairs.map(([, right]) => right)];
      const batch = batchOf(
        scope,
        schema,
        rows.map((value) => ({ value })),
      );
      const changed = new Uint8Array(pairs.length);
      const { length: count } = pairs;
      markChanged(memory, batch.columns[0] as never, { distance: count, count }, changed);
      batch.release();
      expect([...changed]).toEqual(pairs.map(([left, right]) => (Object.is(left, right) ? 0 : 1)));
    }),
  );
  memory.assertEmpty();
});
