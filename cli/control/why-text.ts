/**
 * What keeps a job from giving out rows, as sentences: one per finding, the most telling first, then what each
 * operator says of itself.
 *
 * Before: cli/commands/why.ts. After: coordinator/job/job-findings.ts.
 */
import { formatCount } from '../../base/units.ts';
import type { Finding } from '../../coordinator/job/job-findings.ts';

const namesMax = 4;

/** A sentence, without its full stop. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'notAnswering': {
      const { taskId, operator, isStuck } = finding;
      const where = operator === null ? '' : ` it is in operator "${operator}"`;
      const call = isStuck ? ', in one and the same call all the time' : '';
      return `task ${taskId} does not answer:${where || ' its thread is busy'}${call}`;
    }
    case 'backpressure': {
      const { slowTask, waiting, operator, busyShare } = finding;
      const work = operator === null ? '' : `, most of it in "${operator}"`;
      const verb = waiting.length === 1 ? 'waits' : 'wait';
      const share = `${Math.round(busyShare * 100)}%`;
      return `${namesText(waiting)} ${verb} for task ${slowTask}, which is busy ${share} of the time${work}`;
    }
    case 'busy': {
      const { operator, tasks, share } = finding;
      const percent = `${Math.round(share * 100)}%`;
      return `operator "${operator}" takes ${percent} of the time of ${namesText(tasks)}`;
    }
    case 'noInput': {
      const { taskId, operator, splits, position, state } = finding;
      if (state === 'asking') return `source "${operator}" (${taskId}) has no split to read`;
      const where = position === null ? '' : ` behind ${position}`;
      const of = splits.length === 0 ? '' : ` of ${namesText(splits)}`;
      return `source "${operator}" (${taskId}) has nothing to read${where}${of}`;
    }
    case 'needsAllInput': {
      const { operator, rowsIn } = finding;
      return `operator "${operator}" gives out rows when its input has ended; it has ${formatCount(rowsIn)} rows so far`;
    }
  }
}

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(', ');
  const rest = names.length - namesMax;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
