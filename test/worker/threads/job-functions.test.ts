/** Goal: a thread loads the job's module when one of its tasks calls a user's function, of whatever kind, and else not. */
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import type { OperatorSpec } from '../../../engine/plan/physical-graph.ts';
import { JobFunctions } from '../../../worker/threads/job-functions.ts';
import type { TaskDeployment } from '../../../worker/threads/slot-messages.ts';

const module = { file: 'job.ts', params: {}, flags: {}, fingerprint: 'one' } as never;

/** Whether the module is asked for by a task with an operator of that kind. */
async function isLoadedFor(kind: OperatorSpec['kind']): Promise<boolean> {
  const asked: string[] = [];
  const functions = new JobFunctions(async (file) => {
    asked.push(file);
    throw new Error('there is no such module here');
  });
  const task = { vertex: { chain: [{ kind: 'project' }, { kind }] }, outputs: [] };
  try {
    await functions.load(module, [task as unknown as TaskDeployment]);
  } catch (error) {
    expect(codeOf(error)).toBe('JOB_FILE_THREW');
    expect((error as Error).message).toContain('a worker loaded it: there is no such module here');
  }
  return asked.length === 1;
}

test.each([
  ...['filterRows', 'mapRows', 'flatMap', 'fold', 'lookup', 'map', 'combine', 'reduce'],
  ...['process', 'windowFunction', 'pattern'],
])('%s calls a function', async (kind) => {
  expect(await isLoadedFor(kind as OperatorSpec['kind'])).toBe(true);
});

test.each(['source', 'filter', 'aggregate', 'join', 'sink'])('%s calls none', async (kind) => {
  expect(await isLoadedFor(kind as OperatorSpec['kind'])).toBe(false);
});
