/**
 * The job `ledger` on a disk whose power is cut again and again while it runs: its input lies on another disk; its output and
 * its checkpoints lose what was not durable. It is run again from its latest checkpoint until it has come to its end.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { drawing, type EntriesChoice } from '../../jobs/ledger/make-entries.ts';
import { type CliProcess, projectFolder, startCli, summaryOf } from './cli-process.ts';
import { auditLedger, nothingWrong, writeEntries } from './ledger-audit.ts';
import { CuttableDisk, type FileSystemKind, missingForPowerCuts } from './power-cut.ts';
import { tempFolder } from './temp-folder.ts';

export interface CutRun {
  readonly cutCount: number;
  readonly choice: EntriesChoice;
  /** Entries per second, so that all cuts come before the end. */
  readonly rate: number;
}

/** How long a process takes until its job runs, and how much longer it lives, at most. */
const startMs = 1_500;
const lifeMsMax = 900;

/** Runs the job under cuts and audits it; where no power can be cut, says so aloud and skips the test. */
export async function expectNothingLost(
  kind: FileSystemKind,
  run: CutRun,
  skip: (why: string) => void,
): Promise<void> {
  const missing = missingForPowerCuts(kind);
  if (missing !== null) {
    process.stderr.write(`\nNOT TESTED: no power is cut on ${kind}: ${missing}\n`);
    skip(missing);
    return;
  }
  const disk = CuttableDisk.forTest(kind);
  const cutCount = await runCut(disk, run);
  const { lineCount, ...found } = auditLedger(join(disk.folder, 'out'), run.choice);
  expect([lineCount, found]).toEqual([run.choice.count, nothingWrong]);
  // Otherwise it would have shown nothing.
  expect(cutCount).toBeGreaterThan(run.cutCount / 2);
}

/** How many cuts came while the job ran. */
async function runCut(disk: CuttableDisk, { cutCount, choice, rate }: CutRun): Promise<number> {
  const input = join(tempFolder(), 'in');
  writeEntries(input, choice);
  const draw = drawing(choice.seed);
  const start = (flags: readonly string[]) => startLedger(disk.folder, input, flags);
  let cuts = 0;
  for (let run = 0; run < cutCount; run++) {
    const job = start(['--parallelism', String(1 + (run % 2)), '--rate', String(rate)]);
    const isOver = await Promise.race([job.ended, sleep(startMs + draw(lifeMsMax), null)]);
    if (isOver === null) {
      disk.cut();
      cuts++;
      // As with the power: whatever the process still does reaches nothing.
      job.kill('SIGKILL');
      await job.ended;
    }
    disk.unmount();
    disk.mount();
  }
  summaryOf(await start(['--parallelism', '2']).ended);
  return cuts;
}

function startLedger(folder: string, input: string, flags: readonly string[]): CliProcess {
  return startCli(
    [
      ...['run', join(projectFolder, 'jobs/ledger/job.ts'), '--json'],
      ...['--input', `${input}/`, '--output', `${join(folder, 'out')}/`],
      ...['--checkpoint-dir', join(folder, 'chk'), '--checkpoint-interval', '100ms'],
      ...['--restore', 'latest', ...flags],
    ],
    { cwd: tempFolder(), deadlineMs: 600_000 },
  );
}
