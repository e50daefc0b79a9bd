/** Sizes, counts and durations as people write and read them. KB, MB and GB are binary everywhere. */
import { typedError } from './typed-error.ts';

const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

/**
 * Reads a size such as `512MB`, `1.5 GB`, `64KiB` or `4096` (bytes) into whole bytes.
 *
 * @throws SIZE_FORM when the text is no size.
 * @example `parseSize('512MB')` is 536,870,912.
 */
export function parseSize(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?i?B?)\s*$/i.exec(text);
  const letters = (match?.[2] ?? '').toUpperCase().replace('I', '').replace('B', '');
  const size = Math.round(Number(match?.[1]) * (unitBytes[`${letters}B`] ?? Number.NaN));
  if (Number.isSafeInteger(size)) return size;
  throw typedError('SIZE_FORM', `"${text}" is no size`, {
    hint: 'Write a number and a unit, such as 512MB or 1.5GB. Units: B, KB, MB, GB, TB.',
  });
}

/** @example `formatBytes(1_610_612_736)` is "1.5 GB". */
export function formatBytes(sizeBytes: number): string {
  const names = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = sizeBytes;
  let unit = 0;
  // 999.95 would be shown as 1000.0: the next unit reads better.
  while (value >= 999.95 && unit < names.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${names[unit]}`;
}

/** @example `formatCount(35_675_309)` is "35,675,309". */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** @example `formatDuration(83_400)` is "1m 23s", `formatDuration(2_345)` is "2.3 s". */
/** Milliseconds of a time such as 500ms, 10s, 5min or 2h; null when the text is none. */
export function parseDuration(text: string): number | null {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h)$/.exec(text.trim()) ?? [];
  const unitsMs = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };
  if (count === undefined || unit === undefined) return null;
  return Math.round(Number(count) * unitsMs[unit as keyof typeof unitsMs]);
}

export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${Math.floor(seconds / 3_600)}h ${Math.floor((seconds % 3_600) / 60)}m`;
}
