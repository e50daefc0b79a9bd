/** Goal: of a log with bad lines every line is counted or written down, compressed or not. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { hitOf } from '../../jobs/access-log/job.ts';
import { projectFolder, runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const jobFolder = join(projectFolder, 'jobs/access-log');
const lineCount = 20_000;

test('good, bad and unreadable lines add up', { timeout: 120_000 }, async () => {
  const script = join(jobFolder, 'make-log.ts');
  const log = execFileSync(process.execPath, [script, String(lineCount), '5'], {
    maxBuffer: 1 << 26,
  });
  const cwd = tempFolder();
  const cut = log.indexOf('\n', log.length / 2) + 1;
  writeFileSync(join(cwd, 'first.txt'), log.subarray(0, cut));
  writeFileSync(join(cwd, 'second.txt.gz'), zlib.gzipSync(log.subarray(cut)));
  const flags = ['--input', '*.txt*', '--output', 'hits.csv.zst', '--json', '--parallelism', '2'];
  const { exitCode, stderr } = await runCli(['run', join(jobFolder, 'job.ts'), ...flags], { cwd });
  expect(stderr).not.toContain('error');
  expect(exitCode).toBe(0);

  const linesOf = (name: string) => readFileSync(join(cwd, name), 'utf8').split('\n').slice(0, -1);
  const hits = zlib.zstdDecompressSync(readFileSync(join(cwd, 'hits.csv.zst'))).toString();
  const hitCount = hits
    .trimEnd()
    .split('\n')
    .slice(1)
    .reduce((sum, row) => sum + Number(row.split(',')[2]), 0);
  const bad = linesOf('bad-lines.ndjson').map((row) => JSON.parse(row).text as string);
  const unreadable = linesOf('unreadable.ndjson').map((row) => JSON.parse(row));
  expect(hitCount + bad.length + unreadable.length).toBe(lineCount);
  expect(bad.every((line) => hitOf(line) === null)).toBe(true);
  expect(bad.length).toBeGreaterThan(100);
  expect(unreadable.length).toBeGreaterThan(10);
  for (const { origin, reason, text, bytes } of unreadable) {
    expect(origin).toMatch(/^(first\.txt|second\.txt\.gz), byte \d+$/);
    expect({ reason, text }).toEqual({ reason: 'is not UTF-8', text: null });
    expect(Buffer.from(bytes, 'base64')[0]).toBe(0xff);
  }
});
