/** Goal: what shares a ring is run together, and what shares a file knows of each other. */
import { expect, test } from 'vitest';
import { regionsOf } from '../../../coordinator/scheduler/regions.ts';
import { graphOf } from '../../support/graph-text.ts';

function regions(text: string): string[] {
  return regionsOf(graphOf(text), () => false).map(({ id, stageId, taskIds, inputs, readers }) => {
    const reads = inputs.length === 0 ? '' : ` reads ${inputs.join(' ')}`;
    const read = readers.length === 0 ? '' : ` for ${readers.join(' ')}`;
    return `${stageId} ${id}: ${taskIds.join(' ')}${reads}${read}`;
  });
}

test('a ring between all tasks makes one region of them', () => {
  expect(regions('a*b')).toEqual(['s1 r1: a[0] a[1] b[0] b[1]']);
});

test('forward rings make one for each index', () => {
  expect(regions('a>b b/c.')).toEqual([
    's1 r1: a[0] b[0] for r3',
    's1 r2: a[1] b[1] for r3',
    's2 r3: c.[0] reads r1 r2',
  ]);
});

// Of streams: rows by key, control rows to all tasks and sides that are kept are edges like any other.
test.each`
  edges                        | text             | found
  ${'two pipelines by key'}    | ${'a*b c*d'}     | ${['a[0] a[1] b[0] b[1]', 'c[0] c[1] d[0] d[1]']}
  ${'two without an exchange'} | ${'a>b c>d'}     | ${['a[0] b[0]', 'a[1] b[1]', 'c[0] d[0]', 'c[1] d[1]']}
  ${'one source, two sinks'}   | ${'a>b a>c'}     | ${['a[0] b[0] c[0]', 'a[1] b[1] c[1]']}
  ${'a control stream'}        | ${'a>b c.*b'}    | ${['a[0] a[1] b[0] b[1] c.[0]']}
  ${'a side that is shared'}   | ${'a*b a*c d>c'} | ${['a[0] a[1] b[0] b[1] c[0] c[1] d[0] d[1]']}
`('the regions of $edges', ({ text, found }) => {
  const taskIds = regionsOf(graphOf(text), () => false).map((one) => one.taskIds.join(' '));
  expect(taskIds).toEqual(found);
});

test('tasks that share nothing are regions of their own', () => {
  expect(regions('a b.')).toEqual(['s1 r1: a[0]', 's1 r2: a[1]', 's2 r3: b.[0]']);
});

test('what happens once, and what may give other rows, is known of a region', () => {
  const graph = graphOf('a*b b/c', { b: ['limit'] });
  const found = regionsOf(graph, ({ id }) => id === 'c');
  expect(found.map(({ isIndeterminate, isRepeatable }) => [isIndeterminate, isRepeatable])).toEqual(
    [
      [true, true],
      [false, false],
      [false, false],
    ],
  );
});
