/** Goal: remembered answers are bounded, and work that is not done yet is never forgotten. */
import { expect, test } from 'vitest';
import { AnswerMemory } from '../../../base/rpc/answer-memory.ts';

test('the oldest finished answers go first; those in work stay', async () => {
  const memory = new AnswerMemory(3);
  const slow = Promise.withResolvers<string>();
  const done: string[] = [];
  const answer = (key: string): Promise<unknown> =>
    memory.once(key, async () => {
      done.push(key);
      return key;
    });
  const inWork = memory.once('slow', () => slow.promise);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await answer(key);
  done.length = 0;
  for (const key of ['d', 'e']) await answer(key); // Remembered.
  expect(done).toEqual([]);
  for (const key of ['a', 'b']) await answer(key); // Forgotten, so done again.
  expect(done).toEqual(['a', 'b']);
  expect(memory.once('slow', async () => 'again')).toBe(memory.once('slow', async () => 'again'));
  slow.resolve('first');
  expect(await inWork).toBe('first');
});
