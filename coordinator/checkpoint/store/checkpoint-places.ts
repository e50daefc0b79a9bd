/**
 * Checkpoints by what a user names: the folder that jobs share, that of one job, or that of one checkpoint or savepoint.
 * Read only; nothing here knows of attempts.
 *
 * Before: cli/commands/checkpoints.ts. After: coordinator/checkpoint/store/find-checkpoint.ts.
 */
import type { Disk } from '../../../base/env/disk.ts';
import { typedError } from '../../../base/typed-error.ts';
import { notFoundError } from './checkpoint-errors.ts';
import { readLog } from './checkpoint-log.ts';
import { logFolder, manifestName, parseJobFolderName } from './checkpoint-paths.ts';
import type { FoundCheckpoint, ListedCheckpoint } from './checkpoint-store.ts';
import { checkpointAt, latestOf, listOf } from './find-checkpoint.ts';
import type { CheckDepth } from './read-checkpoint.ts';

export interface JobPlace {
  readonly jobName: string;
  /** Its folder. */
  readonly root: string;
}

/** The jobs with checkpoints in a folder: those below it, or the one whose folder it is. */
export async function jobsIn(disk: Disk, folder: string): Promise<readonly JobPlace[]> {
  if ((await disk.stat(folder))?.kind !== 'folder') return [];
  const names = (await disk.list(folder)).flatMap(({ name, kind }) =>
    kind === 'folder' ? name : [],
  );
  if (names.includes(logFolder) && !(await isJob(disk, `${folder}/${logFolder}`))) {
    const name = folder.slice(folder.lastIndexOf('/') + 1);
    return [{ jobName: parseJobFolderName(name), root: folder }];
  }
  const jobs: JobPlace[] = [];
  for (const name of names) {
    const root = `${folder}/${name}`;
    if (!(await isJob(disk, root))) continue;
    jobs.push({ jobName: parseJobFolderName(name), root });
  }
  return jobs;
}

/** The checkpoints of a job, oldest first. @throws CHECKPOINT_VERSION */
export async function checkpointsOf(
  disk: Disk,
  { root }: JobPlace,
  depth: CheckDepth,
): Promise<readonly ListedCheckpoint[]> {
  return listOf(disk, root, { log: await readLog(disk, `${root}/${logFolder}`), depth });
}

/**
 * The checkpoint or savepoint in a folder, or the newest one of the one job in it.
 * @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_DAMAGED, CHECKPOINT_VERSION, CHECKPOINT_AMBIGUOUS
 */
export async function checkpointIn(
  disk: Disk,
  folder: string,
  depth: CheckDepth,
): Promise<FoundCheckpoint> {
  if ((await disk.stat(`${folder}/${manifestName}`)) !== null) {
    return checkpointAt(disk, folder, depth);
  }
  const jobs = await jobsIn(disk, folder);
  const [job] = jobs;
  if (job === undefined) return checkpointAt(disk, folder, depth);
  if (jobs.length > 1) throw ambiguous(folder, jobs);
  const log = await readLog(disk, `${job.root}/${logFolder}`);
  const { found } = await latestOf(disk, job.root, { log, depth });
  if (found === null) throw notFoundError(folder, []);
  return found;
}

function ambiguous(folder: string, jobs: readonly JobPlace[]) {
  const roots = jobs.map(({ root }) => root).join(', ');
  return typedError('CHECKPOINT_AMBIGUOUS', `several jobs have checkpoints in "${folder}"`, {
    hint: `Name the folder of one of them: ${roots}.`,
  });
}

/** A job may have the name of a folder of ours. */
async function isJob(disk: Disk, root: string): Promise<boolean> {
  return (await disk.stat(`${root}/${logFolder}`))?.kind === 'folder';
}
