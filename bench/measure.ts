/**
 * Runs one command and learns what it took: seconds from start to end, CPU seconds, peak memory. The
 * work is done by peers/measure.py, because only the parent of a process, through wait4, learns the
 * CPU time of a tree of processes that have ended.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { peersFolder, projectFolder, pythonPath } from './bench-cache.ts';

export interface Measurement {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

interface Outcome extends Measurement {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in the project's folder; rejects when it fails, with the end of its output. */
export async function measure(command: readonly string[]): Promise<Measurement> {
  const outcome = await runMeasured(command);
  if (outcome.exitCode !== 0) {
    const output = `${outcome.stdout}${outcome.stderr}`.trim();
    throw new Error(`${command.join(' ')}\nended with exit code ${outcome.exitCode}:\n${output}`);
  }
  const { seconds, cpuSeconds, peakMemoryBytes } = outcome;
  return { seconds, cpuSeconds, peakMemoryBytes };
}

function runMeasured(command: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const args = [join(peersFolder, 'measure.py'), ...command];
    execFile(pythonPath, args, { cwd: projectFolder }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`measuring failed: ${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout) as Outcome);
    });
  });
}
