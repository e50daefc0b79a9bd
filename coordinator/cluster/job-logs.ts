/**
 * What the processes of a job have printed, on all workers, from where the caller has read.
 *
 * Before: coordinator/cluster/client-service.ts. After: coordinator/cluster/supervisor-calls.ts.
 */

import type { LogsAnswer } from '../protocol/clients.ts';
import type { OfLife } from '../protocol/members.ts';
import type { SupervisorCalls } from './supervisor-calls.ts';

/** Of each worker, where the caller says nothing. */
const lastBytes = 64 * 1024;

export async function readLogs({
  jobId,
  from,
  lives,
  calls,
}: {
  readonly jobId: string;
  readonly from: Readonly<Record<string, number>>;
  readonly lives: readonly OfLife[];
  readonly calls: Pick<SupervisorCalls, 'readLog'>;
}): Promise<LogsAnswer> {
  const read = await Promise.all(
    lives.map(async ({ workerId, incarnation }) => {
      const request = { jobId, from: from[workerId] ?? -lastBytes };
      try {
        return { workerId, part: await calls.readLog({ workerId, incarnation }, request) };
      } catch {
        // A worker that does not answer is one whose lines come later, or never.
        return { workerId, part: { text: '', next: from[workerId] ?? -lastBytes, isEnd: true } };
      }
    }),
  );
  const parts = read.map(({ workerId, part }) => ({ workerId, text: part.text }));
  return {
    parts: parts.filter(({ text }) => text !== ''),
    next: Object.fromEntries(read.map(({ workerId, part }) => [workerId, part.next])),
    isEnd: read.every(({ part }) => part.isEnd),
  };
}
