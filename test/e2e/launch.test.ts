/**
 * Goal: a command that runs on another Node behaves as if it ran on this one: same arguments, same
 * end, one interrupt for one Ctrl-C, and no child that outlives its parent.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive, launchOver, makeProgram } from '../support/launcher.ts';

const echoing = `export async function main(args: string[]): Promise<number> {
  console.log(JSON.stringify({ args, mark: process.env.MILLRACE_LAUNCHED ?? null }));
  if (args[0] === 'die') process.kill(process.pid, 'SIGKILL');
  return 3;
}`;

/** Counts signals; ends half a second after the first, so that a second one would be seen. */
const waiting = `export function main(): Promise<number> {
  const seen: string[] = [];
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 1_000);
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        seen.push(name);
        if (seen.length > 1) return;
        setTimeout(() => {
          console.log(seen.join());
          clearInterval(alive);
          resolve(130);
        }, 500);
      });
    }
    console.log('ready', process.pid);
  });
}`;

/** Neither listens to signals nor ends. */
const deaf = `export function main(): Promise<number> {
  console.log('ready', process.pid);
  return new Promise(() => setInterval(() => {}, 1_000));
}`;

test('arguments and exit code go through, the mark does not', async () => {
  const { code, stdout } = await launchOver(makeProgram(echoing), ['a b', '--x', '']).ended;
  expect(JSON.parse(stdout)).toEqual({ args: ['a b', '--x', ''], mark: null });
  expect(code).toBe(3);
});

test('on Node 24 itself the command runs in the same process', () => {
  const script = join(
    makeProgram(`export const main = async () => process.ppid === ${process.pid} ? 0 : 1;`),
    'cli/millrace.mjs',
  );
  expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toBe('');
});

test('a child that ends by a signal ends the parent by it', async () => {
  const { code, signal } = await launchOver(makeProgram(echoing), ['die']).ended;
  expect([code, signal]).toEqual([null, 'SIGKILL']);
});

test.each`
  how                     | send
  ${'to both (Ctrl-C)'}   | ${(id: number) => process.kill(-id, 'SIGINT')}
  ${'to the parent only'} | ${(id: number) => process.kill(id, 'SIGINT')}
`('an interrupt $how is one interrupt', async ({ send }) => {
  const { parent, childId, ended } = launchOver(makeProgram(waiting));
  await childId;
  send(parent.pid);
  const { code, stdout } = await ended;
  expect(stdout.split('\n').slice(1)).toEqual(['SIGINT', '']);
  expect(code).toBe(130);
});

test('a terminate signal goes through as what it is', async () => {
  const { parent, childId, ended } = launchOver(makeProgram(waiting));
  await childId;
  parent.kill('SIGTERM');
  expect((await ended).stdout).toContain('\nSIGTERM\n');
});

test('when the parent is killed the child is interrupted, and ends', async () => {
  const { parent, childId, ended } = launchOver(makeProgram(waiting));
  const child = await childId;
  parent.kill('SIGKILL');
  const { signal, stdout } = await ended;
  expect(signal).toBe('SIGKILL');
  expect(stdout).toContain('\nSIGINT\n');
  await expect.poll(() => isAlive(child)).toBe(false);
});

test('a child that hears nothing ends with its parent as well', async () => {
  const { parent, childId, ended } = launchOver(makeProgram(deaf));
  const child = await childId;
  parent.kill('SIGKILL');
  await ended;
  await expect.poll(() => isAlive(child)).toBe(false);
});
