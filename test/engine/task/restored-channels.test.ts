/**
 * Goal: whatever the mode, the parallelism and the moment, a job that goes on from a checkpoint ends with what it would have given without
 * an interruption: no row lost, none doubled, those of a key in their order; at least once each where nothing waits.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CheckpointMode } from '../../../engine/contracts/checkpoint-mode.ts';
import { expectedOf, type JobName, jobNames, jobOf } from '../../support/cut-jobs.ts';
import { type Cut, CutAttempt, type CutJob, type CutOptions } from '../../support/cut-world.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { lehmer, type Row } from '../../support/operator-harness.ts';
import { textsOf } from '../../support/plan-runner.ts';

interface Plan {
  readonly seed: number;
  readonly mode: CheckpointMode;
  readonly timeoutMs: number | null;
  /** Tasks of each attempt, in turn. */
  readonly parallelisms: readonly number[];
  readonly slotBytes: number;
  /** How often something else happens than a step of a task. */
  readonly share: number;
}

/** Runs attempt after attempt, each from a checkpoint of the one before; the last one to its end. */
function run(job: CutJob, plan: Plan): { written: readonly Row[]; cuts: number; kept: number } {
  const random = lehmer(plan.seed + 7);
  const disk = new MemoryDisk();
  let from: Cut | null = null;
  let cuts = 0;
  let kept = 0;
  for (const [at, parallelism] of plan.parallelisms.entries()) {
    const isLast = at === plan.parallelisms.length - 1;
    const ring = [1 + Math.floor(random() * 2), plan.slotBytes] as const;
    const options = { parallelism, disk, from, ring, seed: plan.seed + at, epoch: at + 1 };
    const attempt: CutAttempt = new CutAttempt(job, options);
    try {
      attemptRun(attempt, plan, random);
      if (isLast) return { written: attempt.written, cuts, kept };
    } finally {
      attempt.close();
    }
    cuts += attempt.cuts.length;
    from = attempt.cuts[Math.floor(random() * attempt.cuts.length)] ?? from;
    const parts = from?.tasks.flatMap(({ operators }) => operators) ?? [];
    kept += parts.filter(
      ({ kind, parts: rows }) => kind.startsWith('channel ') && rows.length > 0,
    ).length;
  }
  throw new Error('there is a last attempt');
}

function attemptRun(attempt: CutAttempt, plan: Plan, random: () => number): void {
  const way = {
    mode: plan.mode,
    ...(plan.timeoutMs !== null && plan.mode === 'aligned' && { timeoutMs: plan.timeoutMs }),
  };
  let open: number[] = [];
  for (let steps = 0; !attempt.isOver; steps++) {
    expect(steps, 'an attempt comes to its end').toBeLessThan(200_000);
    attempt.step();
    if (random() >= plan.share) continue;
    const done = attempt.cuts.at(-1)?.checkpointId ?? 0;
    open = open.filter((id) => id > done);
    if (open.length > 0 && random() < 0.15) attempt.cancel(open.shift() ?? 0);
    else if (open.length < 3) open.push(attempt.trigger(way));
  }
}

const noDifference = { missing: [], extra: [] };

/** The first rows that are not there, and the first that are there too often. */
function differenceOf(found: readonly string[], expected: readonly string[]) {
  const left = new Map<string, number>();
  for (const row of expected) left.set(row, (left.get(row) ?? 0) + 1);
  for (const row of found) left.set(row, (left.get(row) ?? 0) - 1);
  const of = (sign: number) =>
    [...left].filter(([, count]) => count * sign > 0).map(([row, count]) => `${row} ${count}`);
  return { missing: of(1).slice(0, 5), extra: of(-1).slice(0, 5) };
}

const plans = fc.record<Plan>({
  seed: fc.nat(1 << 20),
  mode: fc.constantFrom('unaligned', 'unaligned', 'aligned'),
  timeoutMs: fc.constantFrom(null, 0, 5, 50),
  parallelisms: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 }),
  slotBytes: fc.constantFrom(32, 64, 256),
  share: fc.constantFrom(0.01, 0.05, 0.2),
});

test.each(jobNames)(
  '%s: exactly what an uninterrupted run gives',
  (name: JobName) => {
    const job = jobOf(name);
    const expected = textsOf(expectedOf(name));
    const seen = { cuts: 0, kept: 0 };
    fc.assert(
      fc.property(plans, (plan) => {
        const { written, cuts, kept } = run(job, plan);
        seen.cuts += cuts;
        seen.kept += kept;
        expect(differenceOf(textsOf(written), expected)).toEqual(noDifference);
      }),
      { numRuns: 15, endOnFailure: true },
    );
    // Checkpoints were made, and there were rows on their way.
    expect(seen.cuts).toBeGreaterThan(10);
    expect(seen.kept).toBeGreaterThan(10);
  },
  120_000,
);

test('at least once: each row is there, and some may be twice', () => {
  const job = jobOf('sums');
  const expected = new Set(expectedOf('sums').map((row) => String(row.id)));
  fc.assert(
    fc.property(plans, (plan) => {
      const { written } = run(job, { ...plan, mode: 'at-least-once' });
      const found = new Set(written.map((row) => String(row.id).replace('n', '')));
      expect([...expected].filter((id) => !found.has(id))).toEqual([]);
    }),
    { numRuns: 6, endOnFailure: true },
  );
}, 120_000);

/** Changes to a checkpoint as a mistake would make them; false where it has nothing to change. */
const plants: Readonly<Record<string, (sections: Section[]) => boolean>> = {
  'a batch is not recorded': (sections) => {
    const at = sections.findIndex(({ part }) => part !== null);
    if (at >= 0) sections.splice(at, 1);
    return at >= 0;
  },
  'a batch is recorded twice': (sections) => {
    const found = sections.find(({ part }) => part !== null);
    if (found !== undefined) sections.push({ ...found, from: 'twice' });
    return found !== undefined;
  },
  'what the sender had comes before what was in the ring': (sections) => {
    for (const section of sections) {
      if (section.place === 'ring') section.place = 'outbox';
      else if (section.place === 'outbox') section.place = 'ring';
    }
    return true;
  },
};

interface Section {
  place: string;
  part: string | null;
  from: string;
}

test.each(Object.keys(plants))(
  'it is noticed when %s',
  (name) => {
    const job = jobOf('sums');
    const expected = textsOf(expectedOf('sums'));
    let noticed = 0;
    for (let seed = 1; seed <= 6 && noticed === 0; seed++) {
      const disk = new MemoryDisk();
      const first = new CutAttempt(job, { parallelism: 2, disk, from: null, seed, epoch: 1 });
      const random = lehmer(seed);
      while (!first.isOver) {
        first.step();
        if (random() < 0.05) first.trigger({ mode: 'unaligned' });
      }
      first.close();
      for (const cut of first.cuts) {
        const wrong = structuredClone(cut);
        const sectionsOf = wrong.tasks
          .flatMap(({ operators }) => operators)
          .filter(({ kind }) => kind.startsWith('channel '))
          .map(({ note }) => (note as unknown as { sections: Section[] }).sections);
        const isPlanted = sectionsOf.map((sections) => plants[name]?.(sections)).includes(true);
        if (!isPlanted || noticed > 0) continue;
        if (!isRight(job, { parallelism: 1, disk, from: wrong, seed, epoch: 2 }, expected))
          noticed++;
      }
    }
    expect(noticed).toBe(1);
  },
  120_000,
);

/** Whether the job ends with what it should have given; rows that are read twice or never may also be refused. */
function isRight(job: CutJob, options: CutOptions, expected: readonly string[]): boolean {
  const attempt = new CutAttempt(job, options);
  try {
    while (!attempt.isOver) attempt.step();
    return JSON.stringify(textsOf(attempt.written)) === JSON.stringify(expected);
  } catch {
    return false;
  } finally {
    attempt.close();
  }
}

test('a barrier overtakes what waits for a sink without room, and an aligned one does not', () => {
  const complete = (mode: CheckpointMode) => {
    const options = { parallelism: 2, disk: new MemoryDisk(), from: null, seed: 3, epoch: 1 };
    const attempt = new CutAttempt(jobOf('sums'), options);
    attempt.isStuck = true;
    for (let steps = 0; steps < 300; steps++) attempt.step();
    attempt.trigger({ mode });
    for (let steps = 0; steps < 300; steps++) attempt.step();
    attempt.close();
    return attempt.cuts.length;
  };
  expect([complete('unaligned'), complete('aligned')]).toEqual([1, 0]);
});
