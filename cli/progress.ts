/**
 * Progress of a running job on stderr. On a terminal one line is drawn over and over, and is gone at
 * the end; elsewhere, in a log say, a plain line every few seconds, and none for a short job.
 *
 *     ━━━━━━━━━━━━━━━────────────  52%  1,234,567 rows  1.2 GB of 2.3 GB  820 MB/s  1.3 s left
 */

import { cellWidthOf, cutText } from '../base/table.ts';
import { formatBytes, formatCount, formatDuration } from '../base/units.ts';
import type { CliEnv } from './cli-env.ts';
import type { RunProgress } from './embedded.ts';

const redrawMs = 100;
const plainLineMs = 5_000;
/** The rate is over this much of the past: steady enough to read, and follows a change. */
const rateWindowMs = 3_000;
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
  const { phase, bytesIn, bytesTotal, rowsIn } = progress;
  if (phase === 'starting') return 'starting …';
  if (phase === 'committing') return 'writing the result …';
  const isKnown = bytesTotal > 0;
  const share = isKnown ? Math.min(1, bytesIn / bytesTotal) : 0;
  const facts = [
    isKnown ? `${Math.floor(share * 100)}%`.padStart(4) : '',
    `${formatCount(rowsIn)} rows`,
    isKnown ? `${formatBytes(bytesIn)} of ${formatBytes(bytesTotal)}` : formatBytes(bytesIn),
    bytesPerSecond > 0 ? `${formatBytes(bytesPerSecond)}/s` : '',
    isKnown ? remainingText(bytesTotal - bytesIn, bytesPerSecond) : '',
  ];
  const text = facts.filter((fact) => fact !== '').join('  ');
  if (width === null) return text.trimStart();
  const barWidth = Math.min(barWidthMax, width - cellWidthOf(text) - 1);
  return cutText(
    isKnown && barWidth >= barWidthMin ? `${barText(share, barWidth)} ${text}` : text,
    width,
  );
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

/** Bytes per second over the last few seconds. */
export class RateMeter {
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** Takes in how far the job is now; returns the rate, 0 while there is none to tell. */
  add(atMs: number, bytes: number): number {
    this.#samples.push({ atMs, bytes });
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= rateWindowMs);
    const oldest = this.#samples[0];
    if (oldest === undefined || atMs === oldest.atMs) return 0;
    return ((bytes - oldest.bytes) / (atMs - oldest.atMs)) * 1000;
  }
}
