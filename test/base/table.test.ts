/** Goal: tables are aligned, and fit the terminal without ever cutting a number. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellWidthOf, cutText, tableText } from '../../base/table.ts';

const columns = [{ title: 'word' }, { title: 'count', align: 'right' as const }];

test('text stands left, numbers right', () => {
  expect(
    tableText(columns, [
      ['the', '1,234'],
      ['millstone', '7'],
    ]),
  ).toBe(
    [
      '┌───────────┬───────┐',
      '│ word      │ count │',
      '├───────────┼───────┤',
      '│ the       │ 1,234 │',
      '│ millstone │     7 │',
      '└───────────┴───────┘',
      '',
    ].join('\n'),
  );
});

test('the widest text column is cut, numbers are not', () => {
  const text = tableText(columns, [['a-word-that-is-much-too-long', '1,234,567']], {
    widthMax: 26,
  });
  expect(text).toContain('│ a-word-th… │ 1,234,567 │');
});

test('a missing cell is empty', () => {
  expect(tableText(columns, [['the']])).toContain('│ the  │       │');
});

test('a text that fits is not cut', () => {
  expect([cutText('abc', 3), cutText('abcd', 3), cutText('äöü', 3)]).toEqual(['abc', 'ab…', 'äöü']);
});

test('all lines of any table are equally wide, and within the limit where numbers allow it', () => {
  const cell = fc.string({ maxLength: 40 }).map((text) => text.replace(/[\n\r]/g, ' '));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, fc.nat().map(String)), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 30, max: 80 }),
      (rows, widthMax) => {
        const lines = tableText(columns, rows, { widthMax }).trimEnd().split('\n');
        const widths = new Set(lines.map(cellWidthOf));
        expect(widths.size).toBe(1);
        expect(Math.max(...widths)).toBeLessThanOrEqual(widthMax);
      },
    ),
  );
});
