/**
 * Goal: a job that is killed, edited and run again goes on with its state: each entry counts once, whatever was put in front,
 * beside and behind; what can't be gone on with is refused before anything is touched, and says what to write.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { projectFolder, runCli, startCli } from '../support/cli-process.ts';
import { auditLedger, nothingWrong, writeEntries } from '../support/ledger-audit.ts';

const choice = { count: 20_000, fileCount: 3, keysPerFile: 100, seed: 11 };
const ledger = readFileSync(join(projectFolder, 'jobs/ledger/job.ts'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'millrace-changed-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The ledger's own file, with parts of it replaced. */
function edit(...changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, ledger);
}

const keyBy = '.keyBy((entry) => entry.key)';
const declaration = 'sum: state.value(t.int64())';
const write = ".writeTo(files.sink({ path: output, format: 'ndjson' }))";

const args = (file: string, ...flags: string[]) => [
  ...['run', file, '--input', 'in/', '--output', 'out/', '--json'],
  ...['--checkpoint-dir', 'chk', '--checkpoint-interval', '100ms', ...flags],
];

async function runEdited(name: string, text: string, ...flags: string[]) {
  writeFileSync(join(folder, name), text);
  return await runCli(args(name, '--restore', 'latest', ...flags), { cwd: folder });
}

/** Entries in the log of checkpoints. */
function logOf(): readonly string[] {
  const log = join(folder, 'chk/ledger/log');
  return existsSync(log) ? readdirSync(log).sort() : [];
}

test('a run of the job as it is, killed behind its first checkpoints', async () => {
  writeFileSync(join(folder, 'first.ts'), ledger);
  writeEntries(join(folder, 'in'), choice);
  const { ended, kill } = startCli(args('first.ts', '--rate', '4000', '--parallelism', '2'), {
    cwd: folder,
  });
  // One that begins, and some that are complete.
  while (Number(logOf().at(-1) ?? 0) < 4) await sleep(5);
  kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
});

test('what does not follow from the checkpoint is refused, says what to write, and leaves the log as it was', async () => {
  const before = logOf();
  const text = edit([
    declaration,
    'sum: state.value(t.struct({ sum: t.int64(), count: t.int64() }))',
  ])
    .replace('(sum.get() ?? 0n) + amount', '(sum.get()?.sum ?? 0n) + amount')
    .replace('sum.set(now)', 'sum.set({ sum: now, count: 1n })');
  const refused = await runEdited('refused.ts', text);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('needs migration');
  expect(refused.stderr).toContain('migrate: { from: t.int64(), with: (old) => … }');
  const gone = await runEdited('gone.ts', edit([keyBy, '.keyBy((entry) => entry.id)']));
  expect(gone.stderr).toContain('--allow-non-restored-state');
  expect(logOf()).toEqual(before);
});

test('the same is said by who only looks', async () => {
  const check = async (file: string, ...flags: string[]) => {
    const words = ['checkpoints', 'check', file, 'chk', '--json', ...flags];
    const { stdout, exitCode: code } = await runCli(words, { cwd: folder });
    return {
      code,
      ...(JSON.parse(stdout) as {
        isCompatible: boolean;
        findings: { state: string; verdict: string }[];
      }),
    };
  };
  const same = await check('first.ts');
  expect([same.code, same.isCompatible]).toEqual([0, true]);
  expect(new Set(same.findings.map(({ verdict }) => verdict))).toEqual(new Set(['same']));
  const refused = await check('refused.ts');
  expect([refused.code, refused.isCompatible]).toEqual([2, false]);
  expect((await check('gone.ts', '--allow-non-restored-state')).isCompatible).toBe(true);
});

test('an edited job goes on: each entry once, with its sum', async () => {
  const text = edit(
    // A filter in front, a branch beside, names and another output behind; and the state is a struct under another name.
    [keyBy, `.where((entry) => entry.id.ge(0), { name: 'all of them' })\n      ${keyBy}`],
    [
      declaration,
      "total: state.value(t.struct({ sum: t.int64(), count: t.int64() }), { was: 'sum', migrate: { from: t.int64(), with: (sum) => ({ sum, count: 0n }) } })",
    ],
    ['{ state: { sum }, emit }', '{ state: { total }, emit }'],
    ['(sum.get() ?? 0n) + amount', '(total.get()?.sum ?? 0n) + amount'],
    ['sum.set(now)', 'total.set({ sum: now, count: (total.get()?.count ?? 0n) + 1n })'],
    [
      'build: ({ read, params: { input, output } }) =>\n    read(',
      'build: ({ read, params: { input, output } }) => {\n    const entries = read(',
    ],
    [`\n      ${keyBy}`, `;\n    const sums = entries${keyBy}`],
    [write, `;\n    return [sums${write}, sums.limit(3)${write.replace('output', "'few/'")}]; }`],
  );
  const run = await runEdited('edited.ts', text, '--parallelism', '3');
  expect(run.exitCode, run.stderr).toBe(0);
  expect(run.stderr).toContain("by the job's function");
  const { lineCount, ...found } = auditLedger(join(folder, 'out'), choice);
  expect([lineCount, found]).toEqual([choice.count, nothingWrong]);
});
