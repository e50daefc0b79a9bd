/** Goal: a step begins when all before it have finished, is tried as often as it may be, and a workflow always ends. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  initialWorkflow,
  stepWorkflow,
  type WorkflowEffect,
  type WorkflowEvent,
  type WorkflowSpec,
  workflowWakeAtOf,
} from '../../../coordinator/scheduler/workflow.ts';

/** `b(a)x2`: step b after a, with two retries. */
const specOf = (text: string): WorkflowSpec => ({
  name: 'w',
  steps: text.split(' ').map((step) => {
    const [, name = '', after = '', retries = '0'] =
      /^(\w+?)(?:\((.*?)\))?(?:x(\d))?$/.exec(step) ?? [];
    return {
      name,
      after: after.split(',').filter(Boolean),
      retries: Number(retries),
      pauseMs: 100,
    };
  }),
});
const ends = (
  step: string,
  status: 'finished' | 'failed' | 'cancelled',
  attempt = 1,
  nowMs = 0,
): WorkflowEvent => ({
  ...{ kind: 'jobEnded', step, attempt, status, nowMs },
});
const ok = (step: string, attempt = 1): WorkflowEvent => ends(step, 'finished', attempt);
const bad = (step: string, attempt = 1, nowMs = 0): WorkflowEvent =>
  ends(step, 'failed', attempt, nowMs);
const tick = (nowMs: number): WorkflowEvent => ({ kind: 'tick', nowMs });
const cancel: WorkflowEvent = { kind: 'cancel', nowMs: 0 };

function run(text: string, events: readonly WorkflowEvent[]) {
  const spec = specOf(text);
  let state = initialWorkflow(spec);
  const effects: WorkflowEffect[] = [];
  for (const event of [{ kind: 'begin', nowMs: 0 } as const, ...events]) {
    const step = stepWorkflow(state, event, spec);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, text: effects.map(textOf).join(' ') };
}

function textOf(effect: WorkflowEffect): string {
  if (effect.kind === 'ended') return effect.status;
  return `${effect.kind === 'submit' ? '' : '-'}${effect.step}${effect.attempt}`;
}

test.each`
  what                                 | spec               | events                                                                             | effects
  ${'one'}                             | ${'a'}             | ${[ok('a')]}                                                                       | ${'a1 finished'}
  ${'one behind the other'}            | ${'a b(a) c(b)'}   | ${[ok('a'), ok('b'), ok('c')]}                                                     | ${'a1 b1 c1 finished'}
  ${'listed in any order'}             | ${'c(b) b(a) a'}   | ${[ok('a'), ok('b'), ok('c')]}                                                     | ${'a1 b1 c1 finished'}
  ${'beside each other, then joined'}  | ${'a b c(a,b)'}    | ${[ok('b'), ok('a'), ok('c')]}                                                     | ${'a1 b1 c1 finished'}
  ${'an end that is told twice'}       | ${'a b(a)'}        | ${[ok('a'), ok('a'), ok('b')]}                                                     | ${'a1 b1 finished'}
  ${'failed: nothing behind it'}       | ${'a b(a) c(b) d'} | ${[bad('a'), ok('d')]}                                                             | ${'a1 d1 failed'}
  ${'what does not depend goes on'}    | ${'a b(a) c d(c)'} | ${[bad('a'), ok('c'), ok('d')]}                                                    | ${'a1 c1 d1 failed'}
  ${'tried again after a pause'}       | ${'ax2 b(a)'}      | ${[bad('a'), tick(99), tick(100), ok('a', 2)]}                                     | ${'a1 a2 b1'}
  ${'pauses double'}                   | ${'ax2'}           | ${[bad('a'), tick(100), bad('a', 2, 100), tick(299), tick(300), bad('a', 3, 300)]} | ${'a1 a2 a3 failed'}
  ${'an old attempt ends late'}        | ${'ax2'}           | ${[bad('a'), tick(100), ok('a', 1)]}                                               | ${'a1 a2'}
  ${'cancelled'}                       | ${'a b(a)'}        | ${[cancel, ends('a', 'cancelled')]}                                                | ${'a1 -a1 cancelled'}
  ${'cancelled in a pause'}            | ${'ax2 b(a)'}      | ${[bad('a'), cancel, tick(500)]}                                                   | ${'a1 cancelled'}
  ${'cancelled, and no retry'}         | ${'ax2'}           | ${[cancel, bad('a')]}                                                              | ${'a1 -a1 cancelled'}
  ${'a job that somebody cancelled'}   | ${'ax2 b(a)'}      | ${[ends('a', 'cancelled')]}                                                        | ${'a1 cancelled'}
  ${'cancelled when all had finished'} | ${'a'}             | ${[ok('a'), cancel]}                                                               | ${'a1 finished'}
`('$what', ({ spec, events, effects }) => {
  expect(run(spec, events).text).toBe(effects);
});

test('it says when a pause is over', () => {
  expect(workflowWakeAtOf(run('ax1 b', [bad('a', 1, 7)]).state)).toBe(107);
  expect(workflowWakeAtOf(run('a', []).state)).toBe(Number.POSITIVE_INFINITY);
});

test.each`
  spec                | message
  ${'a a'}            | ${/two steps "a"/}
  ${'first b(frist)'} | ${/step "b" waits for "frist", which it has not; did you mean "first"\?/}
  ${'a(b) b(a) c'}    | ${/wait for each other: a, b/}
  ${'a(a)'}           | ${/wait for each other: a/}
`('$spec is refused', ({ spec, message }) => {
  expect(() => initialWorkflow(specOf(spec))).toThrow(message);
});

test('whatever fails, no step begins early, none twice at once, and the workflow ends', () => {
  const outcomes = fc.infiniteStream(fc.constantFrom('finished' as const, 'failed' as const));
  const graph = fc.array(fc.tuple(fc.array(fc.nat(7)), fc.nat(2)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(graph, outcomes, fc.nat(12), (drawn, statuses, cancelAfter) => {
      const steps = drawn.map(([before, retries], index) => ({
        ...{ name: `s${index}`, retries, pauseMs: 10 },
        after: [...new Set(before.filter((one) => one < index).map((one) => `s${one}`))],
      }));
      const spec = { name: 'w', steps };
      let state = initialWorkflow(spec);
      const running: WorkflowEffect[] = [];
      const finished = new Set<string>();
      let endCount = 0;
      const take = (event: WorkflowEvent): void => {
        const step = stepWorkflow(state, event, spec);
        state = step.state;
        for (const effect of step.effects) {
          if (effect.kind === 'ended') endCount++;
          if (effect.kind !== 'submit') continue;
          const { after = [] } = steps.find(({ name }) => name === effect.step) ?? {};
          expect(after.every((one) => finished.has(one))).toBe(true);
          expect(running.some((one) => 'step' in one && one.step === effect.step)).toBe(false);
          running.push(effect);
        }
      };
      take({ kind: 'begin', nowMs: 0 });
      for (let nowMs = 1; nowMs < 200 && endCount === 0; nowMs++) {
        if (nowMs === cancelAfter * 10) take({ kind: 'cancel', nowMs });
        const job = running.shift();
        if (job?.kind === 'submit') {
          const status = statuses.next().value ?? 'failed';
          if (status === 'finished') finished.add(job.step);
          take({ kind: 'jobEnded', step: job.step, attempt: job.attempt, status, nowMs });
        } else take({ kind: 'tick', nowMs: nowMs * 10 });
      }
      expect(endCount).toBe(1);
    }),
  );
});
