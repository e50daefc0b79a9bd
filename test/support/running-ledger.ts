/**
 * The job `ledger` while it runs with checkpoints: started in a folder of its own, asked by other commands, and audited
 * when it has ended.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { EntriesChoice } from '../../jobs/ledger/make-entries.ts';
import { type CliProcess, type CliResult, projectFolder, runCli, startCli } from './cli-process.ts';
import { auditLedger, writeEntries } from './ledger-audit.ts';
import { tempFolder } from './temp-folder.ts';

export class LedgerScene {
  readonly folder = tempFolder();
  readonly #choice: EntriesChoice;

  constructor(choice: EntriesChoice) {
    this.#choice = choice;
    writeEntries(join(this.folder, 'in'), choice);
  }

  /** @param flags - Beside those for input, output `out/` and checkpoints in `chk/`; the last of a flag counts. */
  start(...flags: string[]): CliProcess {
    const job = join(projectFolder, 'jobs/ledger/job.ts');
    const own = [
      'run',
      job,
      '--input',
      'in/',
      '--output',
      'out/',
      '--checkpoint-dir',
      'chk/',
      '--json',
    ];
    return startCli([...own, '--checkpoint-interval', '200ms', ...flags], this.#options);
  }

  cli(...args: string[]): Promise<CliResult> {
    return runCli(args, this.#options);
  }

  async json(...args: string[]): Promise<Record<string, unknown>> {
    const { exitCode, stdout, stderr } = await this.cli(...args, '--json');
    expect([exitCode, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  }

  /** Until a checkpoint has made lines visible. */
  async hasLines(output = 'out'): Promise<void> {
    const folder = join(this.folder, output);
    const isThere = () =>
      existsSync(folder) && readdirSync(folder).some((name) => !/^[._]/.test(name));
    await expect.poll(isThere, { timeout: 60_000, interval: 20 }).toBe(true);
  }

  audit(output = 'out') {
    return auditLedger(join(this.folder, output), this.#choice);
  }

  get #options() {
    return { cwd: this.folder, env: { MILLRACE_JOBS_DIR: join(this.folder, 'run') } };
  }
}
