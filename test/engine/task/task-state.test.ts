/** Goal: a task takes legal ways only, and its ends are final. */
import { expect, test } from 'vitest';
import { nextTaskState, taskStates, taskTransitions } from '../../../engine/task/task-state.ts';

test('the table holds', () => {
  for (const from of taskStates) {
    for (const to of taskStates) {
      const step = () => nextTaskState(from, to);
      if (taskTransitions[from].includes(to)) expect(step()).toBe(to);
      else expect(step).toThrow(`a task may go from ${from} to ${to}`);
    }
  }
});

test.each(['finished', 'failed', 'cancelled'] as const)('%s is final', (state) => {
  expect(taskTransitions[state]).toEqual([]);
});
