/**
 * `millrace explain FILE`: prints what a job would do, as the user wrote it and as it would run. It
 * reads no input; parameters that name paths may be left out.
 *
 * Before: cli/main.ts. After: engine/plan/explain.ts.
 */
import type { CliEnv } from '../cli-env.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type JobCommandOptions, readJobCommand } from '../job-command.ts';
import { cellWidthOf } from '../table.ts';

const options: JobCommandOptions = {
  verb: 'explain',
  description: 'Shows the logical and the physical plan of a job, without running it.',
  addFlags(command) {
    command
      .option('--memory <size>', 'accepted as for run; plans do not depend on it')
      .option('--format <format>', "csv or ndjson, whatever the output's name says")
      .option('--overwrite', 'replace an output folder that exists')
      .option('--json', 'print both graphs as one JSON object');
  },
};

export async function explainCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = await readJobCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const { graph, parallelism, isJson } = request;
  const [{ planJob }, { explainLogical, explainPhysical }] = await Promise.all([
    import('../../coordinator/planner/planner.ts'),
    import('../../engine/plan/explain.ts'),
  ]);
  const physical = planJob(graph, { parallelism });
  if (isJson) {
    const graphs = { job: graph.jobName, parallelism, logical: graph, physical };
    env.stdout.write(`${JSON.stringify(graphs)}\n`);
    return exitCodes.done;
  }
  const sections = [explainLogical(graph), explainPhysical(physical)];
  const text = `${sections.map((section) => section.trimEnd()).join('\n\n')}\n`;
  env.stdout.write(env.stdout.isTerminal ? fitted(text, env.stdout.columns) : text);
  return exitCodes.done;
}

/** Lines too long for the terminal have the columns, which come last, below. */
function fitted(text: string, width: number): string {
  const fit = (line: string): string => {
    const arrow = line.lastIndexOf('→ ');
    if (cellWidthOf(line) <= width || arrow < 0) return line;
    const [margin = ''] = /^ */.exec(line) ?? [];
    return `${line.slice(0, arrow).trimEnd()}\n${margin}  ${line.slice(arrow)}`;
  };
  return text.split('\n').map(fit).join('\n');
}
