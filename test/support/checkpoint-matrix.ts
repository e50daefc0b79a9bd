/**
 * The matrix of what can befall a simulated job with checkpoints: every step × everything that can befall a step of its kind.
 * Each case is one run, whose fault must come true, and whose rows must be right. What only happens when a job goes on from a
 * checkpoint is struck in runs that have died before.
 */
import { expect } from 'vitest';
import { allFaults, kindsOf } from '../../simulation/checkpoints/checkpoint-faults.ts';
import { runCheckpoints, stepsOf } from '../../simulation/checkpoints/checkpoint-scenario.ts';
import type { StepFault } from '../../simulation/faults.ts';

export interface MatrixCase {
  readonly seed: number;
  /** The last one is what the case is about. */
  readonly faults: readonly StepFault[];
}

/** The death after which a job goes on from its first checkpoint: it is complete, and not committed. */
const firstDeath: StepFault = {
  kind: 'atStep',
  step: 'coordinator log folder syncDir',
  hit: 4,
  what: 'coordinator after',
};

/** All cases of a seed. */
export function casesOf(seed: number): MatrixCase[] {
  const steps = stepsOf(seed);
  const again = stepsOf(seed, [firstDeath]);
  const behind = [...again].filter(([step]) => !steps.has(step));
  return [
    ...allFaults(steps).map((fault) => ({ seed, faults: [fault] })),
    ...allFaults(new Map(behind)).map((fault) => ({ seed, faults: [firstDeath, fault] })),
  ];
}

/** Of each step and each thing that can befall it one case, spread over the seeds and over a run. */
export function oneCaseEach(seeds: readonly number[]): MatrixCase[] {
  const bySeed = seeds.map((seed) => Map.groupBy(casesOf(seed), keyOf));
  const keys = [...new Set(bySeed.flatMap((cases) => [...cases.keys()]))].sort();
  return keys.flatMap((key, index) => {
    const having = bySeed.flatMap((cases) => cases.get(key) ?? []);
    // A number that has nothing in common with how many there are: each comes from another place of a run.
    return having[(index * 7919) % having.length] ?? [];
  });
}

function keyOf({ faults }: MatrixCase): string {
  const { step, what } = faults.at(-1) ?? firstDeath;
  return `${step} ${kindsOf(step).indexOf(what)}`;
}

export interface MatrixCount {
  /** Runs whose fault came true. */
  struck: number;
  /** Trace hashes of these, by seed. */
  readonly traces: Set<string>;
}

/** Runs cases; each must give the right rows. */
export function checkCases(cases: readonly MatrixCase[], count: MatrixCount): void {
  for (const { seed, faults } of cases) {
    const { failure, counts, traceHash } = runCheckpoints({ seed, plan: { clocks: {}, faults } });
    expect(failure, JSON.stringify({ seed, faults })).toBeNull();
    if (counts.struck !== faults.length) continue;
    count.struck++;
    count.traces.add(`${seed} ${traceHash}`);
  }
}
