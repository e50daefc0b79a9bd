/**
 * `millrace status JOB`: one job that runs, with what each of its operators has taken in and given out.
 *
 * Before: cli/main.ts. After: cli/control/reach-job.ts.
 */
import { tableText } from '../../base/table.ts';
import { formatBytes, formatCount, formatDuration } from '../../base/units.ts';
import type { TaskInspection } from '../../coordinator/job/job-inspection.ts';
import type { ClusterJob } from '../../coordinator/protocol/clients.ts';
import {
  endPhases,
  type JobDescription,
  jobMethods,
  type WhyAnswer,
} from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { withJob } from '../control/reach-job.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { jobJson, widthOf } from './list.ts';

const options: ControlCommand = {
  verb: 'status',
  description: 'Shows how far a job is that runs, by operator.',
  words: ['JOB'],
  isOfCluster: true,
  examples: ['millrace status wordcount', 'millrace status wordcount-1f2e3d4c --json'],
  notes: 'JOB is its name or its id, as millrace list shows them.',
};

export const askWhyDeadlineMs = 15_000;

const right = 'right' as const;
const columns = [
  { title: 'operator' },
  { title: 'id', align: right },
  { title: 'tasks', align: right },
  { title: 'rows in', align: right },
  { title: 'rows out', align: right },
  { title: 'busy', align: right },
];

/** An operator with what all of its tasks have counted. */
interface OperatorSums {
  readonly id: string;
  readonly name: string;
  readonly tasks: number;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly busyMs: number;
}

export async function statusCommand(
  env: CliEnv,
  args: readonly string[],
  reach?: Reach,
): Promise<ExitCode> {
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const call = { method: jobMethods.why, deadlineMs: askWhyDeadlineMs };
  const [description, { inspection }] = await withJob(request, reach, async (job) => [
    job.description,
    await job.ask<WhyAnswer>(call),
  ]);
  const operators = operatorSums(inspection?.tasks ?? []);
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ ...jobJson(description), operators })}\n`);
    return exitCodes.done;
  }
  env.stdout.write(`${headText(description).join('\n')}\n`);
  if (operators.length > 0) {
    const rows = operators.map(({ id, name, tasks, rowsIn, rowsOut, busyMs }) => [
      ...[name, id, String(tasks), formatCount(rowsIn), formatCount(rowsOut)],
      formatDuration(busyMs),
    ]);
    env.stdout.write(tableText(columns, rows, widthOf(env)));
  }
  return exitCodes.done;
}

function headText(description: JobDescription | ClusterJob): string[] {
  const { name, id, seconds, phase, rowsIn, bytesIn, rowsOut, rowsPerSecond } = description;
  const rate = formatCount(Math.round(rowsPerSecond));
  const reason = 'reason' in description && description.reason ? `: ${description.reason}` : '';
  return [
    `job "${name}" (${id ?? 'no id yet'}), ${hostText(description)}: ${phase} ${endPhases.has(phase) ? 'after' : 'for'} ${formatDuration(seconds * 1000)}${reason}`,
    `  read     ${formatCount(rowsIn)} rows, ${formatBytes(bytesIn)}, ${rate} rows/s`,
    `  written  ${formatCount(rowsOut)} rows`,
  ];
}

/** Where it runs. */
function hostText(description: JobDescription | ClusterJob): string {
  if (!('workers' in description)) return `process ${description.pid}`;
  const { workers, slots } = description;
  const where = workers.length === 0 ? '' : ` on ${workers.join(', ')}`;
  return `${slots} ${slots === 1 ? 'slot' : 'slots'}${where}`;
}

/** In the order of the plan; tasks that have ended are not among them. */
function operatorSums(tasks: readonly TaskInspection[]): OperatorSums[] {
  const sums = new Map<string, OperatorSums>();
  for (const { vertexId, operators } of tasks) {
    for (const [place, { id, name, rowsIn, rowsOut, busyMs }] of operators.entries()) {
      const key = `${vertexId} ${place}`;
      const sum = sums.get(key) ?? { id, name, tasks: 0, rowsIn: 0, rowsOut: 0, busyMs: 0 };
      sums.set(key, {
        ...{ id, name, tasks: sum.tasks + 1, rowsIn: sum.rowsIn + rowsIn },
        ...{ rowsOut: sum.rowsOut + rowsOut, busyMs: sum.busyMs + busyMs },
      });
    }
  }
  return [...sums.values()];
}
