/**
 * Values of flags as commander has them: times and counts, refused with the flag's name.
 *
 * Before: cli/checkpoint-flags.ts, cli/restart-flags.ts.
 */
import { typedError } from '../base/typed-error.ts';
import { parseDuration } from '../base/units.ts';

/** Undefined without the flag. @throws FLAG_VALUE */
export function timeOf(flags: Readonly<Record<string, unknown>>, flag: string): number | undefined {
  const text = flags[camelCase(flag)];
  if (text === undefined) return undefined;
  const timeMs = parseDuration(String(text));
  if (timeMs !== null) return timeMs;
  throw typedError('FLAG_VALUE', `${flag}: "${text}" is no time`, {
    hint: 'Write a number with its unit: 500ms, 10s, 5min.',
  });
}

/** Undefined without the flag. @throws FLAG_VALUE */
export function countOf(
  flags: Readonly<Record<string, unknown>>,
  flag: string,
): number | undefined {
  const text = flags[camelCase(flag)];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(String(text))) return Number(text);
  throw typedError('FLAG_VALUE', `${flag}: "${text}" is no whole number`, {
    hint: `Write a count, for example ${flag} 2.`,
  });
}

/** `--checkpoint-dir` → `checkpointDir`: how commander calls it. */
export function camelCase(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
