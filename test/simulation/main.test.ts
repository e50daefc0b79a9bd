/** Goal: the command line prints one seed's run the same each time, and says how it is used. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const script = new URL('../../simulation/main.ts', import.meta.url).pathname;

function simulate(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
}

test('a seed prints its options, faults, trace hash and verdict, and the same again', () => {
  const first = simulate('--seed', '123', '--scenario', 'leader-lease');
  expect(first.status).toBe(0);
  for (const word of ['seed        123', 'clock       store', 'fault       {', 'all well']) {
    expect(first.stdout).toContain(word);
  }
  expect(first.stdout).toMatch(/trace hash {2}[0-9a-f]{16}\n/);
  expect(simulate('--seed', '123').stdout).toBe(first.stdout);
});

test('many seeds print one line', () => {
  expect(simulate('--seed', '5', '--count', '3').stdout).toBe('3 seeds from 5: all well\n');
});

test.each([[[]], [['--seed', 'x']], [['--seed', '1', '--scenario', 'none']], [['--sed', '1']]])(
  '%j is a usage error',
  (args) => {
    const { status, stderr } = simulate(...args);
    expect(status).toBe(2);
    expect(stderr).toContain('npm run simulate -- --seed NUMBER');
  },
);
