/**
 * Commands as pages and programs print them for people to type: found in a text, and run by a shell in
 * a copy of the places that they name, so that the project's folder stays as it is.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, projectFolder, runCli } from './cli-process.ts';
import { tempFolder } from './temp-folder.ts';

/** The lines of a text that start with `npx millrace`. */
export function commandsIn(text: string): string[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('npx millrace '));
}

/** A folder with the ready jobs and the README, as the project's folder has them. */
export function typingFolder(): string {
  const folder = tempFolder();
  for (const name of ['jobs', 'README.md']) {
    cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
  }
  return folder;
}

/** Runs a line by the shell; `npx millrace` is our command on this Node. */
export function runTyped(line: string, cwd: string): Promise<CliResult> {
  const words = line.replace(/^npx millrace/, 'exec "$@"');
  return runCli([], { cwd, within: ['sh', '-c', words, 'sh'] });
}
