/** The machine that figures belong to: without it a figure says nothing. */
import { cpus, release, totalmem, type } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
}

export function machineOf(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'not known',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.version,
  };
}
