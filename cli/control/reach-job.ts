/**
 * The job that a command is about, and the way to it.
 *
 * Before: cli/commands/status.ts and others. After: cli/control/job-client.ts.
 */
import { type ControlRequest, type Reach, realReach } from './control-command.ts';
import { findJob } from './job-client.ts';

/** The job that the first word names. @throws JOB_NOT_RUNNING, JOB_AMBIGUOUS */
export async function reachJob({ words }: ControlRequest, reach: Reach | undefined) {
  const way = reach ?? (await realReach());
  return { way, ...(await findJob(way.env, way.places, words[0] ?? '')) };
}
