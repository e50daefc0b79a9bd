/**
 * What a bench is made of: data that is made once, contestants that answer one question about it,
 * and a way to compare their answers. The turns, the measuring and the table are the same for all
 * of them.
 *
 * After: bench/run-bench.ts, bench/cases.ts
 */
import type { Say } from './prepare.ts';

/** One engine with one command: a process that reads the data and writes its whole answer. */
export interface Contestant {
  readonly id: string;
  readonly name: string;
  readonly threads: number;
  readonly outPath: string;
  /** A file of Python packages in `peers/` that only this one needs. @defaultValue none */
  readonly requirements?: string;
  /** Makes what only this one needs and is not there yet. @defaultValue nothing */
  prepare?(say: Say): void;
  command(dataPath: string): string[];
}

/** The data of one size, ready on the disk. */
export interface BenchInput {
  /** What contestants are given; files that only some of them read lie beside it. */
  readonly path: string;
  /** The files that are read. @defaultValue the path */
  readonly files?: readonly string[];
  readonly sizeBytes: number;
  /** For the title: "of English text". */
  readonly description: string;
}

export interface BenchCase<Answer = unknown> {
  readonly name: string;
  /** By name, the default first. */
  readonly sizes: readonly string[];
  readonly contestants: readonly Contestant[];
  /** Whether answers are removed once they are compared: many of them would fill the disk. @defaultValue false */
  readonly isAnswerLarge?: boolean;
  /** Makes what is not there yet. */
  prepare(size: string, say: Say): BenchInput;
  /** An answer that an independent count gave, if there is one. */
  expectedAnswer(size: string): Answer | undefined;
  /** Reduces what a contestant wrote to what fits in a line. */
  readAnswer(path: string): Answer;
  /** What differs, or null. */
  differenceOf(expected: Answer, actual: Answer): string | null;
  /** Seconds of the parts of the work, by their names, which the contestant wrote beside its answer. */
  partSecondsOf?(path: string): Readonly<Record<string, number>>;
  /** The answer in words, for the table's head. */
  answerText(answer: Answer): string;
}
