/** Goal: a question ends with the slot's answer, or without one, and never twice. */
import { expect, test } from 'vitest';
import { askDeadlineMs } from '../../coordinator/protocol.ts';
import { SlotQuestions } from '../../worker/slot-questions.ts';
import type { ToSlot } from '../../worker/threads/slot-messages.ts';
import { fakeCliEnv } from '../support/fake-cli-env.ts';

function scene() {
  const time = fakeCliEnv();
  const posted: { slotIndex: number; requestId: number }[] = [];
  const questions = new SlotQuestions(time.timers, (slotIndex: number, message: ToSlot) => {
    if (message.kind === 'ask') posted.push({ slotIndex, requestId: message.requestId });
  });
  const answer = (place: number) => {
    const { requestId = -1, slotIndex = -1 } = posted[place] ?? {};
    const tasks = [
      { taskId: `v1[${slotIndex}]`, attempt: 1, report: null, state: null, error: null },
    ];
    questions.answer({ kind: 'answered', requestId, tasks });
  };
  return { time, questions, answer };
}

test('answers go to their questions, in any order', async () => {
  const { time, questions, answer } = scene();
  const first = questions.ask(0, { kind: 'inspect' });
  const second = questions.ask(1, { kind: 'inspect' });
  answer(1);
  answer(0);
  expect((await first)?.[0]?.taskId).toBe('v1[0]');
  expect((await second)?.[0]?.taskId).toBe('v1[1]');
  expect(time.timerCount()).toBe(0);
});

test("a slot that does not answer in time has none, and its answer is nobody's then", async () => {
  const { time, questions, answer } = scene();
  const asked = questions.ask(0, { kind: 'inspect' });
  time.advance(askDeadlineMs);
  expect(await asked).toBeNull();
  answer(0);
  expect(time.timerCount()).toBe(0);
});

test('a thread that is gone leaves its questions open, and no others', async () => {
  const { questions, answer } = scene();
  const dead = questions.ask(0, { kind: 'inspect' });
  const alive = questions.ask(1, { kind: 'inspect' });
  questions.giveUp(0);
  expect(await dead).toBeNull();
  answer(1);
  expect(await alive).toHaveLength(1);
  const last = questions.ask(1, { kind: 'inspect' });
  questions.giveUp();
  expect(await last).toBeNull();
});
