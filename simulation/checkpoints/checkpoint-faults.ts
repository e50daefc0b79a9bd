/**
 * What befalls a job with checkpoints: every step of a run × everything that can befall a step of its kind, as a list; or a
 * few of these, drawn by chance.
 *
 *     disk call   each role dies before, after; paused before, after; power cut before, after; fails once, again and again;
 *                 no room; torn
 *     message     the same deaths and pauses; lost, doubled, late
 *     barrier, restore, message in a process   the same deaths and pauses
 */
import type { Rng } from '../../base/env/rng.ts';
import type { StepFault, StepFaultKind } from '../faults.ts';

const deaths: readonly StepFaultKind[] = [
  ...(['coordinator before', 'coordinator after', 'worker before', 'worker after'] as const),
  ...(['slot before', 'slot after', 'machine before', 'machine after'] as const),
];
const pauses: readonly StepFaultKind[] = [
  ...(['pause before', 'pause after', 'long pause before', 'long pause after'] as const),
];
const growing = /(open|write|rename|makeDir)$/;

/** What can befall a step, by its name. */
export function kindsOf(step: string): readonly StepFaultKind[] {
  const struck = [...deaths, ...pauses];
  if (step.endsWith(' sent')) return [...struck, 'lost', 'doubled', 'late'];
  if (!/^(coordinator|slot) .+ (?!told|says)\w+$/.test(step) || /^slot (told|says)/.test(step)) {
    return struck;
  }
  const failures: StepFaultKind[] = ['fails', 'fails again and again'];
  if (growing.test(step)) failures.push('full');
  if (step.endsWith(' write')) failures.push('tears');
  return [...struck, ...failures];
}

/** All of a run's. @param counts - How often each step was taken in it. */
export function allFaults(counts: ReadonlyMap<string, number>): StepFault[] {
  return [...counts].flatMap(([step, count]) =>
    Array.from({ length: count }, (_, hit) =>
      kindsOf(step).map((what): StepFault => ({ kind: 'atStep', step, hit, what })),
    ).flat(),
  );
}

/** One to three of a run's; those behind the first may come while the job goes on from a checkpoint. */
export function drawFaults(rng: Rng, counts: ReadonlyMap<string, number>): StepFault[] {
  const steps = [...counts];
  return Array.from({ length: rng.int(1, 4) }, (_, index) => {
    const [step, count] = steps[rng.int(0, steps.length)] ?? ['', 1];
    const kinds = kindsOf(step);
    const hit = rng.int(0, index === 0 ? count : count * 2);
    return { kind: 'atStep', step, hit, what: kinds[rng.int(0, kinds.length)] ?? 'slot before' };
  });
}
