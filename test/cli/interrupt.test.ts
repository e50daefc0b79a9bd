/** Goal: the first signal cancels once, however often it arrives; insisting ends the process. */
import { expect, test } from 'vitest';
import { onInterrupt } from '../../cli/interrupt.ts';
import { fakeCliEnv } from '../support/fake-cli-env.ts';

function listen() {
  const env = fakeCliEnv();
  const signals: string[] = [];
  const interrupt = onInterrupt(env, (signal) => signals.push(signal));
  return { env, signals, interrupt };
}

test('one key press that arrives three times cancels once', () => {
  const { env, signals, interrupt } = listen();
  expect(interrupt.isRequested).toBe(false);
  env.signal('SIGINT');
  env.signal('SIGINT');
  env.advance(499);
  env.signal('SIGINT');
  expect(signals).toEqual(['SIGINT']);
  expect(interrupt.isRequested).toBe(true);
});

test('a second press after a second ends the process with 130', () => {
  const { env, signals } = listen();
  env.signal('SIGTERM');
  env.advance(1_000);
  expect(() => env.signal('SIGINT')).toThrow(expect.objectContaining({ code: 130 }));
  expect(signals).toEqual(['SIGTERM']);
  expect(env.stderr.text).toContain('ended at once');
});

test('after stop nobody listens', () => {
  const { env, signals, interrupt } = listen();
  interrupt.stop();
  env.signal('SIGINT');
  expect(signals).toEqual([]);
  expect(env.signalListenerCount()).toBe(0);
});
