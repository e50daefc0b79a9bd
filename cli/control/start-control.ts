/**
 * Lets others on this machine ask a job of this process while it runs, and removes what killed processes have
 * left in the folder of sockets.
 *
 * Before: cli/run-job.ts. After: cli/control/job-socket.ts.
 */
import { createRealEnv } from '../../base/env/real-env.ts';
import { codeOf } from '../../base/typed-error.ts';
import { removeStaleSockets } from './job-client.ts';
import { type JobPlaces, jobPlaces } from './job-folder.ts';
import { type JobSocketOptions, openJobSocket } from './job-socket.ts';

/** Resolves when the job can be asked; the answer ends that. */
export async function startControl(
  options: Omit<JobSocketOptions, 'places'>,
): Promise<() => Promise<void>> {
  const places = placesOrNull();
  if (places === null) return async () => undefined;
  const env = createRealEnv();
  const socket = await openJobSocket(env, { ...options, places });
  // Leftovers that stay are in nobody's way: the next one who looks tries again.
  const removal = removeStaleSockets(env, places).catch(() => undefined);
  return async () => {
    await socket.close();
    await removal;
  };
}

/** Null on systems without Unix sockets, where jobs run all the same. */
function placesOrNull(): JobPlaces | null {
  try {
    return jobPlaces();
  } catch (error) {
    if (codeOf(error) === 'JOB_SOCKET_UNSUPPORTED') return null;
    throw error;
  }
}
