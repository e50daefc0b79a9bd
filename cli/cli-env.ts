/**
 * All that the command line may use of the outside: two text streams, the clock, timers, the
 * process. Commands take it as an argument, so tests run them whole, with a fake terminal and time.
 */
import { totalmem } from 'node:os';
import type { Clock } from '../base/env/clock.ts';
import type { HostProcess } from '../base/env/host-process.ts';
import { createRealClock } from '../base/env/real-clock.ts';
import { createRealProcess } from '../base/env/real-process.ts';
import { createRealTimers } from '../base/env/real-timers.ts';
import type { Timers } from '../base/env/timers.ts';

/** A place to print to. */
export interface TextOutput {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Cells of a line; 80 where the system does not say. */
  readonly columns: number;
  /** Whether colours are wanted: a terminal, and no NO_COLOR in the environment. */
  readonly hasColours: boolean;
}

export interface CliEnv {
  /** Results only, so that they can be piped. */
  readonly stdout: TextOutput;
  /** Progress, summaries, errors: what is for people. */
  readonly stderr: TextOutput;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly process: HostProcess;
  readonly memoryBytes: number;
  readonly workingFolder: string;
  /** The environment's variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** MILLRACE_DEBUG=1: internal errors show their stack. */
  readonly isDebug: boolean;
}

const columnsDefault = 80;

export function createCliEnv(): CliEnv {
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    clock: createRealClock(),
    timers: createRealTimers(),
    process: createRealProcess(),
    memoryBytes: totalmem(),
    workingFolder: process.cwd(),
    variables: process.env,
    isDebug: (process.env.MILLRACE_DEBUG ?? '0') !== '0',
  };
}

function outputOf(stream: NodeJS.WriteStream): TextOutput {
  // Who reads our output may stop early (`millrace explain job.ts | head -1`); that is no error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  const isTerminal = stream.isTTY === true;
  return {
    write: (text) => {
      if (stream.writable) stream.write(text);
    },
    isTerminal,
    get columns() {
      return stream.columns ?? columnsDefault;
    },
    hasColours: isTerminal && (process.env.NO_COLOR ?? '') === '',
  };
}
