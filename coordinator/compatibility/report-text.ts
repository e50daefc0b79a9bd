/**
 * A compatibility report for people: a table with a line for each state, and below it what to write where the job can't go on;
 * and for programs, as data.
 *
 * Before: coordinator/compatibility/compatibility.ts. After: cli/commands/checkpoints-check.ts.
 */
import { tableText } from '../../base/table.ts';
import { refusalsIn } from './compatibility.ts';
import type { Finding } from './finding.ts';

const columns = [{ title: 'operator' }, { title: 'state' }, { title: 'result' }, { title: 'what' }];

export function reportTable(findings: readonly Finding[], widthMax: number): string {
  const rows = findings.map(({ operatorId, state, verdict, text }) => [
    operatorId,
    state,
    verdict,
    text,
  ]);
  return tableText(columns, rows, { widthMax });
}

/** What to write for each that refuses; nothing where none does. */
export function hintsText(findings: readonly Finding[], allowsDropped: boolean): string {
  const { refused, dropped } = refusalsIn(findings);
  return [...refused, ...(allowsDropped ? [] : dropped)].map(hintLine).join('');
}

/** In one line: whose state, why, and what to write. */
function hintLine({ operatorId, state, text, hint }: Finding): string {
  return `${state} of ${operatorId}: ${text}. ${hint}\n`;
}

/** Whether a job that leaves out nothing, or what it may, can go on. */
export function canGoOn(findings: readonly Finding[], allowsDropped: boolean): boolean {
  const { refused, dropped } = refusalsIn(findings);
  return refused.length === 0 && (allowsDropped || dropped.length === 0);
}
