/** Goal: each row gets the register and the share of its value, whatever its type; equal values get the same. */
import fc from 'fast-check';
import { test } from 'vitest';
import { registerOfBytes, registerOfInt64 } from '../../../engine/kernels/registers.ts';
import { RegistersOperator } from '../../../engine/operators/registers-operator.ts';
import { float64Type, int32Type, int64Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row } from '../../support/operator-harness.ts';

const input = schemaOf(
  fieldOf('text', utf8Type, true),
  fieldOf('n', int64Type, true),
  fieldOf('half', float64Type),
);
const rowsOf = fc.array(
  fc.record({
    text: fc.option(fc.string({ maxLength: 12 })),
    n: fc.option(fc.bigInt({ min: -5n, max: 5n })),
    half: fc.constantFrom(0, -0, 0.5),
  }),
  { maxLength: 20 },
);

function expectedOf(column: string, { text, n, half }: Row) {
  if (column === 'text') {
    return text === null ? null : registerOfBytes(new TextEncoder().encode(text as string));
  }
  if (column === 'n') return n === null ? null : registerOfInt64(n as bigint);
  return registerOfInt64(half === 0 ? 0n : 0x3fe0000000000000n);
}

test('texts, numbers, zeroes with and without a sign, nulls', () => {
  fc.assert(
    fc.property(rowsOf, fc.constantFrom('text', 'n', 'half'), (rows, column) => {
      const output = schemaOf(
        fieldOf('register', int32Type),
        fieldOf('share', float64Type),
        fieldOf('n', int64Type, true),
      );
      const expected = rows.map((row) => {
        const { register, share } = expectedOf(column, row) ?? { register: 0, share: 0 };
        return { register, share, n: row.n };
      });
      const options = { input, output, column, carried: ['n'] };
      checkOperator({
        ...{ input, rows, expected, keepsNothing: true },
        build: (context) => new RegistersOperator(context, options),
      });
    }),
    { numRuns: 50 },
  );
});
