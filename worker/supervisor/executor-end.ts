/**
 * The end of a process as an error for the coordinator, in words that a person can do something with: what it was, and the last
 * line that it said.
 *
 * Before: worker/supervisor/executor-launcher.ts. After: worker/supervisor/supervisor.ts.
 */
import { type TypedError, typedError } from '../../base/typed-error.ts';
import type { ExecutorSpec, ProcessEnd } from './executor-launcher.ts';

const heapSpent = /heap out of memory|Array buffer allocation failed|OOM error/;

export function endError(
  { executorId, workerId, jobId }: Pick<ExecutorSpec, 'executorId' | 'workerId' | 'jobId'>,
  end: ProcessEnd,
): TypedError {
  const { how, hint } = reasonOf(end);
  const message = `executor of job "${jobId}" on worker "${workerId}" ${how}`;
  const details = {
    ...{ executorId, workerId, jobId },
    ...(end.exitCode !== null && { exitCode: end.exitCode }),
    ...(end.signal !== null && { signal: end.signal }),
  };
  return typedError('EXECUTOR_LOST', message, { hint, retryable: true, details });
}

function reasonOf({ exitCode, signal, lastWords }: ProcessEnd) {
  if (heapSpent.test(lastWords)) {
    return {
      how: 'ran out of JavaScript memory',
      hint: 'Keep less in variables between calls, or group with keyBy and aggregate: their state is outside of the JavaScript heap.',
    };
  }
  const last = lastLineOf(lastWords);
  const saying = last === '' ? '' : `, saying "${last}"`;
  if (exitCode === null && signal === null) {
    return {
      how: `could not be started${saying}`,
      hint: 'Look at what the system says: it may be out of processes or of memory.',
    };
  }
  if (signal === 'SIGKILL') {
    return {
      how: `was killed by SIGKILL${saying}`,
      hint: 'Somebody killed it, or the system did for want of memory: give the worker a smaller --memory, or look into the log of the system.',
    };
  }
  return {
    how:
      signal === null ? `ended with exit code ${exitCode}${saying}` : `died of ${signal}${saying}`,
    hint: 'What it printed is in the log of the job: millrace logs shows it.',
  };
}

/** Enough of it to know what it is. */
const lineLengthMax = 300;

function lastLineOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return (lines.findLast((line) => line !== '') ?? '').slice(0, lineLengthMax);
}
