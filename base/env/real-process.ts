/** The real process: exit, signals, memory and processors of the program that runs us. */
import { availableParallelism } from 'node:os';
import type { HostProcess } from './host-process.ts';

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
    cores: availableParallelism(),
  };
}
