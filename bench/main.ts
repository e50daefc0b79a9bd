/**
 * `npm run bench -- <case>`: compares Millrace with other engines on this machine.
 *
 * After: bench/cases.ts
 */
import { Argument, Command, InvalidArgumentError } from 'commander';
import type { BenchCase } from './bench-case.ts';
import { benchCases } from './cases.ts';
import { checkpointBenchName, checkpointContestants, runCheckpointBench } from './checkpoint.ts';
import { checkpointReport } from './checkpoint-report.ts';
import { type CheckpointSize, checkpointSizes } from './checkpoint-rows.ts';
import { type KafkaSize, kafkaBenchName, kafkaSizes, runKafkaBench } from './kafka.ts';
import { kafkaReport } from './kafka-report.ts';
import { latencyBenchName, latencyReport, runLatencyBench } from './latency.ts';
import { MissingTool } from './prepare.ts';
import { reportText } from './report.ts';
import { runBench } from './run-bench.ts';

interface Flags {
  readonly size?: string;
  readonly runs: number;
  readonly only: readonly string[];
  readonly json?: boolean;
}

const kafkaSizeNames = Object.keys(kafkaSizes);
const checkpointBench = {
  name: checkpointBenchName,
  sizes: Object.keys(checkpointSizes),
  contestants: checkpointContestants.map((id) => ({ id })),
};
const sizesText = [...benchCases, { name: kafkaBenchName, sizes: kafkaSizeNames }, checkpointBench]
  .map(({ name, sizes }) => `${name}: ${sizes.join(', ')}`)
  .join('; ');

const caseNames = [
  ...benchCases.map(({ name }) => name),
  ...[latencyBenchName, kafkaBenchName, checkpointBenchName],
];
const latencySeconds = 20;

const program = new Command('bench')
  .description('Runs Millrace and other engines in turns on the same data and compares them.')
  .addArgument(new Argument('<case>', 'what to run').choices(caseNames))
  .option('--size <size>', `how much data; the first is the default (${sizesText})`)
  .option('--runs <count>', 'turns to take the median of', parseRuns, 3)
  .option('--only <ids>', 'contestants, comma-separated: millrace, duckdb, ...', parseIds, [])
  .option('--json', 'print one JSON object instead of a table')
  .addHelpText('after', '\nExample: npm run bench -- wordcount --size 256MB --runs 5')
  .action(async (name: string, flags: Flags) => {
    const bench = benchCases.find((one) => one.name === name);
    if (name === kafkaBenchName) return await kafka(flags);
    if (name === checkpointBenchName) return await checkpoint(flags);
    if (bench === undefined) return await latency(flags);
    const options = { size: sizeOf(bench, flags), runs: flags.runs, only: onlyOf(bench, flags) };
    const result = await runBench(bench, options, tell);
    const text = flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : reportText(result);
    process.stdout.write(text);
  });

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`bench: ${message}\n`);
  process.exitCode = error instanceof MissingTool ? 2 : 1;
}

async function latency({ runs, json }: Flags): Promise<void> {
  const results = await runLatencyBench({ runs, seconds: latencySeconds }, tell);
  const text = json === true ? `${JSON.stringify(results, null, 2)}\n` : latencyReport(results);
  process.stdout.write(text);
}

async function kafka(flags: Flags): Promise<void> {
  if (flags.only.length > 0) throw new Error('all contestants of kafka take part');
  const size = sizeOf({ name: kafkaBenchName, sizes: kafkaSizeNames }, flags) as KafkaSize;
  const results = await runKafkaBench({ size, runs: flags.runs }, tell);
  const text = flags.json === true ? `${JSON.stringify(results, null, 2)}\n` : kafkaReport(results);
  process.stdout.write(text);
}

async function checkpoint(flags: Flags): Promise<void> {
  const size = sizeOf(checkpointBench, flags) as CheckpointSize;
  const options = { size, runs: flags.runs, only: onlyOf(checkpointBench, flags) };
  const results = await runCheckpointBench(options, tell);
  const text =
    flags.json === true ? `${JSON.stringify(results, null, 2)}\n` : checkpointReport(results, size);
  process.stdout.write(text);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function parseRuns(text: string): number {
  const runs = Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= 100) return runs;
  throw new InvalidArgumentError('Write a whole number from 1 to 100.');
}

function parseIds(text: string): string[] {
  return text.split(',').map((id) => id.trim());
}

function sizeOf({ name, sizes }: Pick<BenchCase, 'name' | 'sizes'>, flags: Flags): string {
  const size = flags.size ?? sizes[0] ?? '';
  if (sizes.includes(size)) return size;
  throw new Error(`${name} has no size "${size}"; there are ${sizes.join(', ')}`);
}

interface Contested {
  readonly contestants: readonly { readonly id: string }[];
}

function onlyOf({ contestants }: Contested, { only }: Flags): readonly string[] {
  const ids = contestants.map(({ id }) => id);
  const stranger = only.find((id) => !ids.includes(id));
  if (stranger === undefined) return only;
  throw new Error(`no contestant "${stranger}"; there are ${ids.join(', ')}`);
}
