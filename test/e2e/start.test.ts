/**
 * Goal: what `npm start` shows after its set-up is a count that can be believed and next steps that
 * work as they are printed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { formatBytes, formatCount } from '../../base/units.ts';
import { projectFolder, runCli } from '../support/cli-process.ts';
import { commandsIn, runTyped, typingFolder } from '../support/shell-command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { bytesOf, countWords, filesBelow } from '../support/word-reference.ts';

const start = pathToFileURL(join(projectFolder, 'cli/start.ts')).href;
const launcher = pathToFileURL(join(projectFolder, 'cli/launch.mjs')).href;
/** What cli/setup.mjs does once all is installed. */
const launching = `import { launch } from ${JSON.stringify(launcher)};
await launch(() => new URL(${JSON.stringify(start)}), []);
`;

test('npm start prints the top 20, totals and next steps', async () => {
  const modules = join(projectFolder, 'node_modules');
  const result = await runCli([], {
    script: join(tempFolder({ 'start.mjs': launching }), 'start.mjs'),
  });
  expect([result.exitCode, result.stderr.includes('error[')]).toEqual([0, false]);
  const files = ['.md', '.txt', '.ts', '.js'].flatMap((ending) => filesBelow(modules, ending));
  const counts = countWords(files);
  const lines = result.stdout.split('\n').map((line) => line.split(/[│\s]+/).slice(1, -1));
  const top = counts.slice(0, 20).map(([word, count], index) => {
    return [String(index + 1), word, formatCount(count)];
  });
  const first = lines.findIndex(([number]) => number === '1');
  expect(lines.slice(first, first + 20)).toEqual(top);
  expect(lines[first + 20]?.[0]).not.toBe('21');
  const words = counts.reduce((sum, [, count]) => sum + count, 0);
  expect(result.stdout).toContain(
    `${formatCount(files.length)} files, ${formatBytes(bytesOf(files))}\n`,
  );
  expect(result.stdout).toContain(
    `${formatCount(words)} words, ${formatCount(counts.length)} distinct\n`,
  );
  expect(result.stdout).toMatch(/\n[\d.]+ s, \d+ MB\/s\n/);
  const all = /All words are in (.*)\n/.exec(result.stdout)?.[1] ?? '';
  expect(readFileSync(join(projectFolder, all), 'utf8').split('\n')).toHaveLength(
    counts.length + 2,
  );
});

test('the next steps that it prints work', async () => {
  const commands = commandsIn(readFileSync(new URL(start), 'utf8'));
  expect(commands).toHaveLength(3);
  const folder = typingFolder();
  for (const command of commands) {
    const { exitCode, stderr } = await runTyped(command, folder);
    expect([command, exitCode, stderr.match(/error.*/)]).toEqual([command, 0, null]);
  }
});
