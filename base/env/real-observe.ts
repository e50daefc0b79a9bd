/**
 * Real observation: one JSON object per line on stderr, only when asked for. Off by default: stdout
 * and stderr belong to the program that the user runs.
 */
import type { Clock } from './clock.ts';
import type { Observe } from './observe.ts';

export interface RealObserveOptions {
  readonly clock: Clock;
  /** Writes events. @defaultValue false */
  readonly isEnabled?: boolean;
  /** Where a line goes. @defaultValue stderr */
  readonly write?: (line: string) => void;
}

export function createRealObserve(options: RealObserveOptions): Observe {
  const { clock, isEnabled = false, write = (line) => process.stderr.write(line) } = options;
  if (!isEnabled) return { event: () => {} };
  return {
    event(name, fields) {
      const at = new Date(clock.wall()).toISOString();
      // The event's own name and time come last, so that a field cannot replace them.
      write(`${JSON.stringify({ ...fields, at, event: name })}\n`);
    },
  };
}
