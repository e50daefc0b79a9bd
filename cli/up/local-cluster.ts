/**
 * The processes of `millrace up`: a coordinator and workers, started together, started again when they end, and ended in their order:
 * workers first, so that each can say goodbye.
 *
 *     starting ──all are ready──▶ up ──a child ends──▶ it is started again after a while
 *        │                        └───end()──────────▶ workers, then the coordinator: SIGTERM, after 15 s SIGKILL
 *        └──a child ends──▶ all are ended, and the start has failed
 */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import { formatDuration } from '../../base/units.ts';
import type { CliEnv } from '../cli-env.ts';
import type { Child, ChildEnd, StartChild } from './child-process.ts';
import { nextRestart, noRestarts, type RestartState } from './child-restarts.ts';

/** What a worker needs to say goodbye, and more. */
const endWithinMs = 15_000;
/** Far above any start, also on a machine with other work. */
const readyWithinMs = 60_000;

export interface ClusterRole {
  readonly name: string;
  /** @param coordinator - Where the coordinator listens, as far as is known. */
  readonly args: (coordinator: string) => readonly string[];
  readonly logFile: string;
}

export interface LocalClusterOptions {
  readonly coordinator: ClusterRole;
  readonly workers: readonly ClusterRole[];
  /** Where the coordinator is to listen; port 0 is any free one. */
  readonly listen: string;
  readonly startChild: StartChild;
  /** Told of each end and each new start. */
  readonly say: (text: string) => void;
  /** Told when there are other processes than before. */
  readonly onChange: () => void;
}

interface Running {
  readonly role: ClusterRole;
  child: Child;
  startedAtMs: number;
  restarts: RestartState;
  isThere: boolean;
  cancelStart: () => void;
}

export class LocalCluster {
  readonly #env: Pick<CliEnv, 'clock' | 'timers'>;
  readonly #options: LocalClusterOptions;
  readonly #running: Running[] = [];
  #address: string;
  #isUp = false;
  #isEnding = false;

  constructor(env: Pick<CliEnv, 'clock' | 'timers'>, options: LocalClusterOptions) {
    this.#env = env;
    this.#options = options;
    this.#address = options.listen;
  }

  /** Where the coordinator listens. */
  get address(): string {
    return this.#address;
  }

  /** Those that are there now. */
  get processes(): { readonly name: string; readonly pid: number }[] {
    const there = this.#running.filter(({ isThere }) => isThere);
    return there.map(({ role, child }) => ({ name: role.name, pid: child.pid }));
  }

  /** Resolves when all have registered. @throws CLUSTER_START_FAILED, and then nothing is left */
  async start(): Promise<void> {
    const { coordinator, workers, listen } = this.#options;
    let fail: (error: Error) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const cancel = this.#env.timers.after(readyWithinMs, () => fail(lateError()));
    const firsts: Promise<void>[] = [];
    const begin = async (role: ClusterRole) => {
      const running = this.#begin(role);
      firsts.push(running.child.ended.then((end) => fail(startError(role, end))));
      return await running.child.ready;
    };
    try {
      const first = begin(coordinator).then(({ address }) => {
        if (typeof address === 'string') this.#address = address;
      });
      // Workers ask until a coordinator answers, so none has to wait, unless its port is not known yet.
      if (listen.endsWith(':0')) await Promise.race([first, failed]);
      await Promise.race([Promise.all([first, ...workers.map(begin)]), failed]);
      this.#isUp = true;
    } catch (error) {
      await this.end();
      throw error;
    } finally {
      cancel();
    }
  }

  /** Ends all; resolves when nothing is left. */
  async end(): Promise<void> {
    this.#isEnding = true;
    for (const { cancelStart } of this.#running) cancelStart();
    const [coordinator, ...workers] = this.#running;
    await Promise.all(workers.map((worker) => this.#endOne(worker)));
    if (coordinator !== undefined) await this.#endOne(coordinator);
  }

  #begin(role: ClusterRole): Running {
    const running: Running = {
      ...{ role, child: this.#startChild(role), startedAtMs: this.#env.clock.mono() },
      ...{ restarts: noRestarts, isThere: true, cancelStart: () => undefined },
    };
    this.#running.push(running);
    this.#watch(running);
    return running;
  }

  #startChild({ args, logFile }: ClusterRole): Child {
    return this.#options.startChild({ args: args(this.#address), logFile });
  }

  #watch(running: Running): void {
    void running.child.ended.then((end) => {
      running.isThere = false;
      if (!this.#isUp || this.#isEnding) return;
      const ranMs = this.#env.clock.mono() - running.startedAtMs;
      const { state, delayMs } = nextRestart(running.restarts, ranMs);
      running.restarts = state;
      const { name } = running.role;
      this.#options.say(
        `${name} ${endText(end)}; it is started again in ${formatDuration(delayMs)}`,
      );
      running.cancelStart = this.#env.timers.after(delayMs, () => this.#startAgain(running));
      this.#options.onChange();
    });
  }

  #startAgain(running: Running): void {
    running.child = this.#startChild(running.role);
    running.startedAtMs = this.#env.clock.mono();
    running.isThere = true;
    this.#watch(running);
    this.#options.onChange();
    const { child, role } = running;
    void child.ready.then(() =>
      this.#options.say(`${role.name} is there again, process ${child.pid}`),
    );
  }

  async #endOne({ child, isThere }: Running): Promise<void> {
    if (!isThere) return;
    child.kill('SIGTERM');
    const cancel = this.#env.timers.after(endWithinMs, () => child.kill('SIGKILL'));
    await child.ended;
    cancel();
  }
}

function endText({ exitCode, signal }: ChildEnd): string {
  return signal === null ? `ended with exit code ${exitCode}` : `was ended by ${signal}`;
}

function startError({ name, logFile }: ClusterRole, end: ChildEnd): TypedError {
  const said = /error\[\w+\]: (.*)/.exec(end.lastWords)?.[1];
  const hint = /hint: (.*)/.exec(end.lastWords)?.[1];
  const message = `${name} ${endText(end)} while the cluster was starting`;
  return typedError('CLUSTER_START_FAILED', said === undefined ? message : `${message}: ${said}`, {
    hint: hint ?? `What it said is in ${logFile}.`,
    details: { name },
  });
}

function lateError(): TypedError {
  const message = `the cluster is not ready within ${formatDuration(readyWithinMs)}`;
  return typedError('CLUSTER_START_FAILED', message, {
    hint: 'Look at what its processes have said in DATA/logs; the machine may have too much to do.',
  });
}
