/**
 * Runs a bench: the contestants answer the same question about the same data, in turns.
 *
 *     turn 1   A B C D E      each answer is compared as soon as it is there; one that differs
 *     turn 2   A B C D E      ends the bench before any figure is shown
 *     turn 3   A B C D E
 *
 * Why in turns: on a machine that others use, load comes and goes in minutes. In turns it hits all
 * contestants alike, so ratios hold where seconds do not.
 *
 * Before: bench/cases.ts. After: bench/report.ts
 */
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { assert } from '../base/assert.ts';
import type { BenchCase, BenchInput, Contestant } from './bench-case.ts';
import { type Machine, machineOf } from './machine.ts';
import { type Measurement, measure } from './measure.ts';
import { preparePeers, type Say } from './prepare.ts';

export interface BenchOptions {
  readonly size: string;
  readonly runs: number;
  /** Ids of the contestants to run; empty means all. */
  readonly only: readonly string[];
}

export interface ContestantRun extends Measurement {
  /** Seconds of the parts of the work, where the bench has parts. */
  readonly partSeconds?: Readonly<Record<string, number>>;
}

export interface ContestantResult {
  readonly id: string;
  readonly name: string;
  readonly threads: number;
  readonly runs: readonly ContestantRun[];
}

export interface BenchResult {
  readonly bench: string;
  readonly size: string;
  readonly input: BenchInput;
  readonly machine: Machine;
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** What all contestants answered, in words. */
  readonly answer: string;
  readonly results: readonly ContestantResult[];
}

/** Runs the bench; rejects when a contestant fails or answers something else than the others. */
export async function runBench<Answer>(
  bench: BenchCase<Answer>,
  { size, runs, only }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const chosen = bench.contestants.filter(({ id }) => only.length === 0 || only.includes(id));
  preparePeers(
    chosen.flatMap(({ requirements }) => requirements ?? []),
    say,
  );
  for (const contestant of chosen) contestant.prepare?.(say);
  const input = bench.prepare(size, say);
  const loadBefore = loadavg()[0] ?? 0;
  const measured = new Map<string, ContestantRun[]>(chosen.map(({ id }) => [id, []]));
  let answer = bench.expectedAnswer(size);
  for (let turn = 1; turn <= runs; turn++) {
    for (const contestant of chosen) {
      const measurement = await runOnce(contestant, input);
      answer = checkAnswer(bench, contestant, answer);
      const partSeconds = bench.partSecondsOf?.(contestant.outPath);
      if (bench.isAnswerLarge) rmSync(contestant.outPath, { force: true, recursive: true });
      measured
        .get(contestant.id)
        ?.push(partSeconds ? { ...measurement, partSeconds } : measurement);
      const { name, threads } = contestant;
      say(`turn ${turn} of ${runs}  ${name} (${threads}): ${measurement.seconds.toFixed(2)} s`);
    }
  }
  assert(answer !== undefined, 'a bench has a contestant');
  return {
    bench: bench.name,
    size,
    input,
    machine: machineOf(),
    loadBefore,
    loadAfter: loadavg()[0] ?? 0,
    answer: bench.answerText(answer),
    results: chosen.map(({ id, name, threads }) => ({
      id,
      name,
      threads,
      runs: measured.get(id) ?? [],
    })),
  };
}

function runOnce({ outPath, command }: Contestant, input: BenchInput): Promise<Measurement> {
  // An answer of an earlier run must not pass for this one's.
  rmSync(outPath, { force: true, recursive: true });
  for (const file of input.files ?? [input.path]) readThrough(file);
  return measure(command(input.path));
}

/** Brings the data into the page cache, so that no contestant pays for reading it from the disk. */
function readThrough(path: string): void {
  const file = openSync(path, 'r');
  const buffer = new Uint8Array(1 << 20);
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/** Compares with the answer so far, and returns this one. */
function checkAnswer<Answer>(
  bench: BenchCase<Answer>,
  { name, outPath }: Contestant,
  expected: Answer | undefined,
): Answer {
  const actual = bench.readAnswer(outPath);
  const difference = expected === undefined ? null : bench.differenceOf(expected, actual);
  if (difference !== null) throw new Error(`the answer of ${name} differs: ${difference}`);
  return actual;
}
