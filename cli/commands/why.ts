/**
 * `millrace why JOB [OPERATOR]`: why nothing comes out of a job, or little. The job looks at itself twice, a
 * moment apart: what is so both times is a reason.
 *
 * Before: cli/main.ts. After: cli/control/why-text.ts, coordinator/job/job-findings.ts.
 */
import { nearestName } from '../../base/nearest-name.ts';
import { typedError } from '../../base/typed-error.ts';
import { formatCount, formatDuration } from '../../base/units.ts';
import type { Finding } from '../../coordinator/job/job-findings.ts';
import type { TaskInspection } from '../../coordinator/job/job-inspection.ts';
import {
  type JobDescription,
  jobMethods,
  type WhyAnswer,
} from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import { findingText } from '../control/why-text.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { jobJson } from './list.ts';
import { askWhyDeadlineMs } from './status.ts';

const options: ControlCommand = {
  verb: 'why',
  description: 'Says why nothing comes out of a job that runs, or little.',
  words: ['JOB', '[OPERATOR]'],
  isOfCluster: true,
  examples: [
    'millrace why wordcount',
    'millrace why sessions count-by-user',
    'millrace why sessions --json',
  ],
  notes:
    'JOB is its name or its id, as millrace list shows them; OPERATOR the name or the id of one of its ' +
    'operators, as millrace status shows them: then only what is about it is told.',
};

export async function whyCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [, operator] = request.words;
  const call = { method: jobMethods.why, deadlineMs: askWhyDeadlineMs };
  const [description, answer] = await withJob(request, reach, async (job) => [
    job.description,
    await job.ask<WhyAnswer>(call),
  ]);
  const { tasks, findings } = operator === undefined ? allOf(answer) : aboutOne(answer, operator);
  if (request.isJson) {
    const told = findings.map((finding) => ({ ...finding, text: findingText(finding) }));
    env.stdout.write(`${JSON.stringify({ ...jobJson(description), findings: told, tasks })}\n`);
    return exitCodes.done;
  }
  env.stdout.write(
    `${[headText(description), ...reasonsText(findings), ...toldText(tasks)].join('\n')}\n`,
  );
  return exitCodes.done;
}

interface Told {
  readonly tasks: readonly TaskInspection[];
  readonly findings: readonly Finding[];
}

function allOf({ inspection, findings }: WhyAnswer): Told {
  return { tasks: inspection?.tasks ?? [], findings };
}

/** What is about an operator, or about a task of its. @throws OPERATOR_NOT_FOUND */
function aboutOne(answer: WhyAnswer, wanted: string): Told {
  const all = allOf(answer);
  const isMeant = ({ id, name }: { readonly id: string; readonly name: string }) =>
    id === wanted || name === wanted;
  const tasks = all.tasks.filter(({ operators }) => operators.some(isMeant));
  if (tasks.length === 0) throw noOperator(all.tasks, wanted);
  const taskIds = new Set(tasks.map(({ taskId }) => taskId));
  const names = new Set(
    tasks.flatMap(({ operators }) => operators.filter(isMeant).map(({ name }) => name)),
  );
  return { tasks, findings: all.findings.filter((finding) => isAbout(finding, taskIds, names)) };
}

function isAbout(
  finding: Finding,
  taskIds: ReadonlySet<string>,
  names: ReadonlySet<string>,
): boolean {
  switch (finding.kind) {
    case 'needsAllInput':
    case 'busy':
    case 'eventTime':
      return names.has(finding.operator);
    case 'backpressure':
      return [finding.slowTask, ...finding.waiting].some((taskId) => taskIds.has(taskId));
    case 'held':
      return [finding.taskId, finding.behind].some((taskId) => taskIds.has(taskId));
    default:
      return taskIds.has(finding.taskId);
  }
}

function noOperator(tasks: readonly TaskInspection[], wanted: string) {
  const all = tasks.flatMap(({ operators }) => operators);
  const nearest = nearestName(
    wanted,
    all.flatMap(({ id, name }) => [id, name]),
  );
  const meant = nearest === null ? '' : `Did you mean "${nearest}"? `;
  const ids = [...new Set(all.map(({ id }) => `"${id}"`))].join(', ');
  const known = ids === '' ? 'No task of the job runs now.' : `Those that run are ${ids}.`;
  return typedError('OPERATOR_NOT_FOUND', `no task of an operator "${wanted}" runs now`, {
    hint: `${meant}${known}`,
  });
}

function headText({ name, id, seconds, phase, rowsIn, rowsOut }: JobDescription): string {
  const rows = `${formatCount(rowsIn)} rows in, ${formatCount(rowsOut)} rows out`;
  return `job "${name}" (${id ?? 'no id yet'}): ${phase} for ${formatDuration(seconds * 1000)}, ${rows}`;
}

function reasonsText(findings: readonly Finding[]): string[] {
  if (findings.length === 0) return ['  nothing holds it back now'];
  return findings.map((finding) => `  ${findingText(finding)}`);
}

/** A line for each operator that says something of itself. */
function toldText(tasks: readonly TaskInspection[]): string[] {
  return tasks.flatMap(({ taskId, operators }) =>
    operators.flatMap(({ name, tells }) =>
      tells === null ? [] : [`  ${taskId} "${name}": ${JSON.stringify(tells)}`],
    ),
  );
}
