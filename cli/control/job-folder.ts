/**
 * The folder with a socket for each job that runs on this machine: below the system's folder for the runtime
 * files of a user, or for temporary ones where there is none.
 *
 *     $XDG_RUNTIME_DIR/millrace/4711-9c1f02aa.sock        the process's id, and chance
 *     /tmp/millrace-jobs-1000/4711-9c1f02aa.sock          1000 is the user's id
 *
 * `MILLRACE_JOBS_DIR` names another folder, for a container say; then it is the only one.
 *
 * Only its user may look into it (0700), so nobody else can connect, and nobody can put a socket there that
 * answers in a job's name: a folder that is a link, is somebody else's, or may be looked into is not used. A
 * path of a socket may have 103 bytes on every system; a folder that is too deep for that is passed over. Who
 * lists looks into all of the places, for its environment may differ from the job's.
 */
import { chmodSync, lstatSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { typedError } from '../../base/typed-error.ts';

/** `sun_path` has 104 bytes on macOS and 108 on Linux, the zero at its end included. */
const socketPathBytesMax = 103;
const socketNameBytesMax = 32;
const socketName = /^(\d+)-[0-9a-f]+\.sock$/;

export interface JobPlaces {
  /** `MILLRACE_JOBS_DIR`: the only place, when it is set. */
  readonly onlyFolder?: string | undefined;
  readonly runtimeFolder: string | undefined;
  readonly temporaryFolder: string;
  readonly userId: number;
}

/** A job's socket: who made it, and where it is. */
export interface FoundSocket {
  readonly processId: number;
  readonly path: string;
}

/** The places of this process. @throws JOB_SOCKET_UNSUPPORTED on systems without Unix sockets. */
export function jobPlaces(): JobPlaces {
  const userId = process.getuid?.();
  if (userId === undefined) {
    throw typedError('JOB_SOCKET_UNSUPPORTED', 'jobs can not be asked on this system', {
      hint: 'Millrace asks jobs over Unix sockets, which this system does not have: look at the output of millrace run.',
    });
  }
  const { MILLRACE_JOBS_DIR: onlyFolder, XDG_RUNTIME_DIR: runtimeFolder } = process.env;
  return { onlyFolder, runtimeFolder, temporaryFolder: tmpdir(), userId };
}

/** Where sockets may be, the best place first. */
export function jobFolders(places: JobPlaces): string[] {
  const { onlyFolder, runtimeFolder, temporaryFolder, userId } = places;
  const own = `millrace-jobs-${userId}`;
  const isOne = onlyFolder !== undefined && isAbsolute(onlyFolder);
  const folders = isOne
    ? [onlyFolder]
    : [
        ...(runtimeFolder !== undefined && isAbsolute(runtimeFolder)
          ? [join(runtimeFolder, 'millrace')]
          : []),
        `/run/user/${userId}/millrace`,
        join(temporaryFolder, own),
        `/tmp/${own}`,
      ];
  const fits = (folder: string) =>
    Buffer.byteLength(folder) + 1 + socketNameBytesMax <= socketPathBytesMax;
  return [...new Set(folders)].filter(fits);
}

/**
 * The path of a new socket, in the first folder that is fit for it, which is made when there is none.
 *
 * @param chance - Tells the sockets of one process apart: hexadecimal digits.
 * @returns null when no place will do.
 */
export function newSocketPath(places: JobPlaces, processId: number, chance: string): string | null {
  for (const folder of jobFolders(places)) {
    if (isPrivateFolder(folder, places.userId) || makePrivateFolder(folder, places.userId)) {
      return join(folder, `${processId}-${chance}.sock`);
    }
  }
  return null;
}

/** The sockets in all places, by process id. */
export function findSockets(places: JobPlaces): FoundSocket[] {
  const folders = jobFolders(places).filter((folder) => isPrivateFolder(folder, places.userId));
  const found = folders.flatMap((folder) =>
    namesIn(folder).flatMap((name): FoundSocket[] => {
      const processId = socketName.exec(name)?.[1];
      return processId === undefined
        ? []
        : [{ processId: Number(processId), path: join(folder, name) }];
    }),
  );
  return found.sort((a, b) => a.processId - b.processId || (a.path < b.path ? -1 : 1));
}

/** Removes the socket of a process that has ended; another one may have been faster. */
export function removeSocket(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or its folder is: nothing is left to be removed.
  }
}

/** Whether this user alone has what is in the folder; a mode that is too wide is corrected. */
function isPrivateFolder(folder: string, userId: number): boolean {
  try {
    const { mode, uid } = lstatSync(folder);
    const kind = mode & 0o170_000;
    if (kind !== 0o040_000 || uid !== userId) return false;
    if ((mode & 0o077) !== 0) chmodSync(folder, 0o700);
    return true;
  } catch {
    return false;
  }
}

function makePrivateFolder(folder: string, userId: number): boolean {
  try {
    // Not its parents: a runtime folder that is not there is not ours to make.
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    return false;
  }
  return isPrivateFolder(folder, userId);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
