/**
 * Makes entries for the job `ledger`, and audits what it wrote against the entries that it read: each entry has one line, with the sum that a plain
 * loop gives. Only what others see counts: files whose names begin with a dot or an underscore are passed over.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EntriesChoice, entriesOf } from '../../jobs/ledger/make-entries.ts';

export interface LedgerAudit {
  readonly lineCount: number;
  /** Ids of entries that have no line. */
  readonly missing: readonly number[];
  /** Ids of entries that have several. */
  readonly doubled: readonly number[];
  /** Lines with another key or sum, or an id that no entry has. */
  readonly wrong: readonly string[];
}

/** Writes all files of entries into a folder, which is made. */
export function writeEntries(folder: string, choice: EntriesChoice): void {
  mkdirSync(folder, { recursive: true });
  for (let file = 0; file < choice.fileCount; file++) {
    const lines = Array.from(entriesOf(file, choice), (entry) => `${JSON.stringify(entry)}\n`);
    writeFileSync(join(folder, `entries-${file}.ndjson`), lines.join(''));
  }
}

/** What is wrong when nothing is. */
export const nothingWrong = { missing: [], doubled: [], wrong: [] } as const;

/** Of each list as many are shown at most. */
const shownMax = 20;

/** @param output - The folder; one that is not there has no lines. */
export function auditLedger(output: string, choice: EntriesChoice): LedgerAudit {
  const expected = expectedLines(choice);
  const seen = new Map<number, number>();
  const wrong: string[] = [];
  let lineCount = 0;
  for (const line of linesIn(output)) {
    lineCount++;
    const { id } = JSON.parse(line) as { readonly id: number };
    seen.set(id, (seen.get(id) ?? 0) + 1);
    if (expected.get(id) !== line) wrong.push(line);
  }
  const ids = [...expected.keys()];
  return {
    lineCount,
    missing: ids.filter((id) => !seen.has(id)).slice(0, shownMax),
    doubled: ids.filter((id) => (seen.get(id) ?? 0) > 1).slice(0, shownMax),
    wrong: wrong.slice(0, shownMax),
  };
}

/** By id: the line that it should have. */
function expectedLines(choice: EntriesChoice): ReadonlyMap<number, string> {
  const lines = new Map<number, string>();
  for (let file = 0; file < choice.fileCount; file++) {
    const sums = new Map<string, number>();
    for (const { id, key, amount } of entriesOf(file, choice)) {
      const sum = (sums.get(key) ?? 0) + amount;
      sums.set(key, sum);
      lines.set(id, JSON.stringify({ id, key, sum }));
    }
  }
  return lines;
}

function* linesIn(folder: string): Generator<string> {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return;
  for (const name of readdirSync(folder).sort()) {
    if (/^[._]/.test(name)) continue;
    const text = readFileSync(join(folder, name), 'utf8');
    if (text !== '' && !text.endsWith('\n')) throw new Error(`"${name}" ends within a line`);
    yield* text.split('\n').filter((line) => line !== '');
  }
}
