/** Goal: keys get a type that holds every value of both, or none. */
import { expect, test } from 'vitest';
import { exactTypeOf } from '../../../engine/expr/exact-type.ts';
import type { FieldType } from '../../../engine/schema/field-type.ts';
import { typeText } from '../../../engine/schema/field-type.ts';

const types: Readonly<Record<string, FieldType>> = {
  int8: { kind: 'int8' },
  int32: { kind: 'int32' },
  uint32: { kind: 'uint32' },
  int64: { kind: 'int64', js: 'bigint' },
  float32: { kind: 'float32' },
  float64: { kind: 'float64' },
  money: { kind: 'decimal', precision: 12, scale: 2 },
  exact: { kind: 'decimal', precision: 38, scale: 4 },
  utf8: { kind: 'utf8' },
  dictionary: { kind: 'utf8', isDictionary: true },
  binary: { kind: 'binary' },
  ms: { kind: 'timestamp', unit: 'ms' },
  us: { kind: 'timestamp', unit: 'us' },
};

test.each`
  a          | b               | expected
  ${'int64'} | ${'int64'}      | ${'int64'}
  ${'int8'}  | ${'int32'}      | ${'int32'}
  ${'int32'} | ${'uint32'}     | ${'int64'}
  ${'int32'} | ${'int64'}      | ${'int64'}
  ${'int32'} | ${'float64'}    | ${'float64'}
  ${'int8'}  | ${'float32'}    | ${'float64'}
  ${'int64'} | ${'float64'}    | ${null}
  ${'money'} | ${'float64'}    | ${null}
  ${'money'} | ${'int64'}      | ${'decimal(21,2)'}
  ${'money'} | ${'int32'}      | ${'decimal(12,2)'}
  ${'money'} | ${'exact'}      | ${'decimal(38,4)'}
  ${'utf8'}  | ${'dictionary'} | ${'utf8'}
  ${'utf8'}  | ${'binary'}     | ${null}
  ${'ms'}    | ${'us'}         | ${null}
  ${'int64'} | ${'utf8'}       | ${null}
`('$a and $b: $expected', ({ a, b, expected }) => {
  for (const pair of [
    [a, b],
    [b, a],
  ]) {
    const [left, right] = pair.map((name) => types[name]);
    if (left === undefined || right === undefined) throw new Error('the types have names');
    const type = exactTypeOf(left, right);
    expect(type && typeText(type).replace('dictionary<utf8>', 'utf8')).toBe(expected);
  }
});
