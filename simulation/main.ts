/**
 * Runs a scenario from the command line and replays it exactly:
 *
 *     npm run simulate -- --seed 123 [--scenario job] [--count 1000]
 *
 * Prints seed, options, faults, trace hash and verdict of one seed; with `--count` one line for many
 * and the first failure in full, made smaller. Exit codes: 0 all well, 1 a judge objects, 2 usage.
 */
import { parseArgs } from 'node:util';
import { inMacrotask } from './drain.ts';
import { withoutGuard } from './guard.ts';
import type { Verdict } from './leader-lease-scenario.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import { shrinkFaults } from './shrink.ts';

interface SimulateOptions {
  readonly name: string;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly count: number;
}

const usage = `usage: npm run simulate -- --seed NUMBER [--scenario NAME] [--count NUMBER]
scenarios: ${Object.keys(scenarios).join(', ')}
example: npm run simulate -- --seed 123
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) {
    process.stderr.write(usage);
    return 2;
  }
  return await inMacrotask(() => simulate(options));
}

function readOptions(args: readonly string[]): SimulateOptions | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { seed: text, scenario: text, count: text },
    });
    const name = values.scenario ?? 'leader-lease';
    const scenario = scenarios[name];
    const seed = Number(values.seed ?? Number.NaN);
    const count = Number(values.count ?? 1);
    const isValid = Number.isSafeInteger(seed) && Number.isSafeInteger(count) && count > 0;
    return scenario === undefined || !isValid ? null : { name, scenario, seed, count };
  } catch {
    return null; // An option that is not listed.
  }
}

function simulate({ name, scenario, seed, count }: SimulateOptions): number {
  for (let current = seed; current < seed + count; current++) {
    const verdict = scenario({ seed: current });
    const isLast = current === seed + count - 1;
    if (verdict.failure === null && !isLast) continue;
    if (verdict.failure === null && count > 1) print(`${count} seeds from ${seed}: all well\n`);
    else printVerdict(name, verdict);
    if (verdict.failure === null) continue;
    printSmaller(scenario, verdict);
    return 1;
  }
  return 0;
}

function printVerdict(name: string, verdict: Verdict): void {
  const { seed, plan, traceHash, failure, eventCount, counts } = verdict;
  print(`scenario    ${name}\nseed        ${seed}\n`);
  for (const [node, clock] of Object.entries(plan.clocks)) {
    print(`clock       ${node} drift ${clock.drift.toFixed(5)} skew ${clock.skewMs} ms\n`);
  }
  for (const fault of plan.faults) print(`fault       ${JSON.stringify(fault)}\n`);
  print(`events      ${eventCount} ${JSON.stringify(counts)}\ntrace hash  ${traceHash}\n`);
  print(`verdict     ${failure === null ? 'all well' : describe(failure)}\n`);
}

function printSmaller(scenario: Scenario, { seed, plan }: Verdict): void {
  const smaller = shrinkFaults(plan, (fewer) => scenario({ seed, plan: fewer }).failure !== null);
  print(`the same failure needs ${smaller.faults.length} of ${plan.faults.length} faults:\n`);
  for (const fault of smaller.faults) print(`fault       ${JSON.stringify(fault)}\n`);
}

function describe(failure: NonNullable<Verdict['failure']>): string {
  return `FAILED after ${failure.atMs.toFixed(3)} ms: ${failure.judge}: ${failure.message}`;
}

function print(text: string): void {
  withoutGuard(() => process.stdout.write(text));
}
