/** Goal: whatever is lost on the way, each report of a task is taken once it can be, and those of a task in their order. */
import { expect, test } from 'vitest';
import { createSeededRngSource } from '../../base/env/seeded-rng.ts';
import { typedError } from '../../base/typed-error.ts';
import { Cluster } from '../../simulation/cluster.ts';
import { inMacrotask } from '../../simulation/drain.ts';
import { TaskReports } from '../../worker/task-reports.ts';

interface Taken {
  readonly speaker: string;
  readonly number: number;
}

/** Runs a program that says `count` things of each of three tasks, over a way that loses and repeats. */
async function takenOf(seed: number, { closesAtMs }: { readonly closesAtMs?: number } = {}) {
  const taken: Taken[] = [];
  const lost: unknown[] = [];
  const cluster = new Cluster({ seed });
  const chance = createSeededRngSource(seed).stream('way');
  await inMacrotask(() => {
    cluster.addNode('node', { clocks: {}, faults: [] }, (env) => {
      const observe = {
        event: (name: string, fields?: object) => {
          if (name === 'worker.report-lost') lost.push(fields);
        },
      };
      const reports = new TaskReports(
        { ...env, observe },
        {
          send: async ({ body }) => {
            await env.timers.sleep(chance.float() * 50);
            const fate = chance.int(0, 4);
            if (fate === 0) throw typedError('RPC_DISCONNECTED', 'lost', { retryable: true });
            const { speaker, number } = body as Taken;
            if (number < 0) throw typedError('JOB_NOT_RUNNING', 'it has ended');
            taken.push({ speaker, number });
            if (fate === 1)
              throw typedError('RPC_DEADLINE', 'the answer is lost', { retryable: true });
          },
        },
      );
      for (let number = 0; number < 20; number++) {
        for (const speaker of ['a', 'b', 'c']) {
          env.timers.after(chance.float() * 10 + number * 20, () =>
            reports.tell(speaker, { method: 'm', body: { speaker, number } }),
          );
        }
      }
      env.timers.after(10, () => reports.tell('ended', { method: 'm', body: { number: -1 } }));
      if (closesAtMs !== undefined) env.timers.after(closesAtMs, () => reports.close());
    });
    cluster.world.run(100_000);
  });
  expect(cluster.world.failure).toBeNull();
  return { taken, lost };
}

test('each is taken, those of a task in order; one whose answer is lost comes again', async () => {
  let repeatedCount = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const { taken, lost } = await takenOf(seed);
    expect(lost).toEqual([]); // A job that has ended is no news.
    for (const speaker of ['a', 'b', 'c']) {
      const numbers = taken.filter((one) => one.speaker === speaker).map(({ number }) => number);
      const once = numbers.filter((number, at) => number !== numbers[at - 1]);
      expect(once, `seed ${seed}`).toEqual(Array.from({ length: 20 }, (_, number) => number));
      repeatedCount += numbers.length - once.length;
    }
  }
  expect(repeatedCount).toBeGreaterThan(100);
});

test('behind the end of the attempt nothing is said again', async () => {
  const { taken } = await takenOf(1, { closesAtMs: 100 });
  expect(taken.length).toBeGreaterThan(3);
  expect(taken.length).toBeLessThan(40);
});
