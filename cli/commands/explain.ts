/**
 * `millrace explain FILE`: prints what a job would do, as the user wrote it and as it would run; with
 * `--code` also what each operator runs as; of a stream how often rows count after a restart. Of inputs it asks no more than what a run asks to plan by;
 * parameters that name paths may be left out.
 *
 * Before: cli/main.ts. After: engine/plan/explain.ts.
 */

import { cellWidthOf } from '../../base/table.ts';
import type { CheckpointMode } from '../../engine/contracts/checkpoint-mode.ts';
import type { LogicalGraph } from '../../engine/plan/logical-graph.ts';
import type { PhysicalGraph } from '../../engine/plan/physical-graph.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type JobCommandOptions, readJobCommand } from '../job-command.ts';

const options: JobCommandOptions = {
  verb: 'explain',
  description: 'Shows the logical and the physical plan of a job, without running it.',
  addFlags(command, isTaken) {
    if (!isTaken('format')) {
      command.option(
        '--format <format>',
        "csv, ndjson, parquet, arrow or arrows, whatever the output's name says",
      );
    }
    command
      .option('--memory <size>', 'accepted as for run; plans do not depend on it')
      .option('--checkpoint-mode <mode>', 'as for run: what a stream then guarantees')
      .option('--overwrite', 'replace an output folder that exists')
      .option('--code', 'show what each operator runs as, and why an expression is not compiled')
      .option('--json', 'print both graphs as one JSON object');
  },
};

export async function explainCommand(env: CliEnv, args: readonly string[]): Promise<ExitCode> {
  const request = await readJobCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const {
    graph,
    parallelism,
    partitions = parallelism,
    shuffle,
    mode,
    isAdaptive,
    isJson,
    showsCode,
  } = request;
  const [
    planner,
    { explainLogical, explainPhysical },
    { explainAdaptive },
    { explainKept },
    { stagesOf },
    statistics,
    code,
  ] = await Promise.all([
    import('../../coordinator/planner/planner.ts'),
    import('../../engine/plan/explain.ts'),
    import('../../engine/plan/explain-adaptive.ts'),
    import('../../engine/plan/explain-kept.ts'),
    import('../../engine/plan/stages.ts'),
    statisticsOf(graph),
    showsCode ? import('../../engine/compile/explain-code.ts') : null,
  ]);
  const keepsPhases = request.checkpointMode === 'unaligned';
  const tasks = { parallelism: partitions, shuffle, keepsPhases };
  const physical = planner.planJob(graph, {
    ...{ ...tasks, statistics },
    ...(mode !== undefined && { mode }),
  });
  const isStream = (mode ?? graph.mode) === 'streaming';
  const guarantee = isStream ? await guaranteeOfStream(physical, request.checkpointMode) : null;
  if (isJson) {
    const graphs = {
      job: graph.jobName,
      parallelism,
      shuffle,
      stages: stagesOf(physical),
      logical: graph,
      physical,
    };
    const shown = {
      ...graphs,
      ...(guarantee !== null && { guarantee: guarantee.found }),
      ...(code !== null && { code: code.codeOf(physical) }),
    };
    env.stdout.write(`${JSON.stringify(shown)}\n`);
    return exitCodes.done;
  }
  const sections = [explainLogical(graph, mode), explainPhysical(physical)];
  if (isAdaptive) sections.push(explainAdaptive(physical));
  if (guarantee !== null) sections.push(guarantee.text, explainKept(graph));
  if (code !== null) sections.push(code.explainCode(physical));
  const joined = sections.flatMap((section) => section.trimEnd() || []).join('\n\n');
  const text = `${joined}\n`;
  env.stdout.write(env.stdout.isTerminal ? fitted(text, env.stdout.columns) : text);
  return exitCodes.done;
}

/** How often rows count after a restart, as data and as text. */
async function guaranteeOfStream(physical: PhysicalGraph, checkpointMode?: CheckpointMode) {
  const [{ guaranteeOf, explainGuarantee }, { connectors }] = await Promise.all([
    import('../../engine/plan/guarantee.ts'),
    import('../../connectors/registry.ts'),
  ]);
  const found = guaranteeOf(physical, connectors, checkpointMode);
  return { found, text: explainGuarantee(physical, found) };
}

/** What a run would plan by. */
async function statisticsOf(graph: LogicalGraph) {
  const [{ sourceStatisticsOf }, { connectors }, { createRealDisk }] = await Promise.all([
    import('../../coordinator/source-statistics.ts'),
    import('../../connectors/registry.ts'),
    import('../../base/env/real-disk.ts'),
  ]);
  const context = { disk: createRealDisk(), attemptId: 'explain' };
  return sourceStatisticsOf(graph, { connectors, context });
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
