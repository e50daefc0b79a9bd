/**
 * The command line as a user meets it: `node cli/millrace.mjs …` in a process group of its own, with
 * all it wrote and how it ended. A run that is still there at its deadline, or when its test ends, is
 * killed by its id, so no test can leave a process behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, inject, onTestFinished } from 'vitest';
import { onCluster } from './on-cluster.ts';

export const projectFolder = resolve(import.meta.dirname, '../..');
const command = join(projectFolder, 'cli/millrace.mjs');
/** Far above any run of the tests, also on a machine with other work. */
const deadlineDefaultMs = 90_000;

export interface CliOptions {
  /** @defaultValue the project's folder */
  readonly cwd?: string;
  /** Runs as this user; root only. */
  readonly uid?: number;
  /** A command that runs the command, such as `['prlimit', '--fsize=1000']`. */
  readonly within?: readonly string[];
  /** Another script than the command itself. */
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface CliProcess {
  readonly id: number;
  readonly ended: Promise<CliResult>;
  /** To the process alone, or to its whole group as a terminal does. */
  kill(signal: NodeJS.Signals, to?: 'process' | 'group'): void;
  /** Resolves when the text has come on stderr; rejects when the run ends without it. */
  hasSaid(text: string | RegExp): Promise<void>;
}

/** Runs the command to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

export function startCli(args: readonly string[], options: CliOptions = {}): CliProcess {
  const startedAtMs = performance.now();
  const { within = [], script = command, cwd = projectFolder, uid } = options;
  const { words, env } = onCluster(inject('suitesCluster'), args, options.env);
  const [program = '', ...rest] = [...within, process.execPath, script, ...words];
  const child = spawn(program, rest, {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} does not start`);
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const killGroup = () => {
    if (isRunning()) process.kill(-pid, 'SIGKILL');
  };
  const deadline = setTimeout(killGroup, options.deadlineMs ?? deadlineDefaultMs);
  onTestFinished(killGroup);
  const output = outputOf(child);
  const ended = new Promise<CliResult>((resolveEnd) => {
    // Closed, not exited: what is still in the pipes belongs to the result.
    child.once('close', (exitCode, signal) => {
      clearTimeout(deadline);
      const seconds = (performance.now() - startedAtMs) / 1000;
      resolveEnd({ exitCode, signal, stdout: output.stdout(), stderr: output.stderr(), seconds });
    });
  });
  return {
    id: pid,
    ended,
    kill: (signal, to = 'process') => process.kill(to === 'group' ? -pid : pid, signal),
    hasSaid: (text) => saidOnStderr(child, output.stderr, text),
  };
}

function outputOf({ stdout, stderr }: ChildProcess) {
  const written = { stdout: '', stderr: '' };
  stdout?.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  stderr?.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  return { stdout: () => written.stdout, stderr: () => written.stderr };
}

function saidOnStderr(child: ChildProcess, stderr: () => string, text: string | RegExp) {
  const isSaid = () => (typeof text === 'string' ? stderr().includes(text) : text.test(stderr()));
  return new Promise<void>((resolveSaid, reject) => {
    const look = () => isSaid() && resolveSaid();
    child.stderr?.on('data', look);
    child.once('close', () => {
      if (!isSaid()) reject(new Error(`ended without "${text}"; stderr: ${stderr()}`));
    });
    look();
  });
}

/** What a run that has to succeed printed with `--json`: exactly one object, and nothing else. */
export function summaryOf({ exitCode, stdout, stderr }: CliResult): Record<string, unknown> {
  // Progress lines come after seconds only, on a slow machine; nothing else may be said.
  const said = stderr.split('\n').filter((line) => !progressLine.test(line));
  expect([exitCode, said]).toEqual([0, []]);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

/** What a run without a terminal says every few seconds; the end of the last line counts as one. */
const progressLine = /^$|rows|^starting|^writing|^\d+% /;

export interface Failure {
  readonly code: string;
  readonly exitCode: number;
  /** What the message on stderr has to say. */
  readonly says?: RegExp;
}

const errorsPage = readFileSync(join(projectFolder, 'docs/errors.md'), 'utf8');
/** A frame of ours or of Node's, or a warning: nothing a user can do anything with. */
const noise =
  /^\s+at .*(?:\/(?:base|cli|connectors|coordinator|engine|node_modules|worker)\/|node:)|Warning:/m;

/**
 * Expects one clear message with a code that the page of errors has, the right exit code, no stack of
 * ours, and, after `--json`, one object on stdout that says the same.
 */
export function expectFailure(result: CliResult, { code, exitCode, says }: Failure): void {
  const { stderr, stdout } = result;
  expect(stderr).toContain(`error[${code}]: `);
  expect(stderr.match(/error\[/g)).toHaveLength(1);
  if (says !== undefined) expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(noise);
  expect(stderr).not.toContain('this is a bug');
  expect(result.exitCode).toBe(exitCode);
  expect(errorsPage).toContain(`\n## ${code}\n`);
  if (stdout === '') return;
  const summary = JSON.parse(stdout);
  expect(summary.status).toBe('failed');
  expect(summary.error.code).toBe(code);
}
