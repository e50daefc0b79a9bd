/** Counts in a topic audited by window and auction: each once, and as a plain loop counts it. */
import type { FoundCount } from './kafka-bids.ts';
import { linesOf } from './kafka-bids.ts';

export interface CountAudit {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly wrong: readonly string[];
}

export const nothingWrong: CountAudit = { lost: [], doubled: [], wrong: [] };
/** Of each list as many are shown at most. */
const shownMax = 20;

/** @param expected - Lines as `countsOf` has them: window, auction, count, sum. */
export function auditCounts(found: readonly FoundCount[], expected: readonly string[]): CountAudit {
  const wanted = new Map(expected.map((line) => [idOf(line), line]));
  const seen = Map.groupBy(linesOf(found), idOf);
  const [lost, doubled, wrong]: [string[], string[], string[]] = [[], [], []];
  for (const [id, line] of wanted) {
    const lines = seen.get(id) ?? [];
    if (lines.length === 0) lost.push(line);
    if (lines.length > 1) doubled.push(line);
    if (lines.some((one) => one !== line)) wrong.push(...lines);
  }
  for (const [id, lines] of seen) if (!wanted.has(id)) wrong.push(...lines);
  return {
    lost: lost.slice(0, shownMax),
    doubled: doubled.slice(0, shownMax),
    wrong: wrong.slice(0, shownMax),
  };
}

/** Window and auction. */
function idOf(line: string): string {
  return line.split(' ').slice(0, 2).join(' ');
}
