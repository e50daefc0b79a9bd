/** Goal: words come out as the reference finds them, with carried columns, and of any length. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExplodeWordsOperator } from '../../../engine/operators/explode-words-operator.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import {
  batchOf,
  CollectingOutbox,
  checkOperator,
  feed,
  newContext,
  type Row,
} from '../../support/operator-harness.ts';

const input = schemaOf(fieldOf('line', utf8Type, true), fieldOf('id', int32Type, true));
const words = schemaOf(fieldOf('word', utf8Type));
const carried = schemaOf(
  fieldOf('word', utf8Type),
  fieldOf('id', int32Type, true),
  fieldOf('line', utf8Type, true),
);
const lines = fc.oneof(
  fc.constant(null),
  fc.string({ unit: fc.constantFrom('a', 'B', 'zeta', ' ', '-', 'é', 'abcdefghi', '\u0000') }),
);
const rowsOf = fc.array(fc.record({ line: lines, id: fc.option(fc.integer().map((n) => n | 0)) }), {
  maxLength: 20,
});

/** The reference: one row per word. */
function explode(rows: readonly Row[]): Row[] {
  return rows.flatMap((row) =>
    [...String(row.line ?? '').matchAll(/[A-Za-z]+/g)].map(([word]) => ({
      ...row,
      word: word.toLowerCase(),
    })),
  );
}

test('words alone', () => {
  fc.assert(
    fc.property(rowsOf, (rows) =>
      checkOperator({
        input,
        rows,
        keepsNothing: true,
        build: (context) =>
          new ExplodeWordsOperator(context, { input, output: words, column: 'line', carried: [] }),
        expected: explode(rows).map(({ word }) => ({ word })),
      }),
    ),
    { numRuns: 30 },
  );
});

test('words with carried columns', () => {
  fc.assert(
    fc.property(rowsOf, (rows) =>
      checkOperator({
        input,
        rows,
        keepsNothing: true,
        build: (context) =>
          new ExplodeWordsOperator(context, {
            input,
            output: carried,
            column: 'line',
            carried: ['id', 'line'],
          }),
        expected: explode(rows).map(({ word, id, line }) => ({ word, id, line })),
      }),
    ),
    { numRuns: 30 },
  );
});

test('a line and a word of several MB go through', () => {
  const { memory, context } = newContext('tested', true);
  const operator = new ExplodeWordsOperator(context, {
    input,
    output: words,
    column: 'line',
    carried: [],
  });
  const outbox = new CollectingOutbox(true);
  const long = 'X'.repeat(5_000_000);
  const line = `${'ab cdefghijk '.repeat(100_000)}${long} end`;
  const batch = batchOf(memory.scope('input'), input, [{ line, id: 1 }]);
  feed(operator, batch, outbox);
  batch.release();
  operator.close();
  memory.assertEmpty();
  expect(outbox.rows.length).toBe(200_002);
  expect(outbox.rows.slice(0, 2)).toEqual([{ word: 'ab' }, { word: 'cdefghijk' }]);
  expect(outbox.rows[200_000]?.word === long.toLowerCase()).toBe(true);
  expect(outbox.rows[200_001]).toEqual({ word: 'end' });
});
