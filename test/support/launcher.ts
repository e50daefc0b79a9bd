/**
 * A small program below the real launcher: the launcher's files are copied beside a `main.ts` of the
 * test, and a parent on this Node takes the way over another Node, as Node 20 would.
 *
 *     test ──▶ parent (runOnNode24) ──▶ child (millrace.mjs ──▶ main.ts of the test)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempFolder } from './temp-folder.ts';

const cli = resolve(import.meta.dirname, '../../cli');
const files = ['millrace', 'bundle', 'launch', 'follow-parent', 'node-24', 'node-wanted'];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Launched {
  readonly parent: ChildProcess & { readonly pid: number };
  /** Resolves once the child has written `ready` and its process id. */
  readonly childId: Promise<number>;
  readonly ended: Promise<Ended>;
}

/** A project folder whose command is `main`, the body of a TypeScript module. */
export function makeProgram(main: string): string {
  const folder = tempFolder({
    'package.json': '{ "type": "module" }',
    'cli/main.ts': main,
    'cli/over.mjs':
      "import { runOnNode24 } from './node-24.mjs';\n" +
      "await runOnNode24([new URL('./millrace.mjs', import.meta.url).pathname, ...process.argv.slice(2)]);\n",
  });
  for (const name of files)
    copyFileSync(join(cli, `${name}.mjs`), join(folder, 'cli', `${name}.mjs`));
  return folder;
}

/** Starts the program over a parent, in a process group of its own, as a terminal does. */
export function launchOver(folder: string, args: readonly string[] = []): Launched {
  const parent = spawn(process.execPath, [join(folder, 'cli/over.mjs'), ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (parent.pid === undefined) throw new Error('the parent does not start');
  const { pid } = parent;
  onTestFinished(() => {
    if (parent.exitCode === null && parent.signalCode === null) process.kill(-pid, 'SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  parent.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const childId = new Promise<number>((resolveId) => {
    parent.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const id = /ready (\d+)\n/.exec(stdout)?.[1];
      if (id !== undefined) resolveId(Number(id));
    });
  });
  const ended = new Promise<Ended>((resolveEnd) => {
    // Closed, not exited: the child holds the pipes until it has ended too.
    parent.once('close', (code, signal) => resolveEnd({ code, signal, stdout, stderr }));
  });
  return { parent: Object.assign(parent, { pid }), childId, ended };
}

/** A process that has ended but was not collected by its parent yet counts as gone. */
export function isAlive(processId: number): boolean {
  const status = `/proc/${processId}/status`;
  if (existsSync('/proc/self/status')) {
    return existsSync(status) && !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
  }
  try {
    return process.kill(processId, 0);
  } catch {
    return false; // No such process.
  }
}
