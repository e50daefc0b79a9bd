/** Goal: rows pass as they are, after the boundaries were given to every sender of them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { RangeOperator } from '../../../engine/operators/range-operator.ts';
import { int32Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { checkOperator, type Row } from '../../support/operator-harness.ts';

const schema = schemaOf(fieldOf('n', int32Type));
const rows = fc.array(fc.record({ n: fc.integer({ min: 0, max: 99 }) }), { maxLength: 30 });

test('rows pass, boundaries reach all partitioners', () => {
  fc.assert(
    fc.property(rows, rows, (input, boundaries) => {
      checkOperator({
        input: schema,
        rows: input,
        buildSide: { schema, rows: boundaries },
        build: () => {
          const given: Row[][] = [[], []];
          const partitioners = given.map((all) => ({
            addBoundaries: (batch: Parameters<typeof readRows>[0]) =>
              void all.push(...readRows(batch)),
          }));
          const operator = new RangeOperator({ build: schema, partitioners });
          const buildEnded = operator.buildEnded.bind(operator);
          operator.buildEnded = () => {
            for (const all of given) expect(all).toEqual(boundaries);
            return buildEnded();
          };
          return operator;
        },
        expected: input,
      });
    }),
    { numRuns: 30 },
  );
});
