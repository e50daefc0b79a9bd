/**
 * Goal: the command does the same from its bundle as from its sources: results, errors with the place
 * in the user's file, and one copy of `millrace` for engine and job file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { commandEntry } from '../../cli/bundle.mjs';
import { projectFolder, runCli } from '../support/cli-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const job = `import { defineJob, t } from 'millrace';
import { files, text } from 'millrace/files';

export default defineJob({
  name: 'shout',
  params: { input: t.path(), output: t.path(), bad: t.utf8().default('') },
  build: ({ read, params }) =>
    read(files.source({ path: params.input, format: text() }))
      .map(t.struct({ loud: t.utf8() }), (row) => {
        if (row.text === params.bad) throw new Error('no such word');
        return { loud: row.text.toUpperCase() };
      })
      .writeTo(files.sink({ path: params.output })),
});
`;

/** A script that runs the command from `entry`, whatever cli/millrace.mjs would choose. */
function launcherOf(entry: string): string {
  const url = (path: string) => JSON.stringify(pathToFileURL(path).href);
  return `import { launch } from ${url(join(projectFolder, 'cli/launch.mjs'))};
await launch(() => new URL(${url(join(projectFolder, entry))}), process.argv.slice(2));
`;
}

function scene() {
  const folder = tempFolder({ 'job.ts': job, 'in.txt': 'loud\nwords\n' });
  return { folder, args: ['run', 'job.ts', '--input', 'in.txt', '--output', 'out.csv'] };
}

test('the bundle is up to date while these tests run', () => {
  expect(commandEntry().pathname.endsWith('/dist/main.js')).toBe(true);
});

test.each(['cli/main.ts', 'dist/main.js'])('%s runs a job file from elsewhere', async (entry) => {
  const { folder, args } = scene();
  const script = join(tempFolder({ 'launch.mjs': launcherOf(entry) }), 'launch.mjs');
  const { exitCode, stderr } = await runCli(args, { cwd: folder, script });
  expect(stderr).toMatch(/shout/);
  expect(exitCode).toBe(0);
  expect(readFileSync(join(folder, 'out.csv'), 'utf8').trim().split('\n').sort()).toEqual([
    'LOUD',
    'WORDS',
    'loud',
  ]);
});

test.each(['cli/main.ts', 'dist/main.js'])(
  '%s shows the place in the user’s file',
  async (entry) => {
    const { folder, args } = scene();
    const script = join(tempFolder({ 'launch.mjs': launcherOf(entry) }), 'launch.mjs');
    const bad = await runCli([...args, '--bad', 'words'], { cwd: folder, script });
    expect(bad.exitCode).toBe(1);
    expect(bad.stderr).toMatch(/error\[USER_FUNCTION_FAILED\].*no such word/);
    expect(bad.stderr).toMatch(/^ +at .*job\.ts:10:/m);
    expect(bad.stderr).not.toMatch(/dist\/|engine\//);
  },
);
