/**
 * Goal: compiled expressions give what the reference gives for each row, and where a row has an error
 * the first one of the reference; no trap, and no memory left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reasonAgainst } from '../../../../engine/compile/program/expr-program.ts';
import type { Expr } from '../../../../engine/expr/expr.ts';
import { fieldOf, type Schema } from '../../../../engine/schema/schema.ts';
import { allTypes, batchCases, makeBatch, withMemory } from '../../../support/batches.ts';
import { compiledRows, referenceRows, selectedRows } from '../../../support/compiled-exprs.ts';
import { randomConditions, randomExprs } from '../../../support/random-exprs.ts';

const schema: Schema = {
  fields: allTypes.flatMap((type, index) => [
    fieldOf(`a${index}`, type),
    fieldOf(`b${index}`, type, true),
  ]),
};
const cases = batchCases({ schema: fc.constant(schema), rowsMax: 80 });

const compilable = (expr: Expr) => reasonAgainst(expr) === null;

test('projected expressions are those of the reference, row by row', () => {
  fc.assert(
    fc.property(cases, randomExprs(schema, 12), (spec, exprs) =>
      withMemory(({ scope }) => {
        const list = exprs.filter(compilable).slice(-4);
        const batch = makeBatch(scope, spec);
        expect(compiledRows(list, batch, scope)).toEqual(referenceRows(list, batch, scope));
        batch.release();
      }),
    ),
    { numRuns: 2000 },
  );
});

test('a filter selects the rows for which the condition is true', () => {
  fc.assert(
    fc.property(cases, randomConditions(schema, 12).filter(compilable), (spec, predicate) =>
      withMemory(({ scope }) => {
        const batch = makeBatch(scope, spec);
        const values = referenceRows([predicate], batch, scope);
        const expected =
          typeof values === 'string'
            ? values
            : values.flatMap(([value], index) =>
                value === true ? [batch.storedRowOf(index)] : [],
              );
        expect(selectedRows(predicate, batch, scope)).toEqual(expected);
        batch.release();
      }),
    ),
    { numRuns: 200 },
  );
});
