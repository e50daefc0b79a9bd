/**
 * `millrace checkpoints DIR`: the checkpoints in a folder, by job: when each was made, how large it is, and whether it is
 * whole. Reads the folder and nothing else, so it works while the job runs and long after.
 *
 * `millrace checkpoints JOB`: those of a job that runs, as it knows them: under way, made and failed, with how long each part
 * of them took.
 *
 * Before: cli/main.ts. After: coordinator/checkpoint/store/checkpoint-places.ts.
 */
import { resolve } from 'node:path';
import type { Disk } from '../../base/env/disk.ts';
import { createRealDisk } from '../../base/env/real-disk.ts';
import { tableText } from '../../base/table.ts';
import { codeOf } from '../../base/typed-error.ts';
import { formatBytes, formatDuration } from '../../base/units.ts';
import { notFoundError } from '../../coordinator/checkpoint/store/checkpoint-errors.ts';
import {
  checkpointsOf,
  type JobPlace,
  jobsIn,
} from '../../coordinator/checkpoint/store/checkpoint-places.ts';
import type { ListedCheckpoint } from '../../coordinator/checkpoint/store/checkpoint-store.ts';
import { type CheckpointsReply, jobMethods } from '../../coordinator/protocol/jobs.ts';
import { checkpointsText } from '../checkpoints-text.ts';
import type { CliEnv } from '../cli-env.ts';
import {
  type ControlCommand,
  type ControlRequest,
  type Reach,
  readControlCommand,
} from '../control/control-command.ts';
import { placeOf, withJob } from '../control/reach-job.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { widthOf } from './list.ts';

const options: ControlCommand = {
  verb: 'checkpoints',
  description: 'Shows the checkpoints in a folder, or of a running job.',
  words: ['DIR|JOB'],
  isOfCluster: true,
  flags: [
    { flag: '--verify', description: 'of a folder: read every part, and compare its checksum' },
    { flag: '--tasks', description: 'of a running job: how long each task took, too' },
  ],
  examples: [
    'millrace checkpoints chk/',
    'millrace checkpoints chk/ledger --verify --json',
    'millrace checkpoints ledger --tasks',
    'millrace checkpoints check job.ts chk/',
  ],
  notes:
    'DIR is what --checkpoint-dir of millrace run names, or the folder of one job in it. Without --verify it is looked at ' +
    'whether all files are there and long enough. JOB is its name or its id, as millrace list shows them, where no folder ' +
    'has that name. millrace checkpoints check FILE DIR says whether a job can go on from one.',
};

const callDeadlineMs = 10_000;

const right = 'right' as const;
const columns = [
  { title: 'id', align: right },
  { title: 'time' },
  { title: 'kind' },
  { title: 'size', align: right },
  { title: 'took', align: right },
  { title: 'state' },
  { title: 'folder' },
];

interface JobCheckpoints extends JobPlace {
  readonly checkpoints: readonly ListedCheckpoint[];
}

export async function checkpointsCommand(
  env: CliEnv,
  args: readonly string[],
  disk: Disk = createRealDisk(),
  reach?: Reach,
): Promise<ExitCode> {
  if (args[0] === 'check') {
    const { checkpointsCheckCommand } = await import('./checkpoints-check.ts');
    return await checkpointsCheckCommand(env, args.slice(1));
  }
  const request = readControlCommand(env, args, options);
  if (request === null) return exitCodes.done;
  const [folder = ''] = request.words;
  const isName = /^[^/]+$/.test(folder);
  if (isName && (await disk.stat(resolve(env.workingFolder, folder))) === null) {
    return ofRunningJob(env, request, reach);
  }
  const depth = request.flags.verify === true ? 'checksums' : 'sizes';
  const jobs: JobCheckpoints[] = [];
  for (const job of await jobsIn(disk, resolve(env.workingFolder, folder))) {
    jobs.push({ ...job, checkpoints: await checkpointsOf(disk, job, depth) });
  }
  if (jobs.length === 0) throw notFoundError(folder, []);
  if (request.isJson) env.stdout.write(`${JSON.stringify({ jobs: jobs.map(jobJson) })}\n`);
  else env.stdout.write(jobs.map((job) => jobText(env, job)).join('\n'));
  return exitCodes.done;
}

async function ofRunningJob(
  env: CliEnv,
  request: ControlRequest,
  reach: Reach | undefined,
): Promise<ExitCode> {
  const [name = ''] = request.words;
  const call = { method: jobMethods.checkpoints, deadlineMs: callDeadlineMs };
  let isFound = false;
  const [description, { checkpoints, restarts }] = await withJob(request, reach, async (job) => {
    isFound = true;
    return [job.description, await job.ask<CheckpointsReply>(call)] as const;
  }).catch((error) => {
    const isOther = isFound || codeOf(error) !== 'JOB_NOT_RUNNING';
    throw isOther ? error : notFoundError(name, []);
  });
  const { id, pid } = description;
  if (request.isJson) {
    const who = { name: description.name, id, pid };
    env.stdout.write(`${JSON.stringify({ ...who, ...checkpoints, restarts })}\n`);
  } else {
    const shown = { width: widthOf(env), showsTasks: request.flags.tasks === true };
    env.stdout.write(`checkpoints of job "${description.name}" (${placeOf(description)})\n`);
    env.stdout.write(checkpointsText(checkpoints, restarts, shown));
  }
  return exitCodes.done;
}

function jobJson({ jobName, root, checkpoints }: JobCheckpoints) {
  return {
    job: jobName,
    folder: root,
    checkpoints: checkpoints.map(({ createdMs, ...rest }) => ({
      ...rest,
      created: createdMs === null ? null : new Date(createdMs).toISOString(),
    })),
  };
}

function jobText(env: CliEnv, { jobName, root, checkpoints }: JobCheckpoints): string {
  const head = `checkpoints of job "${jobName}" in ${root}\n`;
  if (checkpoints.length === 0) return `${head}  none yet\n`;
  const problems = checkpoints.flatMap(({ checkpointId, problem }) =>
    problem === '' ? [] : [`checkpoint ${checkpointId} is damaged: ${problem}\n`],
  );
  const rows = checkpoints.map((one) => cellsOf(one, root));
  return `${head}${tableText(columns, rows, widthOf(env))}${problems.join('')}`;
}

function cellsOf(one: ListedCheckpoint, root: string): string[] {
  const { checkpointId, createdMs, kind, sizeBytes, durationMs, state, path } = one;
  return [
    String(checkpointId),
    createdMs === null ? '' : new Date(createdMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    kind ?? '',
    sizeBytes === null ? '' : formatBytes(sizeBytes),
    durationMs === null ? '' : formatDuration(durationMs),
    state,
    path.slice(root.length + 1),
  ];
}
