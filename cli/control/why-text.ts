/**
 * What keeps a job from giving out rows, as sentences: one per finding, the most telling first, then what each
 * operator says of itself.
 *
 * Before: cli/commands/why.ts. After: coordinator/job/job-findings.ts.
 */
import { formatCount, formatDuration } from '../../base/units.ts';
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
    case 'held':
      return heldText(finding);
    case 'eventTime':
      return eventTimeText(finding);
    case 'needsAllInput': {
      const { operator, rowsIn } = finding;
      return `operator "${operator}" gives out rows when its input has ended; it has ${formatCount(rowsIn)} rows so far`;
    }
  }
}

function heldText(finding: Extract<Finding, { kind: 'held' }>): string {
  const { taskId, operator, behind, source, watermarkMs, reachedMs, driftMs } = finding;
  const who = source === null ? `task ${behind}` : `source "${source}" (${behind})`;
  const isAt =
    watermarkMs === null ? 'has not begun in event time' : `is at ${momentText(watermarkMs)}`;
  const own = `source "${operator}" (${taskId}), at ${momentText(reachedMs)}`;
  return `${own}, waits for ${who}, which ${isAt}: it may be ${formatDuration(driftMs)} ahead`;
}

function eventTimeText(finding: Extract<Finding, { kind: 'eventTime' }>): string {
  const { operator, taskId, watermarkMs, forMs, path, split } = finding;
  const since = forMs === null ? '' : ` for ${formatDuration(forMs)}`;
  const reached =
    watermarkMs === null
      ? 'nothing is known of it yet'
      : `it is at ${momentText(watermarkMs)}${since}`;
  const holder = `${path.at(-1) ?? taskId} is behind all others${splitText(split)}`;
  return `operator "${operator}" (${taskId}) waits for event time: ${reached}; ${holder}`;
}

function splitText(
  split: { readonly id: string; readonly newestMs: number | null } | null,
): string {
  if (split === null) return '';
  const { id, newestMs } = split;
  const newest =
    newestMs === null
      ? 'of which no row has come'
      : `whose newest row is of ${momentText(newestMs)}`;
  return `, with split ${id}, ${newest}`;
}

function namesText(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(', ');
  const rest = names.length - namesMax;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}

/** A moment of event time; one that no calendar has is a number. */
function momentText(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : `${timeMs} ms`;
}
