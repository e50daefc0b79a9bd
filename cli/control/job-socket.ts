/**
 * The socket of a job that runs: answers who it is, why nothing comes out, the state of a key, and takes a
 * cancel. Only its user can connect (cli/control/job-folder.ts), and only on this machine.
 *
 * A job must not fail for want of a socket: where no place will do, it runs without one, and says so once.
 *
 * Before: cli/run-job.ts. After: base/rpc/server.ts.
 */
import type { Env } from '../../base/env/env.ts';
import type { JsonValue } from '../../base/rpc/message.ts';
import { createRpcServer } from '../../base/rpc/server.ts';
import { toWire } from '../../base/typed-error.ts';
import { findingsOf } from '../../coordinator/job/job-findings.ts';
import type { EmbeddedRun } from '../embedded.ts';
import { RateMeter } from '../progress.ts';
import {
  type CheckpointsReply,
  type JobControl,
  type JobDescription,
  jobMethods,
  type RescaleReply,
  type RescaleRequest,
  type SavepointReply,
  type SavepointRequest,
  type StateReply,
  type StateRequest,
  type StopRequest,
  type WhyAnswer,
} from './job-api.ts';
import { type JobPlaces, newSocketPath, removeSocket } from './job-folder.ts';

/** What two looks at a job are apart: long beside a slice of 5 ms, short for who waits. */
const lookAgainMs = 250;
const rateIntervalMs = 1_000;
const lastWordMs = 1_000;

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
  const service = new JobService(env, options);
  // Bodies come from `base/rpc` of the same version: their shape is that of job-api.ts.
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

class JobService {
  readonly #env: SocketEnv;
  readonly #options: JobSocketOptions;
  readonly #sinceMs: number;
  readonly #rate = new RateMeter();
  readonly #endRate: () => void;
  #rowsPerSecond = 0;
  /** Who waits for a savepoint is told what came of it, also when the job ends with it. */
  readonly #awaited = new Set<Promise<unknown>>();

  constructor(env: SocketEnv, options: JobSocketOptions) {
    this.#env = env;
    this.#options = options;
    this.#sinceMs = env.clock.wall() - options.run.progress().seconds * 1000;
    this.#endRate = env.timers.every(rateIntervalMs, () => this.#measure());
  }

  close(): void {
    this.#endRate();
  }

  describe(): JobDescription {
    const { name, file, processId: pid, run, control } = this.#options;
    const { phase, seconds, rowsIn, bytesIn, rowsOut, deadLetters, share } = run.progress();
    // Before the first second is over the average is all there is.
    const rowsPerSecond = this.#rowsPerSecond || rowsIn / Math.max(seconds, 1e-3);
    return {
      ...{ name, id: control.jobId, pid, file, sinceMs: this.#sinceMs, seconds },
      phase: control.isStopping ? 'stopping' : phase,
      ...{ rowsIn, bytesIn, rowsOut, deadLetters, rowsPerSecond, share },
    };
  }

  async why(): Promise<WhyAnswer> {
    const { control } = this.#options;
    const before = await control.inspect();
    if (before === null) return { inspection: null, findings: [] };
    await this.#env.timers.sleep(lookAgainMs);
    const after = (await control.inspect()) ?? before;
    return { inspection: after, findings: findingsOf(before, after) };
  }

  async stateOf({ operator, key }: StateRequest): Promise<StateReply> {
    return { found: await this.#options.control.stateOf(operator, key) };
  }

  cancel(): { readonly isCancelled: boolean } {
    const { run, control } = this.#options;
    // What commits may be visible already.
    if (run.progress().phase === 'committing' && !control.isStopping) return { isCancelled: false };
    // Behind the answer: a job may be gone, with its connections, as soon as it is told.
    this.#env.timers.after(0, () => run.cancel('cancelled with "millrace cancel"'));
    return { isCancelled: true };
  }

  checkpoints(): CheckpointsReply {
    const saved = this.#options.control.saved();
    return { checkpoints: saved.checkpoints(), restarts: saved.restarts() };
  }

  savepoint({ folder }: SavepointRequest): Promise<SavepointReply> {
    return this.#await(async () => this.#options.control.saved().savepoint(folder));
  }

  stop(request: StopRequest): Promise<SavepointReply> {
    return this.#await(async () => this.#options.control.saved().stop(request));
  }

  rescale({ parallelism }: RescaleRequest): Promise<RescaleReply> {
    return this.#await(async () => this.#options.control.saved().rescale(parallelism));
  }

  /** When all that was promised has been said; what takes longer than a job takes to end is not waited for. */
  async answered(): Promise<void> {
    if (this.#awaited.size === 0) return;
    const all = Promise.allSettled(this.#awaited);
    await Promise.race([all, this.#env.timers.sleep(lastWordMs)]);
    await this.#env.timers.sleep(0); // The answer is handed to the system before connections end.
  }

  async #await<T>(work: () => Promise<T>): Promise<T> {
    const promise = Promise.resolve().then(work);
    this.#awaited.add(promise);
    try {
      return await promise;
    } finally {
      this.#awaited.delete(promise);
    }
  }

  #measure(): void {
    const { rowsIn } = this.#options.run.progress();
    this.#rowsPerSecond = this.#rate.add(this.#env.clock.mono(), rowsIn);
  }
}
