/**
 * The job `ledger`, killed again and again and run again from its latest checkpoint, at another parallelism each time,
 * until it has come to its end; then every entry is audited by its id. The moment of each kill is drawn from a seed.
 */
import { join } from 'node:path';
import { drawing, type EntriesChoice } from '../../jobs/ledger/make-entries.ts';
import { projectFolder, startCli, summaryOf } from './cli-process.ts';
import { type KilledRun, killRun } from './killed-run.ts';
import { auditLedger, type LedgerAudit, writeEntries } from './ledger-audit.ts';

export interface KilledLedger {
  /** A folder of its own. */
  readonly folder: string;
  readonly killCount: number;
  readonly choice: EntriesChoice;
  /** Entries per second, so that all kills come before the end. */
  readonly rate: number;
  /** Another job of that name, with the same parameters. @defaultValue that of `jobs/ledger` */
  readonly job?: string;
  /** Of its checkpoints. @defaultValue none */
  readonly flags?: readonly string[];
  /** How long a process lives at most, from the beginning of its attempt on. @defaultValue 700 */
  readonly lifeMsMax?: number;
  /** @defaultValue 'attempt' */
  readonly lifeFrom?: KilledRun['lifeFrom'];
}

export interface KilledOutcome {
  readonly audit: LedgerAudit;
  /** Attempts that had begun when they were killed. */
  readonly killedCount: number;
  /** What the run that was not killed has read. */
  readonly lastRowsIn: number;
}

/** The longest that a process lives from the beginning of its attempt on. */
const lifeMsUsual = 700;

export async function runKilled(options: KilledLedger): Promise<KilledOutcome> {
  const { folder, killCount, choice, rate, flags = [], lifeMsMax = lifeMsUsual } = options;
  const { lifeFrom = 'attempt', job = join(projectFolder, 'jobs/ledger/job.ts') } = options;
  writeEntries(join(folder, 'in'), choice);
  const draw = drawing(choice.seed);
  let killedCount = 0;
  for (let run = 0; run < killCount; run++) {
    const isKilled = await killRun({
      start: () => {
        const args = argsOf(job, 1 + (run % 3), ['--rate', String(rate), ...flags]);
        return startCli(args, { cwd: folder });
      },
      logFolder: join(folder, 'chk/ledger/log'),
      ...{ lifeMs: draw(lifeMsMax), lifeFrom },
    });
    if (isKilled) killedCount++;
  }
  const { rowsIn } = summaryOf(await startCli(argsOf(job, 2, flags), { cwd: folder }).ended);
  const audit = auditLedger(join(folder, 'out'), choice);
  return { audit, killedCount, lastRowsIn: Number(rowsIn) };
}

function argsOf(job: string, parallelism: number, flags: readonly string[]): string[] {
  return [
    ...['run', job, '--input', 'in/', '--output', 'out/', '--json'],
    ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms', '--restore', 'latest'],
    ...['--parallelism', String(parallelism), ...flags],
  ];
}
