/**
 * The slots of a job of a cluster, as its master sees them: numbered, whatever processes they are in.
 *
 *     slot      0   1   2   3
 *     executor  a ──┘   b ──┘        a, b: processes on workers, begun with the first tasks of an attempt, ended with it
 *
 * - An attempt's first tasks wait until all slots are there. Slots of workers that are gone are asked for anew.
 * - With an executor its tasks have failed, and only these. What is deployed to its slots next waits for another one: on
 *   its worker where that lives, else on slots that the queue finds.
 * - Two workers that do not reach each other, though both reach the coordinator, have no tasks of one job: one of them is
 *   left, and all tasks begin anew elsewhere, where there is room.
 * - An attempt that was stopped starts nothing, whatever it still waits for.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/cluster/hosted-attempt.ts.
 */
import { assert } from '../../base/assert.ts';
import type { TaskHost } from '../job/task-host.ts';
import type {
  AskRequest,
  CancelCheckpointRequest,
  DeployRequest,
  JobRef,
  OrderSourcesRequest,
  StopTasksRequest,
  TaskAnswer,
  TaskFailed,
  TriggerCheckpointRequest,
} from '../protocol.ts';
import { HostedAttempt, type HostedJob } from './hosted-attempt.ts';

export class JobHost implements TaskHost {
  readonly #job: HostedJob;
  #attempt: HostedAttempt | null = null;

  constructor(job: HostedJob) {
    this.#job = job;
  }

  get slotCount(): number {
    return this.#job.slotCount;
  }

  async deploy(request: DeployRequest): Promise<void> {
    await this.#attemptOf(request).deploy(request);
  }

  async stopTasks(request: StopTasksRequest): Promise<void> {
    await this.#current(request)?.stopTasks(request);
  }

  async stop(job: JobRef): Promise<void> {
    const attempt = this.#current(job);
    await attempt?.stop(job);
    if (this.#attempt === attempt) this.#attempt = null;
  }

  async triggerCheckpoint(request: TriggerCheckpointRequest): Promise<void> {
    await this.#current(request)?.tellAll((host) => host.triggerCheckpoint(request));
  }

  async orderSources(request: OrderSourcesRequest): Promise<void> {
    await this.#current(request)?.tellAll((host) => host.orderSources(request));
  }

  async cancelCheckpoint(request: CancelCheckpointRequest): Promise<void> {
    await this.#current(request)?.tellAll((host) => host.cancelCheckpoint(request));
  }

  taskFailed(failure: TaskFailed): void {
    this.#current(failure)?.taskFailed(failure);
  }

  async ask(request: AskRequest): Promise<readonly TaskAnswer[]> {
    return (await this.#current(request)?.askAll((host) => host.ask(request))) ?? [];
  }

  /** Ends what runs, and gives the slots back. */
  close(): void {
    this.#attempt?.end();
    this.#attempt = null;
    this.#job.slots.close();
  }

  /** That of a greater epoch begins with its first tasks; whatever was left of one before is ended. */
  #attemptOf({ jobId, epoch }: JobRef): HostedAttempt {
    const current = this.#attempt;
    if (current !== null && current.epoch >= epoch) {
      assert(current.epoch === epoch, 'attempts of a job come one after the other');
      return current;
    }
    void current?.stop({ jobId, epoch: current.epoch });
    this.#attempt = new HostedAttempt(this.#job, epoch);
    return this.#attempt;
  }

  #current({ epoch }: JobRef): HostedAttempt | null {
    return this.#attempt?.epoch === epoch ? this.#attempt : null;
  }
}
