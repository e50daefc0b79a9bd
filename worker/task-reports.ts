/**
 * Task reports: what the tasks of a job attempt have to say to the coordinator, each until it is taken, and those of a task in
 * their order.
 *
 *     v1[0]   barrier 3 │ barrier 4 │ finished       one is sent when that before it was taken
 *     v1[1]   barrier 3 ✗ barrier 3 ✓ barrier 4      a connection broke: it is said again
 *
 * A part of a checkpoint that nobody hears of would be lost with all that the task's sink has prepared, for the next part says
 * nothing of it. What comes twice, since its answer was lost, counts once: the coordinator looks at the numbers.
 *
 * Not here: counters, of which the next ones are as good.
 *
 * Before: worker/worker.ts. After: coordinator/checkpoint/checkpoint-state.ts.
 */
import type { Env } from '../base/env/env.ts';
import { codeOf, TypedError } from '../base/typed-error.ts';

export interface TaskReport {
  readonly method: string;
  readonly body: unknown;
}

export interface TaskReportsOptions {
  /** Resolves when the coordinator has taken it. */
  readonly send: (report: TaskReport) => Promise<void>;
}

/** From the first repetition to the next ones, which come ever later. */
const pauseMs = 20;
const pauseMsMax = 1_000;

export class TaskReports {
  readonly #env: Pick<Env, 'timers' | 'observe'>;
  readonly #options: TaskReportsOptions;
  /** By who speaks: what has not been taken, the first of which is being sent. */
  readonly #waiting = new Map<string, TaskReport[]>();
  readonly #end = new AbortController();

  constructor(env: Pick<Env, 'timers' | 'observe'>, options: TaskReportsOptions) {
    this.#env = env;
    this.#options = options;
  }

  /** @param speaker - The task's attempt: its reports keep their order. */
  tell(speaker: string, report: TaskReport): void {
    const waiting = this.#waiting.get(speaker);
    if (waiting !== undefined) {
      waiting.push(report);
      return;
    }
    this.#waiting.set(speaker, [report]);
    void this.#sendAll(speaker);
  }

  /** The attempt is over: nobody waits for what is left. */
  close(): void {
    this.#end.abort();
  }

  async #sendAll(speaker: string): Promise<void> {
    const waiting = this.#waiting.get(speaker) ?? [];
    for (let [report] = waiting; report !== undefined; [report] = waiting) {
      await this.#send(report);
      waiting.shift();
    }
    this.#waiting.delete(speaker);
  }

  async #send(report: TaskReport): Promise<void> {
    const { signal } = this.#end;
    for (let delayMs = pauseMs; !signal.aborted; delayMs = Math.min(delayMs * 2, pauseMsMax)) {
      try {
        await this.#options.send(report);
        return;
      } catch (error) {
        if (!mayRepeat(error)) {
          this.#lost(report, error);
          return;
        }
        this.#env.observe.event('worker.report-repeated', {
          method: report.method,
          code: codeOf(error),
        });
      }
      await this.#env.timers.sleep(delayMs, signal).catch(() => undefined); // The loop looks at the signal.
    }
  }

  /** A coordinator that has ended the job, or was replaced, is no news here. */
  #lost({ method }: TaskReport, error: unknown): void {
    const code = codeOf(error);
    if (code === 'JOB_NOT_RUNNING') return;
    this.#env.observe.event('worker.report-lost', { method, code });
  }
}

function mayRepeat(error: unknown): boolean {
  return error instanceof TypedError && error.info.retryable;
}
