/**
 * The real clock: the monotonic clock of the machine, and its wall clock. `performance.now()` counts from the start of
 * its thread; with the offset that is taken once, times of all threads of a process can be compared.
 */
import type { Clock } from './clock.ts';

const [seconds, nanoseconds] = process.hrtime();
const offsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

export function createRealClock(): Clock {
  return {
    mono: () => performance.now() + offsetMs,
    wall: () => Date.now(),
  };
}
