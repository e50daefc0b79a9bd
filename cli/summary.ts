/** What is said about a job that has ended: a few lines for people, or one JSON object. */

import { assertNever } from '../base/assert.ts';
import type { LatencySummary } from '../base/latency-histogram.ts';
import type { WireError } from '../base/typed-error.ts';
import { formatBytes, formatCount, formatDuration } from '../base/units.ts';
import type { Adaptation } from '../coordinator/adaptive/adapt-plan.ts';
import type { SinkSpec } from '../engine/contracts/connector.ts';
import type { LogicalGraph } from '../engine/plan/logical-graph.ts';
import type { CliEnv } from './cli-env.ts';
import { writeError } from './error-text.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { JobSummary } from './job-summary.ts';

/** 0 done or stopped with a savepoint, 1 failed, 3 when another process could not be reached, 130 interrupted. */
export function exitCodeOf({ status, error }: Pick<JobSummary, 'status' | 'error'>): ExitCode {
  if (status === 'finished' || status === 'stopped') return exitCodes.done;
  if (status === 'cancelled') return exitCodes.interrupted;
  return error?.code === 'NET_UNREACHABLE' ? exitCodes.notReachable : exitCodes.jobFailed;
}

/** Tells how a job ended, where it ran; the answer is the command's. */
export function tellSummary(
  env: CliEnv,
  summary: JobSummary,
  { graph, isJson }: { readonly graph: LogicalGraph; readonly isJson: boolean },
): ExitCode {
  if (isJson) env.stdout.write(summaryJson(summary));
  if (summary.status === 'failed') {
    if (summary.error !== undefined) writeError(env, summary.error);
  } else if (!isJson || summary.status === 'cancelled') {
    env.stderr.write(summaryText(summary, graph));
  }
  return exitCodeOf(summary);
}

/** The lines for a job that is done or was interrupted; a failed one is told by its error. */
export function summaryText(summary: JobSummary, graph: LogicalGraph): string {
  const { job, status, seconds } = summary;
  const duration = formatDuration(seconds * 1000);
  if (status === 'cancelled') {
    return `job "${job}" interrupted after ${duration}: nothing was written, temporary files are removed\n`;
  }
  const rate = seconds > 0 ? `, ${formatBytes(summary.bytesIn / seconds)}/s` : '';
  const inputs = summary.inputCount === 1 ? '1 input' : `${formatCount(summary.inputCount)} inputs`;
  const ended = status === 'stopped' ? 'stopped after' : 'finished in';
  const lines = [
    `job "${job}" ${ended} ${duration}`,
    `  read     ${formatCount(summary.rowsIn)} rows, ${formatBytes(summary.bytesIn)} of ${inputs}${rate}`,
    ...skippedText(summary),
    ...latencyText(summary),
    ...notedText(summary),
    ...writtenText(summary, graph),
    ...countersText(summary),
    ...memoryText(summary),
    ...stagesText(summary),
    ...checkpointsLine(summary),
    ...(summary.savepoint === undefined ? [] : [`  savepoint  ${summary.savepoint}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What of the inputs was not read, or not whole, since the source's predicate holds for none of its rows. */
function skippedText({ skipped }: JobSummary): string[] {
  if (skipped === undefined) return [];
  const { rows, rowGroups, pages } = skipped;
  const parts = [
    ...(rowGroups > 0 ? [plural(rowGroups, 'row group')] : []),
    ...(pages > 0 ? [plural(pages, 'page')] : []),
  ];
  const where = parts.length === 0 ? '' : `, ${parts.join(' and ')} among them`;
  return [`  skipped  ${plural(rows, 'row')}${where}`];
}

/** How long rows took from source to sink, and windows from their ends to their results. */
function latencyText({ latency, operators }: JobSummary): string[] {
  const delays = operators.flatMap(({ name, windowDelay }) =>
    windowDelay === undefined
      ? []
      : [`  windows  ${percentilesText(windowDelay)} after their ends in "${name}"`],
  );
  if (latency === undefined) return delays;
  return [`  latency  ${percentilesText(latency)} from source to sink`, ...delays];
}

function percentilesText({ p50Ms, p99Ms, maxMs }: LatencySummary): string {
  const [half, most, all] = [p50Ms, p99Ms, maxMs].map(millisecondsText);
  return `half within ${half}, 99 % within ${most}, all within ${all}`;
}

function millisecondsText(ms: number): string {
  return ms < 100 ? `${ms.toPrecision(2)} ms` : formatDuration(ms);
}

/** A line per operator that has had rows which were late, or the like: nothing is left out in silence. */
function notedText({ operators }: JobSummary): string[] {
  return operators.flatMap(({ name, notedRows = {} }) =>
    Object.entries(notedRows).map(
      ([reason, rows]) => `  ${reason.padEnd(9)}${plural(rows, 'row')} in "${name}"`,
    ),
  );
}

/** A line per counter of the job's own functions. */
function countersText({ counters = {} }: JobSummary): string[] {
  return Object.entries(counters).map(
    ([name, count], index) =>
      `  ${index === 0 ? 'counted' : '       '}  ${name}: ${formatCount(count)}`,
  );
}

/** How many checkpoints there were, and how often the job was started again. */
function checkpointsLine({ checkpoints, restarts }: JobSummary): string[] {
  if (checkpoints === undefined) return [];
  const { counts, ended } = checkpoints;
  const failed = counts.declined + counts.expired + counts.failed;
  const last = ended.findLast(({ state }) => state === 'committed');
  const facts = [
    `${formatCount(counts.committed)} made`,
    ...(failed === 0 ? [] : [`${formatCount(failed)} failed`]),
    ...(last === undefined
      ? []
      : [`the last in ${formatDuration(last.durationMs)}, ${formatBytes(last.sizeBytes)}`]),
  ];
  const restart = restarts?.last.at(-1);
  const starts =
    restart === undefined
      ? []
      : [`  restarts ${plural(restarts?.count ?? 0, 'time')}, the last for ${restart.code}`];
  return [`  checkpoints  ${facts.join(', ')}`, ...starts];
}

/** A line per stage, where there are several: what a person looks at to see where the time went. */
function stagesText({ stages }: JobSummary): string[] {
  if (stages.length < 2) return [];
  return stages.map((stage) => {
    const { id, taskCount, failedCount, busySeconds, bytesShuffled, bytesSpilled, skew } = stage;
    const { speculativeCount, speculativeWonCount } = stage;
    const facts = [
      `${plural(taskCount, 'task')} busy for ${formatDuration(busySeconds * 1000)}`,
      ...(bytesShuffled > 0 ? [`${formatBytes(bytesShuffled)} shuffled`] : []),
      ...(bytesSpilled > 0 ? [`${formatBytes(bytesSpilled)} spilled`] : []),
      ...(skew === null ? [] : [`slowest task ${skew.toFixed(1)} times the median`]),
      ...(failedCount === 0 ? [] : [`${failedCount} run again`]),
      ...(speculativeCount === 0
        ? []
        : [`${speculativeCount} speculative, ${speculativeWonCount} of them first`]),
      ...stage.adaptations.map(adaptationText),
    ];
    return `  ${`stage ${id}`.padEnd(9)}${facts.join(', ')}`;
  });
}

/** What was changed of a stage while the job ran. */
function adaptationText(adaptation: Adaptation): string {
  const { kind } = adaptation;
  switch (kind) {
    case 'joined': {
      const { partitionCount, taskCount } = adaptation;
      return `${plural(partitionCount, 'partition')} read by ${plural(taskCount, 'task')}`;
    }
    case 'split':
      return `partition ${adaptation.partition} split in ${adaptation.taskCount}`;
    case 'broadcast':
      return `build side of ${formatBytes(adaptation.bytes)} read whole by each`;
    default:
      return assertNever(kind);
  }
}

/** Nothing where neither is known. */
function memoryText({ operators, peakMemoryBytes }: JobSummary): string[] {
  const spilledBytes = operators.reduce((sum, { bytesSpilled }) => sum + bytesSpilled, 0);
  const facts = [
    ...(peakMemoryBytes === null ? [] : [`${formatBytes(peakMemoryBytes)} at the peak`]),
    ...(spilledBytes === 0 ? [] : [`${formatBytes(spilledBytes)} put on disk for a while`]),
  ];
  return facts.length === 0 ? [] : [`  memory   ${facts.join(', ')}`];
}

/** A line per sink, in the order of the job. */
function writtenText(summary: JobSummary, { nodes }: LogicalGraph): string[] {
  const kindOf = new Map(nodes.map((node) => [node.id, node.kind]));
  const sinks = nodes.filter((node) => node.kind === 'sink');
  return sinks.map(({ id, inputs, sink }, index) => {
    const counters = summary.operators.find((one) => one.kind === 'sink' && one.id === id);
    const count = counters?.rowsIn ?? (sinks.length === 1 ? summary.rowsOut : 0);
    const areLetters = kindOf.get(inputs[0] ?? '') === 'deadLetters';
    const what = areLetters ? plural(count, 'dead letter') : plural(count, 'row');
    return `  ${index === 0 ? 'written' : '       '}  ${what} to ${targetOf(sink)}`;
  });
}

function plural(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** Where a sink writes, as a person would say it. */
export function targetOf({ connector, options }: SinkSpec): string {
  const hasPath = typeof options === 'object' && options !== null && 'path' in options;
  return hasPath ? String(options.path) : connector;
}

/** The one object that `--json` prints. */
function summaryJson(summary: JobSummary): string {
  const { error, inputCount: _, ...rest } = summary;
  return `${JSON.stringify({ ...rest, ...(error && { error: errorJson(error) }) })}\n`;
}

/** The same object for a command that failed before there was a job to run. */
export function failureJson(job: string, error: WireError): string {
  const noRows = { rowsIn: 0, bytesIn: 0, rowsOut: 0, deadLetters: 0 };
  const nothing = { ...noRows, seconds: 0, peakMemoryBytes: 0 };
  const summary = {
    job,
    status: 'failed',
    ...nothing,
    operators: [],
    stages: [],
    error: errorJson(error),
  };
  return `${JSON.stringify(summary)}\n`;
}

/** An error for programs: no stack, causes as a list of messages. */
export function errorJson({ code, kind, message, hint, details, cause }: WireError) {
  const causes: string[] = [];
  for (let inner = cause; inner; inner = inner.cause) causes.push(inner.message);
  return {
    code,
    kind,
    message,
    ...(hint !== undefined && { hint }),
    ...(details && { details }),
    ...(causes.length > 0 && { causes }),
  };
}
