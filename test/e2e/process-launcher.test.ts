/**
 * Goal: the process launcher with small shell programs in place of executors: one is started ahead and used once, its start is a line
 * on stdin, what it prints is handed on at the pace of who takes it, and its end is told with how and with its last words.
 */
import { expect, onTestFinished, test } from 'vitest';
import { createRealTimers } from '../../base/env/real-timers.ts';
import { createProcessLauncher } from '../../cli/cluster/process-launcher.ts';
import type { ExecutorSpec } from '../../worker/supervisor/executor-launcher.ts';

const spec = { executorId: 'e', slots: 1 } as ExecutorSpec;

function launcherOf(script: string, hasSpare = false) {
  const launcher = createProcessLauncher(
    { timers: createRealTimers() },
    { command: ['/bin/sh', '-c', script], hasSpare },
  );
  onTestFinished(() => launcher.close());
  const printed: string[] = [];
  const launch = () =>
    launcher.launch(spec, async (bytes) => void printed.push(Buffer.from(bytes).toString()));
  return { launcher, launch, text: () => printed.join('') };
}

test('it gets one line, and its stdin stays open', async () => {
  const { launch, text } = launcherOf(
    'read line; echo "$line"; if read more; then echo closed; fi',
  );
  const process = launch();
  await expect.poll(text).toBe('{"executorId":"e","slots":1}\n');
  process.kill('asked');
  expect(await process.ended).toEqual({ exitCode: null, signal: 'SIGTERM', lastWords: '' });
});

test('its end has its exit code and its last words, and all that it printed was handed on', async () => {
  const { launch, text } = launcherOf('read line; echo out; echo first >&2; echo last >&2; exit 7');
  const end = await launch().ended;
  expect(end).toEqual({ exitCode: 7, signal: null, lastWords: 'first\nlast\n' });
  expect([...text().split('\n')].sort()).toEqual(['', 'first', 'last', 'out']);
});

test('one that does not end when it is asked ends when it is killed', async () => {
  const { launch, text } = launcherOf(
    "trap 'echo no' TERM; echo ready; while :; do read line; done",
  );
  const process = launch();
  await expect.poll(text).toContain('ready');
  process.kill('asked');
  await expect.poll(text).toContain('no');
  process.kill('now');
  expect(await process.ended).toMatchObject({ signal: 'SIGKILL' });
});

test('what it has started itself does not hold its end up', async () => {
  const { launch } = launcherOf('read line; sleep 20 & echo done');
  const before = performance.now();
  expect(await launch().ended).toMatchObject({ exitCode: 0 });
  expect(performance.now() - before).toBeLessThan(15_000);
});

test('a program that is not there ends at once, saying so', async () => {
  const launcher = createProcessLauncher(
    { timers: createRealTimers() },
    { command: ['/no/such/program'], hasSpare: false },
  );
  const { ended } = launcher.launch(spec, async () => undefined);
  expect(await ended).toEqual({
    ...{ exitCode: null, signal: null },
    lastWords: expect.stringContaining('ENOENT'),
  });
});

test('one is started ahead and is used once; one that has died is not used', async () => {
  const script = 'echo started; read line || exit 0; case $line in "") exit 0;; esac; echo used';
  const { launcher, launch, text } = launcherOf(script, true);
  launcher.prepare();
  const first = launch();
  expect(await first.ended).toMatchObject({ exitCode: 0 });
  expect(text()).toBe('started\nused\n');
  const second = launch();
  expect(await second.ended).toMatchObject({ exitCode: 0 });
  expect(text()).toBe('started\nused\nstarted\nused\n');
});
