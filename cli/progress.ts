/**
 * Progress of a running job on stderr. On a terminal one line is drawn over and over, and is gone at
 * the end; elsewhere, in a log say, a plain line every few seconds, and none for a short job.
 *
 *     ━━━━━━━━━━━━━━━────────────  52%  1,234,567 rows  1.2 GB of 2.3 GB  820 MB/s  1.3 s left
 *     ━━━━━━━━━━━━━━━────────────  52%  stage 2 of 3  tasks 4 of 8  2 running  1.1 GB shuffled  about 9 s left
 *
 * A job of several stages goes on long after its input is read, so its share is that of its tasks.
 */

import { RateMeter } from '../base/rate-meter.ts';
import { cellWidthOf, cutText } from '../base/table.ts';
import { formatBytes, formatCount, formatDuration } from '../base/units.ts';
import type { CliEnv } from './cli-env.ts';
import type { RunProgress } from './embedded.ts';

const redrawMs = 100;
const plainLineMs = 5_000;
const barWidthMax = 30;
const barWidthMin = 10;
const eraseLine = '\r\x1b[2K';

/** Shows progress until the returned function is called. */
export function showProgress(
  env: Pick<CliEnv, 'clock' | 'stderr' | 'timers'>,
  progress: () => RunProgress,
): () => void {
  const { clock, stderr, timers } = env;
  const meter = new RateMeter();
  const measure = (): string => {
    const current = progress();
    const bytesPerSecond = meter.add(clock.mono(), current.bytesIn);
    return progressText(current, bytesPerSecond, stderr.isTerminal ? stderr.columns - 1 : null);
  };
  if (!stderr.isTerminal) {
    return timers.every(plainLineMs, () => stderr.write(`${measure()}\n`));
  }
  const cancel = timers.every(redrawMs, () => stderr.write(`${eraseLine}${measure()}`));
  return () => {
    cancel();
    stderr.write(eraseLine);
  };
}

/** One line of progress, at most `width` cells; without a width there is no bar. */
export function progressText(
  progress: RunProgress,
  bytesPerSecond: number,
  width: number | null,
): string {
  const { phase, stages, note = 'starting' } = progress;
  if (phase === 'starting') return `${note} …`;
  if (phase === 'committing') return 'writing the result …';
  const isStaged = stages.length > 1;
  const { isKnown, share, facts } = isStaged
    ? stagedFacts(progress)
    : readFacts(progress, bytesPerSecond);
  const text = facts.filter((fact) => fact !== '').join('  ');
  if (width === null) return text.trimStart();
  const barWidth = Math.min(barWidthMax, width - cellWidthOf(text) - 1);
  return cutText(
    isKnown && barWidth >= barWidthMin ? `${barText(share, barWidth)} ${text}` : text,
    width,
  );
}

/** What is told of a job; `share` is 0 where it is not known. */
interface Facts {
  readonly isKnown: boolean;
  readonly share: number;
  readonly facts: readonly string[];
}

function readFacts(progress: RunProgress, bytesPerSecond: number): Facts {
  const { bytesIn, bytesTotal, rowsIn } = progress;
  const isKnown = bytesTotal > 0;
  const share = isKnown ? Math.min(1, bytesIn / bytesTotal) : 0;
  const facts = [
    isKnown ? shareText(share) : '',
    `${formatCount(rowsIn)} rows`,
    isKnown ? `${formatBytes(bytesIn)} of ${formatBytes(bytesTotal)}` : formatBytes(bytesIn),
    bytesPerSecond > 0 ? `${formatBytes(bytesPerSecond)}/s` : '',
    isKnown ? remainingText(bytesTotal - bytesIn, bytesPerSecond) : '',
  ];
  return { isKnown, share, facts };
}

function stagedFacts({ stages, share, seconds }: RunProgress): Facts {
  const sum = (count: (stage: RunProgress['stages'][number]) => number) =>
    stages.reduce((total, stage) => total + count(stage), 0);
  const current = stages.findIndex(({ doneCount, taskCount }) => doneCount < taskCount);
  const shuffled = sum(({ bytesShuffled }) => bytesShuffled);
  const spilled = sum(({ bytesSpilled }) => bytesSpilled);
  const failed = sum(({ failedCount }) => failedCount);
  const facts = [
    shareText(share),
    `stage ${current < 0 ? stages.length : current + 1} of ${stages.length}`,
    `tasks ${sum(({ doneCount }) => doneCount)} of ${sum(({ taskCount }) => taskCount)}`,
    `${sum(({ runningCount }) => runningCount)} running`,
    failed > 0 ? `${failed} run again` : '',
    shuffled > 0 ? `${formatBytes(shuffled)} shuffled` : '',
    spilled > 0 ? `${formatBytes(spilled)} spilled` : '',
    // Before that a few tasks tell too little about the others.
    share > 0.05 ? `about ${formatDuration((seconds / share - seconds) * 1000)} left` : '',
  ];
  return { isKnown: true, share, facts };
}

function shareText(share: number): string {
  return `${Math.floor(share * 100)}%`.padStart(4);
}

function barText(share: number, width: number): string {
  const done = Math.round(share * width);
  return '━'.repeat(done) + '─'.repeat(width - done);
}

function remainingText(remainingBytes: number, bytesPerSecond: number): string {
  // All is read, but what has been read is still being worked on: no end can be told.
  if (remainingBytes <= 0 || bytesPerSecond <= 0) return '';
  return `${formatDuration((remainingBytes / bytesPerSecond) * 1000)} left`;
}
