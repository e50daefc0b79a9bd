/**
 * A job of the checkpoint bench as a process: how far it is, by the lines that it adds to a file, what it costs, by /proc, and
 * its end by SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Stretch } from './checkpoint-result.ts';
import { cpuSecondsOf } from './process-cpu.ts';

const pollMs = 20;
/** A job that comes no further in this time has hung. */
const stuckMs = 120_000;

interface ProgressLine {
  readonly atMs: number;
  readonly rows: number;
}

export class MeasuredProcess {
  readonly #progress: string;
  readonly #child: ChildProcess;
  readonly #command: string;
  #stderr = '';

  /** @param progress - The file, which is made anew. */
  constructor(command: readonly string[], progress: string) {
    const [program = '', ...args] = command;
    this.#progress = progress;
    this.#command = command.join(' ');
    rmSync(progress, { force: true });
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
  }

  /** @throws When the process has ended. */
  get lines(): ProgressLine[] {
    const { exitCode } = this.#child;
    if (exitCode !== null) {
      throw new Error(`${this.#command}\nended with exit code ${exitCode}:\n${this.#stderr}`);
    }
    if (!existsSync(this.#progress)) return [];
    const lines = readFileSync(this.#progress, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [atMs, rows] = line.split(' ').map(Number);
      return { atMs: atMs ?? 0, rows: rows ?? 0 };
    });
  }

  /** Waits until something has come of the lines; rejects when the job has ended, or has hung. */
  async until<Found>(find: (lines: readonly ProgressLine[]) => Found | null): Promise<Found> {
    let [count, since] = [0, Date.now()];
    for (;;) {
      const { lines } = this;
      const found = find(lines);
      if (found !== null) return found;
      if (lines.length > count) [count, since] = [lines.length, Date.now()];
      if (Date.now() - since > stuckMs)
        throw new Error(`no rows for ${stuckMs / 1000} s: ${this.#command}`);
      await pause(pollMs);
    }
  }

  async untilRows(rows: number): Promise<void> {
    await this.until((lines) =>
      lines.reduce((sum, line) => sum + line.rows, 0) >= rows ? true : null,
    );
  }

  /** Rows, time and CPU time from now on. */
  async stretch(seconds: number): Promise<Stretch> {
    const [fromMs, fromCpu] = [Date.now(), this.#cpuSeconds];
    await pause(seconds * 1000);
    const [toMs, toCpu] = [Date.now(), this.#cpuSeconds];
    const inside = this.lines.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
    return {
      rows: inside.reduce((sum, { rows }) => sum + rows, 0),
      seconds: (toMs - fromMs) / 1000,
      cpuSeconds: toCpu - fromCpu,
    };
  }

  async kill(): Promise<void> {
    const hasEnded = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await hasEnded;
  }

  get #cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid ?? 0);
  }
}

/** Starts a job; it is killed behind what is done with it. */
export async function withProcess<Found>(
  command: readonly string[],
  progress: string,
  measure: (job: MeasuredProcess) => Promise<Found>,
): Promise<Found> {
  const job = new MeasuredProcess(command, progress);
  try {
    return await measure(job);
  } finally {
    await job.kill();
  }
}

/** The value that 99 of a hundred are at or below; null of none. */
export function quantile99(values: readonly number[]): number | null {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? null;
}

/** The longest time without a row, in milliseconds, from a time on. */
export function longestGapMs(lines: readonly ProgressLine[], fromMs: number): number {
  const times = lines.map(({ atMs }) => atMs).filter((atMs) => atMs >= fromMs);
  times.sort((left, right) => left - right);
  return times.reduce((most, atMs, at) => Math.max(most, atMs - (times[at - 1] ?? fromMs)), 0);
}
