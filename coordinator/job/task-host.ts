/**
 * The worker that runs the tasks of a job, as the job master sees it.
 *
 * Before: coordinator/job/job-master.ts. After: coordinator/coordinator-service.ts.
 */
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

/** What the job master asks of the worker that runs the tasks. */
export interface TaskHost {
  readonly slotCount: number;
  deploy(request: DeployRequest): Promise<void>;
  /** Resolves when none of these tasks runs any more. */
  stopTasks(request: StopTasksRequest): Promise<void>;
  /** Resolves when no task of the job runs any more, and its files are removed. */
  stop(job: JobRef): Promise<void>;
  /** Has the job's sources send a barrier. */
  triggerCheckpoint(request: TriggerCheckpointRequest): Promise<void>;
  /** Has sources that have halted go on, or all of them end where they are. */
  orderSources(request: OrderSourcesRequest): Promise<void>;
  cancelCheckpoint(request: CancelCheckpointRequest): Promise<void>;
  /** A task has ended with an error; told before what comes of it. */
  taskFailed?(failure: TaskFailed): void;
  /** What the tasks of the job answer. */
  ask(request: AskRequest): Promise<readonly TaskAnswer[]>;
}
