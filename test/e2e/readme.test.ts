/** Goal: a command that a page of ours shows works as it is written there. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../support/cli-process.ts';
import { commandsIn, runTyped, typingFolder } from '../support/shell-command.ts';

const pages = ['README.md', ...globSync('jobs/**/*.md', { cwd: projectFolder })];

/** Commands of `sh` blocks; one with a word in capitals stands for many. */
function shellCommands(page: string): string[] {
  const text = readFileSync(join(projectFolder, page), 'utf8');
  const blocks = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  return blocks.flatMap(commandsIn).filter((command) => !/\b(FILE|PATH|DIR|URL)\b/.test(command));
}

test('the README shows at least a run, an explain and a help', () => {
  const shown = shellCommands('README.md').join('\n');
  for (const part of ['millrace run', 'millrace explain', '--help', '--json']) {
    expect(shown).toContain(part);
  }
});

test.each(pages.filter((page) => shellCommands(page).length > 0))(
  'commands of %s',
  async (page) => {
    const folder = typingFolder();
    for (const command of shellCommands(page)) {
      const { exitCode, stderr } = await runTyped(command, folder);
      expect([command, exitCode, stderr.match(/error.*/)]).toEqual([command, 0, null]);
    }
  },
);
