/** Goal: what is said of every kind of operator is said of each one, or does not compile. */
import { expect, test } from 'vitest';
import { applyTable, type SpecTable } from '../../../engine/plan/operator-table.ts';

type Shape =
  | { readonly kind: 'circle'; readonly radius: number }
  | { readonly kind: 'square' | 'cube'; readonly side: number };

const sizes: SpecTable<Shape, number, [number]> = {
  circle: ({ radius }, factor) => 3 * radius * radius * factor,
  square: ({ side }, factor) => side * side * factor,
  cube: ({ side }, factor) => side * side * side * factor,
};

test.each`
  shape                            | size
  ${{ kind: 'circle', radius: 2 }} | ${24}
  ${{ kind: 'square', side: 3 }}   | ${18}
  ${{ kind: 'cube', side: 3 }}     | ${54}
`('a $shape.kind is measured by its own entry', ({ shape, size }) => {
  expect(applyTable(sizes, shape as Shape, 2)).toBe(size);
});

test('a table without an entry for a kind does not compile', () => {
  // @ts-expect-error: there is no entry for cubes.
  const incomplete: SpecTable<Shape, string> = { circle: () => 'o', square: () => '[]' };
  expect(Object.keys(incomplete)).toEqual(['circle', 'square']);
});
