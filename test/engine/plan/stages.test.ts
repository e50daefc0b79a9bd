/** Goal: vertices that share a ring are one stage, and no stage comes before what it reads. */
import { expect, test } from 'vitest';
import { selfWaiting, stagesOf } from '../../../engine/plan/stages.ts';
import { graphOf } from '../../support/graph-text.ts';

test.each([
  ['rings only', 'a>b b*c', ['a b c']],
  ['files only', 'a/b b/c', ['a', 'b', 'c']],
  ['a ring on each side of a file', 'a>b b/c c>d', ['a b', 'c d']],
  ['two inputs', 'a/c b/c', ['a', 'b', 'c']],
  ['a later vertex that is needed first', 'a>d b/c c/d', ['b', 'c', 'a d']],
  ['nothing joined', 'a b', ['a', 'b']],
])('%s: %s', (_, text, expected) => {
  expect(stagesOf(graphOf(text)).map(({ vertexIds }) => vertexIds.join(' '))).toEqual(expected);
});

test.each([
  ['rows come back by a file', 'a>b a/c c>b', 'abc'],
  ['a file between two of one ring', 'a>b a/b', 'ab'],
  ['two stages that wait for each other', 'a>b c>d a/d c/b', 'abcd'],
  ['a stage beside those', 'a>b a/c c>b c/d', 'abc'],
  ['none', 'a>b b/c c>d a/d', ''],
])('waits for itself: %s: %s', (_, text, expected) => {
  expect([...selfWaiting(graphOf(text))].sort().join('')).toBe(expected);
});
