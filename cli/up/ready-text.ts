/** What `millrace up` says when its cluster is ready: where it is, what to do next, how it ends. */
import { join } from 'node:path';
import { formatDuration } from '../../base/units.ts';

export interface ReadyCluster {
  readonly address: string;
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly readyMs: number;
  readonly workers: number;
  /** Of each worker. */
  readonly slots: number;
  /** Absolute. */
  readonly data: string;
}

export interface ReadyPlaces {
  /** Of the data, as a person writes it. */
  readonly folder: string;
  /** Whether commands look there by themselves. */
  readonly isDefault: boolean;
  /** A configuration that clients need; null where connections are plain. */
  readonly clientFile: string | null;
}

export function readyJson({ readyMs, ...ready }: ReadyCluster): string {
  return `${JSON.stringify({ status: 'up', seconds: readyMs / 1000, ...ready })}\n`;
}

export function readyText(
  { address, processes, readyMs, workers, slots }: ReadyCluster,
  { folder, isDefault, clientFile }: ReadyPlaces,
): string {
  const pids = processes.map(({ name, pid }) => `${name} ${pid}`).join(', ');
  const flag = clientFile === null ? ` --cluster ${address}` : '';
  const lines = [
    `ready in ${formatDuration(readyMs)}: ${address}, ${many(workers, 'worker')} with ${many(slots, 'slot')} each`,
    `  processes: ${pids}; what they say is in ${join(folder, 'logs')}`,
    ...(clientFile === null ? [] : [`  clients need: export MILLRACE_CONFIG=${clientFile}`]),
    `  now: millrace submit job.ts${flag} …   millrace list${flag}`,
    `  end: Ctrl-C, or millrace down${isDefault ? '' : ` --data ${folder}`}`,
  ];
  return `${lines.join('\n')}\n`;
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
