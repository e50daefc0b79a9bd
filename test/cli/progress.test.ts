/** Goal: progress is one tidy line on a terminal, sparse lines elsewhere, and gone at the end. */
import { expect, test } from 'vitest';
import { cellWidthOf } from '../../base/table.ts';
import type { RunProgress } from '../../cli/embedded.ts';
import { progressText, showProgress } from '../../cli/progress.ts';
import { fakeCliEnv } from '../support/fake-cli-env.ts';

const mb = 1024 ** 2;
const running: RunProgress = {
  phase: 'running',
  rowsIn: 1_234_567,
  bytesIn: 52 * mb,
  bytesTotal: 100 * mb,
  rowsOut: 0,
  deadLetters: 0,
  stages: [],
  share: 0.52,
  seconds: 1,
};

const stage = {
  ...{ bytesIn: 0, bytesShuffled: 0, bytesSpilled: 0, busySeconds: 1, skew: null },
  ...{ speculativeCount: 0, speculativeWonCount: 0, adaptations: [] },
};
const staged: RunProgress = {
  ...running,
  share: 0.5,
  stages: [
    {
      ...stage,
      id: '1',
      taskCount: 4,
      runningCount: 0,
      doneCount: 4,
      failedCount: 1,
      bytesShuffled: 9 * mb,
    },
    {
      ...stage,
      id: '2',
      taskCount: 4,
      runningCount: 2,
      doneCount: 0,
      failedCount: 0,
      bytesSpilled: 3 * mb,
    },
  ],
};

test.each`
  what                       | progress                               | expected
  ${'a job that starts'}     | ${{ ...running, phase: 'starting' }}   | ${'starting …'}
  ${'a job that runs'}       | ${running}                             | ${'52%  1,234,567 rows  52.0 MB of 100.0 MB  24.0 MB/s  2.0 s left'}
  ${'an input without size'} | ${{ ...running, bytesTotal: 0 }}       | ${'1,234,567 rows  52.0 MB  24.0 MB/s'}
  ${'input all read'}        | ${{ ...running, bytesIn: 100 * mb }}   | ${'100%  1,234,567 rows  100.0 MB of 100.0 MB  24.0 MB/s'}
  ${'more than was known'}   | ${{ ...running, bytesIn: 101 * mb }}   | ${'100%  1,234,567 rows  101.0 MB of 100.0 MB  24.0 MB/s'}
  ${'a job of two stages'}   | ${staged}                              | ${'50%  stage 2 of 2  tasks 4 of 8  2 running  1 run again  9.0 MB shuffled  3.0 MB spilled  about 1.0 s left'}
  ${'a job that commits'}    | ${{ ...running, phase: 'committing' }} | ${'writing the result …'}
`('$what is told in plain text', ({ progress, expected }) => {
  expect(progressText(progress, 24 * mb, null)).toBe(expected);
});

test('the bar fills what is left of the line, to a limit, and goes where there is no room', () => {
  const wide = progressText(running, 24 * mb, 120);
  expect(wide).toMatch(/^━{16}─{14} {2}52%/);
  const narrow = progressText(running, 24 * mb, 60);
  expect(narrow).not.toContain('━');
  expect(cellWidthOf(narrow)).toBe(60);
});

test('on a terminal the line is drawn ten times a second and erased at the end', () => {
  const env = fakeCliEnv({ isTerminal: true, columns: 100 });
  const end = showProgress(env, () => running);
  env.advance(1_000);
  expect(env.stderr.text.split('\r\x1b[2K')).toHaveLength(11);
  end();
  expect(env.stderr.text.endsWith('\r\x1b[2K')).toBe(true);
  expect(env.timerCount()).toBe(0);
});

test('elsewhere a short job says nothing, a long one a line every five seconds', () => {
  const env = fakeCliEnv();
  const end = showProgress(env, () => running);
  env.advance(4_900);
  expect(env.stderr.text).toBe('');
  env.advance(5_200);
  expect(env.stderr.text.trimEnd().split('\n')).toHaveLength(2);
  expect(env.stderr.text).not.toContain('\x1b');
  end();
  expect(env.timerCount()).toBe(0);
});
