/**
 * The socket of a job that runs: answers who it is, why nothing comes out, the state of a key, and takes a
 * cancel. Only its user can connect (cli/control/job-folder.ts), and only on this machine.
 *
 * A job must not fail for want of a socket: where no place will do, it runs without one, and says so once.
 *
 * Before: cli/run-job.ts. After: coordinator/job/job-service.ts, base/rpc/server.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { createRpcServer } from '../../base/rpc/server.ts';
import { toWire } from '../../base/typed-error.ts';
import { type JobControl, JobService } from '../../coordinator/job/job-service.ts';
import {
  jobMethods,
  type RescaleRequest,
  type SavepointRequest,
  type StateRequest,
  type StopRequest,
} from '../../coordinator/protocol/jobs.ts';
import type { EmbeddedRun } from '../embedded.ts';
import { type JobPlaces, newSocketPath, removeSocket } from './job-folder.ts';

export interface JobSocketOptions {
  readonly places: JobPlaces;
  readonly name: string;
  readonly file: string;
  readonly processId: number;
  readonly run: Pick<EmbeddedRun, 'progress' | 'cancel'>;
  readonly control: JobControl;
  /** Is told, once, why the job can't be asked. */
  readonly onUnavailable: (reason: string) => void;
}

export interface JobSocket {
  /** Null when the job can't be asked. */
  readonly path: string | null;
  /** Ends all connections and removes the socket. */
  close(): Promise<void>;
}

type SocketEnv = Pick<Env, 'clock' | 'net' | 'observe' | 'timers' | 'secrets'>;

export async function openJobSocket(env: SocketEnv, options: JobSocketOptions): Promise<JobSocket> {
  const { places, processId, onUnavailable } = options;
  const server = createRpcServer(env, { callsInWorkMax: 64 });
  const { name, file, run, control } = options;
  const service = new JobService(env, {
    ...{ name, file, processId, control },
    progress: () => run.progress(),
    cancel: (reason) => run.cancel(reason),
  });
  // Bodies come from `base/rpc` of the same version: their shape is that of coordinator/protocol/jobs.ts.
  const on = <T>(method: string, handle: (body: T) => unknown): void =>
    server.handle(method, async (body) => (await handle(body as T)) as JsonValue);
  on(jobMethods.describe, () => service.describe());
  on(jobMethods.why, () => service.why());
  on<StateRequest>(jobMethods.stateOf, (request) => service.stateOf(request));
  on(jobMethods.cancel, () => service.cancel());
  on<SavepointRequest>(jobMethods.savepoint, (request) => service.savepoint(request));
  on(jobMethods.checkpoints, () => service.checkpoints());
  on<StopRequest>(jobMethods.stop, (request) => service.stop(request));
  on<RescaleRequest>(jobMethods.rescale, (request) => service.rescale(request));
  const path = newSocketPath(places, processId, env.secrets.hex(4));
  if (path === null) {
    onUnavailable("there is no folder that is this user's alone for its socket");
    return { path, close: async () => service.close() };
  }
  try {
    await server.listen(`unix:${path}`);
  } catch (error) {
    onUnavailable(toWire(error).message);
    return { path: null, close: async () => service.close() };
  }
  return {
    path,
    async close() {
      await service.answered();
      service.close();
      await server.close();
      removeSocket(path);
    },
  };
}
