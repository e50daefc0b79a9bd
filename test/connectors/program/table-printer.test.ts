/** Goal: rows become an aligned table, page by page, and what is left out is counted. */
import { expect, test } from 'vitest';
import { TablePrinter } from '../../../connectors/program/table-printer.ts';
import { readRows } from '../../../engine/batch/row-reader.ts';
import { int32Type, utf8Type } from '../../../engine/schema/field-type.ts';
import { fieldOf, schemaOf } from '../../../engine/schema/schema.ts';
import { makeBatch, withMemory } from '../../support/batches.ts';

const schema = schemaOf(fieldOf('word', utf8Type, true), fieldOf('count', int32Type));

interface Printing {
  readonly limit?: number;
  readonly widthMax?: number;
  readonly pageRows?: number;
}

function print(batches: readonly (readonly [string | null, number][])[], options: Printing = {}) {
  return withMemory(({ scope }) => {
    const { limit = null, widthMax = 80, pageRows = 200 } = options;
    let text = '';
    const write = (more: string) => {
      text += more;
    };
    const printer = new TablePrinter({ schema, limit, widthMax, pageRows, read: readRows, write });
    for (const rows of batches) {
      const batch = makeBatch(scope, { schema, rows, selected: null });
      printer.add(batch);
      batch.release();
    }
    const early = text;
    printer.end();
    return { early, lines: text.trimEnd().split('\n') };
  });
}

test('text to the left, numbers to the right, nulls shown', () => {
  const { lines, early } = print([[['the', 12]], [[null, 3]]]);
  expect(early).toBe('');
  expect(lines).toEqual([
    '┌──────┬───────┐',
    '│ word │ count │',
    '├──────┼───────┤',
    '│ the  │    12 │',
    '│ null │     3 │',
    '└──────┴───────┘',
  ]);
});

test('no rows are a table without any', () => {
  expect(print([]).lines).toEqual([
    '┌──────┬───────┐',
    '│ word │ count │',
    '├──────┼───────┤',
    '└──────┴───────┘',
  ]);
});

test('rows above the limit are counted', () => {
  const rows = Array.from({ length: 1500 }, (_, row): [string, number] => ['x', row]);
  const { lines } = print([rows, rows.slice(0, 1)], { limit: 2 });
  expect(lines.slice(3)).toEqual([
    '│ x    │     0 │',
    '│ x    │     1 │',
    '└──────┴───────┘',
    '… 1,499 more rows',
  ]);
  expect(print([rows.slice(0, 3)], { limit: 2 }).lines.at(-1)).toBe('… 1 more row');
  expect(print([rows.slice(0, 2)], { limit: 0 }).lines.at(-1)).toBe('… 2 more rows');
});

test('a text too wide is cut, a number never', () => {
  const { lines } = print([[['a rather long text', 123_456_789]]], { widthMax: 24 });
  expect(lines[3]).toBe('│ a rathe… │ 123456789 │');
});

test('a full page is printed; a later one that needs more room has a head of its own', () => {
  const page: [string, number][] = [
    ['a', 1],
    ['b', 2],
  ];
  const { early, lines } = print([page, page, [['wider', 100_000]]], { pageRows: 2 });
  expect(early.split('\n')).toHaveLength(8);
  expect(lines).toEqual([
    ...['┌──────┬───────┐', '│ word │ count │', '├──────┼───────┤'],
    ...['│ a    │     1 │', '│ b    │     2 │', '│ a    │     1 │', '│ b    │     2 │'],
    '└──────┴───────┘',
    ...['┌───────┬────────┐', '│ word  │  count │', '├───────┼────────┤'],
    '│ wider │ 100000 │',
    '└───────┴────────┘',
  ]);
});
