/** Goal: a simulated slot sees clones only, in order, and ends as a thread would. */
import { expect, test } from 'vitest';
import { createSimSlotRunner, type SlotProgram } from '../../simulation/sim-slot-runner.ts';
import { runOnNode } from '../support/run-on-node.ts';

const echo: SlotProgram = (port) =>
  new Promise((resolve, reject) => {
    port.onMessage((message) => {
      if (message === 'end') resolve();
      else if (message === 'die') reject(new Error('the thread died'));
      else port.post({ slot: port.slotIndex, message });
    });
  });

test('messages are clones, in order; a change after posting does not show', async () => {
  const seen = await runOnNode(async (env) => {
    const runner = createSimSlotRunner(env.timers, { program: echo });
    const slot = runner.start(3, { memoryBytes: 1024 });
    const answers: unknown[] = [];
    slot.onMessage((message) => answers.push(message));
    const message = { rows: [1] };
    slot.post(message);
    message.rows.push(2);
    slot.post(message);
    slot.post('end');
    await slot.ended;
    await env.timers.sleep(5);
    return answers;
  });
  expect(seen).toEqual([
    { slot: 3, message: { rows: [1] } },
    { slot: 3, message: { rows: [1, 2] } },
  ]);
});

test('many messages stay in order, whatever timer is late', async () => {
  const numbers = Array.from({ length: 100 }, (_, index) => index);
  const seen = await runOnNode(async (env) => {
    const slot = createSimSlotRunner(env.timers, { program: echo }).start(0, { memoryBytes: 1 });
    const answers: number[] = [];
    slot.onMessage((answer) => answers.push((answer as { message: number }).message));
    for (const number of numbers) slot.post(number);
    await env.timers.sleep(50);
    return answers;
  });
  expect(seen).toEqual(numbers);
});

test('a program that rejects is a thread that died; terminate ends one that never would', async () => {
  const ends = await runOnNode(async (env) => {
    const runner = createSimSlotRunner(env.timers, { program: echo });
    const dying = runner.start(0, { memoryBytes: 1024 });
    dying.post('die');
    const died = await dying.ended.catch((error: Error) => error.message);
    const stuck = runner.start(1, { memoryBytes: 1024 });
    await runner.close();
    await stuck.ended;
    return died;
  });
  expect(ends).toBe('the thread died');
});

test('what cannot be cloned cannot be posted', async () => {
  const error = await runOnNode(async (env) => {
    const slot = createSimSlotRunner(env.timers, { program: echo }).start(0, { memoryBytes: 1 });
    try {
      slot.post(() => {});
    } catch (reason) {
      return (reason as Error).name;
    }
    return 'posted';
  });
  expect(error).toBe('DataCloneError');
});
