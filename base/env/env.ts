/**
 * All that a role may use of the outside world. Every role is `start(env)`, so that many of them can
 * live in one process, and a simulation can own time, chance, disk and network.
 */
import type { Clock } from './clock.ts';
import type { Disk } from './disk.ts';
import type { HostProcess } from './host-process.ts';
import type { Net } from './net.ts';
import type { Observe } from './observe.ts';
import type { RngSource, Secrets } from './rng.ts';
import type { Timers } from './timers.ts';

export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly rng: RngSource;
  readonly secrets: Secrets;
  readonly disk: Disk;
  readonly net: Net;
  readonly process: HostProcess;
  readonly observe: Observe;
  /** A rare branch that only a simulation turns on; always false in production. */
  readonly buggify: (point: string) => boolean;
}
