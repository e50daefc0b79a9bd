/** The real clock: the monotonic clock of the process, and the wall clock of the machine. */
import type { Clock } from './clock.ts';

export function createRealClock(): Clock {
  return {
    mono: () => performance.now(),
    wall: () => Date.now(),
  };
}
