/**
 * The job `ledger`, killed again and again and run again from its latest checkpoint, at another parallelism each time,
 * until it has come to its end; then every entry is audited by its id.
 *
 * The moment of each kill is drawn from a seed, counted from the run's first entry in the log of checkpoints: a process that
 * is killed while it still starts shows nothing.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EntriesChoice } from '../../jobs/ledger/make-entries.ts';
import { drawing } from '../../jobs/ledger/make-entries.ts';
import { projectFolder, startCli, summaryOf } from './cli-process.ts';
import { auditLedger, type LedgerAudit, writeEntries } from './ledger-audit.ts';

export interface KilledLedger {
  /** A folder of its own. */
  readonly folder: string;
  readonly killCount: number;
  readonly choice: EntriesChoice;
  /** Entries per second, so that all kills come before the end. */
  readonly rate: number;
}

export interface KilledOutcome {
  readonly audit: LedgerAudit;
  /** Attempts that had begun when they were killed. */
  readonly killedCount: number;
}

/** The longest that a process lives from the beginning of its attempt on. */
const lifeMsMax = 700;

export async function runKilled(options: KilledLedger): Promise<KilledOutcome> {
  const { folder, killCount, choice, rate } = options;
  writeEntries(join(folder, 'in'), choice);
  const draw = drawing(choice.seed);
  let killedCount = 0;
  for (let run = 0; run < killCount; run++) {
    const process = startCli(argsOf(1 + (run % 3), ['--rate', String(rate)]), { cwd: folder });
    const begun = await hasBegun(folder, lastEntry(folder), process.ended);
    if (!begun) continue;
    await sleep(draw(lifeMsMax)); // When it dies is the test.
    process.kill('SIGKILL');
    const { signal } = await process.ended;
    if (signal === 'SIGKILL') killedCount++;
  }
  const last = startCli(argsOf(2, []), { cwd: folder });
  summaryOf(await last.ended);
  return { audit: auditLedger(join(folder, 'out'), choice), killedCount };
}

function argsOf(parallelism: number, flags: readonly string[]): string[] {
  const job = join(projectFolder, 'jobs/ledger/job.ts');
  return [
    ...['run', job, '--input', 'in/', '--output', 'out/', '--json'],
    ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms', '--restore', 'latest'],
    ...['--parallelism', String(parallelism), ...flags],
  ];
}

/** The name of the newest entry in the log of checkpoints; empty without one. */
function lastEntry(folder: string): string {
  try {
    return readdirSync(join(folder, 'chk/ledger/log')).sort().at(-1) ?? '';
  } catch {
    return ''; // No attempt has begun.
  }
}

/** Whether an attempt begins, before the run ends. */
async function hasBegun(folder: string, before: string, ended: Promise<unknown>): Promise<boolean> {
  const over = ended.then(() => true);
  while (lastEntry(folder) === before) {
    if (await Promise.race([over, sleep(5, false)])) return false;
  }
  return true;
}
