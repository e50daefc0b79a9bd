/**
 * The job `ledger`, killed again and again and run again from its latest checkpoint, at another parallelism each time,
 * until it has come to its end; then every entry is audited by its id. The moment of each kill is drawn from a seed.
 */
import { join } from 'node:path';
import { drawing, type EntriesChoice } from '../../jobs/ledger/make-entries.ts';
import { projectFolder, startCli, summaryOf } from './cli-process.ts';
import { killRun } from './killed-run.ts';
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
    const isKilled = await killRun({
      start: () => startCli(argsOf(1 + (run % 3), ['--rate', String(rate)]), { cwd: folder }),
      logFolder: join(folder, 'chk/ledger/log'),
      lifeMs: draw(lifeMsMax),
    });
    if (isKilled) killedCount++;
  }
  summaryOf(await startCli(argsOf(2, []), { cwd: folder }).ended);
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
