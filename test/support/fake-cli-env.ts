/**
 * A command line's surroundings for tests: text is collected, time stands still until it is moved,
 * signals are sent by hand, and an exit is an exception.
 */
import type { CliEnv, TextOutput } from '../../cli/cli-env.ts';

/** Thrown in place of ending the process. */
class ProcessEnded extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`the process ended with ${code}`);
    this.code = code;
  }
}

export interface FakeOutput extends TextOutput {
  /** All that was written. */
  text: string;
}

export interface FakeCliEnv extends CliEnv {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  /** Moves the clock and fires the timers that are due. */
  advance(durationMs: number): void;
  signal(name: 'SIGINT' | 'SIGTERM'): void;
  /** Listeners for signals that are still there. */
  signalListenerCount(): number;
  /** Timers that are still running. */
  timerCount(): number;
}

interface FakeTimer {
  readonly intervalMs: number;
  readonly isRepeated: boolean;
  readonly fire: () => void;
  dueMs: number;
}

export interface FakeCliOptions {
  readonly workingFolder?: string;
  readonly isTerminal?: boolean;
  readonly isDebug?: boolean;
  readonly columns?: number;
  readonly cores?: number;
  readonly variables?: Readonly<Record<string, string>>;
}

const gigabyte = 1024 ** 3;

export function fakeCliEnv(options: FakeCliOptions = {}): FakeCliEnv {
  const { workingFolder = '/', isDebug = false, cores = 4, variables = {} } = options;
  const timers = new Set<FakeTimer>();
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  let nowMs = 1_000;
  const start = (delayMs: number, fire: () => void, isRepeated: boolean): (() => void) => {
    const timer = { intervalMs: delayMs, isRepeated, fire, dueMs: nowMs + delayMs };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  return {
    stdout: fakeOutput(options),
    stderr: fakeOutput(options),
    clock: { mono: () => nowMs, wall: () => nowMs },
    timers: {
      after: (delayMs, fire) => start(delayMs, fire, false),
      every: (intervalMs, fire) => start(intervalMs, fire, true),
      sleep: (delayMs) => new Promise((resolve) => start(delayMs, resolve, false)),
    },
    process: {
      exit(code) {
        throw new ProcessEnded(code);
      },
      onSignal(handler) {
        listeners.add(handler);
        return () => listeners.delete(handler);
      },
      memory: () => ({ residentBytes: gigabyte, residentPeakBytes: gigabyte }),
      processorTimes: () => ({ busyMs: 0, idleMs: 0 }),
      identity: 'fake',
      hasEnded: () => false,
      cores,
    },
    memoryBytes: 16 * gigabyte,
    workingFolder,
    variables,
    isDebug,
    advance(durationMs) {
      const endMs = nowMs + durationMs;
      while (true) {
        const due = [...timers].filter(({ dueMs }) => dueMs <= endMs);
        const next = due.sort((a, b) => a.dueMs - b.dueMs)[0];
        if (next === undefined) break;
        nowMs = next.dueMs;
        next.dueMs += next.intervalMs;
        if (!next.isRepeated) timers.delete(next);
        next.fire();
      }
      nowMs = endMs;
    },
    signal(name) {
      for (const listener of [...listeners]) listener(name);
    },
    signalListenerCount: () => listeners.size,
    timerCount: () => timers.size,
  };
}

function fakeOutput({ isTerminal = false, columns = 80 }: FakeCliOptions): FakeOutput {
  return {
    text: '',
    write(text) {
      this.text += text;
    },
    isTerminal,
    columns,
    hasColours: false,
  };
}
