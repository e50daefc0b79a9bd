/** Goal: the name that was meant comes first; one that is like none is not guessed. */
import { expect, test } from 'vitest';
import { nearestName, nearestNames } from '../../base/nearest-name.ts';

test.each`
  name        | names                         | nearest
  ${'usr'}    | ${['url', 'user', 'time']}    | ${'user'}
  ${'inptu'}  | ${['output', 'input', 'top']} | ${'input'}
  ${'Input'}  | ${['output', 'input']}        | ${'input'}
  ${'colour'} | ${['input', 'output']}        | ${null}
  ${'x'}      | ${[]}                         | ${null}
`('$name among $names is $nearest', ({ name, names, nearest }) => {
  expect(nearestName(name, names)).toBe(nearest);
});

test('all names are listed, the most alike first, equals in their order', () => {
  expect(nearestNames('wrd', ['count', 'word', 'ward'])).toEqual(['word', 'ward', 'count']);
});
