/** The real environment: what a role gets in production, put together from the adapters here. */
import type { Env } from './env.ts';
import { createMemoryNet } from './memory-net.ts';
import type { Net } from './net.ts';
import { createRealClock } from './real-clock.ts';
import { createRealDisk } from './real-disk.ts';
import { createRealObserve } from './real-observe.ts';
import { createRealProcess } from './real-process.ts';
import { createRealRng, createRealSecrets } from './real-rng.ts';
import { createRealTimers } from './real-timers.ts';
import { createTcpNet } from './tcp-net.ts';
import type { TlsCertificates } from './tls-certificates.ts';

export interface RealEnvOptions {
  /** Makes all streams of chance repeatable. @defaultValue drawn from the system */
  readonly seed?: number;
  /** Writes events to stderr as JSON lines. @defaultValue false */
  readonly events?: boolean;
  /** Largest frame on a connection. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
  /** Of all TCP connections. @defaultValue plain connections, on this host only */
  readonly tls?: TlsCertificates | undefined;
}

/** Makes an environment; roles that talk over `memory:` addresses share one. */
export function createRealEnv(options: RealEnvOptions = {}): Env {
  const clock = createRealClock();
  return {
    clock,
    timers: createRealTimers(),
    rng: createRealRng(options.seed),
    secrets: createRealSecrets(),
    disk: createRealDisk(),
    net: createRealNet(options),
    process: createRealProcess(),
    observe: createRealObserve({ clock, isEnabled: options.events ?? false }),
    buggify: () => false,
  };
}

/** Chooses by address: `memory:` stays in the process, all else is a socket. */
function createRealNet({ frameBytesMax, tls }: RealEnvOptions): Net {
  const limits = frameBytesMax === undefined ? {} : { frameBytesMax };
  const memory = createMemoryNet(limits);
  const sockets = createTcpNet({ ...limits, tls });
  const netOf = (address: string): Net => (address.startsWith('memory:') ? memory : sockets);
  return {
    listen: (address, accept) => netOf(address).listen(address, accept),
    connect: (address, deadlineMs) => netOf(address).connect(address, deadlineMs),
  };
}
