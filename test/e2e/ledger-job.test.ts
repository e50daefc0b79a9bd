/** Goal: the ledger's sums are those of a plain loop over each file, whatever threads read, and those of its README. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder, runCli, summaryOf } from '../support/cli-process.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobFolder = join(projectFolder, 'jobs/ledger');

async function run(folder: string, input: string, ...flags: string[]) {
  const job = join(jobFolder, 'job.ts');
  const args = ['run', job, '--input', input, '--output', 'out/', '--json', ...flags];
  return summaryOf(await runCli(args, { cwd: folder }));
}

test.each([1, 3])(
  'each entry once, by %i tasks, from files large enough to be cut',
  async (tasks) => {
    const folder = tempFolder();
    const choice = { count: 120_000, fileCount: 2, keysPerFile: 500, seed: tasks };
    writeEntries(join(folder, 'in'), choice);
    const summary = await run(folder, 'in/', '--parallelism', String(tasks));
    expect(summary).toMatchObject({ status: 'finished', rowsIn: choice.count });
    const { lineCount, ...found } = auditLedger(join(folder, 'out'), choice);
    expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
  },
);

test('the sample gives what the README says', async () => {
  const folder = tempFolder();
  await run(folder, join(jobFolder, 'sample.ndjson'));
  const lines = readdirSync(join(folder, 'out')).flatMap((name) =>
    readFileSync(join(folder, 'out', name), 'utf8')
      .trimEnd()
      .split('\n')
      .filter(Boolean),
  );
  const readme = readFileSync(join(jobFolder, 'README.md'), 'utf8');
  expect(readme).toContain(`\`\`\`json\n${lines.sort().join('\n')}\n\`\`\``);
});
