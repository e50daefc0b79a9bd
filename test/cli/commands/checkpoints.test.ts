/** Goal: the checkpoints in a folder are shown for people and as data, whole ones and damaged ones, without the job. */
import { cpSync, truncateSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { codeOf } from '../../../base/typed-error.ts';
import { checkpointsCommand } from '../../../cli/commands/checkpoints.ts';
import { main } from '../../../cli/main.ts';
import { fakeCliEnv } from '../../support/fake-cli-env.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const fixture = resolve('test/fixtures/formats/v1/checkpoint');

async function checkpoints(workingFolder: string, ...args: string[]) {
  const env = fakeCliEnv({ workingFolder });
  const exitCode = await checkpointsCommand(env, args);
  return { exitCode, text: env.stdout.text };
}

test('a table for each job, with its folder, from the folder of all or of one', async () => {
  const { exitCode, text } = await checkpoints(fixture, '.');
  expect(exitCode).toBe(0);
  expect(text).toBe(`checkpoints of job "count it" in ${fixture}/count%20it
┌────┬──────────────────────┬────────────┬──────┬──────┬──────────┬─────────┐
│ id │ time                 │ kind       │ size │ took │ state    │ folder  │
├────┼──────────────────────┼────────────┼──────┼──────┼──────────┼─────────┤
│  1 │ 1970-01-01T00:00:01Z │ checkpoint │ 20 B │ 7 ms │ complete │ chk-1-1 │
│  2 │ 1970-01-01T00:00:02Z │ checkpoint │ 20 B │ 7 ms │ complete │ chk-2-1 │
│  3 │ 1970-01-01T00:00:03Z │ savepoint  │ 20 B │ 7 ms │ complete │ chk-3-3 │
└────┴──────────────────────┴────────────┴──────┴──────┴──────────┴─────────┘
`);
  expect((await checkpoints(fixture, 'count%20it/')).text).toBe(text);
});

test('one that is damaged is named; with --verify a changed byte is found, too', async () => {
  const folder = tempFolder();
  cpSync(fixture, folder, { recursive: true });
  truncateSync(join(folder, 'count%20it/chk-3-3/count[0].arrow'), 3);
  const { text } = await checkpoints(folder, '.', '--verify', '--json');
  const { jobs } = JSON.parse(text);
  expect(jobs).toMatchObject([
    {
      job: 'count it',
      folder: join(folder, 'count%20it'),
      checkpoints: [
        { checkpointId: 1, created: '1970-01-01T00:00:01.000Z', state: 'complete' },
        { checkpointId: 2, epoch: 1, kind: 'checkpoint', durationMs: 7, sizeBytes: 20 },
        {
          checkpointId: 3,
          state: 'damaged',
          problem: expect.stringMatching(/ends at byte 3 of 20$/),
        },
      ],
    },
  ]);
  expect((await checkpoints(folder, '.')).text).toMatch(
    /\ncheckpoint 3 is damaged: .*ends at byte 3/,
  );
});

test('a folder without any is an error, and help says what DIR is', async () => {
  const folder = tempFolder();
  expect(await checkpoints(folder, 'chk').catch(codeOf)).toBe('CHECKPOINT_NOT_FOUND');
  expect(await checkpoints(folder).catch(codeOf)).toBe('ARGUMENT_MISSING');
  const env = fakeCliEnv({ workingFolder: folder });
  expect(await main(['checkpoints', '--help'], env)).toBe(0);
  expect(env.stdout.text).toContain('--checkpoint-dir');
  expect(env.stdout.text).toContain('--verify');
});
