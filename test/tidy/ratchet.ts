/**
 * The ratchet: files that break a rule and are known to. The list may only shrink: an entry that is
 * no longer needed must go, and one that was not there before is refused.
 */
import type { Problem } from './tree.ts';

/** Rule name → paths that are excused from it. */
export type Ratchet = Readonly<Record<string, readonly string[]>>;

const path = 'test/tidy-ratchet.json';

/** The problems of a rule that are not excused, and the excuses that are not needed. */
export function applyRatchet(
  ratchet: Ratchet,
  rule: string,
  problems: readonly Problem[],
): Problem[] {
  const excused = ratchet[rule] ?? [];
  const stale = excused.filter((entry) => !problems.some((problem) => problem.path === entry));
  return [
    ...problems.filter((problem) => !excused.includes(problem.path)),
    ...stale.map((entry) => ({
      path,
      line: 1,
      message: `${entry} keeps the rule "${rule}" now: remove it from the list`,
    })),
  ];
}

/** Entries of `now` that `before` did not have, and rules that do not exist. */
export function checkRatchet(before: Ratchet, now: Ratchet, rules: readonly string[]): Problem[] {
  return Object.entries(now).flatMap(([rule, entries]) => {
    if (!rules.includes(rule)) return [{ path, line: 1, message: `there is no rule "${rule}"` }];
    const known = before[rule] ?? [];
    return entries
      .filter((entry) => !known.includes(entry))
      .map((entry) => ({ path, line: 1, message: `${entry} is new: the list may only shrink` }));
  });
}
