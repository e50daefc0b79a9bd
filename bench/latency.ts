/**
 * The latency bench: how long rows and windows take at a rate that the machine can do, from when they were due.
 *
 *     stateless   a source, a computed column, a filter, a sink: from a row's schedule until the sink has it
 *     windowed    a count by auction and second: from when event time came to a window's end until the window is given out
 *
 * No other engine takes part: what is shown is what a job says of itself in its summary. A goal that is missed is shown
 * as missed.
 *
 * Before: bench/main.ts. After: bench/jobs/latency.ts.
 */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LatencySummary } from '../base/latency-histogram.ts';
import { tableText } from '../base/table.ts';
import { formatBytes, formatCount } from '../base/units.ts';
import type { JobSummary } from '../cli/job-summary.ts';
import { outputPath, projectFolder } from './bench-cache.ts';
import { machineOf } from './machine.ts';
import { medianOf } from './median.ts';

export const latencyBenchName = 'latency';

const eventsPerSecond = 100_000;
const goals = { stateless: 10, windowed: 50 } as const;

type Question = keyof typeof goals;

export interface LatencyBenchOptions {
  readonly runs: number;
  /** How long each run goes on. */
  readonly seconds: number;
}

export interface LatencyResult {
  readonly question: Question;
  /** Of each run. */
  readonly measured: readonly LatencySummary[];
}

export async function runLatencyBench(
  { runs, seconds }: LatencyBenchOptions,
  tell: (line: string) => void,
): Promise<LatencyResult[]> {
  const questions = Object.keys(goals) as Question[];
  const results = questions.map((question) => ({
    question,
    measured: [] as LatencySummary[],
  }));
  for (let run = 1; run <= runs; run++) {
    for (const { question, measured } of results) {
      tell(`${question}, run ${run} of ${runs}: ${seconds} s`);
      measured.push(await measure(question, seconds));
    }
  }
  return results;
}

async function measure(question: Question, seconds: number): Promise<LatencySummary> {
  const folder = outputPath('latency');
  mkdirSync(folder, { recursive: true });
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(projectFolder, 'cli', 'millrace.mjs'),
    ...['run', join(projectFolder, 'bench', 'jobs', 'latency.ts'), '--question', question],
    ...['--events', String(eventsPerSecond * seconds), '--rate', String(eventsPerSecond)],
    ...['--output', join(folder, `${question}.csv`), '--parallelism', '2', '--json'],
  ]);
  const summary = JSON.parse(stdout) as JobSummary;
  const windows = summary.operators.find(({ windowDelay }) => windowDelay !== undefined);
  const found = question === 'windowed' ? windows?.windowDelay : summary.latency;
  if (found === undefined) throw new Error(`the ${question} job has measured nothing`);
  return found;
}

export function latencyReport(results: readonly LatencyResult[]): string {
  const { cores, processor, memoryBytes, system, node } = machineOf();
  const right = 'right' as const;
  const columns = ['measured', '50 %', '90 %', '99 %', '99.9 %', 'most', '99 % from – to', 'goal'];
  const head = [
    `latency at ${formatCount(eventsPerSecond)} events/s, milliseconds, median of ${results[0]?.measured.length ?? 0}`,
    `${cores} × ${processor}, ${formatBytes(memoryBytes)}, ${system}, Node ${node}, load ${loadavg()[0]?.toFixed(1)}`,
  ];
  const rows = results.map(({ question, measured }) => {
    const of = (key: keyof LatencySummary) => medianOf(measured.map((one) => one[key]));
    const most = measured.map(({ p99Ms }) => p99Ms);
    const isMet = of('p99Ms') <= goals[question];
    return [
      question,
      formatCount(Math.round(of('count'))),
      ...(['p50Ms', 'p90Ms', 'p99Ms', 'p999Ms', 'maxMs'] as const).map((key) => of(key).toFixed(1)),
      `${Math.min(...most).toFixed(1)} – ${Math.max(...most).toFixed(1)}`,
      `${goals[question]}, ${isMet ? 'met' : 'missed'}`,
    ];
  });
  const table = tableText(
    [{ title: 'question' }, ...columns.map((title) => ({ title, align: right }))],
    rows,
  );
  return `${head.join('\n')}\n${table}`;
}
