/** The real process: exit, signals, memory and processors of the program that runs us. */
import { readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, cpus, hostname } from 'node:os';
import type { HostProcess, ProcessorTimes } from './host-process.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

export function createRealProcess(): HostProcess {
  return {
    exit: (code) => process.exit(code),
    onSignal(handler) {
      for (const signal of signals) process.on(signal, handler);
      return () => {
        for (const signal of signals) process.off(signal, handler);
      };
    },
    memory: () => ({
      residentBytes: process.memoryUsage.rss(),
      residentPeakBytes: process.resourceUsage().maxRSS * 1024, // The system counts in KiB.
    }),
    processorTimes,
    identity: processIdentityOf(process.pid),
    hasEnded,
    cores: availableParallelism(),
  };
}

function processorTimes(): ProcessorTimes {
  let busyMs = 0;
  let idleMs = 0;
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq;
    idleMs += times.idle;
  }
  return { busyMs, idleMs };
}

/**
 * `host_namespace_pid_start`. Process ids are given out again, and mean something within their namespace
 * only (a container has its own); where the system does not tell, the last two parts are 0.
 */
export function processIdentityOf(pid: number): string {
  return `${hostIdentity()}_${pid}_${startOf(pid) ?? 0}`;
}

function hasEnded(identity: string): boolean {
  const [, host, pidText, start] = /^(.+)_(\d+)_(\d+)$/.exec(identity) ?? [];
  if (host !== hostIdentity()) return false;
  const pid = Number(pidText);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
  const startNow = startOf(pid);
  return start !== '0' && startNow !== null && startNow !== start;
}

function hostIdentity(): string {
  return `${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}_${namespaceOf()}`;
}

function namespaceOf(): string {
  const link = orNull(() => readlinkSync('/proc/self/ns/pid'));
  return /\d+/.exec(link ?? '')?.[0] ?? '0';
}

/** When the process began, in ticks since the machine did. */
function startOf(pid: number): string | null {
  const text = orNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === null) return null;
  // The name stands in brackets, and may have spaces and brackets itself; the start is the 20th behind.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null; // Not Linux, or the process is gone.
  }
}
