/** Goal: the step function makes exactly the transitions of the table, and docs/states.md shows that table. */
import { expect, test } from 'vitest';
import { checkpointTransitions } from '../../../coordinator/checkpoint/checkpoint-transitions.ts';
import { statesPage } from '../../support/states-page.ts';
import { CheckpointWorld } from './checkpoint-world.ts';

test('the step function makes exactly the transitions of the table', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 600; seed++) {
    const world = new CheckpointWorld({
      ...{ seed, mayEnd: seed % 3 === 0, mayRestart: seed % 4 === 0 },
    }).run();
    for (const row of world.transitions) seen.add(row);
  }
  const table = checkpointTransitions.map(({ from, on, to, effect }) =>
    `${from} ${on} ${to} ${effect}`.trim(),
  );
  expect([...seen].sort()).toEqual(table.sort());
});

test('docs/states.md shows the table', () => {
  const { page, expected } = statesPage('checkpoint', checkpointTransitions);
  expect(page).toBe(expected);
});
