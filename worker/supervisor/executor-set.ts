/**
 * The executors of a worker, carried out: what the book decides becomes bundles that are fetched, processes that start and end,
 * and news for the coordinator.
 *
 * Before: worker/supervisor/supervisor.ts. After: worker/supervisor/executor-book.ts.
 */
import type { Env } from '../../base/env/env.ts';
import { toWire, type WireError } from '../../base/typed-error.ts';
import type { StartExecutorRequest } from '../../coordinator/protocol/members.ts';
import type { SlotsInUse } from '../membership/slot-reservations.ts';
import type { BundleCache } from './bundle-cache.ts';
import {
  type ExecutorBook,
  type ExecutorEffect,
  type ExecutorEvent,
  emptyBook,
  runningIds,
  stepExecutors,
} from './executor-book.ts';
import { endError } from './executor-end.ts';
import type { ExecutorLauncher, ExecutorProcess, ExecutorSpec } from './executor-launcher.ts';
import type { JobLogs } from './job-logs.ts';
import type { RunFolder } from './run-folder.ts';

export interface ExecutorSetOptions {
  readonly launcher: ExecutorLauncher;
  readonly bundles: BundleCache;
  readonly logs: JobLogs;
  readonly runFolder: RunFolder;
  readonly spillDir: string;
  /** Resolves when the coordinator has taken it. */
  readonly tell: (end: { readonly executorId: string; readonly error: WireError }) => Promise<void>;
  /** The rules; only tests that plant a wrong one give others. @defaultValue stepExecutors */
  readonly step?: typeof stepExecutors;
}

type Body<E> = E extends unknown ? Omit<E, 'nowMs'> : never;
type SetEnv = Pick<Env, 'clock' | 'timers' | 'observe'>;

/** What was not taken is said again. */
const tellAgainMs = 500;
/** What cleans up has so long; in the call that asked for the end, too. */
const killAfterMs = 2_000;

export class ExecutorSet {
  readonly #env: SetEnv;
  readonly #options: ExecutorSetOptions;
  readonly #requests = new Map<string, StartExecutorRequest>();
  readonly #paths = new Map<string, string>();
  readonly #processes = new Map<string, ExecutorProcess>();
  readonly #end = new AbortController();
  #book: ExecutorBook = emptyBook;

  constructor(env: SetEnv, options: ExecutorSetOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** Ids of those that run, or are about to. */
  running(): string[] {
    return runningIds(this.#book);
  }

  /** Of those that have a process, or are about to. */
  slotsInUse(): SlotsInUse {
    const inUse = { slots: 0, endingSlots: 0 };
    for (const [executorId, { kind }] of this.#book) {
      const slots = this.#requests.get(executorId)?.slots ?? 0;
      if (kind === 'preparing' || kind === 'running' || kind === 'ending') inUse.slots += slots;
      if (kind === 'ending') inUse.endingSlots += slots;
    }
    return inUse;
  }

  /** Answers at once: how the start goes is seen when it registers, or ends. */
  start(request: StartExecutorRequest): void {
    const { executorId } = request;
    if (!this.#book.has(executorId)) this.#requests.set(executorId, request);
    this.#take({ kind: 'start', executorId });
  }

  /** Resolves when it has no process any more. */
  async stop(executorId: string): Promise<void> {
    this.#take({ kind: 'stop', executorId });
    await this.#processes.get(executorId)?.ended;
  }

  /** Kills all at once: nothing of this life may run any more. */
  endLife(): void {
    this.#take({ kind: 'lifeEnded' });
  }

  /** Ends all, those that clean up after a while; resolves when none is left. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all([...this.#book.keys()].map((executorId) => this.stop(executorId)));
  }

  #take(body: Body<ExecutorEvent>): void {
    const event = { ...body, nowMs: this.#env.clock.mono() } as ExecutorEvent;
    const { step = stepExecutors } = this.#options;
    const { book, effects } = step(this.#book, event);
    this.#book = book;
    for (const effect of effects) this.#carryOut(effect);
    const isOver = (executorId: string) => (book.get(executorId)?.kind ?? 'gone') === 'gone';
    for (const executorId of this.#requests.keys()) {
      if (isOver(executorId)) this.#requests.delete(executorId);
    }
  }

  #carryOut(effect: ExecutorEffect): void {
    const { executorId } = effect;
    switch (effect.kind) {
      case 'prepare':
        void this.#prepare(executorId);
        return;
      case 'launch':
        this.#launch(executorId);
        return;
      case 'kill':
        this.#kill(executorId, effect.how);
        return;
      case 'tell':
        void this.#tell(executorId, effect.error);
    }
  }

  async #prepare(executorId: string): Promise<void> {
    const { bundle } = this.#requestOf(executorId);
    try {
      this.#paths.set(executorId, await this.#options.bundles.pathOf(bundle));
      this.#take({ kind: 'prepared', executorId });
    } catch (error) {
      this.#take({ kind: 'ended', executorId, error: toWire(error) });
    } finally {
      this.#paths.delete(executorId);
    }
  }

  #launch(executorId: string): void {
    const request = this.#requestOf(executorId);
    const { workerId, jobId } = request;
    const { launcher, logs, runFolder } = this.#options;
    const places = runFolder.newPlaces();
    const log = logs.of(jobId);
    const spec = this.#specOf(request, places);
    const process = launcher.launch(spec, (bytes) => log.append(bytes));
    this.#processes.set(executorId, process);
    this.#env.observe.event('executor.started', { executorId, jobId });
    void process.ended.then(async (end) => {
      this.#processes.delete(executorId);
      const error = endError({ executorId, workerId, jobId }, end);
      this.#env.observe.event('executor.ended', { executorId, message: error.message });
      const { stack: _, ...wire } = toWire(error);
      this.#take({ kind: 'ended', executorId, error: wire });
      await runFolder.remove(places);
    });
  }

  #specOf(
    request: StartExecutorRequest,
    places: Pick<ExecutorSpec, 'address' | 'exchangeAddress'>,
  ): ExecutorSpec {
    const { incarnation: _, bundle: hash, ...spec } = request;
    const path = this.#paths.get(request.executorId) ?? '';
    return { ...spec, ...places, bundle: { hash, path }, spillDir: this.#options.spillDir };
  }

  #kill(executorId: string, how: 'asked' | 'now'): void {
    const process = this.#processes.get(executorId);
    if (process === undefined) return;
    process.kill(how);
    if (how === 'now') return;
    const cancel = this.#env.timers.after(killAfterMs, () => process.kill('now'));
    void process.ended.then(cancel);
  }

  async #tell(executorId: string, error: WireError): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted && this.#book.get(executorId)?.kind === 'ended') {
      try {
        await this.#options.tell({ executorId, error });
        this.#take({ kind: 'taken', executorId });
      } catch (cause) {
        const { message } = toWire(cause);
        this.#env.observe.event('executor.end-not-told', { executorId, message });
        // Rejects when this worker stops: nobody is told then.
        await this.#env.timers.sleep(tellAgainMs, signal).catch(() => undefined);
      }
    }
  }

  #requestOf(executorId: string): StartExecutorRequest {
    const request = this.#requests.get(executorId);
    if (request === undefined) throw new Error(`executor "${executorId}" was not asked for`);
    return request;
  }
}
