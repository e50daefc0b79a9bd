/** Goal: a task answers what it is asked, and a task that can't does not harm its thread. */
import { expect, test } from 'vitest';
import { typedError } from '../../../base/typed-error.ts';
import { answerOf } from '../../../worker/threads/task-answer.ts';

const report = {
  state: 'running',
  source: null,
  input: [],
  operators: [],
  fullOutputs: [],
} as const;

function asked(stateOf: (id: string, key: string) => { n: number } | undefined) {
  const task = { inspect: () => report, keepsState: (id: string) => id === 'counts', stateOf };
  return { taskId: 'v1[0]', attempt: 3, task };
}

const ref = { taskId: 'v1[0]', attempt: 3, report: null, state: null, error: null };

test('what it says of itself', () => {
  const { task } = asked(() => undefined);
  expect(answerOf({ taskId: 'v1[0]', attempt: 3, task }, { kind: 'inspect' })).toEqual({
    ...ref,
    report,
  });
});

test.each`
  operator    | key     | state
  ${'counts'} | ${'de'} | ${{ keepsState: true, isHere: true, value: { n: 2 } }}
  ${'counts'} | ${'fr'} | ${{ keepsState: true, isHere: false, value: null }}
  ${'other'}  | ${'de'} | ${{ keepsState: false, isHere: false, value: null }}
`('the state of $key in $operator', ({ operator, key, state }) => {
  const hosted = asked((_, wanted) => (wanted === 'de' ? { n: 2 } : undefined));
  const question = { kind: 'stateOf', operatorId: operator, key } as const;
  expect(answerOf(hosted, question)).toEqual({ ...ref, state });
});

test('an error is the answer', () => {
  const hosted = asked(() => {
    throw typedError('VALUE_TYPE_MISMATCH', 'no such key');
  });
  const { error } = answerOf(hosted, { kind: 'stateOf', operatorId: 'counts', key: 'x' });
  expect(error).toMatchObject({ code: 'VALUE_TYPE_MISMATCH', message: 'no such key' });
});
