/**
 * `millrace status JOB`: one job that runs, with what each of its operators has taken in and given out.
 *
 * Before: cli/main.ts. After: cli/control/job-client.ts.
 */
import { tableText } from '../../base/table.ts';
import { formatBytes, formatCount, formatDuration } from '../../base/units.ts';
import type { TaskInspection } from '../../coordinator/job/job-inspection.ts';
import {
  type JobDescription,
  jobMethods,
  type WhyAnswer,
} from '../../coordinator/protocol/jobs.ts';
import type { CliEnv } from '../cli-env.ts';
import { type ControlCommand, type Reach, readControlCommand } from '../control/control-command.ts';
import { askJob } from '../control/job-client.ts';
import { reachJob } from '../control/reach-job.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { jobJson, widthOf } from './list.ts';

const options: ControlCommand = {
  verb: 'status',
  description: 'Shows how far a job is that runs on this machine, by operator.',
  words: ['JOB'],
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
  const { way, ...job } = await reachJob(request, reach);
  const call = { method: jobMethods.why, deadlineMs: askWhyDeadlineMs };
  const { inspection } = await askJob<WhyAnswer>(way.env, job.socket, call);
  const operators = operatorSums(inspection?.tasks ?? []);
  if (request.isJson) {
    env.stdout.write(`${JSON.stringify({ ...jobJson(job), operators })}\n`);
    return exitCodes.done;
  }
  env.stdout.write(`${headText(job.description).join('\n')}\n`);
  if (operators.length > 0) {
    const rows = operators.map(({ id, name, tasks, rowsIn, rowsOut, busyMs }) => [
      ...[name, id, String(tasks), formatCount(rowsIn), formatCount(rowsOut)],
      formatDuration(busyMs),
    ]);
    env.stdout.write(tableText(columns, rows, widthOf(env)));
  }
  return exitCodes.done;
}

function headText(description: JobDescription): string[] {
  const { name, id, pid, seconds, phase, rowsIn, bytesIn, rowsOut, rowsPerSecond } = description;
  const rate = formatCount(Math.round(rowsPerSecond));
  return [
    `job "${name}" (${id ?? 'no id yet'}), process ${pid}: ${phase} for ${formatDuration(seconds * 1000)}`,
    `  read     ${formatCount(rowsIn)} rows, ${formatBytes(bytesIn)}, ${rate} rows/s`,
    `  written  ${formatCount(rowsOut)} rows`,
  ];
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
