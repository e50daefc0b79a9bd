/**
 * A role of the cluster as a process of this same command line. Its first line on stdout says that it is ready; what it says on
 * stderr goes into a file, and its last words are kept.
 *
 *     up ──channel──▶ child    closes when `up` dies, by whatever means: the child then ends as at Ctrl-C (cli/follow-parent.mjs)
 *
 * It has a session of its own: a Ctrl-C at the terminal is for `up`, which ends its children in their order.
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parentMark } from '../node-wanted.mjs';

/** What starts the roles: of the sources, and of the bundle. */
export const commandFile = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../millrace.mjs' : '../cli/millrace.mjs',
    import.meta.url,
  ),
);
const lastWordsLengthMax = 4_096;

export interface ChildRequest {
  readonly args: readonly string[];
  /** That what it says is added to. */
  readonly logFile: string;
}

export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The end of what it said. */
  readonly lastWords: string;
}

export interface Child {
  /** 0 for one that could not be started. */
  readonly pid: number;
  /** The object that it printed first; never, when it ends without one. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<ChildEnd>;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export type StartChild = (request: ChildRequest) => Child;

export const startChild: StartChild = ({ args, logFile }) => {
  const child = spawn(process.execPath, [commandFile, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NO_COLOR: '1', [parentMark]: '1' },
  });
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  let lastWords = '';
  // A full disk costs what is said, not the cluster.
  log.on('error', () => child.stderr?.resume());
  child.stderr?.on('data', (bytes: Buffer) => {
    lastWords = (lastWords + bytes.toString()).slice(-lastWordsLengthMax);
    if (log.writable) log.write(bytes);
  });
  const ready = new Promise<Readonly<Record<string, unknown>>>((resolve) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line));
    });
  });
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('close', (exitCode, signal) => {
      log.end();
      resolve({ exitCode, signal, lastWords });
    });
    child.once('error', (error) => {
      lastWords += error.message;
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, lastWords });
    });
  });
  return { pid: child.pid ?? 0, ready, ended, kill: (signal) => void child.kill(signal) };
};
