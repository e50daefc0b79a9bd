/** Goal: an executor that is not needed any more is told to end until that is heard, or until its worker's life is over. */
import { expect, test } from 'vitest';
import { typedError } from '../../../base/typed-error.ts';
import { Executors } from '../../../coordinator/cluster/executors.ts';
import { runOnNode } from '../../support/run-on-node.ts';

const request = { workerId: 'w', incarnation: 1, executorId: 'e' };

function failing(codes: readonly (string | null)[]) {
  let asked = 0;
  const stopExecutor = async () => {
    const code = codes[asked++] ?? null;
    if (code !== null) throw typedError(code as 'RPC_DEADLINE', 'it failed');
  };
  return { calls: { startExecutor: async () => undefined, stopExecutor }, asked: () => asked };
}

test.each`
  answers                                            | asked
  ${[null]}                                          | ${1}
  ${['RPC_DEADLINE', null]}                          | ${2}
  ${['RPC_DISCONNECTED', 'RPC_BUSY', null, null]}    | ${3}
  ${['RPC_DEADLINE', 'WORKER_LOST', 'RPC_DEADLINE']} | ${2}
  ${['MEMBER_FENCED', 'RPC_DEADLINE']}               | ${1}
`('behind the answers $answers it was asked $asked times', async ({ answers, asked }) => {
  await runOnNode(async (env) => {
    const { calls, asked: count } = failing(answers);
    const executors = new Executors(env, { calls, coordinator: 'c:1', term: 1 });
    executors.stop(request);
    await env.timers.sleep(10_000);
    expect(count()).toBe(asked);
  });
});

test('who does not lead any more asks no more', async () => {
  await runOnNode(async (env) => {
    const { calls, asked } = failing(Array.from({ length: 100 }, () => 'RPC_DEADLINE'));
    const executors = new Executors(env, { calls, coordinator: 'c:1', term: 1 });
    executors.stop(request);
    await env.timers.sleep(2_500);
    executors.close();
    const before = asked();
    await env.timers.sleep(10_000);
    expect([before, asked()]).toEqual([3, 3]);
  });
});
