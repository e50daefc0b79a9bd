/**
 * The wordcount bench: the contestants count the words of the same text in turns.
 *
 *     turn 1   A B C D E      each answer is compared as soon as it is there; one that differs
 *     turn 2   A B C D E      ends the bench before any figure is shown
 *     turn 3   A B C D E
 *
 * Why in turns: on a machine that others use, load comes and goes in minutes. In turns it hits all
 * contestants alike, so ratios hold where seconds do not.
 *
 * Expectation before the first figure: 1 GB is 143 million words. The kernels tokenise and count at
 * about 20 ns a word on one thread, so two threads need 1.5 s and the start 0.2 s; Polars spends 24
 * CPU seconds and DuckDB 38, so 12 and 19 s on two idle cores.
 */
import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { type TextSize, textPath } from './bench-cache.ts';
import { type Contestant, contestants } from './contestants.ts';
import { type Machine, machineOf } from './machine.ts';
import { type Measurement, measure } from './measure.ts';
import { preparePeers, prepareText, type Say } from './prepare.ts';
import { differenceOf, expectedAnswers, readAnswer, type WordAnswer } from './word-answer.ts';

export interface BenchOptions {
  readonly size: TextSize;
  readonly runs: number;
  /** Ids of the contestants to run; empty means all. */
  readonly only: readonly string[];
}

export interface ContestantResult {
  readonly id: string;
  readonly name: string;
  readonly threads: number;
  readonly runs: readonly Measurement[];
}

export interface BenchResult {
  readonly bench: 'wordcount';
  readonly size: TextSize;
  readonly inputBytes: number;
  readonly machine: Machine;
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly answer: WordAnswer;
  readonly results: readonly ContestantResult[];
}

/** Runs the bench; rejects when a contestant fails or answers something else than the others. */
export async function benchWordcount(options: BenchOptions, say: Say): Promise<BenchResult> {
  preparePeers(say);
  prepareText(options.size, say);
  const text = textPath(options.size);
  const loadBefore = loadavg()[0] ?? 0;
  const chosen = contestants.filter(
    ({ id }) => options.only.length === 0 || options.only.includes(id),
  );
  const measured = new Map<string, Measurement[]>(chosen.map(({ id }) => [id, []]));
  let answer = expectedAnswers[options.size];
  for (let turn = 1; turn <= options.runs; turn++) {
    for (const contestant of chosen) {
      const measurement = await runOnce(contestant, text);
      answer = checkAnswer(contestant, answer);
      measured.get(contestant.id)?.push(measurement);
      say(
        `turn ${turn} of ${options.runs}  ${contestant.name} (${contestant.threads}): ${measurement.seconds.toFixed(2)} s`,
      );
    }
  }
  return {
    bench: 'wordcount',
    size: options.size,
    inputBytes: statSync(text).size,
    machine: machineOf(),
    loadBefore,
    loadAfter: loadavg()[0] ?? 0,
    answer: answer ?? { total: 0, distinct: 0, hash: 0, top: '' },
    results: chosen.map(({ id, name, threads }) => ({
      id,
      name,
      threads,
      runs: measured.get(id) ?? [],
    })),
  };
}

function runOnce(contestant: Contestant, text: string): Promise<Measurement> {
  // An answer of an earlier run must not pass for this one's.
  rmSync(contestant.outPath, { force: true });
  readThrough(text);
  return measure(contestant.command(text));
}

/** Brings the text into the page cache, so that no contestant pays for reading it from the disk. */
function readThrough(path: string): void {
  const file = openSync(path, 'r');
  const buffer = new Uint8Array(1 << 20);
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

/** Compares with the answer so far, and returns the fuller of the two. */
function checkAnswer(contestant: Contestant, expected: WordAnswer | undefined): WordAnswer {
  const actual = readAnswer(contestant.outPath);
  const difference = expected === undefined ? null : differenceOf(expected, actual);
  if (difference !== null) {
    throw new Error(`the answer of ${contestant.name} differs: ${difference}`);
  }
  return actual;
}
